"""The tables that databases come with: CSV of any encoding mark, a damaged row named in one sentence."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from twelvelead.databases.labelled import DatabaseError, LabelledRecord

Row = dict[str, str]
Made = TypeVar("Made")
MAX_TITLE_BYTES: Final = 1 << 16


def labelled_rows(table: Path, labelled: Callable[[Row], LabelledRecord | None]) -> Iterator[LabelledRecord]:
    """What `labelled` makes of each row, rows of which it makes None left out.

    Raises DatabaseError, with its last line's number, when the table or a row is damaged.
    """
    return (record for record in _each(table, labelled) if record is not None)


def rows_of(table: Path, remember: Callable[[Row], None]) -> None:
    """Hand over each row; raises DatabaseError, with its last line's number, when the table or a row is damaged."""
    for _ in _each(table, remember):
        pass


def _each(table: Path, make: Callable[[Row], Made]) -> Iterator[Made]:
    number = 1
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, restval="")
            for row in rows:
                number = rows.line_num
                if None in row:
                    raise ValueError("more cells than columns: quote what has a comma in it")
                yield make({str(column).strip(): cell for column, cell in row.items() if isinstance(cell, str)})
    except UnicodeDecodeError as error:  # whose own words hold the table
        raise DatabaseError(
            f"{table}: not UTF-8 (byte {error.object[error.start]:#x}): save the table as UTF-8"
        ) from None
    except (csv.Error, KeyError, ValueError, OverflowError) as error:
        reason = f"it has no column {error}" if isinstance(error, KeyError) else error
        raise DatabaseError(
            f"{table}: line {number} is damaged ({reason}); correct or fetch the table again"
        ) from error


def columns_of(table: Path) -> set[str]:
    """The columns of a table; none where it is no readable table."""
    return set(titles_of(table))


def titles_of(table: Path) -> list[str]:
    """The columns of a table in their order, as often as they are there; none where it is no readable table."""
    if not table.is_file():
        return []
    try:
        with table.open("rb") as file:
            title = file.readline(MAX_TITLE_BYTES).decode("utf-8-sig")
        return [column.strip() for column in next(csv.reader([title.rstrip("\r\n")]), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def inside(folder: Path, name: str) -> Path:
    """The file of this name below a folder; raises ValueError on a name that leads out of it."""
    relative = Path(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in name:
        raise ValueError(f"file name {name!r}: it must be relative to the table, and of a file below it")
    return folder / relative
