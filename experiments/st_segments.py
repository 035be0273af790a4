"""Whether simulated deviations of the ST segment teach what STE and STD are: few real ones are labelled.

    python experiments/st_segments.py DATA
    python experiments/pairs.py DATA study-st/single single
    python experiments/pairs.py DATA --left-out study-st/single single

A current of injury is simulated as one vector in the body, so that the leads agree with each other as those of a heart
do (Dower's lead vectors), and each beat's ST segment and T wave are shifted by what the leads see of it; what counts as
a deviation is what two contiguous leads must show in the Fourth Universal Definition of Myocardial Infarction (Thygesen
et al. 2018). Every sixth recording of an epoch, if it is in millivolts and nothing shifts its ST segments already, is
drawn once more with such a deviation, beside the windows that there are anyway; the rest is the study's `single`. Some
six minutes a run on one core. Expected: more of STD found in hospitals that were not seen. Result on 2026-11-30: so it
is, but taught the network gets worse where it learned: not taken (docs/log.md).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning import fit
from twelvelead.learning.samples import Augmentation, Batch, Samples, drawn, load, n_batches
from twelvelead.learning.store import quantised
from twelvelead.learning.together import Team
from twelvelead.record import LEADS, Record, record_from_leads
from twelvelead.signals.filters import resample
from twelvelead.signals.heart import r_peaks_s
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import BEST, contestants
from twelvelead.study.folds import databases_left_out, folds
from twelvelead.study.run import Protocol, run

OUT = Path(__file__).parent / "study-st"
PROTOCOL = Protocol(recipe=Recipe(), epochs=30, patience=15, seed=0, n_folds=3)
EVERY = 6

# Of the vector's parts to the left, down and to the back: Dower, Machado and Osborne, Clin Cardiol 1980.
LEAD_VECTORS = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
CONTIGUOUS = (
    *(("I", "aVL"), ("I", "V6"), ("II", "III"), ("II", "aVF"), ("III", "aVF")),
    *(("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6")),
)
INJURIES = {
    "STE": ((0.3, 0.0, -1.0), (0.0, 1.0, 0.2), (1.0, -0.3, 0.2), (0.8, 0.6, -0.4)),  # front, below, left, everywhere
    "STD": ((-1.0, -0.5, 0.0), (-1.0, -0.1, 0.4), (-0.6, -1.0, 0.0), (-0.8, -0.3, 0.8)),  # under the endocardium
}
SIZES_MV = {"STE": (0.1, 0.4), "STD": (0.07, 0.3)}
SCATTER = 0.25
RECIPROCAL_MV = 0.05
LEAST_BEATS = 4
QRS_S = (0.03, 0.05)  # from the R peak to the J point
RISE_S = 0.04
SLOPES = (-0.4, 0.6)  # how much more the segment deviates at its end than at its beginning, of its size
QT_S = 0.4  # at 60 beats a minute, after Bazett with the root of the interval
BEFORE_NEXT_S = 0.14
LEAST_S = 0.2
HELD = 0.6  # of the time from the R peak to the end of the T wave; then it fades
SHOWS_ST = np.isin(DIAGNOSES, ["STE", "STD", "LBBB", "RBBB"])  # blocks shift ST segments by themselves
ROWS = np.array([[LEADS.index(lead) for lead in pair] for pair in CONTIGUOUS])


def main() -> None:
    """Train `single` on every fold and without every database that is not there yet."""
    (OUT / "runs").mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    fit.batches = batches_and_more
    samples, _ = load(find([Path(sys.argv[1])]).records, PROTOCOL.recipe)
    [single] = contestants([BEST])
    for fold in (*folds(samples, PROTOCOL.n_folds, PROTOCOL.seed), *databases_left_out(samples)):
        done = run(single, fold, samples, PROTOCOL, OUT)
        print(f"{fold.name}: best epoch {done.best_epoch}, inner loss {done.validation_scores['loss']:.4f}", flush=True)


def batches_and_more(
    samples: Samples,
    recipe: Recipe,
    augmentation: Augmentation,
    batch_size: int,
    random: np.random.Generator,
    _: Team,
) -> Iterator[Batch]:
    """The epoch's batches as ever, and in each some of its recordings once more, with a deviation."""
    order = random.permutation(len(samples))
    chances = random.spawn(len(order))
    starts = batch_size * np.arange(1, n_batches(len(order), batch_size))
    for places in np.split(np.arange(len(order)), starts):
        taken = [samples.samples[order[at]] for at in places]
        truths, own = [samples.truth[order[at]] for at in places], [chances[at] for at in places]
        for at in places[places % EVERY == 0]:
            if samples.samples[order[at]].in_mv and not samples.truth[order[at]][SHOWS_ST].any():
                [chance] = chances[at].spawn(1)
                signal, truth = deviated(samples.samples[order[at]].signal, samples.truth[order[at]], recipe, chance)
                taken, truths, own = [*taken, quantised(signal)], [*truths, truth], [*own, chance]
        pairs = zip(taken, own, strict=True)
        windows = [drawn(sample, recipe, augmentation, chance) for sample, chance in pairs]
        yield Batch(np.array(windows), np.array(truths), len(windows))


