"""Training and validation: equal class frequencies in each database, and no person on both sides.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011), dealt in groups instead of recordings:
the rarest class first, each group to the side that it brings nearer to its share of every class.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import DatabaseError, LabelledRecord, groups_of, only
from twelvelead.diagnoses import DIAGNOSES

N_CLASSES: Final = len(DIAGNOSES) + 1
FEW_GROUPS: Final = 40
DIVISIONS: Final = 20_000

VALIDATION_SHARE: Final = 0.2


@dataclass(frozen=True)
class Split:
    """Indices of the recordings on each side, of those held out by name or person, and of those that fit nowhere."""

    training: tuple[int, ...]
    validation: tuple[int, ...]
    held_out: tuple[int, ...]
    unplaceable: tuple[int, ...]


def split(records: Sequence[LabelledRecord], *, held_out: frozenset[str], validation_share: float, seed: int) -> Split:
    """Divide recordings into training and validation, database by database.

    held_out: keys (`database/recording`) of recordings to keep for a test; their possible patients stay out too.
    Raises DatabaseError when a held-out recording is not there, or when a side would be empty.
    """
    only(records, held_out)
    groups = groups_of(records)
    out_groups = {group for record, group in zip(records, groups, strict=True) if record.key in held_out}
    placed = [index for index, group in enumerate(groups) if group is not None and group not in out_groups]
    side_of = dealt(records, groups, placed, (1 - validation_share, validation_share), seed)
    training, validation = ([index for index in placed if side_of[index] == side] for side in (0, 1))
    if not training or not validation:
        raise DatabaseError(
            f"{len(training)} recordings to train and {len(validation)} to validate on: give at least one for each"
        )
    return Split(
        tuple(training),
        tuple(validation),
        tuple(i for i, group in enumerate(groups) if group is not None and group in out_groups),
        tuple(i for i, group in enumerate(groups) if group is None),
    )


def dealt(
    records: Sequence[LabelledRecord],
    groups: Sequence[str | None],
    indices: Iterable[int],
    shares: Sequence[float],
    seed: int,
) -> dict[int, int]:
    """The side of each of these recordings, dealt database by database."""
    by_database: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        by_database[records[index].database].append(index)
    side_of: dict[int, int] = {}
    for database, members in by_database.items():
        random = np.random.default_rng([seed, *database.encode()])
        sides = deal([records[i] for i in members], [str(groups[i]) for i in members], shares, random)
        side_of |= zip(members, sides, strict=True)
    return side_of


def deal(
    records: Sequence[LabelledRecord], groups: Sequence[str], shares: Sequence[float], random: np.random.Generator
) -> list[int]:
    """For each recording its side, so that each side has its share of every class and no group is divided."""
    names = sorted(set(groups))
    row = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(DIAGNOSES) + 3))
    for record, group in zip(records, groups, strict=True):
        counts[row[group]] += _as_counts(record)
    wanted = np.array(shares)[:, None] * counts.sum(axis=0)
    if len(names) <= FEW_GROUPS:
        sides = _best_of_many(counts, wanted, shares, random)
    else:
        sides = _stratified(counts, wanted, random)
    return [int(sides[row[group]]) for group in groups]


def _stratified(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.intp]:
    """(groups,) of sides: those of the rarest class left, each to the side that it brings nearer to its share."""
    order = random.permutation(len(counts))
    lacking = wanted.copy()
    side = np.full(len(counts), -1)
    while (side < 0).any():
        left = counts[side < 0][:, :N_CLASSES].sum(axis=0)
        rarest = int(np.argmin(np.where(left > 0, left, np.inf)))
        for group in order[np.argsort(-counts[order, rarest], kind="stable")]:
            if side[group] < 0 and counts[group, rarest]:
                side[group] = np.argmax(_misfit(lacking, wanted) - _misfit(lacking - counts[group], wanted))
                lacking[side[group]] -= counts[group]
    return side


def _best_of_many(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], shares: Sequence[float], random: np.random.Generator
) -> NDArray[np.intp]:
    """(groups,) of sides: of many random divisions the nearest; few large groups leave a greedy deal no way back."""
    drawn = np.searchsorted(np.cumsum(shares)[:-1], random.random((DIVISIONS, len(counts))), side="right")
    misfit = sum(_misfit(lacks - (drawn == side) @ counts, lacks) for side, lacks in enumerate(wanted))
    return np.asarray(drawn[np.argmin(misfit)])


def _misfit(lacking: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a side is from what it wants: squared lacks over wants, summed over the columns."""
    return np.asarray((lacking**2 / np.maximum(wanted, 1e-9)).sum(axis=-1))


def _as_counts(record: LabelledRecord) -> NDArray[np.float64]:
    """What is to be shared out equally: the nine classes and none of them, then women, then all recordings."""
    nine = [float(name in record.diagnoses) for name in DIAGNOSES]
    return np.array([*nine, float(not record.diagnoses), float(record.sex == "F"), 1.0])
