"""R peaks and the heart rate, from all independent leads together; docs/heart-rate.md says how far off they are."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import INDEPENDENT_LEADS, LEADS, Record
from twelvelead.signals.filters import gaussian, low_pass, resample

RATE_HZ: Final = 200.0
LOW_HZ: Final = 8.0
HIGH_HZ: Final = 25.0
SMOOTH_HZ: Final = 12.0
REFRACTORY_S: Final = 0.25
WINDOW_S: Final = 1.5
LEAST_HEIGHT: Final = 0.42  # of the usual peak
STILL_MV: Final = 1e-3
LEAST_PEAKS: Final = 3


@dataclass(frozen=True)
class HeartRate:
    """Beats per minute over all intervals between R peaks, and of the longest and the shortest one."""

    mean_bpm: float
    slowest_bpm: float
    fastest_bpm: float
    n_peaks: int

    def as_json(self) -> dict[str, Any]:
        """Rounded to a beat per minute: more is not known."""
        return {
            "mean_bpm": round(self.mean_bpm),
            "slowest_bpm": round(self.slowest_bpm),
            "fastest_bpm": round(self.fastest_bpm),
            "n_peaks": self.n_peaks,
        }


def heart_rate(record: Record) -> HeartRate | None:
    """The heart rate of a recording, or None where fewer than three R peaks are found."""
    peaks_s = r_peaks_s(record)
    if len(peaks_s) < LEAST_PEAKS:
        return None
    intervals_s = np.diff(peaks_s)
    mean, slowest, fastest = 60 / intervals_s.mean(), 60 / intervals_s.max(), 60 / intervals_s.min()
    return HeartRate(float(mean), float(slowest), float(fastest), len(peaks_s))


def r_peaks_s(record: Record) -> NDArray[np.float64]:
    """Times of the QRS complexes in seconds, ascending: where the leads together are largest from 8 to 25 Hz."""
    activity = _activity(record)  # (n,) at 200 Hz
    if not len(activity) or not activity.max() > 0:
        return np.empty(0)
    peaks = _apart(activity, round(REFRACTORY_S * RATE_HZ))
    return peaks[activity[peaks] >= LEAST_HEIGHT * _usual_peak(activity)] / RATE_HZ


def _activity(record: Record) -> NDArray[np.float64]:
    """(n,) mean over the moving leads of their size from 8 to 25 Hz, each lead in units of its usual peak."""
    rows = [LEADS.index(lead) for lead in INDEPENDENT_LEADS]
    moving = [row for row in rows if np.ptp(record.signal[row]) > STILL_MV]
    if not moving:
        return np.empty(0)
    signal = resample(record.signal[moving], record.rate_hz, RATE_HZ, low_pass(min(HIGH_HZ, 0.45 * record.rate_hz)))
    band = signal - resample(signal, RATE_HZ, RATE_HZ, gaussian(LOW_HZ))
    height = resample(np.abs(band), RATE_HZ, RATE_HZ, gaussian(SMOOTH_HZ))
    usual = np.array([_usual_peak(lead) for lead in height])
    return np.asarray((height / np.maximum(usual, 1e-9)[:, None]).mean(axis=0), np.float64)


def _usual_peak(values: NDArray[np.floating]) -> float:
    """Median of the highest values of successive windows, each long enough for a slow heart's beat."""
    length = min(len(values), round(WINDOW_S * RATE_HZ))
    parts = values[: len(values) // length * length].reshape(-1, length)
    return float(np.median(parts.max(axis=1)))


def _apart(values: NDArray[np.float64], distance: int) -> NDArray[np.intp]:
    """Indices of the local maxima that are the highest within `distance` on both sides."""
    padded = np.pad(values, distance, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * distance + 1)
    peaks = np.flatnonzero((values == around.max(axis=1)) & (values > 0))
    return peaks[np.diff(peaks, prepend=-distance - 1) > distance]
