"""One's own recordings: any CSV with the columns `path` and `labels`, and `patient`, `age`, `sex`, `fold` if known."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import SNOMED, from_challenge, is_snomed
from twelvelead.databases.labelled import DatabaseError, Entry, LabelledRecord, Search
from twelvelead.databases.published import PUBLISHED
from twelvelead.databases.tables import Row, columns_of, inside, labelled_rows, titles_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats import SIGNAL_SUFFIXES, header_beside
from twelvelead.formats.files import BEGINNING_BYTES
from twelvelead.person import plausible_age, sex_letter

COLUMNS: Final = {"path", "labels"}
FACTS: Final = ("patient", "age", "sex", "fold")
NONE: Final = "none"
CSV: Final = "*.[cC][sS][vV]"
CSV_OR_TSV: Final = "*.[cCtT][sS][vV]"
OVERRULED: Final = (
    "the table of a published database beside it counts: move it, with its recordings, into a folder of its own"
)
_MARKS: Final = b'"\xef\xbb\xbf\xff\xfe'  # quotes, and what says how a text is written
_SUFFIX = re.compile(r"\.[A-Za-z]\w*$")  # the last part of `1.2.840.10008` is none
_WRITTEN_AS_FLOAT = re.compile(r"^(\d+)\.0$")  # as pandas does with whole numbers where one is missing
_IN_ORDER = {name.lower(): name for name in DIAGNOSES}


def is_here(folder: Path) -> bool:
    """Whether a folder holds such a table."""
    return any(_tables(folder))


def passed_over(folder: Path, *, is_taken: bool) -> Iterator[tuple[Path, str]]:
    """(path, reason) for each such table that does not count: for how it is written, or, where is_taken, at all.

    is_taken: whether a published database's table has the folder.
    """
    for table in sorted(folder.glob(CSV_OR_TSV)):  # which may be recordings, a hundred thousand: each opened once
        why_not = _unreadable(table)
        if why_not is None:
            continue
        if table.suffix.lower() != ".csv" or not _is_one(table):
            yield table, why_not
        elif is_taken:
            yield table, OVERRULED


def _unreadable(table: Path) -> str | None:
    """Why a table with the titles of one's own in its first two lines is none, unless it is one; None without these."""
    beginning = _beginning(table)
    plain = beginning.replace(b"\0", b"").translate(None, _MARKS).lower()
    if b"labels" not in plain:  # as in nearly all
        return None
    lines = plain.splitlines()[:2]
    are_titles = [{cell.strip() for cell in re.split(rb"[,;\t|]", line)} >= {b"path", b"labels"} for line in lines]
    if not any(are_titles):
        return None
    if b"\0" in beginning:
        return "it is UTF-16: save it as CSV UTF-8"
    if not are_titles[0]:
        return "its titles are not in its first line: take out what is above them"
    if b"\t" in lines[0] or b"|" in lines[0]:
        return "its columns are not parted by commas: save it as CSV UTF-8"
    return "it is not UTF-8, or its name does not end in .csv, or its lines end as on old Macs: save it as CSV UTF-8"


def _beginning(table: Path) -> bytes:
    try:
        with table.open("rb") as file:
            return file.read(BEGINNING_BYTES)
    except OSError:
        return b""


def records(folder: Path, search: Search) -> Iterator[Entry]:
    """Each row whose file is there; (path, reason) for a row without labels or without its file.

    Raises DatabaseError where a recording is there twice, with other facts or by another file, or a column is; and
    where the searched folder, by which the recordings go, has the name of a published database.
    """
    if (name := search.root.resolve().name) in PUBLISHED:
        raise DatabaseError(
            f"{folder} has a table of your own, and {name} is a published database's name: rename the folder {name}"
        )
    for table in sorted(_tables(folder)):
        if not set(map(str.lower, columns_of(table))) >= COLUMNS:
            yield table, "its columns are parted by semicolons: save it with commas"
            continue
        _refuse_titles_twice(table)
        left_out: list[tuple[Path, str]] = []

        def labelled(
            row: Row, table: Path = table, left_out: list[tuple[Path, str]] = left_out
        ) -> LabelledRecord | None:
            record = _labelled(folder, search.root, row, left_out)
            if record is not None:
                _refuse_other_facts(record, table, *search.own.setdefault(record.key, (record, table)))
            return record

        yield from labelled_rows(table, labelled)
        yield from left_out


