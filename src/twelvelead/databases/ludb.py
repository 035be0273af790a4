"""LUDB as published: `ludb.csv` beside `data/N.hea` (doi:10.13026/eegm-h675); one recording a patient."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_ludb
from twelvelead.databases.labelled import LabelledRecord, Search
from twelvelead.databases.tables import Row, labelled_rows
from twelvelead.person import age_in_table, sex_letter

TABLE: Final = "ludb.csv"
NOT_STATEMENTS: Final = ("ID", "Sex", "Age")


def is_here(folder: Path) -> bool:
    """Whether a folder holds LUDB's table."""
    return (folder / TABLE).is_file()


def records(folder: Path, _: Search) -> Iterator[LabelledRecord]:
    """Each recording of the table that is on disk."""
    yield from labelled_rows(folder / TABLE, partial(_labelled, folder))


def _labelled(folder: Path, row: Row) -> LabelledRecord | None:
    number = int(row["ID"])
    path = folder / "data" / f"{number}.hea"
    if not path.is_file():
        return None
    cells = [cell for column, cell in row.items() if column not in NOT_STATEMENTS]
    return LabelledRecord(
        path=path,
        database="ludb",
        recording=str(number),
        diagnoses=from_ludb(line for cell in cells for line in cell.splitlines()),
        patient=str(number),
        sex=sex_letter(row.get("Sex")),
        age=age_in_table(row.get("Age")),
    )
