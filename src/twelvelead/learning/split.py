"""Training and validation: equal class frequencies in each database, and no person on both sides.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011), dealt in groups instead of recordings:
the rarest class first, each group to the side that it brings nearer to its share of every class.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import DatabaseError, LabelledRecord, groups_of
from twelvelead.diagnoses import DIAGNOSES


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
    keys = {record.key for record in records}
    if missing := sorted(held_out - keys):
        raise DatabaseError(f"held-out recording {missing[0]} (of {len(missing)}) is not in the folders given")
    groups = groups_of(records)
    out_groups = {group for record, group in zip(records, groups, strict=True) if record.key in held_out}
    by_database: dict[str, list[int]] = defaultdict(list)
    for index, (record, group) in enumerate(zip(records, groups, strict=True)):
        if group is not None and group not in out_groups:
            by_database[record.database].append(index)
    validation: set[int] = set()
    for database in sorted(by_database):
        members = by_database[database]
        random = np.random.default_rng([seed, *database.encode()])
        side = _deal([records[i] for i in members], [str(groups[i]) for i in members], validation_share, random)
        validation |= {index for index, is_validation in zip(members, side, strict=True) if is_validation}
    training = [index for members in by_database.values() for index in members if index not in validation]
    if not training or not validation:
        raise DatabaseError(
            f"{len(training)} recordings to train and {len(validation)} to validate on: each side needs at least one"
        )
    return Split(
        tuple(sorted(training)),
        tuple(sorted(validation)),
        tuple(i for i, group in enumerate(groups) if group is not None and group in out_groups),
        tuple(i for i, group in enumerate(groups) if group is None),
    )


def _deal(
    records: Sequence[LabelledRecord],
    groups: Sequence[str],
    validation_share: float,
    random: np.random.Generator,
) -> list[bool]:
    """For each recording whether it is on the validation side."""
    names = sorted(set(groups))
    row = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(DIAGNOSES) + 2))  # the nine, none of them, and all recordings
    for record, group in zip(records, groups, strict=True):
        counts[row[group]] += _as_counts(record)
    order = random.permutation(len(names))
    wanted = np.array([[1 - validation_share], [validation_share]]) * counts.sum(axis=0)
    lacking = wanted.copy()
    side = np.full(len(names), -1)
    while (side < 0).any():
        undealt = np.flatnonzero(side < 0)
        left = counts[undealt, :-1].sum(axis=0)
        rarest = int(np.argmin(np.where(left > 0, left, np.inf)))
        for group_row in order[np.argsort(-counts[order, rarest], kind="stable")]:
            if side[group_row] < 0 and counts[group_row, rarest]:
                chosen = int(np.argmax(_gain(lacking, wanted, counts[group_row])))
                side[group_row] = chosen
                lacking[chosen] -= counts[group_row]
    return [bool(side[row[group]]) for group in groups]


def _gain(
    lacking: NDArray[np.float64], wanted: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(2,): how much nearer to what it wants each side comes with these recordings, summed over classes."""
    before, after = lacking**2, (lacking - counts) ** 2
    return np.asarray(((before - after) / np.maximum(wanted, 1e-9)).sum(axis=1))


def _as_counts(record: LabelledRecord) -> NDArray[np.float64]:
    nine = [float(name in record.diagnoses) for name in DIAGNOSES]
    return np.array([*nine, float(not record.diagnoses), 1.0])
