"""What is wrong with a recording, measured before anybody says what it shows: per lead, in physical units.

Limits come from PTB-XL's annotations of noise; docs/quality.md says how often each finding is right, there and on real
recordings made worse on purpose. What needs a frequency that the recording cannot hold is not assessed.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, Record
from twelvelead.signals.filters import gaussian, low_pass, resample

Kind = Literal[
    "flat",
    "electrode",
    "saturated",
    "baseline wander",
    "mains noise",
    "noise",
    "burst",
    "amplitude",
    "swapped arms",
    "short",
]
Measures = NDArray[np.float64]

RATE_HZ: Final = 100.0
SHORT_S: Final = 10.0
STILL_MV: Final = 1e-3
FLAT_S: Final = 1.0
CLIPPED_S: Final = 0.04
MAINS_HZ: Final = (50.0, 60.0)
MAINS_WINDOW_S: Final = 2.0
ARMS: Final = ("I", "II", "III", "aVR", "aVL")
ELECTRODES: Final = {
    "right arm": ("I", "II"),
    "left arm": ("I", "III"),
    "left leg": ("II", "III"),
    **{f"C{number}": (f"V{number}",) for number in range(1, 7)},
}

MOST_CLIPPED: Final = 0.01
MOST_WANDER_MV: Final = 0.75
MOST_MAINS_MV: Final = 0.05
MOST_NOISE_MV: Final = 0.011
MOST_BURST: Final = 1.9
LEAST_AMPLITUDE_MV: Final = 0.15
MOST_AMPLITUDE_MV: Final = 4.5
LEAST_ARMS: Final = 0.0
UNUSABLE_FLAT: Final = 0.5
UNUSABLE_CLIPPED: Final = 0.05
UNUSABLE_WANDER_MV: Final = 5.0
UNUSABLE_NOISE_MV: Final = 0.1


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, in which leads, the worst value found, the limit, and their unit.

    unusable: whether nothing should be read from these leads.
    """

    kind: Kind
    leads: tuple[str, ...]
    value: float
    limit: float
    unit: str
    unusable: bool = False

    def __str__(self) -> str:
        """The finding in words."""
        leads = "all leads" if len(self.leads) == len(LEADS) else ", ".join(self.leads)
        if self.kind == "electrode":
            return f"electrode missing: {self.unit} ({leads} flat)"
        return f"{self.kind} in {leads}: {self.value:.3g} {self.unit} (limit {self.limit:.3g})".replace("  ", " ")

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        return {**asdict(self), "leads": list(self.leads)}


def assess(record: Record) -> tuple[Finding, ...]:
    """All that is found wrong with a recording in millivolts, the gravest first."""
    signal = record.signal
    slow = resample(signal, record.rate_hz, RATE_HZ, low_pass(min(40.0, 0.45 * record.rate_hz)))  # (12, n) at 100 Hz
    baseline = resample(slow, RATE_HZ, RATE_HZ, gaussian(0.5))
    clean = slow - baseline
    still = still_share(signal, record.rate_hz)
    clipped = np.where(still > UNUSABLE_FLAT, 0, clipped_share(signal, record.rate_hz))
    findings = [
        *_flat(still),
        *_over("saturated", clipped, MOST_CLIPPED, UNUSABLE_CLIPPED, "of the time"),
        *_over("noise", noise_mv(clean), MOST_NOISE_MV, UNUSABLE_NOISE_MV, "mV"),
        *_over("baseline wander", _extent(baseline, 2.0), MOST_WANDER_MV, UNUSABLE_WANDER_MV, "mV"),
        *_over("burst", burst_ratio(clean), MOST_BURST, np.inf, "times the usual second"),
        *_mains(record),
        *_amplitude(_extent(clean, 0.5), still),
        *_arms(clean, still),
    ]
    if record.duration_s < SHORT_S:
        findings.append(Finding("short", LEADS, record.duration_s, SHORT_S, "s"))
    return tuple(sorted(findings, key=lambda finding: not finding.unusable))


def still_share(signal: NDArray[np.float32], rate_hz: float) -> Measures:
    """(12,) share of the time that each lead stands still for a second or more."""
    return _share_in_runs(np.abs(np.diff(signal, axis=1)) < STILL_MV / 2, FLAT_S * rate_hz)


def clipped_share(signal: NDArray[np.float32], rate_hz: float) -> Measures:
    """(12,) share of the time that each lead rests for 40 ms or more at its own highest or lowest value."""
    top, bottom = signal.max(axis=1, keepdims=True), signal.min(axis=1, keepdims=True)
    return _share_in_runs((signal == top) | (signal == bottom), CLIPPED_S * rate_hz)


def noise_mv(clean: NDArray[np.float32]) -> Measures:
    """(12,) root mean square from 20 to 40 Hz in the quieter tenths of a second, between the QRS complexes."""
    fast = clean - resample(clean, RATE_HZ, RATE_HZ, low_pass(20.0))
    return np.asarray(np.percentile(np.sqrt((_parts(fast, 0.1) ** 2).mean(axis=2)), 40, axis=1))


def burst_ratio(clean: NDArray[np.float32]) -> Measures:
    """(12,) extent of the widest second over that of the median one."""
    extents = np.ptp(_parts(clean, 1.0), axis=2)
    return np.asarray(extents.max(axis=1) / np.maximum(np.median(extents, axis=1), 10 * STILL_MV), np.float64)


