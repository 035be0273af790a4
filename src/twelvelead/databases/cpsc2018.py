"""CPSC2018 as first published: `REFERENCE.csv` with up to three labels a recording, `TrainingSet*/A0001.mat`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import CPSC_NUMBERS, from_cpsc_numbers
from twelvelead.databases.labelled import LabelledRecord, Search
from twelvelead.databases.tables import Row, columns_of, labelled_rows

TABLE: Final = "REFERENCE.csv"
LABELS: Final = ("First_label", "Second_label", "Third_label")


def is_here(folder: Path) -> bool:
    """Whether a folder holds CPSC2018's table of labels."""
    return columns_of(folder / TABLE) >= {"Recording", LABELS[0]}


def records(folder: Path, _: Search) -> Iterator[LabelledRecord]:
    """Each recording of the table that is on disk, in any folder `TrainingSet*` or beside the table."""
    paths = {path.stem: path for pattern in ("*.mat", "TrainingSet*/*.mat") for path in folder.glob(pattern)}
    yield from labelled_rows(folder / TABLE, partial(_labelled, paths))


def _labelled(paths: dict[str, Path], row: Row) -> LabelledRecord | None:
    name = row["Recording"].strip()
    numbers = [number for label in LABELS if (number := row.get(label, "").strip())]
    if not set(numbers) <= set(CPSC_NUMBERS) or not numbers:
        raise ValueError(f"labels {numbers} of {name}: allowed are 1 to 9")
    if name not in paths:
        return None
    return LabelledRecord(path=paths[name], database="cpsc2018", recording=name, diagnoses=from_cpsc_numbers(numbers))
