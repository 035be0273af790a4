"""Recordings filtered once for training: 16-bit counts in memory, or in one memory-mapped file that all runs share."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import DatabaseError, LabelledRecord, read_labelled
from twelvelead.databases.stored import FACTS, FORMAT, SIGNALS, TABLE, facts_of, rows_in, write_table
from twelvelead.record import LEADS, RecordError
from twelvelead.signals.recipe import Recipe

LARGEST_COUNT: Final = 32_767
CHUNK: Final = 64  # recordings that a worker reads at a time


class Sample(NamedTuple):
    """A recording as it is trained on: (12, n) counts of `step` millivolts at the recipe's rate, filtered, not scaled.

    in_mv: or of deviations, where its publisher standardised it. digest: of the samples as they were read.
    """

    counts: NDArray[np.int16]
    step: float
    in_mv: bool
    digest: str

    @property
    def signal(self) -> NDArray[np.float32]:
        """(12, n) float32."""
        return self.counts * np.float32(self.step)

    def signal_at(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """(12, k) float32: the samples at these places, for which no other is looked at."""
        return self.counts.take(places, axis=1) * np.float32(self.step)


def read_sample(labelled: LabelledRecord, recipe: Recipe) -> Sample:
    """Read and filter one recording; raises RecordError when it cannot be used."""
    record = read_labelled(labelled)
    return quantised(recipe.filtered(record), in_mv=record.unit == "mV", digest=record.digest)


def quantised(signal: NDArray[np.float32], *, in_mv: bool = True, digest: str = "") -> Sample:
    """A filtered signal in counts, the largest of them 32,767: 5 mV in steps of .15 microvolts."""
    step = float(np.float32(np.abs(signal).max() / LARGEST_COUNT)) or 1.0
    return Sample(np.rint(signal / np.float32(step)).astype(np.int16), step, in_mv, digest)


def read_samples(
    records: Sequence[LabelledRecord], recipe: Recipe, n_workers: int
) -> Iterator[tuple[LabelledRecord, Sample | str]]:
    """Each recording with its sample, or with the reason why there is none, in order; read by so many processes."""
    chunks = [records[start : start + CHUNK] for start in range(0, len(records), CHUNK)]
    read = partial(_read_chunk, recipe=recipe)
    if n_workers == 1 or len(chunks) < 2:
        yield from _paired(chunks, map(read, chunks))
    else:
        with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
            yield from _paired(chunks, pool.map(read, chunks))


def _paired(
    chunks: Iterable[Sequence[LabelledRecord]], done: Iterable[list[Sample | str]]
) -> Iterator[tuple[LabelledRecord, Sample | str]]:
    for chunk, samples in zip(chunks, done, strict=True):
        yield from zip(chunk, samples, strict=True)


def _read_chunk(records: Sequence[LabelledRecord], recipe: Recipe) -> list[Sample | str]:
    samples: list[Sample | str] = []
    for record in records:
        try:
            samples.append(read_sample(record, recipe))
        except RecordError as error:
            samples.append(str(error))
    return samples


def write_store(
    folder: Path,
    records: Sequence[LabelledRecord],
    recipe: Recipe,
    *,
    n_workers: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> list[tuple[Path, str]]:
    """Write a store of all recordings that can be read, beside and renamed; returns the others, with the reasons.

    Raises DatabaseError when the folder is there already, or no recording can be read.
    """
    if folder.exists():
        raise DatabaseError(f"{folder} is there already: name a new folder for the store, or delete it")
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    kept: list[LabelledRecord] = []
    rows: list[tuple[int, float, int, str]] = []
    refused: list[tuple[Path, str]] = []
    digest = hashlib.sha256()
    with (beside / SIGNALS).open("wb") as file:
        for record, sample in read_samples(records, recipe, n_workers):
            if isinstance(sample, str):
                refused.append((record.path, sample))
            else:
                content = sample.counts.tobytes()
                digest.update(content)
                file.write(content)
                kept.append(record)
                rows.append((sample.counts.shape[1], sample.step, int(sample.in_mv), sample.digest))
            advance()
    if not kept:
        shutil.rmtree(beside)
        raise DatabaseError(f"no recording could be read, the first because: {refused[0][1]}")
    write_table(beside / TABLE, kept, rows)
    facts = {
        "format": FORMAT,
        "recipe": asdict(recipe),
        "recordings": len(kept),
        "sha256": {SIGNALS: digest.hexdigest(), TABLE: _sha256(beside / TABLE)},
    }
    (beside / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, folder)
    return refused


def stored_sample(labelled: LabelledRecord, recipe: Recipe) -> Sample:
    """A recording of a store, not copied; raises DatabaseError where the store is damaged or of another recipe."""
    assert labelled.row is not None
    return _opened(labelled.path.parent.resolve(), recipe)[labelled.row]


@lru_cache(maxsize=8)
def _opened(folder: Path, recipe: Recipe) -> list[Sample]:
    """Every sample of a store, after holding its recipe, sizes and checksums against what it says of itself."""
    facts = facts_of(folder)
    if facts.get("recipe") != asdict(recipe):
        raise DatabaseError(f"{folder} was made with {facts.get('recipe')}, not with {asdict(recipe)}: make it again")
    for name in (SIGNALS, TABLE):
        if _sha256(folder / name) != facts["sha256"].get(name):
            raise DatabaseError(f"{folder}: {name} is not what its checksum was made of; make the store again")
    counts = np.memmap(folder / SIGNALS, np.int16, "r")
    rows = rows_in(folder)
    lengths = np.array([int(row["samples"]) for row in rows]) * len(LEADS)
    if lengths.sum() != len(counts) or len(rows) != facts.get("recordings"):
        raise DatabaseError(f"{folder} holds {len(counts):,} counts, its table says {lengths.sum():,}; make it again")
    parts = np.split(np.asarray(counts), np.cumsum(lengths)[:-1])
    return [
        Sample(part.reshape(len(LEADS), -1), float(row["step"]), row["in_mv"] == "1", row["digest"])
        for part, row in zip(parts, rows, strict=True)
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
