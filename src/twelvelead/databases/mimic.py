"""MIMIC-IV-ECG: `record_list.csv` and `machine_measurements.csv` beside `files/` (doi:10.13026/4nqg-sb35).

Its labels are what the cart said, up to 18 statements a recording; nobody confirmed them.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_statements
from twelvelead.databases.labelled import Entry, LabelledRecord, Search
from twelvelead.databases.tables import Row, columns_of, inside, labelled_rows, rows_of

TABLE: Final = "record_list.csv"
STATEMENTS: Final = "machine_measurements.csv"
COLUMNS: Final = {"subject_id", "study_id", "path"}


def is_here(folder: Path) -> bool:
    """Whether a folder holds MIMIC-IV-ECG's list of recordings."""
    return columns_of(folder / TABLE) >= COLUMNS


def records(folder: Path, _: Search) -> Iterator[Entry]:
    """Each recording of the list that is on disk and of which the cart said something."""
    if not (folder / STATEMENTS).is_file():
        yield folder / TABLE, f"{STATEMENTS} is not beside it, so nobody knows its diagnoses: fetch it too"
        return
    said: dict[int, tuple[str, ...]] = {}
    rows_of(folder / STATEMENTS, partial(_remember, said))
    silent: list[tuple[Path, str]] = []
    yield from labelled_rows(folder / TABLE, partial(_labelled, folder, said, silent))
    yield from silent


def _remember(said: dict[int, tuple[str, ...]], row: Row) -> None:
    statements = [cell for column, cell in row.items() if column.startswith("report_") and cell.strip()]
    if statements:
        said[int(row["study_id"])] = from_statements(statements)


def _labelled(
    folder: Path, said: dict[int, tuple[str, ...]], silent: list[tuple[Path, str]], row: Row
) -> LabelledRecord | None:
    study = int(row["study_id"])
    path = inside(folder, row["path"] + ".hea")
    if not path.is_file():
        return None
    if study not in said:
        silent.append((path, f"{STATEMENTS} says nothing of it, so nobody knows its diagnoses"))
        return None
    return LabelledRecord(
        path=path,
        database="mimic-iv-ecg",
        recording=str(study),
        diagnoses=said[study],
        patient=str(int(row["subject_id"])),
    )