def _tables(folder: Path) -> Iterator[Path]:
    return filter(_is_one, folder.glob(CSV))


def _is_one(table: Path) -> bool:
    """Whether a table is one of one's own, its columns parted by commas or semicolons."""
    return set(";".join(columns_of(table)).lower().split(";")) >= COLUMNS


def _refuse_titles_twice(table: Path) -> None:
    titles = [title.lower() for title in titles_of(table)]
    if twice := [title for title in (*sorted(COLUMNS), *FACTS) if titles.count(title) > 1]:
        raise DatabaseError(f"{table} has {titles.count(twice[0])} columns {twice[0]}: leave one, or rename the others")


def _labelled(folder: Path, root: Path, row: Row, left_out: list[tuple[Path, str]]) -> LabelledRecord | None:
    row = {name.lower(): cell for name, cell in row.items()}
    path = _read_as(inside(folder, row["path"].strip().replace("\\", "/")))  # as Windows parts folders
    labels = [label for label in re.split(r"[\s,;|]+", row["labels"].strip()) if label]
    _refuse_labels_elsewhere(row)
    if not path.is_file():
        left_out.append((path, "the table names it and it is not there"))
        return None
    if not labels:
        left_out.append((path, f"the table gives it no labels: write `{NONE}` for none of the nine"))
        return None
    return LabelledRecord(
        path=path,
        database=root.resolve().name,
        recording=_SUFFIX.sub("", path.relative_to(root).as_posix()),
        diagnoses=_diagnoses(labels),
        patient=_WRITTEN_AS_FLOAT.sub(r"\1", row.get("patient", "").strip()) or None,
        fold=_fold(row["fold"]) if row.get("fold", "").strip() else None,
        sex=sex_letter(row.get("sex")),
        age=plausible_age(row.get("age")),
    )


def _refuse_labels_elsewhere(row: Row) -> None:
    """Raise ValueError where a comma without quotes made a label the patient, or another fact."""
    for fact in FACTS:
        if (cell := row.get(fact, "").strip()).lower() in _IN_ORDER or cell in SNOMED:
            raise ValueError(f"{fact} {cell!r} is a diagnosis: part several labels by semicolons, or quote them")


def _read_as(path: Path) -> Path:
    """The header of a signal file, where there is one: by whichever it is named, the recording is one."""
    return (header_beside(path) if path.suffix.lower() in SIGNAL_SUFFIXES else None) or path


def _fold(text: str) -> int:
    """A whole number, maybe written as `1.0`."""
    if (number := re.fullmatch(r"(-?\d+)(\.0*)?", text.strip())) is None:
        raise ValueError(f"fold {text!r}: it must be a whole number, or empty where there is none")
    return int(number[1])


def _refuse_other_facts(record: LabelledRecord, table: Path, other: LabelledRecord, others_table: Path) -> None:
    if record.path != other.path:
        raise DatabaseError(
            f"{record.path} and {other.path.name} are both called {record.key}: rename one of them, or leave one out"
        )
    if record != other:
        where = "" if table == others_table else f" in {others_table} and {table}"
        raise DatabaseError(
            f"{record.path} has two rows that differ{where}: write all its labels into one, parted by spaces, "
            f"with one patient, age, sex and fold"
        )


def _diagnoses(labels: list[str]) -> tuple[str, ...]:
    """Names of the nine in any case, or SNOMED CT codes; `none` alone for a negative."""
    unknown = [label for label in labels if label.lower() not in (*_IN_ORDER, NONE) and not is_snomed(label)]
    if unknown or (NONE in map(str.lower, labels) and len(labels) > 1):
        raise ValueError(f"labels {labels}: allowed are {', '.join(DIAGNOSES)}, SNOMED CT codes, or `{NONE}` alone")
    return from_challenge(_IN_ORDER.get(label.lower(), label) for label in labels)