def mains_mv(record: Record, mains_hz: float) -> Measures:
    """(12,) amplitude at a mains frequency above that of its neighbourhood; the rate must exceed 2.2 times it."""
    windows = _parts(record.signal, MAINS_WINDOW_S, record.rate_hz)
    waves, n_there = _waves(windows.shape[2], record.rate_hz, mains_hz)
    cosine, sine = np.split(windows @ waves, 2, axis=2)  # (12, parts, frequencies) each
    amplitude = np.sqrt(cosine**2 + sine**2).mean(axis=1)  # (12, frequencies)
    return np.asarray(amplitude[:, :n_there].max(axis=1) - np.median(amplitude[:, n_there:], axis=1), np.float64)


@lru_cache(maxsize=16)
def _waves(n_samples: int, rate_hz: float, mains_hz: float) -> tuple[NDArray[np.float32], int]:
    """Tapered cosines, then sines, of unit response: (n_samples, 2 * frequencies), and how many of the frequencies,
    the first ones, lie at the mains frequency; the others lie around it.
    """
    frequency = np.fft.rfftfreq(n_samples, 1 / rate_hz)
    distance = np.abs(frequency - mains_hz)
    taper = np.hanning(n_samples)
    angle = 2 * np.pi * np.arange(n_samples)[:, None] / rate_hz * frequency
    there, around = distance <= 0.5, (distance >= 2) & (distance <= 5)
    chosen = np.concatenate([angle[:, there], angle[:, around]], axis=1)
    waves = 2 / taper.sum() * taper[:, None] * np.concatenate([np.cos(chosen), np.sin(chosen)], axis=1)
    return waves.astype(np.float32), int(there.sum())


def arms_agreement(clean: NDArray[np.float32]) -> float:
    """From -2 to 2: the correlation of V6 with I less that with aVR; below 0 when the arm electrodes are swapped."""
    one, right, six = (clean[LEADS.index(name)] for name in ("I", "aVR", "V6"))
    return _correlation(one, six) - _correlation(right, six)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale else 0.0


def _extent(signal: NDArray[np.float32], percent: float) -> Measures:
    """(12,) between the samples at the percentiles `percent` and 100 - `percent`."""
    last = signal.shape[1] - 1
    low, high = round(percent / 100 * last), round((1 - percent / 100) * last)
    ordered = np.partition(signal, [low, high], axis=1)
    return np.asarray(ordered[:, high] - ordered[:, low], np.float64)


def _parts(signal: NDArray[np.float32], length_s: float, rate_hz: float = RATE_HZ) -> NDArray[np.float32]:
    """(12, n) -> (12, parts, samples): whole parts of a length, at least one."""
    length = min(round(length_s * rate_hz), signal.shape[1])
    n_parts = signal.shape[1] // length
    return signal[:, : n_parts * length].reshape(len(signal), n_parts, length)


def _share_in_runs(held: NDArray[np.bool_], least: float) -> Measures:
    """(12,) share of the samples that lie in runs of at least `least` true ones."""
    shares = []
    for row in held:
        if np.count_nonzero(row) < least:
            shares.append(0.0)
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        shares.append(lengths[lengths >= least].sum() / max(1, len(row)))
    return np.array(shares)


def _over(kind: Kind, values: Measures, limit: float, unusable: float, unit: str) -> Iterable[Finding]:
    """One finding for the leads beyond what can be used, one for those beyond the limit."""
    for low, high, grave in ((unusable, np.inf, True), (limit, unusable, False)):
        rows = np.flatnonzero((values > low) & (values <= high))
        if len(rows):
            leads = tuple(LEADS[row] for row in rows)
            yield Finding(kind, leads, float(values[rows].max()), low, unit, grave)


def _flat(still: Measures) -> Iterable[Finding]:
    findings = list(_over("flat", still, 0.0, UNUSABLE_FLAT, "of the time"))
    dead = {lead for finding in findings if finding.unusable for lead in finding.leads}
    for electrode, leads in ELECTRODES.items():
        if dead.issuperset(leads):
            findings.append(Finding("electrode", leads, 1.0, 0.0, electrode, True))
    return findings


def _mains(record: Record) -> Iterable[Finding]:
    for mains_hz in MAINS_HZ:
        if record.rate_hz > 2.2 * mains_hz:
            yield from _over("mains noise", mains_mv(record, mains_hz), MOST_MAINS_MV, np.inf, f"mV at {mains_hz:g} Hz")


def _amplitude(extent: Measures, still: Measures) -> Iterable[Finding]:
    """The median lead, so that one loose electrode is no unit error."""
    moving = extent[still <= UNUSABLE_FLAT]
    typical = float(np.median(moving)) if len(moving) else 0.0
    if typical > MOST_AMPLITUDE_MV:
        yield Finding("amplitude", LEADS, typical, MOST_AMPLITUDE_MV, "mV: is the unit right?", True)
    elif len(moving) and typical < LEAST_AMPLITUDE_MV:
        yield Finding("amplitude", LEADS, typical, LEAST_AMPLITUDE_MV, "mV: is the unit right?", True)


def _arms(clean: NDArray[np.float32], still: Measures) -> Iterable[Finding]:
    if any(still[LEADS.index(lead)] > UNUSABLE_FLAT for lead in ("I", "aVR", "V6")):
        return
    agreement = arms_agreement(clean)
    if agreement < LEAST_ARMS:
        yield Finding("swapped arms", ARMS, agreement, LEAST_ARMS, "agreement of I and aVR with V6", True)
