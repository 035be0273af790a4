"""Labelled recordings, filtered once, and the windows that an epoch draws from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import LabelledRecord, truth_of
from twelvelead.databases.stored import is_stored
from twelvelead.learning.store import Sample, read_samples, stored_sample
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


def load(
    records: Sequence[LabelledRecord],
    recipe: Recipe,
    advance: Callable[[], None] = lambda: None,
    *,
    n_workers: int = 1,
) -> tuple[Samples, list[tuple[Path, str]]]:
    """Read and filter every recording, or take it from its store; those that cannot be read are passed over with the
    reason.
    """
    samples: dict[str, Sample] = {}
    refused = []
    for record in filter(is_stored, records):
        samples[record.key] = stored_sample(record, recipe)
        advance()
    for record, sample in read_samples([record for record in records if not is_stored(record)], recipe, n_workers):
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
    shortened: chance that the window holds only 5 to 10 s.
    mixup: parameter of the beta distribution by which pairs of windows and their labels are mixed.
    """

    stretch: float = 0.1
    lead_dropout: float = 0.1
    shortened: float = 0.1
    mixup: float = 0.0


def n_batches(n_recordings: int, batch_size: int) -> int:
    """Batches of an epoch; one recording left over joins the last, for batch normalisation needs two."""
    whole, rest = divmod(n_recordings, batch_size)
    return max(1, whole + (rest > 1))


def batches(
    samples: Samples, recipe: Recipe, augmentation: Augmentation, batch_size: int, random: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """One epoch in random order: windows (batch, 12, window_samples) and truth (batch, 9)."""
    order = random.permutation(len(samples))
    starts = batch_size * np.arange(1, n_batches(len(order), batch_size))
    for picked in np.split(order, starts):
        windows = np.stack([drawn(samples.samples[i].signal, recipe, augmentation, random) for i in picked])
        truth = samples.truth[picked]
        if augmentation.mixup:
            share = random.beta(augmentation.mixup, augmentation.mixup, size=(len(picked), 1)).astype(np.float32)
            other = random.permutation(len(picked))
            windows = share[:, :, None] * windows + (1 - share[:, :, None]) * windows[other]
            truth = share * truth + (1 - share) * truth[other]
        yield windows, truth


def drawn(
    signal: NDArray[np.float32], recipe: Recipe, augmentation: Augmentation, random: np.random.Generator
) -> NDArray[np.float32]:
    """A random window (12, window_samples) of a recording, augmented, then scaled by the recipe as any other."""
    speed = 1 + random.uniform(-augmentation.stretch, augmentation.stretch)
    length = recipe.window_samples
    if random.random() < augmentation.shortened:
        length = int(random.integers(length // 2, length + 1))
    length = min(length, int(signal.shape[1] / speed))
    last = signal.shape[1] - 1
    at = np.minimum(random.uniform(0, max(0, last - (length - 1) * speed)) + np.arange(length) * speed, last)
    left = at.astype(np.intp)
    share = (at - left).astype(np.float32)
    right = np.minimum(left + 1, last)
    window = signal[:, left] * (1 - share) + signal[:, right] * share
    window = recipe.scaled(window)
    window[random.random(len(window)) < augmentation.lead_dropout] = 0
    return window
