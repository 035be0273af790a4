"""Labelled recordings, filtered once, and the windows that an epoch draws from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import LabelledRecord, truth_of
from twelvelead.databases.stored import is_stored
from twelvelead.learning.store import Sample, read_samples, stored_sample
from twelvelead.learning.together import ALONE, Team
from twelvelead.record import LEADS
from twelvelead.signals.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Samples:
    """Recordings, what each is trained on, and their truth: (n_recordings, 9) of 0 and 1.

    A recording whose sample is not `in_mv` may train, and test nothing.
    """

    records: tuple[LabelledRecord, ...]
    samples: tuple[Sample, ...]
    truth: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.records)

    def subset(self, indices: Sequence[int]) -> "Samples":
        """The recordings at these indices, in their order."""
        picked = list(indices)
        return Samples(
            tuple(self.records[i] for i in picked), tuple(self.samples[i] for i in picked), self.truth[picked]
        )


def gathered(pairs: Iterable[tuple[LabelledRecord, Sample]]) -> Samples:
    """Recordings with their samples, and the truth that the labels say."""
    kept = tuple(pairs)
    records = tuple(record for record, _ in kept)
    return Samples(records, tuple(sample for _, sample in kept), truth_of(records))


def unlike(samples: Samples, others: Samples) -> Samples:
    """Those of which none of the others is a copy, sample for sample, under whatever name."""
    known = {sample.digest for sample in others.samples} - {""}
    return samples.subset([index for index, sample in enumerate(samples.samples) if sample.digest not in known])


def load(
    records: Sequence[LabelledRecord],
    recipe: Recipe,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Samples, list[tuple[Path, str]]]:
    """Read and filter every recording, or take it from its store; those that cannot be read are passed over with the
    reason.
    """
    samples: dict[str, Sample] = {}
    refused = []
    for record in filter(is_stored, records):
        samples[record.key] = stored_sample(record, recipe)
        advance()
    for record, sample in read_samples([record for record in records if not is_stored(record)], recipe, n_workers=1):
        if isinstance(sample, str):
            refused.append((record.path, sample))
        else:
            samples[record.key] = sample
        advance()
    return gathered((record, samples[record.key]) for record in records if record.key in samples), refused


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How a training window differs from the recording. Each is a probability or an extent; 0 turns it off.

    stretch: largest relative change of speed. lead_dropout: chance that a lead is silent.
    shortened: chance that the window is shorter, by half at most, and the rest of it silent.
    """

    stretch: float = 0.1
    lead_dropout: float = 0.1
    shortened: float = 0.1


def n_batches(n_recordings: int, batch_size: int) -> int:
    """Batches of an epoch; one recording left over joins the last, for batch normalisation needs two."""
    whole, rest = divmod(n_recordings, batch_size)
    return max(1, whole + (rest > 1))


class Batch(NamedTuple):
    """One process's part of a batch: windows (part, 12, window_samples), truth (part, 9); `n` in all parts."""

    windows: NDArray[np.float32]
    truth: NDArray[np.float32]
    n: int


def batches(
    samples: Samples,
    recipe: Recipe,
    augmentation: Augmentation,
    batch_size: int,
    random: np.random.Generator,
    together: Team = ALONE,
) -> Iterator[Batch]:
    """One epoch in random order. What chance does to a recording does not depend on who draws it."""
    order = random.permutation(len(samples))
    starts = batch_size * np.arange(1, n_batches(len(order), batch_size))
    for places in np.split(np.arange(len(order)), starts):
        mine = places[together.part(len(places))]
        chances = random.spawn(len(places))[together.part(len(places))]  # also for what others draw
        windows = [
            drawn(samples.samples[order[at]], recipe, augmentation, chance)
            for at, chance in zip(mine, chances, strict=True)
        ]
        shape = (len(mine), len(LEADS), recipe.window_samples)
        yield Batch(np.array(windows, np.float32).reshape(shape), samples.truth[order[mine]], len(places))


def drawn(
    sample: Sample, recipe: Recipe, augmentation: Augmentation, random: np.random.Generator
) -> NDArray[np.float32]:
    """A random window (12, window_samples) of a recording, augmented, then scaled by the recipe as any other."""
    speed = 1 + random.uniform(-augmentation.stretch, augmentation.stretch)
    length = recipe.window_samples
    if random.random() < augmentation.shortened:
        length = int(random.integers(length // 2, length + 1))
    length = min(length, int(sample.counts.shape[1] / speed))
    last = sample.counts.shape[1] - 1
    at = np.minimum(random.uniform(0, max(0, last - (length - 1) * speed)) + np.arange(length) * speed, last)
    left = at.astype(np.intp)
    share = (at - left).astype(np.float32)
    right = np.minimum(left + 1, last)
    window, after = sample.signal_at(left), sample.signal_at(right)
    window *= 1 - share
    window += after * share
    window = recipe.padded(recipe.scaled(window))
    window[random.random(len(window)) < augmentation.lead_dropout] = 0
    return window
