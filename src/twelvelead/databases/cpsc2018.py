"""CPSC2018 as first published: `REFERENCE.csv` with up to three labels a recording, `TrainingSet*/A0001.mat`."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.labelled import DatabaseError, LabelledRecord
from twelvelead.diagnoses import CPSC_NUMBERS, from_cpsc_numbers

TABLE: Final = "REFERENCE.csv"


def is_here(folder: Path) -> bool:
    """Whether a folder holds CPSC2018's table of labels."""
    return (folder / TABLE).is_file()


def records(folder: Path, rate_hz: int) -> Iterator[LabelledRecord | tuple[Path, str]]:
    """Each recording of the table that is on disk, in any folder `TrainingSet*` or beside the table."""
    del rate_hz  # CPSC2018 has one rate
    paths = {path.stem: path for pattern in ("*.mat", "TrainingSet*/*.mat") for path in folder.glob(pattern)}
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, *labels = [(cell or "").strip() for cell in list(row.values())[:4]]
            numbers = [label for label in labels if label]
            if unknown := [number for number in numbers if number not in CPSC_NUMBERS]:
                raise DatabaseError(f"{folder / TABLE}: label {unknown[0]!r} of {name}: allowed are 1 to 9")
            if name in paths and numbers:
                yield LabelledRecord(
                    path=paths[name],
                    database="cpsc2018",
                    recording=name,
                    diagnoses=from_cpsc_numbers(numbers),
                )
