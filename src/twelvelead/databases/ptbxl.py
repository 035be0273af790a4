"""PTB-XL as published: `ptbxl_database.csv` beside `records100` and `records500` (doi:10.13026/kfzx-aw45)."""

import ast
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.labelled import DatabaseError, LabelledRecord
from twelvelead.diagnoses import from_scp
from twelvelead.record import plausible_age, sex_letter

TABLE: Final = "ptbxl_database.csv"
COLUMNS: Final = {100: "filename_lr", 500: "filename_hr"}
SEX: Final = {"0": "M", "1": "F"}


def is_here(folder: Path) -> bool:
    """Whether a folder holds PTB-XL's table."""
    return (folder / TABLE).is_file()


def records(folder: Path, rate_hz: int) -> Iterator[LabelledRecord | tuple[Path, str]]:
    """Each recording of the table that is on disk, once: at `rate_hz` where it is there, else at the other rate."""
    table = folder / TABLE
    columns = [COLUMNS[rate_hz]] + [column for rate, column in COLUMNS.items() if rate != rate_hz]
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                path = _first_present(folder, [row[column] for column in columns if row.get(column)])
                if path is not None:
                    yield _labelled(row, path)
            except (KeyError, ValueError, SyntaxError, AttributeError) as error:
                raise DatabaseError(
                    f"{table}: row of ecg_id {row.get('ecg_id')!r} is damaged ({error!r}); fetch the table again"
                ) from error


def _first_present(folder: Path, names: list[str]) -> Path | None:
    for name in names:
        relative = Path(name + ".hea")
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"file name {name!r} outside the database")
        if (path := folder / relative).is_file():
            return path
    return None


def _labelled(row: dict[str, str], path: Path) -> LabelledRecord:
    return LabelledRecord(
        path=path,
        database="ptb-xl",
        recording=f"{int(row['ecg_id']):05d}",
        diagnoses=from_scp(ast.literal_eval(row["scp_codes"]).keys()),
        patient=str(int(float(row["patient_id"]))) if row.get("patient_id") else None,
        fold=int(float(row["strat_fold"])) if row.get("strat_fold") else None,
        age=plausible_age(row.get("age")),
        sex=sex_letter(SEX.get(row.get("sex", "").split(".")[0])),
    )
