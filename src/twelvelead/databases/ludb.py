"""LUDB as published: `ludb.csv` beside `data/N.hea` (doi:10.13026/eegm-h675); one recording a patient."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.labelled import LabelledRecord
from twelvelead.diagnoses import from_ludb
from twelvelead.record import plausible_age, sex_letter

TABLE: Final = "ludb.csv"
NOT_STATEMENTS: Final = ("ID", "Sex", "Age")


def is_here(folder: Path) -> bool:
    """Whether a folder holds LUDB's table."""
    return (folder / TABLE).is_file()


def records(folder: Path, rate_hz: int) -> Iterator[LabelledRecord | tuple[Path, str]]:
    """Each recording of the table that is on disk."""
    del rate_hz  # LUDB has one rate
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = row["ID"].strip()
            path = folder / "data" / f"{number}.hea"
            if number.isdigit() and path.is_file():
                cells = (cell for column, cell in row.items() if column not in NOT_STATEMENTS)
                yield LabelledRecord(
                    path=path,
                    database="ludb",
                    recording=number,
                    diagnoses=from_ludb(line for cell in cells if cell for line in cell.splitlines()),
                    patient=number,
                    age=plausible_age(row["Age"]),
                    sex=sex_letter(row["Sex"]),
                )
