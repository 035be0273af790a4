"""How a recording becomes the network's input, in physical units; saved in the bundle and applied nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import NOTHING_MOVES, Record, RecordError
from twelvelead.signals.filters import Kernel, gaussian, low_pass, resample
from twelvelead.stream import Stream

MIN_RATE_HZ: Final = 50.0
MAX_RECORDED_HZ: Final = 16_000.0  # from an odd rate above it, a filter would be a matrix of gigabytes
MIN_DURATION_S: Final = 5.0
MIN_LOW_HZ: Final = 0.05  # its moving average reaches over 15 s; below, a filter would be a matrix of gigabytes
MAX_RATE_HZ: Final = 1000.0
MAX_WINDOW_S: Final = 60.0
MIN_DEVIATION_MV: Final = 1e-3

Scaling = Literal["standardise", "millivolts"]


class Bands(NamedTuple):
    """A recording in two parts, (..., 12, n) each at a recipe's rate: from `low_hz` to `high_hz`, and all below."""

    heart: NDArray[np.float32]
    baseline: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Rate, band, scaling and window; all filters are zero-phase.

    rate_hz: the network's rate. low_hz: the baseline below it is removed (3 dB point of a Gaussian high-pass).
    high_hz: what lies above is removed before resampling. window_s: length of what the network sees at once; a
    shorter recording it sees as it is.
    hop_s: distance of successive windows at most, so that a long recording is used in full.
    scaling: each lead of a window to mean 0 and deviation 1, or left in millivolts.
    """

    rate_hz: float = 100.0
    low_hz: float = 0.5
    high_hz: float = 40.0
    window_s: float = 10.0
    hop_s: float = 5.0
    scaling: Scaling = "standardise"

    def __post_init__(self) -> None:
        numbers = (self.rate_hz, self.low_hz, self.high_hz, self.window_s, self.hop_s)
        if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
            raise ValueError(f"recipe of {numbers}: rate, band, window and hop must be numbers")
        ordered = MIN_LOW_HZ <= self.low_hz < self.high_hz < self.rate_hz / 2 <= MAX_RATE_HZ / 2
        if not ordered or not MIN_DURATION_S <= self.window_s <= MAX_WINDOW_S or not 1 <= self.hop_s <= self.window_s:
            raise ValueError(
                f"recipe of {numbers}: needs {MIN_LOW_HZ:g} <= low_hz < high_hz < rate_hz / 2, "
                f"rate_hz up to {MAX_RATE_HZ:g}, window_s from {MIN_DURATION_S:g} to {MAX_WINDOW_S:g}, "
                f"and hop_s from 1 to window_s"
            )
        if self.scaling not in get_args(Scaling):
            raise ValueError(f"scaling {self.scaling!r}: allowed are {', '.join(get_args(Scaling))}")

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return round(self.window_s * self.rate_hz)

    def filtered(self, record: Record) -> NDArray[np.float32]:
        """(12, n) at `rate_hz`: band-passed and resampled, not yet scaled.

        Raises RecordError on less than 5 s, less than 50 or more than 16,000 Hz, no moving lead, or a unit that the
        scaling cannot take.
        """
        self.refuse_unfit(record)
        return self.bands(record).heart

    def refuse_unfit(self, record: Record | Stream) -> None:
        """Raise RecordError where a recording cannot be the network's input, as `filtered` says.

        Whether anything moves in a stream is known when it was passed through, and refused then.
        """
        if record.rate_hz < MIN_RATE_HZ:
            raise RecordError(
                f"sampled at {record.rate_hz:g} Hz: at least {MIN_RATE_HZ:g} Hz are needed; export it again"
            )
        if record.rate_hz > MAX_RECORDED_HZ:
            raise RecordError(
                f"sampled at {record.rate_hz:.12g} Hz: at most {MAX_RECORDED_HZ:g} Hz are taken; "
                f"check the rate that the file states, or resample it"
            )
        if record.duration_s < MIN_DURATION_S:
            raise RecordError(f"{record.duration_s:.6g} s of signal: at least {MIN_DURATION_S:g} s are needed")
        if isinstance(record, Record) and len(record.flat_leads) == len(record.signal):
            raise RecordError(NOTHING_MOVES)
        if record.unit == "NU" and self.scaling != "standardise":
            raise RecordError(
                "signal in NU, standardised by its publisher: this recipe needs its original in millivolts"
            )

    def bands(self, record: Record) -> Bands:
        """Any recording resampled to `rate_hz` and parted at `low_hz`."""
        fastest_hz = min(self.high_hz, 0.45 * record.rate_hz)
        signal = resample(record.signal, record.rate_hz, self.rate_hz, low_pass(fastest_hz))
        baseline = resample(signal, self.rate_hz, self.rate_hz, self.slow())
        return Bands(signal - baseline, baseline)

    def bands_alike(self, records: Sequence[Record]) -> Bands:
        """(n, 12, samples) of each band of recordings of one length and rate.

        One after the other: the samples of several at once would not stay near the processor.
        """
        hearts, baselines = zip(*map(self.bands, records), strict=True)
        return Bands(np.stack(hearts), np.stack(baselines))

    def slow(self) -> Kernel:
        """The moving average that makes the baseline."""
        return gaussian(self.low_hz)

    def parts_like(self, other: "Recipe") -> bool:
        """Whether the other's `bands` are the same, whatever it does with them."""
        return (self.rate_hz, self.low_hz, self.high_hz) == (other.rate_hz, other.low_hz, other.high_hz)

    def windows(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 12, n) -> (..., n_windows, 12, window_samples, or n where that is less): cut and scaled."""
        cuts = (signal[..., start : start + self.window_samples] for start in self.starts(signal.shape[-1]))
        windows = [self.scaled(cut)[..., None, :, :] for cut in cuts]
        return windows[0] if len(windows) == 1 else np.concatenate(windows, axis=-3)

    def starts(self, n_samples: int) -> list[int]:
        """First sample of each window: evenly spaced, the first at the beginning and the last ending at the end."""
        spare = max(0, n_samples - self.window_samples)
        if not spare:
            return [0]
        n_windows = 1 + int(np.ceil(spare / (self.hop_s * self.rate_hz)))
        return [round(start) for start in np.linspace(0, spare, n_windows)]

    def scaled(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """A window or several, (..., 12, n), each lead as `scaling` says."""
        if self.scaling == "standardise":
            window = window - window.mean(axis=-1, keepdims=True)
            deviation = np.sqrt(np.einsum("...s,...s->...", window, window) / window.shape[-1])
            factors = np.where(deviation > MIN_DEVIATION_MV, 1 / np.maximum(deviation, MIN_DEVIATION_MV), 0)
            window *= factors[..., None]
        return window.astype(np.float32, copy=False)

    def padded(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """(12, n <= window_samples) -> (12, window_samples), zeros on both sides, for windows of one batch in training.

        A recording is never heard so: with silence around it the network would say something else (docs/log.md).
        """
        missing = self.window_samples - window.shape[-1]
        return np.pad(window, [(0, 0), (missing // 2, missing - missing // 2)]) if missing else window
