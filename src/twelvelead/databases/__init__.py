"""Folder on disk -> the labelled recordings in it, whichever databases it holds, nested or flat."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from twelvelead.databases import challenge, code15, cpsc2018, incart, ludb, mimic, own, ptb, ptbxl, sph, stored
from twelvelead.databases.labelled import (
    LISTED,
    DatabaseError,
    Entry,
    LabelledRecord,
    Search,
    groups_of,
    only,
    partings_of,
    people_of,
    read_keys,
    truth_of,
    without_repetitions,
)
from twelvelead.databases.reading import read_labelled

__all__ = [
    "LISTED",
    "DatabaseError",
    "Found",
    "LabelledRecord",
    "find",
    "groups_of",
    "only",
    "partings_of",
    "people_of",
    "read_keys",
    "read_labelled",
    "truth_of",
]


class Layout(NamedTuple):
    """How one database lies on disk. owns_below: its folder holds nothing of any other database."""

    is_here: Callable[[Path], bool]
    records: Callable[[Path, Search], Iterator[Entry]]
    owns_below: bool


LAYOUTS: Final = (
    Layout(stored.is_here, stored.records, owns_below=True),
    Layout(ptbxl.is_here, ptbxl.records, owns_below=True),
    Layout(ludb.is_here, ludb.records, owns_below=True),
    Layout(cpsc2018.is_here, cpsc2018.records, owns_below=True),
    Layout(mimic.is_here, mimic.records, owns_below=True),
    Layout(code15.is_here, code15.records, owns_below=True),
    Layout(sph.is_here, sph.records, owns_below=True),
    Layout(own.is_here, own.records, owns_below=False),  # before those known by no more than names of files
    Layout(ptb.is_here, ptb.records, owns_below=True),
    Layout(incart.is_here, incart.records, owns_below=False),
    Layout(challenge.is_here, challenge.records, owns_below=False),
)


@dataclass(frozen=True)
class Found:
    """The labelled recordings below some folders, each once, and what was passed over: (path, reason).

    repeated: how many files hold, by their names, a recording that another file holds too; contradicted: those of them
    whose diagnoses are not the ones that count, with the file whose are. namesakes: patients of one's own tables in
    several folders, who count as different people.
    """

    records: tuple[LabelledRecord, ...]
    passed_over: tuple[tuple[Path, str], ...]
    repeated: int = 0
    contradicted: tuple[tuple[Path, Path], ...] = ()
    namesakes: tuple[str, ...] = ()


def find(folders: Sequence[Path], *, rate_hz: Literal[100, 500] = 100) -> Found:
    """Index every known database below the folders.

    rate_hz: which form of PTB-XL to take where both are there; each recording counts once either way.
    Raises DatabaseError when a folder is missing, or when none of them holds a labelled recording.
    """
    records: list[LabelledRecord] = []
    passed_over: list[tuple[Path, str]] = []
    named_by: dict[str, Path] = {}
    folders_of: dict[str, set[Path]] = defaultdict(set)
    named: set[Path] = set()  # a file counts as who names it first has it: a table before headers, an outer folder
    for folder in sorted(folders, key=Path.resolve):  # in whichever order they are named, the result is one
        if not folder.is_dir():
            raise DatabaseError(f"{folder} is not a folder: name one that holds a database")
        root = folder.resolve()
        for entry in _walk(Search(folder, rate_hz, {})):
            if isinstance(entry, LabelledRecord):
                if not _is_text(entry.key):
                    passed_over.append((entry.path, "its name is not UTF-8: rename it"))
                    continue
                if entry.row is None and entry.path in named:
                    continue
                named.add(entry.path)
                records.append(entry)
                if entry.database == root.name:
                    _refuse_namesake(entry.key, root, named_by)
                    if entry.patient:
                        folders_of[entry.patient].add(root)
            else:
                passed_over.append(entry)
    if not records:
        why = "".join(f"; {path.name} was passed over: {reason}" for path, reason in passed_over[:1])
        raise DatabaseError(
            f"no labelled recordings in {', '.join(map(str, folders))}: known are the Challenge's headers with Dx, "
            f"PTB-XL ({ptbxl.TABLE}), LUDB ({ludb.TABLE}), CPSC2018 ({cpsc2018.TABLE}), MIMIC-IV-ECG ({mimic.TABLE}), "
            f"CODE-15 ({code15.TABLE}), SPH ({sph.TABLE}), PTB, INCART, and any CSV with path and labels{why}"
        )
    once = without_repetitions(sorted(records, key=stored.is_stored))  # where the original is there too, it counts
    taken = {record.path for record in records}
    left_out = [(path, reason) for path, reason in passed_over if path not in taken]
    counts = {record.key: record for record in once}
    others = [(record, counts[record.key]) for record in records]
    return Found(
        tuple(once),
        tuple(left_out),
        len({(record.path, record.row) for record in records}) - len(once),
        tuple((record.path, one.path) for record, one in others if record.diagnoses != one.diagnoses),
        tuple(sorted(patient for patient, roots in folders_of.items() if len(roots) > 1)),
    )


def _is_text(key: str) -> bool:
    """Whether it can be written into a table: a file's name may be any bytes."""
    return key.encode(errors="replace").decode() == key


def _refuse_namesake(key: str, folder: Path, named_by: dict[str, Path]) -> None:
    """Raise DatabaseError where two folders of one name, by which their recordings go, both have one called so."""
    if (other := named_by.setdefault(key, folder)) != folder:
        raise DatabaseError(
            f"{other} and {folder} both have a recording {key}, and nobody can say whether it is the same: "
            f"rename one of the folders, or leave one out"
        )


def _walk(search: Search) -> Iterator[Entry]:
    closed: list[OSError] = []
    for here, below, _ in os.walk(search.root, onerror=closed.append):
        below.sort()
        try:
            layout = next((each for each in LAYOUTS if each.is_here(Path(here))), None)
            is_taken = layout is not None and layout.is_here is not own.is_here
            yield from own.passed_over(Path(here), is_taken=is_taken)
        except PermissionError as error:  # its names may be listed, and nothing in it opened
            closed.append(error)
            continue
        if layout is not None:
            yield from layout.records(Path(here), search)
            if layout.owns_below:
                below.clear()
    yield from ((Path(error.filename), f"cannot be looked into: {error.strerror}") for error in closed)
