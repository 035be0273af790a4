"""Whether a recording shorter than a window goes to the network as it is, or in the middle of a window of zeros.

    python experiments/short.py DATA

Of the shipped bundle's validation recordings in millivolts the middle 5 to 10 s, either way. The weights did not see
them; epoch, calibration and thresholds were chosen on their whole length. Prints, by seconds, the mean AUROC and
√(F2·G2) of the classes with at least five positives, how many recordings are called STD, and Normal's mean
probability. A minute. Result on 2026-11-29: docs/log.md; they go as they are.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier import Classifier, load_bundle, shipped_bundle
from twelvelead.classifier.bundle import SPLIT
from twelvelead.databases import LabelledRecord, find, people_of, read_labelled, truth_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import Record
from twelvelead.scoring.probabilities import decide, merged
from twelvelead.scoring.scores import Predictions, class_scores

SECONDS = (5, 6, 7, 8, 9, 10)
FEW = 5


def main() -> None:
    """A row for each length and way."""
    classifier = load_bundle(shipped_bundle())
    pairs = list(validation(Path(sys.argv[1]), classifier))
    labels = [label for label, _ in pairs]
    print(f"{len(pairs)} recordings\n seconds  way     AUROC  √(F2·G2)  STD called  p(Normal)")
    for seconds in SECONDS:
        for way in ("padded", "as it is"):
            chances = chances_of([middle(record, seconds) for _, record in pairs], classifier, padded=way == "padded")
            print(f"{seconds:8}  {way:8}{row(chances, labels, classifier)}")


def validation(data: Path, classifier: Classifier) -> Iterator[tuple[LabelledRecord, Record]]:
    """The bundle's validation recordings in millivolts of 10 s or more."""
    with (classifier.folder / SPLIT).open(encoding="utf-8", newline="") as file:
        keys = {line["recording"] for line in csv.DictReader(file) if line["side"] == "validation"}
    for label in find([data]).records:
        if label.key in keys:
            record = read_labelled(label)
            if record.unit == "mV" and record.duration_s >= max(SECONDS):
                yield label, record


def middle(record: Record, seconds: float) -> Record:
    """So many seconds of its middle."""
    n_samples = round(seconds * record.rate_hz)
    start = (record.n_samples - n_samples) // 2
    return replace(record, signal=record.signal[:, start : start + n_samples])


def chances_of(records: list[Record], classifier: Classifier, *, padded: bool) -> NDArray[np.float64]:
    """(n, 9) probabilities."""
    logits = []
    for record in records:
        windows = classifier.recipe.windows(classifier.recipe.filtered(record))
        if padded:
            missing = classifier.recipe.window_samples - windows.shape[-1]
            windows = np.pad(windows, [(0, 0), (0, 0), (missing // 2, missing - missing // 2)])
        logits.append(classifier.run(windows)[0])
    return merged(classifier.calibration, logits)


def row(chances: NDArray[np.float64], labels: list[LabelledRecord], classifier: Classifier) -> str:
    """The scores of one length and way."""
    truth = truth_of(labels).astype(bool)
    decisions = decide(chances, classifier.thresholds)
    scores = class_scores(Predictions(truth, decisions, chances, people_of(labels)))
    often = truth.sum(axis=0) >= FEW
    balance = np.sqrt(scores["f2"][often].mean() * scores["g2"][often].mean())
    called = decisions[:, DIAGNOSES.index("STD")].sum()
    normal = chances[:, DIAGNOSES.index("Normal")].mean()
    return f"{scores['auroc'][often].mean():7.3f}{balance:10.3f}{called:12}{normal:11.3f}"


if __name__ == "__main__":
    main()
