"""What can be measured of a recording's quality, each lead by itself; what is too much is said in quality.py."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, Record
from twelvelead.signals.filters import low_pass, resample
from twelvelead.signals.recipe import Recipe

Measures = NDArray[np.float64]

QUALITY: Final = Recipe(rate_hz=100.0, low_hz=0.5, high_hz=40.0)
STILL_MV: Final = 1e-3
STILL_RATE_HZ: Final = 1000.0
FLAT_S: Final = 1.0
CLIPPED_S: Final = 0.04
MAINS_WINDOW_S: Final = 2.0
PARTS_A_SAMPLE: Final = 4
BEAT_S: Final = 0.08
LAWS: Final = np.array(
    [[1, -1, 1, 0, 0, 0], [0.5, 0.5, 0, 1, 0, 0], [-1, 0.5, 0, 0, 1, 0], [0.5, -1, 0, 0, 0, 1]]
)  # of I, II, III, aVR, aVL, aVF: each row's sum is 0
TURNED: Final = 0.1
LEFT: Final = 0.3
LEAST_APART: Final = 1e-3


def resting_shares(records: Sequence[Record]) -> tuple[Measures, Measures]:
    """(n, 12) share of the time that each lead stands still for a second or more, and (n, 12) that it is clipped.

    It is clipped where it rests for 40 ms or more at its own highest or lowest value. Runs are looked for among some
    samples first, for few leads have any.
    """
    rate_hz = records[0].rate_hz
    bottom, top = (np.stack(values)[..., None] for values in zip(*(one.extremes for one in records), strict=True))
    apart = samples_apart(rate_hz)
    step = max(1, int(CLIPPED_S * rate_hz / 2) // apart) * apart  # two in 40 ms, 50 in a second
    some = np.stack([record.signal[:, ::step] for record in records])
    at_an_end = (some == top) | (some == bottom)
    steps = some[..., 1:] - some[..., :-1]
    near = np.abs(steps, out=steps) < STILL_MV * (step // apart)

    def stands(lead: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray(np.abs(lead[apart:] - lead[:-apart]) < STILL_MV / 2)

    def rests(lead: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray((lead == lead.max()) | (lead == lead.min()))

    still = _shares_in_runs(records, _in_a_row(near, int(FLAT_S * rate_hz / step) - 1), stands, FLAT_S)
    return still, _shares_in_runs(records, _in_a_row(at_an_end, 2), rests, CLIPPED_S)


def _in_a_row(held: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """(..., k) -> where a run of those that are held begins, of as many as the largest power of 2 up to `n`."""
    reach = 1
    while 2 * reach <= n:
        held = held[..., :-reach] & held[..., reach:]
        reach *= 2
    return held


def samples_apart(rate_hz: float) -> int:
    """How far apart the samples are by which a lead stands still or moves: a millisecond, and neighbours at least."""
    return math.ceil(rate_hz / STILL_RATE_HZ)


def noise_mv(clean: NDArray[np.float32]) -> Measures:
    """(..., 12) root mean square from 20 to 40 Hz in the quieter tenths of a second, between the QRS complexes."""
    fast = clean - resample(clean, QUALITY.rate_hz, QUALITY.rate_hz, low_pass(20.0))
    parts = _parts(fast, 0.1)
    return percentile(np.sqrt(np.einsum("...s,...s->...", parts, parts) / parts.shape[-1]), 40)


def burst_ratio(clean: NDArray[np.float32]) -> Measures:
    """(..., 12) extent of the widest second over that of the median one."""
    seconds = _parts(clean, 1.0)
    extents = np.maximum.reduce(seconds, axis=-1) - np.minimum.reduce(seconds, axis=-1)
    widest = np.maximum.reduce(extents, axis=-1)
    return np.asarray(widest / np.maximum(percentile(extents, 50), 10 * STILL_MV), np.float64)


def mains_mv(record: Record, mains_hz: float) -> Measures:
    """(12,) amplitude at the mains frequency above its neighbourhood's; the rate must exceed 2.2 times it."""
    [around], _ = _amplitudes([record], (mains_hz,), 2, 5)
    [[loudest]] = loudest_mv([record], (mains_hz,))
    return np.asarray(loudest - percentile(around, 50))


def loudest_mv(records: Sequence[Record], mains_hz: tuple[float, ...]) -> NDArray[np.float32]:
    """(n, mains, 12) amplitude at each mains frequency; it bounds what `mains_mv` says, in a fraction of its time."""
    amplitudes, firsts = _amplitudes(records, mains_hz, 0, 0.5)
    return np.asarray(np.maximum.reduceat(amplitudes, firsts, axis=-1).swapaxes(1, 2))


