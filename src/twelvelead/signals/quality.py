"""What is wrong with a recording, measured before anybody says what it shows: per lead, in physical units.

Limits come from PTB-XL's annotations of noise; docs/quality.md says how often each finding is right, there and on real
recordings made worse on purpose. What needs a frequency that the recording cannot hold is not assessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, Record
from twelvelead.signals.measures import (
    QUALITY,
    Measures,
    arms_agreement,
    beat_ratio,
    burst_ratio,
    extent_bounds_mv,
    extent_mv,
    limb_contradiction,
    loudest_mv,
    mains_mv,
    noise_mv,
    percentile,
    resting_shares,
)
from twelvelead.signals.recipe import Bands
from twelvelead.wording import counted

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
    "contradiction",
    "no beats",
    "short",
]

SHORT_S: Final = 10.0
MAINS_HZ: Final = (50.0, 60.0)
LIMBS: Final = LEADS[:6]
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
AMPLITUDE_PERCENT: Final = 0.5
LEAST_AMPLITUDE_MV: Final = 0.15
MOST_AMPLITUDE_MV: Final = 4.5
LEAST_ARMS: Final = 0.0
MOST_CONTRADICTION: Final = 0.1
LEAST_BEATS: Final = 3.0
UNUSABLE_FLAT: Final = 0.5
UNUSABLE_CLIPPED: Final = 0.05
UNUSABLE_WANDER_MV: Final = 5.0
UNUSABLE_NOISE_MV: Final = 0.1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, in which leads, the worst value found, the limit, and their unit;
    of a missing electrode, its name is the unit.

    unusable: whether nothing should be read from these leads.
    windows: of a long recording, in how many of its windows; None of any other.
    """

    kind: Kind
    leads: tuple[str, ...]
    value: float
    limit: float
    unit: str
    unusable: bool = False
    windows: int | None = None

    def __str__(self) -> str:
        """The finding in words."""
        often = "" if self.windows is None else f", in {counted(self.windows, 'window')}"
        leads = "all leads" if len(self.leads) == len(LEADS) else ", ".join(self.leads)
        if self.kind == "electrode":
            return f"electrode missing: {self.unit} ({leads} flat){often}"
        value = f"{self.value:.3g}" if f"{self.value:.3g}" != f"{self.limit:.3g}" else f"{self.value:.6g}"
        value = "all" if f"{value} {self.unit}" == "1 of the time" else value
        return f"{self.kind} in {leads}: {value} {self.unit} (limit {self.limit:.3g}){often}"

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        said = {field: getattr(self, field) for field in self.__slots__} | {"leads": list(self.leads)}
        return said if self.windows is not None else {key: said[key] for key in said if key != "windows"}


Numbered = Iterator[tuple[int, Finding]]  # the findings of several recordings, each with its recording's number


def assess(record: Record) -> tuple[Finding, ...]:
    """All that is found wrong with a recording in millivolts, the gravest first."""
    [findings] = assess_alike([record])
    return findings


def assess_alike(records: Sequence[Record], bands: Bands | None = None) -> list[tuple[Finding, ...]]:
    """As `assess`, to the bit, of recordings of one length and rate at once, which takes half of the time.

    bands: (n, 12, samples) each, the recordings' own by the recipe `QUALITY`, where they are at hand.
    """
    clean, baseline = bands or QUALITY.bands_alike(records)
    still, clipped = resting_shares(records)  # (n, 12), as all but the beats
    clipped = np.where(still > UNUSABLE_FLAT, 0, clipped)
    wander = extent_mv(baseline, 2.0, beyond=MOST_WANDER_MV)
    beats = beat_ratio(clean)  # (n,)
    found: list[list[Finding]] = [[] for _ in records]
    for number, finding in chain(
        _flat(still),
        _over("saturated", clipped, MOST_CLIPPED, UNUSABLE_CLIPPED, "of the time"),
        _over("noise", noise_mv(clean), MOST_NOISE_MV, UNUSABLE_NOISE_MV, "mV"),
        _over("baseline wander", wander, MOST_WANDER_MV, UNUSABLE_WANDER_MV, "mV"),
        _over("burst", burst_ratio(clean), MOST_BURST, np.inf, "times the usual second"),
        _mains(records),
        _amplitude(clean, still),
        _beats(beats),
        _arms(clean, still, beats),
        _contradiction(clean, still),
        _short(records),
    ):
        found[number].append(finding)
    return [tuple(sorted(findings, key=lambda finding: not finding.unusable)) for findings in found]


def _over(kind: Kind, values: Measures, limit: float, unusable: float, unit: str) -> Numbered:
    """One finding for the leads beyond what can be used, one for those beyond the limit; values: (n, 12)."""
    for number in np.flatnonzero((values > limit).any(axis=-1)).tolist():
        those = values[number]
        for low, high, grave in ((unusable, np.inf, True), (limit, unusable, False)):
            rows = np.flatnonzero((those > low) & (those <= high))
            if len(rows):
                leads = tuple(LEADS[row] for row in rows)
                yield number, Finding(kind, leads, float(those[rows].max()), low, unit, grave)


