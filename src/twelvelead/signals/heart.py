"""R peaks and the heart rate, from all independent leads together; docs/heart-rate.md says how far off they are."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import INDEPENDENT_LEADS, LEADS, Record
from twelvelead.signals.filters import gaussian, low_pass, resample
from twelvelead.signals.measures import FLAT_S, STILL_MV, runs, samples_apart

RATE_HZ: Final = 200.0
LOW_HZ: Final = 8.0
HIGH_HZ: Final = 25.0
SMOOTH_HZ: Final = 12.0
REFRACTORY_S: Final = 0.25
FAST_REFRACTORY_S: Final = 0.2  # of hearts so fast that nearly every beat has a taller one within the other
FAST_S: Final = 0.265  # their usual interval at most, 226 beats a minute
WINDOW_S: Final = 1.5
LEAST_HEIGHT: Final = 0.42  # of the usual peak
LEAST_MOVING_MV: Final = 0.005  # from 8 to 25 Hz: where a lead has no more, it holds no beat
LEAST_MOVING: Final = 0.2  # of the windows, and two: a lead that holds beats in fewer is left out
LEAST_ACTIVITY: Final = 0.1  # of the usual peak: where all leads together have no more, nothing beats
LEAST_GAP_S: Final = 2.0
LEAST_GAP: Final = 2.0  # of the usual interval
LEAST_INTERVALS: Final = 2


@dataclass(frozen=True)
class HeartRate:
    """Beats per minute over all intervals between R peaks, and of the longest and the shortest one.

    lost_s: how long the intervals are that are not among them, for in them most leads stand still, as an electrode that
    is off makes them. gap_s: the longest time without a peak where it is unusually long, else 0: a pause, or beats not
    seen; before the first peak and after the last one too.
    """

    mean_bpm: float
    slowest_bpm: float
    fastest_bpm: float
    n_peaks: int
    lost_s: float = 0.0
    gap_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Rounded to a beat per minute and to tenths of a second: more is not known."""
        return {
            "mean_bpm": round(self.mean_bpm),
            "slowest_bpm": round(self.slowest_bpm),
            "fastest_bpm": round(self.fastest_bpm),
            "n_peaks": self.n_peaks,
            "lost_s": round(self.lost_s, 1),
            "gap_s": round(self.gap_s, 1),
        }


def heart_rate(record: Record) -> HeartRate | None:
    """The heart rate of a recording, or None where fewer than two intervals between R peaks were seen."""
    peaks_s = r_peaks_s(record)
    bounds_s = np.concatenate([[0.0], peaks_s, [record.duration_s]])
    every_s, lost = np.diff(bounds_s), _lost(record, bounds_s)
    seen_s = every_s[1:-1][~lost[1:-1]]
    if len(seen_s) < LEAST_INTERVALS:
        return None
    mean, longest, shortest = map(float, (seen_s.mean(), seen_s.max(), seen_s.min()))
    without_s = float(every_s[~lost].max())
    is_gap = without_s > max(LEAST_GAP_S, LEAST_GAP * float(np.median(seen_s)))
    lost_s = float(every_s[lost].sum())
    return HeartRate(60 / mean, 60 / longest, 60 / shortest, len(peaks_s), lost_s, without_s if is_gap else 0.0)


def _lost(record: Record, bounds_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(intervals,) whether most of the leads that move at all stand still for a second within each."""
    begins_s, ends_s = still_spans_s(record)
    long = ends_s - begins_s >= FLAT_S
    return np.searchsorted(ends_s[long], bounds_s[:-1]) < np.searchsorted(begins_s[long], bounds_s[1:])


def still_spans_s(record: Record) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When each span begins and ends in which most of the leads that move at all stand still, in seconds."""
    moving, apart = record.signal[_moving_rows(record)], samples_apart(record.rate_hz)
    still = (np.abs(moving[:, apart:] - moving[:, :-apart]) < STILL_MV / 2).sum(axis=0) > len(moving) / 2
    begins, ends = runs(still)
    return begins / record.rate_hz, ends / record.rate_hz


def r_peaks_s(record: Record) -> NDArray[np.float64]:
    """Times of the QRS complexes in seconds, ascending: where the leads together are largest from 8 to 25 Hz."""
    activity = _activity(record)  # (n,) at 200 Hz
    if not len(activity):
        return np.empty(0)
    highest = _highest_of_windows(activity)
    high_enough = LEAST_HEIGHT * float(np.median(highest[highest > LEAST_ACTIVITY]))
    slow, fast = (_apart(activity, round(apart_s * RATE_HZ)) for apart_s in (REFRACTORY_S, FAST_REFRACTORY_S))
    slow, fast = slow[activity[slow] >= high_enough], fast[activity[fast] >= high_enough]
    is_fast = len(fast) > 2 and np.median(np.diff(fast)) <= FAST_S * RATE_HZ
    return np.asarray((fast if is_fast else slow) / RATE_HZ)


def _activity(record: Record) -> NDArray[np.float64]:
    """(n,) mean over the moving leads of their size from 8 to 25 Hz, each in units of its usual peak; (0,) of none."""
    moving = _moving_rows(record)
    if not moving:
        return np.empty(0)
    signal = resample(record.signal[moving], record.rate_hz, RATE_HZ, low_pass(min(HIGH_HZ, 0.45 * record.rate_hz)))
    band = signal - resample(signal, RATE_HZ, RATE_HZ, gaussian(LOW_HZ))
    height = resample(np.abs(band), RATE_HZ, RATE_HZ, gaussian(SMOOTH_HZ))
    usual = np.array([_usual_peak(lead) for lead in height])
    beating = np.isfinite(usual)
    if not beating.any():
        return np.empty(0)
    return np.asarray((height[beating] / usual[beating, None]).mean(axis=0), np.float64)


def _moving_rows(record: Record) -> list[int]:
    """Rows of the independent leads that are not flat throughout."""
    rows = (LEADS.index(lead) for lead in INDEPENDENT_LEADS)
    return [row for row in rows if np.ptp(record.signal[row]) > STILL_MV]


def _usual_peak(lead: NDArray[np.floating]) -> float:
    """Median of the highest values of the windows in which a lead moves; infinite where these are too few."""
    highest = _highest_of_windows(lead)
    moving = highest[highest > LEAST_MOVING_MV]
    return float(np.median(moving)) if len(moving) >= max(2, LEAST_MOVING * len(highest)) else math.inf


def _highest_of_windows(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The highest values of successive windows, each long enough for a slow heart's beat."""
    length = min(len(values), round(WINDOW_S * RATE_HZ))
    return np.asarray(values[: len(values) // length * length].reshape(-1, length).max(axis=1))


def _apart(values: NDArray[np.float64], distance: int) -> NDArray[np.intp]:
    """Indices of the local maxima that are the highest within `distance` on both sides."""
    padded = np.pad(values, distance, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * distance + 1)
    peaks = np.flatnonzero((values == around.max(axis=1)) & (values > 0))
    return peaks[np.diff(peaks, prepend=-distance - 1) > distance]
