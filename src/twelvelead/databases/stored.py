"""A sample store: recordings of any databases, filtered once for training, as `twelvelead store` writes them.

`store.json` says for which recipe, `recordings.csv` has a row a recording, `signals.i16` their samples one after the
other. Only `learning/store.py` reads the samples; here they are found like those of any other database.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

from twelvelead.databases.labelled import DatabaseError, LabelledRecord, Search
from twelvelead.databases.tables import Row, labelled_rows, rows_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.person import plausible_age, sex_letter

FACTS: Final = "store.json"
TABLE: Final = "recordings.csv"
SIGNALS: Final = "signals.i16"
FORMAT: Final = 1
COLUMNS: Final = (
    "database",
    "recording",
    "patient",
    "fold",
    "sex",
    "age",
    "diagnoses",
    "samples",
    "step",
    "in_mv",
    "digest",
)


def is_here(folder: Path) -> bool:
    """Whether a folder is a store."""
    return (folder / FACTS).is_file() and (folder / SIGNALS).is_file()


def records(folder: Path, _search: Search) -> Iterator[LabelledRecord]:
    """The recordings of a store, each a row of its signals."""
    number = count()
    return labelled_rows(folder / TABLE, lambda row: _labelled(folder / SIGNALS, next(number), row))


def is_stored(record: LabelledRecord) -> bool:
    """Whether a recording comes from a store, filtered already."""
    return record.path.name == SIGNALS


def facts_of(folder: Path) -> dict[str, Any]:
    """What `store.json` says; raises DatabaseError where it is no such file, or of another format."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatabaseError(f"{folder / FACTS} cannot be read ({error}): make the store again") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or not isinstance(facts.get("sha256"), dict):
        raise DatabaseError(f"{folder} is no store of format {FORMAT}: make it again with `twelvelead store`")
    return facts


def rows_in(folder: Path) -> list[Row]:
    """The rows of the table; raises DatabaseError where one is damaged."""
    rows: list[Row] = []
    rows_of(folder / TABLE, rows.append)
    return rows


def write_table(path: Path, records: Sequence[LabelledRecord], samples: Sequence[Sequence[object]]) -> None:
    """A row for each record, with (samples, step, in_mv, digest) of each signal."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for record, of_signal in zip(records, samples, strict=True):
            known = (record.patient, record.fold, record.sex, record.age)
            words = ["" if value is None else value for value in known]
            writer.writerow([record.database, record.recording, *words, " ".join(record.diagnoses), *of_signal])


def _labelled(path: Path, number: int, row: Row) -> LabelledRecord:
    return LabelledRecord(
        path=path,
        database=row["database"],
        recording=row["recording"],
        diagnoses=tuple(name for name in DIAGNOSES if name in row["diagnoses"].split()),
        patient=row["patient"] or None,
        fold=int(row["fold"]) if row["fold"] else None,
        sex=sex_letter(row["sex"]),
        age=plausible_age(row["age"]),
        row=number,
    )