def _flat(still: Measures) -> Numbered:
    dead: dict[int, set[str]] = {}
    for number, finding in _over("flat", still, 0.0, UNUSABLE_FLAT, "of the time"):
        if finding.unusable:
            dead[number] = set(finding.leads)
        yield number, finding
    for number, those in dead.items():
        for electrode, leads in ELECTRODES.items():
            if those.issuperset(leads):
                yield number, Finding("electrode", leads, 1.0, 0.0, electrode, True)


def _mains(records: Sequence[Record]) -> Numbered:
    """Mains are seldom loud, and their neighbourhood takes longer."""
    held = tuple(hz for hz in MAINS_HZ if records[0].rate_hz > 2.2 * hz)
    loudest = loudest_mv(records, held).max(axis=-1) if held else np.zeros((len(records), 0))  # (n, mains)
    for number, which in np.argwhere(loudest > MOST_MAINS_MV).tolist():
        amplitudes, unit = mains_mv(records[number], held[which]), f"mV at {held[which]:g} Hz"
        for _, finding in _over("mains noise", amplitudes[None], MOST_MAINS_MV, np.inf, unit):
            yield number, finding


def _amplitude(clean: NDArray[np.float32], still: Measures) -> Numbered:
    """The median lead, so that one loose electrode is no unit error."""
    for number in np.flatnonzero(~_surely_ordinary(clean, still)).tolist():
        moving = extent_mv(clean[number], AMPLITUDE_PERCENT)[still[number] <= UNUSABLE_FLAT]
        typical = float(percentile(moving[None], 50)[0]) if len(moving) else 0.0
        if typical > MOST_AMPLITUDE_MV:
            yield number, Finding("amplitude", LEADS, typical, MOST_AMPLITUDE_MV, "mV: is the unit right?", True)
        elif len(moving) and typical < LEAST_AMPLITUDE_MV:
            yield number, Finding("amplitude", LEADS, typical, LEAST_AMPLITUDE_MV, "mV: is the unit right?", True)


def _surely_ordinary(clean: NDArray[np.float32], still: Measures) -> NDArray[np.bool_]:
    """(n,) where `_amplitude` finds nothing, by bounds that take less than half of the time of what it asks for."""
    least, most = extent_bounds_mv(clean, AMPLITUDE_PERCENT)
    ordinary = (percentile(least, 50) >= LEAST_AMPLITUDE_MV) & (percentile(most, 50) <= MOST_AMPLITUDE_MV)
    return np.asarray(ordinary & (still <= UNUSABLE_FLAT).all(axis=-1))


def _beats(ratios: Measures) -> Numbered:
    for number in np.flatnonzero(ratios < LEAST_BEATS).tolist():
        ratio = float(ratios[number])
        yield number, Finding("no beats", LEADS, ratio, LEAST_BEATS, "times what lies between them", True)


def _arms(clean: NDArray[np.float32], still: Measures, beats: Measures) -> Numbered:
    """Told by QRS complexes, so only where there are any."""
    agreement = arms_agreement(clean)
    moving = (still[:, [LEADS.index(lead) for lead in ("I", "aVR", "V6")]] <= UNUSABLE_FLAT).all(axis=-1)
    for number in np.flatnonzero(moving & (beats >= LEAST_BEATS) & (agreement < LEAST_ARMS)).tolist():
        value = float(agreement[number])
        yield number, Finding("swapped arms", ARMS, value, LEAST_ARMS, "agreement of I and aVR with V6", True)


def _contradiction(clean: NDArray[np.float32], still: Measures) -> Numbered:
    """Wrong gains alone leave each lead usable by itself; a lead turned over, or by another's name, does not."""
    sizes, is_turned = limb_contradiction(clean)
    moving = (still[:, : len(LIMBS)] <= UNUSABLE_FLAT).all(axis=-1)
    for number in np.flatnonzero(moving & (sizes > MOST_CONTRADICTION)).tolist():
        turned = bool(is_turned[number])
        why = ": one is turned over or misnamed" if turned else ": their gains differ"
        unit = f"of their size off Einthoven's law{why}"
        yield number, Finding("contradiction", LIMBS, float(sizes[number]), MOST_CONTRADICTION, unit, turned)


def _short(records: Sequence[Record]) -> Numbered:
    duration_s = records[0].duration_s
    if round(duration_s, 2) < SHORT_S:  # 3,333 samples at 333.3333 Hz are no less
        yield from ((number, Finding("short", LEADS, duration_s, SHORT_S, "s")) for number in range(len(records)))
