"""PTB-XL as published: `ptbxl_database.csv` beside `records100` and `records500` (doi:10.13026/kfzx-aw45)."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_scp
from twelvelead.databases.labelled import LabelledRecord, Search
from twelvelead.databases.tables import Row, inside, labelled_rows
from twelvelead.person import age_in_table, sex_letter

TABLE: Final = "ptbxl_database.csv"
COLUMNS: Final = {100: "filename_lr", 500: "filename_hr"}
SEX: Final = {"0": "M", "1": "F"}


def is_here(folder: Path) -> bool:
    """Whether a folder holds PTB-XL's table."""
    return (folder / TABLE).is_file()


def records(folder: Path, search: Search) -> Iterator[LabelledRecord]:
    """Each recording of the table that is on disk, once: at the rate asked for where it is there, else at the other."""
    columns = sorted(COLUMNS.values(), key=lambda column: column != COLUMNS[search.rate_hz])
    yield from labelled_rows(folder / TABLE, partial(_labelled, folder, columns))


def _labelled(folder: Path, columns: list[str], row: Row) -> LabelledRecord | None:
    path = _first_present(folder, [row[column] for column in columns if row.get(column)])
    if path is None:
        return None
    return LabelledRecord(
        path=path,
        database="ptb-xl",
        recording=f"{int(row['ecg_id']):05d}",
        diagnoses=from_scp(re.findall(r"'([^']*)'\s*:", row["scp_codes"])),
        patient=str(int(float(row["patient_id"]))) if row.get("patient_id") else None,
        fold=int(float(row["strat_fold"])) if row.get("strat_fold") else None,
        sex=sex_letter(SEX.get(row.get("sex", "").split(".")[0])),
        age=age_in_table(row.get("age")),
    )


def _first_present(folder: Path, names: list[str]) -> Path | None:
    paths = (inside(folder, name + ".hea") for name in names)
    return next((path for path in paths if path.is_file()), None)
