"""What was found: recordings, patients and positives of each database, what is there twice, what cannot be read."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from twelvelead.databases.labelled import LabelledRecord
from twelvelead.databases.reading import read_labelled
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import Record, RecordError

UNLABELLED: Final = {
    "chapman-shaoxing": ("Normal",),
    "code-15": ("PAC", "PVC", "STD", "STE"),
    "georgia": ("Normal",),
    "incart": ("Normal",),
    "ludb": ("STD", "STE"),
    "ningbo": ("Normal",),
    "ptb": ("LBBB", "Normal", "RBBB"),
}
QUANTUM_MV: Final = 1e-3


@dataclass(frozen=True)
class Holding:
    """One database as far as it is there.

    patients: None where it names none. positives: by diagnosis; None for one that the database never labels.
    unnamed: recordings without a patient.
    """

    records: int
    patients: int | None
    unnamed: int
    positives: dict[str, int | None]


@dataclass(frozen=True)
class Contents:
    """duplicates: groups of recordings with the same samples. unreadable: (path, reason)."""

    duplicates: tuple[tuple[str, ...], ...]
    unreadable: tuple[tuple[Path, str], ...]


def holdings(records: Sequence[LabelledRecord]) -> dict[str, Holding]:
    """Each database by name: what its tables and headers say, without reading a signal."""
    by_database: dict[str, list[LabelledRecord]] = defaultdict(list)
    for record in records:
        by_database[record.database].append(record)
    unlabelled = never_stated(records)
    return {name: _holding(members, unlabelled.get(name, ())) for name, members in sorted(by_database.items())}


def never_stated(records: Sequence[LabelledRecord]) -> dict[str, tuple[str, ...]]:
    """By database, the diagnoses that it never states: all of its recordings count as without them.

    PTB-XL's table says who is normal; its headers in the Challenge say no more than sinus rhythm, and no fold.
    """
    is_table = any(record.database == "ptb-xl" and record.fold is not None for record in records)
    unlabelled = UNLABELLED if is_table else UNLABELLED | {"ptb-xl": ("Normal",)}
    return {name: unlabelled[name] for name in sorted(unlabelled.keys() & {record.database for record in records})}


def _holding(members: Sequence[LabelledRecord], unlabelled: Sequence[str]) -> Holding:
    patients = {record.patient for record in members if record.patient}
    positives = {
        diagnosis: None if diagnosis in unlabelled else sum(diagnosis in record.diagnoses for record in members)
        for diagnosis in DIAGNOSES
    }
    return Holding(len(members), len(patients) or None, sum(not record.patient for record in members), positives)


def contents(records: Sequence[LabelledRecord], advance: Callable[[], None] = lambda: None) -> Contents:
    """Read every recording: which are the same, sample for sample to the microvolt, and which cannot be read."""
    same: dict[bytes, list[str]] = defaultdict(list)
    unreadable: list[tuple[Path, str]] = []
    for labelled in records:
        try:
            same[fingerprint(read_labelled(labelled))].append(labelled.key)
        except RecordError as error:
            unreadable.append((labelled.path, str(error)))
        advance()
    return Contents(tuple(tuple(keys) for keys in same.values() if len(keys) > 1), tuple(unreadable))


def fingerprint(record: Record) -> bytes:
    """Equal for recordings with the same rate and the same samples to the microvolt, whatever their files."""
    samples = np.round(record.signal / np.float32(QUANTUM_MV)).astype("<i4")
    return hashlib.blake2b(samples.tobytes(), digest_size=16, salt=f"{record.rate_hz:.9g}"[:16].encode()).digest()
