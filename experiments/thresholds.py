"""How strongly a class's threshold should be drawn towards the common one, on halves of the validation.

    python experiments/thresholds.py DATA

Calibration and thresholds are fitted on one random half of the shipped bundle's validation recordings and scored on
the other, 40 times; the mean over eight classes (STE has one positive). No test recording is read.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.databases import find, only, truth_of
from twelvelead.formats import read
from twelvelead.scoring import probabilities
from twelvelead.scoring.probabilities import fit_calibration, fit_thresholds, merged
from twelvelead.scoring.scores import Predictions, class_scores


def main() -> None:
    """Print sqrt(F2 x G2) for each strength; 0 is each class on its own."""
    logits, truth = said_of_validation(Path(sys.argv[1]))
    for strength in (0, 5, 20, 50, 100, 100_000):
        probabilities.SHARED_POSITIVES = strength  # type: ignore[misc]  # the one constant that is studied
        random, scores = np.random.default_rng(0), []
        for _ in range(20):
            halves = np.array_split(random.permutation(len(logits)), 2)
            scores += [_score(logits, truth, *pair) for pair in (halves, halves[::-1])]
        print(f"drawn by {strength} positives: {np.mean(scores):.4f}")


def said_of_validation(data: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """The shipped network's (n_windows, 9) logits of each of its validation recordings, and their truth."""
    classifier = load_bundle(shipped_bundle())
    rows = csv.DictReader((shipped_bundle() / "split.csv").read_text().splitlines())
    keys = frozenset(row["recording"] for row in rows if row["side"] == "validation")
    records = only(find([data]).records, keys)
    recipe = classifier.recipe
    logits = [classifier.run(recipe.windows(recipe.filtered(read(record.path))))[0] for record in records]
    return logits, truth_of(records).astype(bool)


def _score(logits: list, truth: np.ndarray, fitting: np.ndarray, scoring: np.ndarray) -> float:
    calibration = fit_calibration([logits[i] for i in fitting], truth[fitting])
    thresholds = fit_thresholds(merged(calibration, [logits[i] for i in fitting]), truth[fitting])
    chances = merged(calibration, [logits[i] for i in scoring])
    people = [str(i) for i in scoring]
    scores = class_scores(Predictions(truth[scoring], chances >= thresholds, chances, people))
    return float(np.sqrt(np.nanmean(scores["f2"][:8]) * np.nanmean(scores["g2"][:8])))


if __name__ == "__main__":
    main()
