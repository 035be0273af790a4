"""SPH, Shandong Provincial Hospital: `metadata.csv` beside `records/A00001.h5` (doi:10.6084/m9.figshare.c.5779802)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_aha
from twelvelead.databases.labelled import LabelledRecord, Search
from twelvelead.databases.tables import Row, columns_of, labelled_rows
from twelvelead.person import plausible_age, sex_letter

TABLE: Final = "metadata.csv"
COLUMNS: Final = {"ECG_ID", "AHA_Code", "Patient_ID"}


def is_here(folder: Path) -> bool:
    """Whether a folder holds SPH's table, told from other tables of that name by its columns."""
    return columns_of(folder / TABLE) >= COLUMNS


def records(folder: Path, _: Search) -> Iterator[LabelledRecord]:
    """Each recording of the table that is on disk, in `records` or beside the table."""
    yield from labelled_rows(folder / TABLE, partial(_labelled, folder))


def _labelled(folder: Path, row: Row) -> LabelledRecord | None:
    name = row["ECG_ID"].strip()
    if not name.isalnum():
        raise ValueError(f"ECG_ID {name!r}: letters and digits are allowed")
    path = next((path for path in (folder / "records" / f"{name}.h5", folder / f"{name}.h5") if path.is_file()), None)
    if path is None:
        return None
    return LabelledRecord(
        path=path,
        database="sph",
        recording=name,
        diagnoses=from_aha(row["AHA_Code"].split(";")),
        patient=row["Patient_ID"].strip() or None,
        sex=sex_letter(row.get("Sex")),
        age=plausible_age(row.get("Age")),
    )
