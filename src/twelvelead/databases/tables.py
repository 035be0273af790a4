"""The tables that databases come with: CSV of any encoding mark, a damaged row named in one sentence."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from twelvelead.databases.labelled import DatabaseError, LabelledRecord

Row = dict[str, str]


def labelled_rows(table: Path, labelled: Callable[[Row], LabelledRecord | None]) -> Iterator[LabelledRecord]:
    """What `labelled` makes of each row, rows of which it makes None left out.

    Raises DatabaseError, with the row's number, when the table or a row is damaged.
    """
    number = 1
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, restval=""):
                number += 1
                cells = {str(column): cell for column, cell in row.items() if isinstance(cell, str)}
                if (record := labelled(cells)) is not None:
                    yield record
    except (csv.Error, KeyError, ValueError, OverflowError) as error:
        raise DatabaseError(f"{table}: row {number} is damaged ({error!r}); fetch the table again") from error