def _amplitudes(
    records: Sequence[Record], mains_hz: tuple[float, ...], nearest_hz: float, farthest_hz: float
) -> tuple[NDArray[np.float32], list[int]]:
    """(n, 12, frequencies) mean over parts of 2 s, of the frequencies so far from each of the mains' in turn.

    And the first of each mains'.
    """
    rate_hz = records[0].rate_hz
    parts = [_parts(record.signal, MAINS_WINDOW_S, rate_hz) for record in records]
    _, n_parts, length = parts[0].shape
    waves, firsts = _waves(length, rate_hz, mains_hz, nearest_hz, farthest_hz)
    products = np.stack([part.reshape(-1, length) @ waves for part in parts])  # (n, 12 * parts, cosines and sines)
    squares = (products**2).reshape(len(records), len(LEADS), n_parts, 2, -1)
    return np.asarray(np.sqrt(squares[..., 0, :] + squares[..., 1, :]).mean(axis=2)), firsts


@lru_cache(maxsize=32)
def _waves(
    n_samples: int, rate_hz: float, mains_hz: tuple[float, ...], nearest_hz: float, farthest_hz: float
) -> tuple[NDArray[np.float32], list[int]]:
    """(n_samples, 2 * frequencies) tapered cosines, then sines, of unit response; and the first of each mains'."""
    frequency = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    distances = [np.abs(frequency - hz) for hz in mains_hz]
    chosen = [frequency[(distance >= nearest_hz) & (distance <= farthest_hz)] for distance in distances]
    angle = 2 * np.pi * np.arange(n_samples)[:, None] / rate_hz * np.concatenate(chosen)
    taper = np.hanning(n_samples)
    waves = 2 / taper.sum() * taper[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return waves.astype(np.float32), [0, *accumulate(map(len, chosen[:-1]))]


def arms_agreement(clean: NDArray[np.float32]) -> Measures:
    """(...) from -2 to 2: correlation of V6 with I less that with aVR; below 0 when the arm electrodes are swapped."""
    leads = clean[..., [LEADS.index(name) for name in ("I", "aVR", "V6")], :]
    leads -= leads.mean(axis=-1, keepdims=True)
    products = (leads @ leads.swapaxes(-1, -2)).astype(np.float64)

    def with_six(row: int) -> Measures:
        scale = np.sqrt(products[..., row, row] * products[..., 2, 2])
        return np.asarray(products[..., row, 2] / np.where(scale, scale, 1))

    return with_six(0) - with_six(1)


def limb_contradiction(clean: NDArray[np.float32]) -> tuple[Measures, NDArray[np.bool_]]:
    """(...) of (..., 12, n): how far the limb leads are off Einthoven's and Goldberger's laws, of the largest's size.

    And (...) whether no gains could mend it: III, aVR, aVL or aVF, as a sum of I and II, has one of them with the wrong
    sign or is something else, or I and II are one lead.
    """
    limbs = clean[..., :6, :]
    products = (limbs @ limbs.swapaxes(-1, -2)).astype(np.float64)
    squares = np.maximum(np.diagonal(products, axis1=-2, axis2=-1), 1e-12)  # (..., 6)
    off = np.einsum("li,...ij,lj->...l", LAWS, products, LAWS).max(axis=-1)
    (one, both), (_, two) = np.moveaxis(products[..., :2, :2, None], (-3, -2), (0, 1))
    apart = np.maximum(one * two - both**2, 1e-24)
    with_one, with_two = products[..., 0, 2:], products[..., 1, 2:]  # (..., 4)
    of_one, of_two = (with_one * two - with_two * both) / apart, (with_two * one - with_one * both) / apart
    left = squares[..., 2:] - of_one * with_one - of_two * with_two
    parts = np.stack([of_one, of_two], axis=-1) * np.sqrt(squares[..., None, :2] / squares[..., 2:, None])
    is_turned = (parts * np.sign(LAWS[:, :2]) > TURNED).any(axis=-1) | (left > LEFT**2 * squares[..., 2:])
    is_one = apart[..., 0] < LEAST_APART * (one * two)[..., 0]
    return np.sqrt(np.maximum(off, 0) / squares.max(axis=-1)), is_turned.any(axis=-1) | is_one


def beat_ratio(clean: NDArray[np.float32]) -> Measures:
    """(...) of (..., 12, n): how much more a lead moves in its beats than between them; three leads have more.

    Movement in parts of 80 ms: its 97th over its 30th percentile.
    """
    parts = _parts(np.abs(clean[..., 1:] - clean[..., :-1]), BEAT_S)
    movement = np.sort(parts @ np.ones(parts.shape[-1], np.float32), axis=-1)  # sums, in a tenth of their time
    return percentile(_among(movement, 97) / np.maximum(_among(movement, 30), 1e-6), 75)


def percentile(values: NDArray[np.floating], percent: float) -> Measures:
    """(...) of (..., n): what `np.percentile` says along the last axis, in a fifth of its time."""
    return _among(np.sort(values, axis=-1), percent)


def _among(ordered: NDArray[np.floating], percent: float) -> Measures:
    """The same of values that are in order already."""
    at = percent / 100 * (ordered.shape[-1] - 1)
    low = int(at)
    high = min(low + 1, ordered.shape[-1] - 1)
    lower, upper = ordered[..., low].astype(np.float64), ordered[..., high].astype(np.float64)
    return np.asarray(lower + (at - low) * (upper - lower))


def extent_mv(signal: NDArray[np.float32], percent: float, *, beyond: float = 0.0) -> Measures:
    """(...) of (..., n): between the samples at the percentiles `percent` and 100 - `percent`.

    beyond: a lead that spans no more than this altogether is said to have that span, which takes a tenth of the time.
    """
    extents: Measures = np.subtract(signal.max(axis=-1), signal.min(axis=-1), dtype=np.float64)
    if (wide := extents > beyond).any():
        ordered = np.sort(signal[wide], axis=-1)  # in a third of the time of np.partition with two ranks
        low, high = _ranks(signal.shape[-1], percent)
        extents[wide] = ordered[:, high] - ordered[:, low]
    return extents


def extent_bounds_mv(signal: NDArray[np.float32], percent: float) -> tuple[Measures, Measures]:
    """Twice (...) of (..., n): what `extent_mv` reaches at least and at most; of many leads in half of its time.

    The k-th highest among the highest samples of some parts is no higher than the k-th of all samples.
    """
    low, high = _ranks(signal.shape[-1], percent)
    beyond = max(low, signal.shape[-1] - 1 - high)
    tops = bottoms = signal
    while tops.shape[-1] // 2 >= PARTS_A_SAMPLE * (beyond + 1):  # of each part: sample k goes with those behind half
        half = tops.shape[-1] // 2
        tops = np.maximum(tops[..., :half], tops[..., half : 2 * half])
        bottoms = np.minimum(bottoms[..., :half], bottoms[..., half : 2 * half])
    least = np.sort(tops, axis=-1)[..., -1 - beyond] - np.sort(bottoms, axis=-1)[..., beyond]
    most = np.maximum.reduce(signal, axis=-1) - np.minimum.reduce(signal, axis=-1)
    return np.asarray(least, np.float64), np.asarray(most, np.float64)


def _ranks(n_samples: int, percent: float) -> tuple[int, int]:
    """Of the samples at the percentiles `percent` and 100 - `percent`, in their order."""
    return round(percent / 100 * (n_samples - 1)), round((1 - percent / 100) * (n_samples - 1))


def _parts(signal: NDArray[np.float32], length_s: float, rate_hz: float = QUALITY.rate_hz) -> NDArray[np.float32]:
    """(..., n) -> (..., parts, samples): whole parts of a length, at least one."""
    return _cut(signal, round(length_s * rate_hz))


def _cut(signal: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    length = max(1, min(length, signal.shape[-1]))
    n_parts = signal.shape[-1] // length
    return signal[..., : n_parts * length].reshape(*signal.shape[:-1], n_parts, length)


def runs(held: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(n,) -> the first index of each run of those that are held, and the index behind its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2]


def _shares_in_runs(
    records: Sequence[Record],
    some: NDArray[np.bool_],
    held: Callable[[NDArray[np.float32]], NDArray[np.bool_]],
    least_s: float,
) -> Measures:
    """(n, 12) share of the samples that lie in runs, of at least so many seconds, of those that are held.

    some: (n, 12, k), whether there may be such a run; only leads of which it is true somewhere are looked at.
    """
    shares = np.zeros(some.shape[:-1])
    for number, row in np.argwhere(some.any(axis=-1)):
        every = held(records[number].signal[row])
        begins, ends = runs(every)
        lengths = ends - begins
        shares[number, row] = lengths[lengths >= least_s * records[number].rate_hz].sum() / len(every)
    return shares
