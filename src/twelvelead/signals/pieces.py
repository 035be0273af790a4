"""A long recording -> its windows, some at a time: those of the whole, without the whole in memory."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import Record
from twelvelead.signals.filters import low_pass, ratio
from twelvelead.signals.measures import QUALITY
from twelvelead.signals.quality import Finding, assess_alike
from twelvelead.signals.recipe import Bands, Recipe
from twelvelead.stream import Stream, spans

PIECE_WINDOWS: Final = 32


@dataclass(frozen=True, eq=False, kw_only=True)
class Piece:
    """Successive windows of a long recording, (n, 12, window_samples), where each begins, and what is wrong in it."""

    windows: NDArray[np.float32]
    starts_s: tuple[float, ...]
    quality: tuple[tuple[Finding, ...], ...]


def pieces(stream: Stream, recipe: Recipe) -> Iterator[Piece]:
    """The windows of `recipe`, as if the recording had been filtered at once; each assessed as a recording of its own.

    So many samples around the windows are filtered with them that nothing differs but the last bits.
    Raises RecordError as the stream does: nothing may be concluded before the last piece.
    """
    step = ratio(stream.rate_hz, recipe.rate_hz)
    starts = recipe.starts(math.ceil(stream.n_samples / step))
    groups = [starts[first : first + PIECE_WINDOWS] for first in range(0, len(starts), PIECE_WINDOWS)]
    begins = [_begin(group[0] - _margin(recipe), step) for group in groups]  # at the recipe's rate
    ends = [math.ceil((group[-1] + recipe.window_samples + _margin(recipe)) * step) for group in groups]
    bounds = [(int(begin * step), min(end, stream.n_samples)) for begin, end in zip(begins, ends, strict=True)]
    # strict: the stream is read to its end after the last group, where its checksums are held against it
    for group, begin, signal in zip(groups, begins, spans(stream, bounds), strict=True):
        around = Record(name=stream.name, signal=signal, rate_hz=stream.rate_hz)
        yield _piece(around, [start - begin for start in group], begin, step, recipe)


def _margin(recipe: Recipe) -> int:
    """Samples at the recipe's rate beyond which nothing reaches into a window: both filters', one after the other."""
    reach_s = low_pass(recipe.high_hz).half_width_s + recipe.slow().half_width_s
    return math.ceil(reach_s * recipe.rate_hz) + 2


def _begin(earliest: int, step: Fraction) -> int:
    """The last sample at the recipe's rate, `earliest` or before, at which the weights of resampling begin anew."""
    return max(0, earliest // step.denominator * step.denominator)


def _piece(around: Record, starts: list[int], begin: int, step: Fraction, recipe: Recipe) -> Piece:
    """starts: of the windows, at the recipe's rate within `around`, which itself begins at `begin`."""
    bands = recipe.bands(around)
    length = recipe.window_samples
    windows = np.stack([bands.heart[:, start : start + length] for start in starts])  # (n, 12, window_samples)
    baselines = np.stack([bands.baseline[:, start : start + length] for start in starts])
    recorded = [_cut(around, int(start * step), recipe.window_s) for start in starts]
    return Piece(
        windows=recipe.scaled(windows),
        starts_s=tuple(float((begin + start) * step) / around.rate_hz for start in starts),
        quality=tuple(assess_alike(recorded, Bands(windows, baselines) if recipe.parts_like(QUALITY) else None)),
    )


def _cut(around: Record, start: int, window_s: float) -> Record:
    """A window as it was recorded, never shorter than it should be."""
    n_samples = math.ceil(window_s * around.rate_hz)
    start = max(0, min(start, around.n_samples - n_samples))
    return Record(name=around.name, signal=around.signal[:, start : start + n_samples], rate_hz=around.rate_hz)
