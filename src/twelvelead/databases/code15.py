"""CODE-15 %: `exams.csv` beside `exams_part0.hdf5` and so on, many recordings a file (doi:10.5281/zenodo.4916206).

It says nothing of PAC, PVC, STD and STE: `UNLABELLED` in `databases.survey`.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.databases import hdf5
from twelvelead.databases.codes import CODE_15
from twelvelead.databases.labelled import Entry, LabelledRecord, Search
from twelvelead.databases.tables import Row, columns_of, labelled_rows
from twelvelead.diagnoses import in_order
from twelvelead.person import plausible_age
from twelvelead.record import RecordError

TABLE: Final = "exams.csv"
COLUMNS: Final = {"exam_id", "patient_id", "trace_file", *CODE_15}

Places = dict[str, tuple[Path, int]]


def is_here(folder: Path) -> bool:
    """Whether a folder holds CODE-15's table."""
    return columns_of(folder / TABLE) >= COLUMNS


def records(folder: Path, _: Search) -> Iterator[Entry]:
    """Each recording of the table whose file is there, in the table's folder or a part's own folder below it."""
    places: Places = {}
    for path in sorted([*folder.glob("exams_part*.hdf5"), *folder.glob("exams_part*/exams_part*.hdf5")]):
        try:
            rows = hdf5.exam_ids(path)
        except RecordError as error:
            yield path, str(error)
            continue
        for row, exam in enumerate(rows):
            places.setdefault(str(exam), (path, row))
    unpacked = {path.stem for path, _ in places.values()}
    for archive in sorted(folder.glob("exams_part*.zip")):
        if archive.stem not in unpacked:
            yield archive, "it is packed: unpack it beside the table"
    yield from labelled_rows(folder / TABLE, partial(_labelled, places))


def _labelled(places: Places, row: Row) -> LabelledRecord | None:
    exam = str(int(row["exam_id"]))
    if exam not in places:
        return None
    path, place = places[exam]
    return LabelledRecord(
        path=path,
        row=place,
        database="code-15",
        recording=exam,
        diagnoses=in_order(name for column, name in CODE_15.items() if _is_true(row[column])),
        patient=row["patient_id"].strip() or None,
        sex="M" if _is_true(row.get("is_male", "")) else "F" if row.get("is_male") else None,
        age=plausible_age(row.get("age")),
    )


def _is_true(cell: str) -> bool:
    plain = cell.strip().lower()
    if plain not in {"true", "false", "1", "0", "1.0", "0.0", ""}:
        raise ValueError(f"{cell!r} where True or False is expected")
    return plain in {"true", "1", "1.0"}