def deviated(
    signal: NDArray[np.float32], truth: NDArray[np.float32], recipe: Recipe, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A recording, (12, n) filtered by the recipe, its ST segments raised or lowered, and (9,) what is true of it.

    .5 where it may be either. As it is where beats are few. The deviation is high-passed as the recording was.
    """
    peaks_s = r_peaks_s(Record(name="", signal=signal, rate_hz=recipe.rate_hz))
    if len(peaks_s) < LEAST_BEATS:
        return signal, truth
    kind = "STE" if random.random() < 0.5 else "STD"
    heights_mv = heights(kind, random)
    added = np.asarray(heights_mv[:, None] * course(peaks_s, signal.shape[1], recipe.rate_hz, random), np.float32)
    added -= resample(added, recipe.rate_hz, recipe.rate_hz, recipe.slow())
    said = dict(zip(DIAGNOSES, truth, strict=True)) | {kind: 1.0, "Normal": 0.0}
    if kind == "STE" and reached(-heights_mv) > RECIPROCAL_MV:
        said["STD"] = 0.5
    return signal + added, np.array([*said.values()], np.float32)


def heights(kind: str, random: np.random.Generator) -> NDArray[np.float64]:
    """(12,) deviation of each lead: of a vector near one of the kind's, as large as two contiguous leads must show."""
    sign = 1 if kind == "STE" else -1
    while True:
        vector = np.array(INJURIES[kind])[random.integers(len(INJURIES[kind]))] + random.normal(0, SCATTER, 3)
        eight = {lead: np.array([np.dot(seen, vector)]) for lead, seen in LEAD_VECTORS.items()}
        of_leads = record_from_leads("", eight, 1.0).signal[:, 0].astype(np.float64)
        if (shown := reached(sign * of_leads)) > 0.1:
            return of_leads * random.uniform(*SIZES_MV[kind]) / shown


def reached(of_leads: NDArray[np.float64]) -> float:
    """What two contiguous leads reach together, at most."""
    return float(of_leads[ROWS].min(axis=1).max())


def course(
    peaks_s: NDArray[np.float64], n_samples: int, rate_hz: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """(n_samples,) how much of the deviation is there, 0 to about 1: from each J point to the end of the T wave."""
    there, slope, j_s = np.zeros(n_samples), random.uniform(*SLOPES), random.uniform(*QRS_S)
    intervals_s = np.diff(peaks_s)
    for peak_s, interval_s in zip(peaks_s, [*intervals_s, intervals_s[-1]], strict=True):
        end_s = min(QT_S * np.sqrt(interval_s), interval_s - BEFORE_NEXT_S)
        if end_s < LEAST_S:
            continue
        first = round(peak_s * rate_hz)
        since_s = np.arange(min(int(end_s * rate_hz) + 1, n_samples - first)) / rate_hz
        held_s = HELD * end_s
        risen, fallen = eased((since_s - j_s) / RISE_S), eased((since_s - held_s) / (end_s - held_s))
        along = np.clip((since_s - j_s) / (held_s - j_s), 0, 1)
        there[first : first + len(since_s)] = risen * (1 - fallen) * (1 + slope * along)
    return there


def eased(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 as half a cosine."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))


if __name__ == "__main__":
    main()
