"""What is wrong with a recording, measured before anybody says what it shows: per lead, in physical units.

Limits come from PTB-XL's annotations of noise; docs/quality.md says how often each finding is right, there and on real
recordings made worse on purpose. What needs a frequency that the recording cannot hold is not assessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
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
        value = "all" if f"{self.value:.3g} {self.unit}" == "1 of the time" else f"{self.value:.3g}"
        return f"{self.kind} in {leads}: {value} {self.unit} (limit {self.limit:.3g}){often}"

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        fields = {**asdict(self), "leads": list(self.leads)}
        return fields if self.windows is not None else {key: fields[key] for key in fields if key != "windows"}


def assess(record: Record) -> tuple[Finding, ...]:
    """All that is found wrong with a recording in millivolts, the gravest first."""
    [findings] = assess_alike([record])
    return findings


def assess_alike(records: Sequence[Record], bands: Bands | None = None) -> list[tuple[Finding, ...]]:
    """As `assess`, to the bit, of recordings of one length and rate at once, which takes half of the time.

    bands: (n, 12, samples) each, the recordings' own by the recipe `QUALITY`, where they are at hand.
    """
    clean, baseline = bands or QUALITY.bands_alike(records)
    still, clipped = resting_shares(records)  # (n, 12), as all that follow
    clipped = np.where(still > UNUSABLE_FLAT, 0, clipped)
    noise, bursts = noise_mv(clean), burst_ratio(clean)
    wander = extent_mv(baseline, 2.0, beyond=MOST_WANDER_MV)
    held = tuple(hz for hz in MAINS_HZ if records[0].rate_hz > 2.2 * hz)
    mains = loudest_mv(records, held) if held else np.zeros((len(records), 0, len(LEADS)))
    arms, beats = arms_agreement(clean), beat_ratio(clean)  # (n,)
    contradiction, is_turned = limb_contradiction(clean)
    ordinary = _surely_ordinary(clean, still)
    assessed = []
    for number, record in enumerate(records):
        no_beats = list(_beats(float(beats[number])))
        findings = [
            *_flat(still[number]),
            *_over("saturated", clipped[number], MOST_CLIPPED, UNUSABLE_CLIPPED, "of the time"),
            *_over("noise", noise[number], MOST_NOISE_MV, UNUSABLE_NOISE_MV, "mV"),
            *_over("baseline wander", wander[number], MOST_WANDER_MV, UNUSABLE_WANDER_MV, "mV"),
            *_over("burst", bursts[number], MOST_BURST, np.inf, "times the usual second"),
            *_mains(record, held, mains[number]),
            *([] if ordinary[number] else _amplitude(extent_mv(clean[number], AMPLITUDE_PERCENT), still[number])),
            *no_beats,
            *([] if no_beats else _arms(float(arms[number]), still[number])),  # told by QRS complexes
            *_contradiction(float(contradiction[number]), bool(is_turned[number]), still[number]),
        ]
        if round(record.duration_s, 2) < SHORT_S:  # 3,333 samples at 333.3333 Hz are no less
            findings.append(Finding("short", LEADS, record.duration_s, SHORT_S, "s"))
        assessed.append(tuple(sorted(findings, key=lambda finding: not finding.unusable)))
    return assessed


def _over(kind: Kind, values: Measures, limit: float, unusable: float, unit: str) -> Iterable[Finding]:
    """One finding for the leads beyond what can be used, one for those beyond the limit."""
    if not (values > limit).any():
        return
    for low, high, grave in ((unusable, np.inf, True), (limit, unusable, False)):
        rows = np.flatnonzero((values > low) & (values <= high))
        if len(rows):
            leads = tuple(LEADS[row] for row in rows)
            yield Finding(kind, leads, float(values[rows].max()), low, unit, grave)


def _flat(still: Measures) -> Iterable[Finding]:
    if not still.any():
        return []
    findings = list(_over("flat", still, 0.0, UNUSABLE_FLAT, "of the time"))
    dead = {lead for finding in findings if finding.unusable for lead in finding.leads}
    for electrode, leads in ELECTRODES.items():
        if dead.issuperset(leads):
            findings.append(Finding("electrode", leads, 1.0, 0.0, electrode, True))
    return findings


def _mains(record: Record, held: tuple[float, ...], loudest: Measures) -> Iterable[Finding]:
    """Mains are seldom loud, and their neighbourhood takes longer; loudest: (mains, 12)."""
    for hz, amplitudes in zip(held, loudest, strict=True):
        if amplitudes.max() > MOST_MAINS_MV:
            yield from _over("mains noise", mains_mv(record, hz), MOST_MAINS_MV, np.inf, f"mV at {hz:g} Hz")


def _surely_ordinary(clean: NDArray[np.float32], still: Measures) -> NDArray[np.bool_]:
    """(n,) where `_amplitude` finds nothing, by bounds that take less than half of the time of what it asks for."""
    least, most = extent_bounds_mv(clean, AMPLITUDE_PERCENT)
    ordinary = (percentile(least, 50) >= LEAST_AMPLITUDE_MV) & (percentile(most, 50) <= MOST_AMPLITUDE_MV)
    return np.asarray(ordinary & (still <= UNUSABLE_FLAT).all(axis=-1))


def _amplitude(extent: Measures, still: Measures) -> Iterable[Finding]:
    """The median lead, so that one loose electrode is no unit error."""
    moving = extent[still <= UNUSABLE_FLAT]
    typical = float(percentile(moving[None], 50)[0]) if len(moving) else 0.0
    if typical > MOST_AMPLITUDE_MV:
        yield Finding("amplitude", LEADS, typical, MOST_AMPLITUDE_MV, "mV: is the unit right?", True)
    elif len(moving) and typical < LEAST_AMPLITUDE_MV:
        yield Finding("amplitude", LEADS, typical, LEAST_AMPLITUDE_MV, "mV: is the unit right?", True)


def _arms(agreement: float, still: Measures) -> Iterable[Finding]:
    if agreement < LEAST_ARMS and all(still[LEADS.index(lead)] <= UNUSABLE_FLAT for lead in ("I", "aVR", "V6")):
        yield Finding("swapped arms", ARMS, agreement, LEAST_ARMS, "agreement of I and aVR with V6", True)


def _contradiction(size: float, is_turned: bool, still: Measures) -> Iterable[Finding]:
    """Wrong gains alone leave each lead usable by itself; a lead turned over, or by another's name, does not."""
    if size > MOST_CONTRADICTION and (still[: len(LIMBS)] <= UNUSABLE_FLAT).all():
        why = ": one is turned over or misnamed" if is_turned else ": their gains differ"
        unit = f"of their size off Einthoven's law{why}"
        yield Finding("contradiction", LIMBS, size, MOST_CONTRADICTION, unit, is_turned)


def _beats(ratio: float) -> Iterable[Finding]:
    if ratio < LEAST_BEATS:
        yield Finding("no beats", LEADS, ratio, LEAST_BEATS, "times what lies between them", True)
