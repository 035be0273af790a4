"""What is trained on and what is tested: folds that divide no patient, or one database at a time left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twelvelead.databases import DatabaseError, groups_of
from twelvelead.learning.samples import Samples
from twelvelead.learning.split import dealt
from twelvelead.wording import counted

SMALLEST_DATABASE: Final = 20
LEFT_OUT: Final = "without-"
HOMES: Final = {"cpsc2018-extra": "cpsc2018", "ningbo": "chapman-shaoxing"}  # of the same publisher and annotators


@dataclass(frozen=True)
class Fold:
    """Indices of the recordings to develop on (training and inner validation), and of those to test on."""

    name: str
    development: tuple[int, ...]
    test: tuple[int, ...]


def folds(samples: Samples, n_folds: int, seed: int) -> list[Fold]:
    """Each recording in millivolts is tested once, by networks that saw nobody who may be its patient.

    PTB-XL by its own folds, which never divide a patient; other databases by iterative stratification of their
    patients (or recordings, where they name none). A recording that cannot be placed safely is left out.
    Raises DatabaseError where a fold would be empty.
    """
    records, groups = samples.records, groups_of(samples.records)
    published = sorted({record.fold for record in records if record.fold is not None})
    own = {i: published.index(record.fold) % n_folds for i, record in enumerate(records) if record.fold is not None}
    others = [i for i, group in enumerate(groups) if group is not None and i not in own]
    if len(published) == 1 and not others:
        raise DatabaseError(
            f"the table has fold {published[0]} only, and a study needs two: "
            f"leave its column fold out, or add the others"
        )
    fold_of = own | dealt(records, groups, others, [1 / n_folds] * n_folds, seed)
    every = [
        Fold(
            str(fold + 1),
            tuple(index for index in sorted(fold_of) if fold_of[index] != fold),
            _in_mv(samples, [index for index in sorted(fold_of) if fold_of[index] == fold]),
        )
        for fold in range(n_folds)
    ]
    if empty := next((fold for fold in every if not fold.test or not fold.development), None):
        raise DatabaseError(
            f"fold {empty.name} of {n_folds} has {counted(len(empty.test), 'recording')} in millivolts to test on and "
            f"{len(empty.development)} to develop on: at least one of each is needed; ask for fewer --folds"
        )
    return every


def databases_left_out(samples: Samples) -> list[Fold]:
    """For each hospital with enough recordings in millivolts: develop on all others, test on it."""
    homes = [home_of(record.database) for record in samples.records]
    placed = [group is not None for group in groups_of(samples.records)]
    left_out = [
        Fold(
            f"{LEFT_OUT}{name}",
            tuple(i for i, home in enumerate(homes) if home != name and placed[i]),
            _in_mv(samples, [i for i, home in enumerate(homes) if home == name]),
        )
        for name in sorted(set(homes))
    ]
    kept = [fold for fold in left_out if len(fold.test) >= SMALLEST_DATABASE and fold.development]
    if not kept:
        raise DatabaseError(
            f"{', '.join(sorted(set(homes)))}: to leave one database out, at least two are needed, "
            f"one of them with {SMALLEST_DATABASE} recordings in millivolts"
        )
    return kept


def home_of(database: str) -> str:
    """The database whose publisher and annotators it shares, or itself."""
    return HOMES.get(database, database)


def _in_mv(samples: Samples, indices: Sequence[int]) -> tuple[int, ...]:
    return tuple(index for index in indices if samples.samples[index].in_mv)
