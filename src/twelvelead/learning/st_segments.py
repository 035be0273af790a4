"""Simulated deviations of the ST segment, laid over recordings without one: few real ones are labelled.

A current of injury is simulated as one vector in the body, so that the leads agree with each other as those of a heart
do (Dower's lead vectors), and each beat's ST segment and T wave are shifted by what the leads see of it. What counts
as a deviation is what two contiguous leads must show in the Fourth Universal Definition of Myocardial Infarction
(Thygesen et al. 2018).
"""

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import LEADS, Record, record_from_leads
from twelvelead.signals.filters import resample
from twelvelead.signals.heart import r_peaks_s
from twelvelead.signals.recipe import Recipe

Kind = Literal["STE", "STD"]

# Of the vector's parts to the left, down and to the back: Dower, Machado and Osborne, Clin Cardiol 1980.
LEAD_VECTORS: Final = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
CONTIGUOUS: Final = (
    *(("I", "aVL"), ("I", "V6"), ("II", "III"), ("II", "aVF"), ("III", "aVF")),
    *(("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6")),
)
INJURIES: Final = {
    "STE": ((0.3, 0.0, -1.0), (0.0, 1.0, 0.2), (1.0, -0.3, 0.2), (0.8, 0.6, -0.4)),  # front, below, left, everywhere
    "STD": ((-1.0, -0.5, 0.0), (-1.0, -0.1, 0.4), (-0.6, -1.0, 0.0), (-0.8, -0.3, 0.8)),  # under the endocardium
}
SIZES_MV: Final = {"STE": (0.1, 0.4), "STD": (0.07, 0.3)}
SCATTER: Final = 0.25
RECIPROCAL_MV: Final = 0.05
LEAST_BEATS: Final = 4
QRS_S: Final = (0.03, 0.05)  # from the R peak to the J point
RISE_S: Final = 0.04
SLOPES: Final = (-0.4, 0.6)  # how much more the segment deviates at its end than at its beginning, of its size
QT_S: Final = 0.4  # at 60 beats a minute, after Bazett with the root of the interval
BEFORE_NEXT_S: Final = 0.14
LEAST_S: Final = 0.2
HELD: Final = 0.6  # of the time from the R peak to the end of the T wave; then it fades
SHOWS_ST: Final = ("STE", "STD", "LBBB", "RBBB")  # blocks shift ST segments by themselves
KNOWN: Final = ("STE", "STD", "Normal")  # what a simulation decides by itself
ROWS: Final = np.array([[LEADS.index(lead) for lead in pair] for pair in CONTIGUOUS])


class Deviated(NamedTuple):
    """(12, n) millivolts with a simulated deviation, (9,) what is true of it, .5 where it may be either, and (9,) of
    which diagnoses that is known from the simulation.
    """

    signal: NDArray[np.float32]
    truth: NDArray[np.float32]
    certain: NDArray[np.bool_]


def may_deviate(in_mv: bool, truth: NDArray[np.float32]) -> bool:
    """Whether a recording is in millivolts and has no label by which its ST segments may deviate already."""
    return in_mv and not any(truth[DIAGNOSES.index(name)] for name in SHOWS_ST)


def deviated(
    signal: NDArray[np.float32], truth: NDArray[np.float32], recipe: Recipe, random: np.random.Generator
) -> Deviated:
    """A recording, (12, n) filtered by the recipe, its ST segments raised or lowered; as it is where beats are few.

    truth: (9,) of 0 and 1. The deviation is high-passed as the recording was.
    """
    peaks_s = r_peaks_s(Record(name="", signal=signal, rate_hz=recipe.rate_hz))
    if len(peaks_s) < LEAST_BEATS:
        return Deviated(signal, truth, np.zeros(len(DIAGNOSES), np.bool_))
    kind: Kind = "STE" if random.random() < 0.5 else "STD"
    heights_mv = _heights_mv(kind, random)
    added = np.asarray(heights_mv[:, None] * _course(peaks_s, signal.shape[1], recipe.rate_hz, random), np.float32)
    added -= resample(added, recipe.rate_hz, recipe.rate_hz, recipe.slow())
    said = dict(zip(DIAGNOSES, truth, strict=True)) | {kind: 1.0, "Normal": 0.0}
    if kind == "STE" and _reached(-heights_mv) > RECIPROCAL_MV:
        said["STD"] = 0.5
    certain = np.array([name in KNOWN for name in DIAGNOSES])
    return Deviated(signal + added, np.array([*said.values()], np.float32), certain)


def _heights_mv(kind: Kind, random: np.random.Generator) -> NDArray[np.float64]:
    """(12,) deviation of each lead: of a vector near one of the kind's, as large as two contiguous leads must show."""
    sign = 1 if kind == "STE" else -1
    while True:
        vector = np.array(INJURIES[kind])[random.integers(len(INJURIES[kind]))] + random.normal(0, SCATTER, 3)
        eight = {lead: np.array([np.dot(seen, vector)]) for lead, seen in LEAD_VECTORS.items()}
        heights = record_from_leads("", eight, 1.0).signal[:, 0].astype(np.float64)
        if (reached := _reached(sign * heights)) > 0.1:
            return heights * random.uniform(*SIZES_MV[kind]) / reached


def _reached(heights: NDArray[np.float64]) -> float:
    """What two contiguous leads reach together, at most."""
    return float(heights[ROWS].min(axis=1).max())


def _course(
    peaks_s: NDArray[np.float64], n_samples: int, rate_hz: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """(n_samples,) how much of the deviation is there, 0 to about 1: from each J point to the end of the T wave."""
    course, slope, j_s = np.zeros(n_samples), random.uniform(*SLOPES), random.uniform(*QRS_S)
    intervals_s = np.diff(peaks_s)
    for peak_s, interval_s in zip(peaks_s, [*intervals_s, intervals_s[-1]], strict=True):
        end_s = min(QT_S * np.sqrt(interval_s), interval_s - BEFORE_NEXT_S)
        if end_s < LEAST_S:
            continue
        first = round(peak_s * rate_hz)
        since_s = np.arange(min(int(end_s * rate_hz) + 1, n_samples - first)) / rate_hz
        held_s = HELD * end_s
        risen, fallen = _eased((since_s - j_s) / RISE_S), _eased((since_s - held_s) / (end_s - held_s))
        along = np.clip((since_s - j_s) / (held_s - j_s), 0, 1)
        course[first : first + len(since_s)] = risen * (1 - fallen) * (1 + slope * along)
    return course


def _eased(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 as half a cosine."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))
