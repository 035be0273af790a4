"""What can be measured of a recording's quality, each lead by itself; what is too much is said in quality.py."""

import math
from collections.abc import Callable
from functools import lru_cache
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
SHORTEST_LONG_RUN: Final = 64
MAINS_WINDOW_S: Final = 2.0


def still_share(record: Record) -> Measures:
    """(12,) share of the time that each lead stands still for a second or more."""
    apart = samples_apart(record.rate_hz)

    def stands(rows: slice, step: int) -> NDArray[np.bool_]:
        leads = record.signal[rows]
        return np.asarray(np.abs(leads[:, apart::step] - leads[:, :-apart:step]) < STILL_MV / 2)

    return _share_in_runs(stands, FLAT_S * record.rate_hz)


def samples_apart(rate_hz: float) -> int:
    """How far apart the samples are by which a lead stands still or moves: a millisecond, and neighbours at least."""
    return math.ceil(rate_hz / STILL_RATE_HZ)


def clipped_share(record: Record) -> Measures:
    """(12,) share of the time that each lead rests for 40 ms or more at its own highest or lowest value."""
    bottom, top = (values[:, None] for values in record.extremes)

    def rests(rows: slice, step: int) -> NDArray[np.bool_]:
        leads = record.signal[rows, ::step]
        return np.asarray((leads == top[rows]) | (leads == bottom[rows]))

    return _share_in_runs(rests, CLIPPED_S * record.rate_hz)


def noise_mv(clean: NDArray[np.float32]) -> Measures:
    """(12,) root mean square from 20 to 40 Hz in the quieter tenths of a second, between the QRS complexes."""
    fast = clean - resample(clean, QUALITY.rate_hz, QUALITY.rate_hz, low_pass(20.0))
    parts = _parts(fast, 0.1)
    return percentile(np.sqrt(np.einsum("lps,lps->lp", parts, parts) / parts.shape[2]), 40)


def burst_ratio(clean: NDArray[np.float32]) -> Measures:
    """(12,) extent of the widest second over that of the median one."""
    extents = np.ptp(_parts(clean, 1.0), axis=2)
    return np.asarray(extents.max(axis=1) / np.maximum(percentile(extents, 50), 10 * STILL_MV), np.float64)


def mains_mv(record: Record, mains_hz: float) -> Measures:
    """(12,) amplitude at the mains frequency above its neighbourhood's; the rate must exceed 2.2 times it."""
    around = percentile(_amplitudes(record, mains_hz, 2, 5), 50)
    return np.asarray(loudest_mv(record, mains_hz) - around)


def loudest_mv(record: Record, mains_hz: float) -> Measures:
    """(12,) amplitude at the mains frequency; it bounds what `mains_mv` can say, in a third of its time."""
    return np.asarray(_amplitudes(record, mains_hz, 0, 0.5).max(axis=1), np.float64)


def _amplitudes(record: Record, hz: float, nearest_hz: float, farthest_hz: float) -> NDArray[np.float32]:
    """(12, frequencies) mean over parts of 2 s, of the frequencies so far from `hz`."""
    windows = _parts(record.signal, MAINS_WINDOW_S, record.rate_hz)
    waves = _waves(windows.shape[2], record.rate_hz, hz, nearest_hz, farthest_hz)
    products = windows.reshape(-1, windows.shape[2]) @ waves  # (12 * parts, cosines and sines)
    squares = (products**2).reshape(*windows.shape[:2], 2, -1)
    return np.asarray(np.sqrt(squares[:, :, 0] + squares[:, :, 1]).mean(axis=1))


@lru_cache(maxsize=32)
def _waves(n_samples: int, rate_hz: float, hz: float, nearest_hz: float, farthest_hz: float) -> NDArray[np.float32]:
    """(n_samples, 2 * frequencies) tapered cosines, then sines, of unit response."""
    frequency = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    distance = np.abs(frequency - hz)
    chosen = frequency[(distance >= nearest_hz) & (distance <= farthest_hz)]
    angle = 2 * np.pi * np.arange(n_samples)[:, None] / rate_hz * chosen
    taper = np.hanning(n_samples)
    waves = 2 / taper.sum() * taper[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(waves, np.float32)


def arms_agreement(clean: NDArray[np.float32]) -> float:
    """From -2 to 2: the correlation of V6 with I less that with aVR; below 0 when the arm electrodes are swapped."""
    one, right, six = (clean[LEADS.index(name)] for name in ("I", "aVR", "V6"))
    return _correlation(one, six) - _correlation(right, six)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def percentile(values: NDArray[np.floating], percent: float) -> Measures:
    """(12,) of (12, n): what `np.percentile` says along the last axis, in a fifth of its time."""
    at = percent / 100 * (values.shape[1] - 1)
    low = int(at)
    high = min(low + 1, values.shape[1] - 1)
    ordered = np.sort(values, axis=1).astype(np.float64)
    return np.asarray(ordered[:, low] + (at - low) * (ordered[:, high] - ordered[:, low]))


def extent_mv(signal: NDArray[np.float32], percent: float) -> Measures:
    """(12,) between the samples at the percentiles `percent` and 100 - `percent`."""
    last = signal.shape[1] - 1
    low, high = round(percent / 100 * last), round((1 - percent / 100) * last)
    ordered = np.sort(signal, axis=1)  # in a third of the time of np.partition with two ranks
    return np.asarray(ordered[:, high] - ordered[:, low], np.float64)


def _parts(signal: NDArray[np.float32], length_s: float, rate_hz: float = QUALITY.rate_hz) -> NDArray[np.float32]:
    """(12, n) -> (12, parts, samples): whole parts of a length, at least one."""
    length = min(round(length_s * rate_hz), signal.shape[1])
    n_parts = signal.shape[1] // length
    return signal[:, : n_parts * length].reshape(len(signal), n_parts, length)


def runs(held: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(n,) -> the first index of each run of those that are held, and the index behind its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2]


def _share_in_runs(held: Callable[[slice, int], NDArray[np.bool_]], least: float) -> Measures:
    """(12,) share of the samples that lie in runs of at least `least` of those that are held.

    held: for some leads, whether each is at every so many samples. It is asked of a few first: a run holds as many of
    them, one after the other, and few leads do.
    """
    shares = np.zeros(len(LEADS))
    doublings = 4 if least >= SHORTEST_LONG_RUN else 1
    some = held(slice(None), max(1, int(least / 2**doublings)))
    for number in range(doublings):
        some = some[:, : -(2**number)] & some[:, 2**number :]  # 2, 4, 8, 16 one after the other
    for row in np.flatnonzero(some.any(axis=1)):
        [every] = held(slice(row, row + 1), 1)
        begins, ends = runs(every)
        lengths = ends - begins
        shares[row] = lengths[lengths >= least].sum() / len(every)
    return shares
