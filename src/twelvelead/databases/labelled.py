"""One labelled recording on disk, and which recordings may be of one person."""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import TwelveleadError

LISTED: Final = ("recording", "patient", "fold", "diagnoses")
AGES: Final = {40: "0 to 39", 60: "40 to 59", 80: "60 to 79", math.inf: "80 to 120"}  # years, below each


class DatabaseError(TwelveleadError):
    """A folder holds no labelled recordings, or none that can be used as asked."""


@dataclass(frozen=True, kw_only=True)
class LabelledRecord:
    """A recording and what its database says of it.

    database and recording: together its identity, the same in every form in which it was published.
    diagnoses: those of the nine that it has; empty for a negative. patient, fold: None where unpublished.
    age: years, 90 where PTB-XL's table or LUDB's says "over 89". row: which recording of a file that holds many; None
    for a file of its own.
    """

    path: Path
    database: str
    recording: str
    diagnoses: tuple[str, ...]
    patient: str | None = None
    fold: int | None = None
    sex: Literal["F", "M"] | None = None
    age: float | None = None
    row: int | None = None

    @property
    def key(self) -> str:
        """Its identity in one word, such as `ptb-xl/00599`."""
        return f"{self.database}/{self.recording}"


Entry = LabelledRecord | tuple[Path, str]  # or what is left out, and why


class Search(NamedTuple):
    """What a folder is searched with: where the search began, and the form of PTB-XL that is wanted.

    own: by key, what the tables of one's own said so far, and which of them.
    """

    root: Path
    rate_hz: int
    own: dict[str, tuple[LabelledRecord, Path]]


def groups_of(records: Sequence[LabelledRecord]) -> list[str | None]:
    """For each recording, the group that no split may divide, so that no person is on both sides.

    The patient, where the database names every one, or has no folds; the recording itself, where it names none at all
    and has no folds. Where only some are named (PTB-XL in part without patients), its folds, which never divide a
    patient, parted by sex unless one is missing or a patient has two; and None where not even the fold is known: such a
    recording cannot be placed safely.
    Raises DatabaseError where a fold does divide a patient.
    """
    _refuse_divided_patients(records)
    by_database: dict[str, list[LabelledRecord]] = defaultdict(list)
    for record in records:
        by_database[record.database].append(record)
    named = {name for name, members in by_database.items() if all(record.patient for record in members)}
    without_folds = by_database.keys() - {record.database for record in records if record.fold is not None}
    unnamed = {name for name in without_folds if all(record.patient is None for record in by_database[name])}
    mixed_sex = _folds_of_mixed_sex(records)

    def group(record: LabelledRecord) -> str | None:
        if record.database in named or (record.patient and record.database in without_folds):
            return f"{record.database}/patient {record.patient}"
        if record.database in unnamed:
            return record.key
        if record.fold is None:
            return None
        sex = "" if (record.database, record.fold) in mixed_sex else f" {record.sex}"
        return f"{record.database}/fold {record.fold}{sex}"

    return [group(record) for record in records]


def _folds_of_mixed_sex(records: Sequence[LabelledRecord]) -> set[tuple[str, int | None]]:
    """The (database, fold) that sex may not part: one is missing, or the rows of a patient differ in it."""
    first_of: dict[tuple[str, str], str | None] = {}
    return {
        (record.database, record.fold)
        for record in records
        if record.sex is None
        or (record.patient and first_of.setdefault((record.database, record.patient), record.sex) != record.sex)
    }


def _refuse_divided_patients(records: Sequence[LabelledRecord]) -> None:
    folds: dict[tuple[str, str], set[int | None]] = defaultdict(set)
    for record in records:
        if record.patient:
            folds[record.database, record.patient].add(record.fold)
    for (database, patient), found in folds.items():
        if len(found) > 1:
            raise DatabaseError(
                f"patient {patient} of {database} is in folds {', '.join(sorted(map(str, found)))}: a fold must have "
                f"all recordings of a patient; correct the folds, or leave them out"
            )


def people_of(records: Iterable[LabelledRecord]) -> list[str]:
    """For each recording whose it is, as far as its database says; a recording without a patient stands for one."""
    return [f"{record.database}/patient {record.patient}" if record.patient else record.key for record in records]


def partings_of(records: Sequence[LabelledRecord]) -> dict[str, list[str]]:
    """For each recording its database, and the sex and age of its patient, "unknown" where nobody says."""
    return {
        "databases": [record.database for record in records],
        "sexes": [record.sex or "unknown" for record in records],
        "ages": [_age_group(record.age) for record in records],
    }


def _age_group(age: float | None) -> str:
    return "unknown" if age is None else next(name for below, name in AGES.items() if age < below)


def truth_of(records: Sequence[LabelledRecord]) -> NDArray[np.float32]:
    """(n_recordings, 9): 1 where a recording has a diagnosis."""
    rows = [[name in record.diagnoses for name in DIAGNOSES] for record in records]
    return np.array(rows, np.float32).reshape(-1, len(DIAGNOSES))


def without_repetitions(records: Iterable[LabelledRecord]) -> list[LabelledRecord]:
    """Each recording once, in the form that tells the most of its patient and fold, else in the one found first."""
    best: dict[str, LabelledRecord] = {}
    for record in records:
        if record.key not in best or _known(record) > _known(best[record.key]):
            best[record.key] = record
    return list(best.values())


def _known(record: LabelledRecord) -> int:
    return 2 * (record.patient is not None) + (record.fold is not None)


def read_keys(path: Path) -> frozenset[str]:
    """The recordings that a file lists, one `database/recording` a line; `#` begins a comment.

    Or some lines below the titles of what `databases --list` prints.
    Raises DatabaseError when it cannot be read, is no text or lists nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatabaseError(f"{path} is no text: it must list one database/recording a line") from error
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read ({error.strerror}): name a file that lists recordings") from error
    if lines and lines[0] == ",".join(LISTED):
        keys = frozenset(row[0] for row in csv.reader(lines[1:]) if row)
    else:
        keys = frozenset(key for line in lines if (key := line.split("#")[0].strip()))
    if not keys:
        raise DatabaseError(f"{path} lists no recording: it must list one database/recording a line")
    return keys


def only(records: Sequence[LabelledRecord], keys: frozenset[str]) -> tuple[LabelledRecord, ...]:
    """Those records that are listed; raises DatabaseError when a listed one is not there."""
    if missing := sorted(keys - {record.key for record in records}):
        raise DatabaseError(
            f"{len(missing)} listed recordings are in no folder, the first is {missing[0]}: add its folder, or take it "
            f"off the list; `twelvelead databases --list` prints how recordings are called"
        )
    return tuple(record for record in records if record.key in keys)
