"""What a long recording shows, from what its windows show: burdens and episodes; pure NumPy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES

BURDENS: Final = ("AF", "PAC", "PVC")
EPISODES: Final = ("AF",)
BRIDGED_S: Final = 30.0


@dataclass(frozen=True)
class Burden:
    """How many windows there are, how many could be assessed for a diagnosis, and how many reach its threshold."""

    windows: int
    assessed: int
    positive: int

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer; no share where nothing was assessed."""
        share = self.positive / self.assessed if self.assessed else None
        counts = {"windows": self.windows, "assessed_windows": self.assessed, "positive_windows": self.positive}
        return {**counts, "share": share}

    def __str__(self) -> str:
        """The share in words."""
        if not self.assessed:
            return "no window could be assessed"
        of_all = "" if self.assessed == self.windows else f"{self.assessed:,} assessed of "
        return f"{self.positive / self.assessed:.1%} of {of_all}{self.windows:,} windows"


@dataclass(frozen=True)
class Episode:
    """From the beginning of the first to the end of the last of successive positive windows.

    Gaps of up to 30 s between two positive windows are bridged, whatever is in them. peak: the highest probability.
    """

    diagnosis: str
    start_s: float
    end_s: float
    peak: float
    windows: int

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        return {
            "diagnosis": self.diagnosis,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "duration_s": self.end_s - self.start_s,
            "peak": self.peak,
            "positive_windows": self.windows,
        }

    def __str__(self) -> str:
        """From when to when, and how surely."""
        return f"{self.diagnosis} {clock(self.start_s)}-{clock(self.end_s)}, peak {self.peak:.2f}"


def clock(seconds: float) -> str:
    """Hours, minutes and whole seconds since the recording began."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def burdens(by_window: NDArray[np.float64], thresholds: NDArray[np.float64]) -> dict[str, Burden]:
    """By diagnosis, from (n_windows, 9) probabilities, NaN where a window could not be assessed."""
    return {
        name: Burden(len(column), int(np.isfinite(column).sum()), int((column >= threshold).sum()))
        for name, column, threshold in zip(DIAGNOSES, by_window.T, thresholds, strict=True)
        if name in BURDENS
    }


def seldom_assessed(by_window: NDArray[np.float64]) -> tuple[str, ...]:
    """A warning for the diagnoses of which some windows, but not half of all, could be assessed; as for `burdens`."""
    few: dict[int, list[str]] = {}
    for name, n in zip(DIAGNOSES, np.isfinite(by_window).sum(axis=0).tolist(), strict=True):
        if 0 < 2 * n < len(by_window):
            few.setdefault(n, []).append(name)
    return tuple(
        f"only {n:,} of {len(by_window):,} windows could be assessed for {', '.join(names)}" for n, names in few.items()
    )


def episodes(
    by_window: NDArray[np.float64],
    thresholds: NDArray[np.float64],
    starts_s: Sequence[float],
    window_s: float,
    duration_s: float = math.inf,
) -> tuple[Episode, ...]:
    """All episodes in order of time, within the recording's duration; by_window: as for `burdens`."""
    found: list[Episode] = []
    for name in EPISODES:
        column, threshold = by_window[:, DIAGNOSES.index(name)], thresholds[DIAGNOSES.index(name)]
        positive = np.flatnonzero(column >= threshold)  # NaN reaches no threshold
        starts = np.asarray(starts_s)[positive]
        parted = np.flatnonzero(starts[1:] - (starts[:-1] + window_s) > BRIDGED_S) + 1
        for part in np.split(positive, parted) if len(positive) else ():
            begin_s, end_s = starts_s[part[0]], min(starts_s[part[-1]] + window_s, duration_s)
            found.append(Episode(name, begin_s, end_s, float(column[part].max()), len(part)))
    return tuple(sorted(found, key=lambda episode: episode.start_s))
