"""Whether a recording of many windows should count many times in the calibration, on fifths of the validation.

    python experiments/calibration.py DATA

The shipped network's validation recordings, in five parts, 20 times: calibration and thresholds are fitted on four and
scored on the fifth, each recording counted once or each window. No test recording is read. Result: docs/log.md.
"""

import sys
from pathlib import Path

import numpy as np
from thresholds import said_of_validation

from twelvelead.scoring.probabilities import Calibration, decide, fit_calibration, fit_thresholds, merged
from twelvelead.scoring.scores import Predictions, class_scores

N_PARTS = 5
DRAWS = 20


def main() -> None:
    """Print the held-out cross-entropy and sqrt(F2 x G2) of both, and in how many draws the first is lower."""
    logits, truth = said_of_validation(Path(sys.argv[1]))
    counts = np.array([len(windows) for windows in logits])
    print(f"{len(logits)} recordings, {(counts > 1).sum()} of several windows, {counts.max()} at most")
    scores = np.array([[held_out(logits, truth, draw, once=once) for once in (False, True)] for draw in range(DRAWS)])
    for way, (loss, balance) in zip(("each window", "each recording"), scores.mean(axis=0), strict=True):
        print(f"{way}: cross-entropy {loss:.5f}, sqrt(F2 x G2) {balance:.4f}")
    print(f"lower cross-entropy by recording in {(scores[:, 1, 0] < scores[:, 0, 0]).sum()} of {DRAWS} draws")
    differences(logits, truth)


def differences(logits: list[np.ndarray], truth: np.ndarray) -> None:
    """Print what changes where both are fitted on all of the validation, as a card's are."""
    chances = [merged(fitted(logits, truth, once=once), logits) for once in (False, True)]
    thresholds = [fit_thresholds(of_way, truth) for of_way in chances]
    change = np.abs(chances[1] - chances[0])
    n_thresholds = (~np.isclose(*thresholds)).sum()
    n_decisions = (decide(chances[0], thresholds[0]) != decide(chances[1], thresholds[1])).sum()
    print(f"fitted on all: probabilities change by {change.mean():.4f} in the mean, {change.max():.3f} at most;")
    print(f"{n_thresholds} thresholds and {n_decisions} of {truth.size:,} decisions change")


def held_out(logits: list[np.ndarray], truth: np.ndarray, draw: int, *, once: bool) -> tuple[float, float]:
    """Cross-entropy of what each fifth was given, and the mean over classes of sqrt(F2 x G2)."""
    order = np.random.default_rng(draw).permutation(len(logits))
    chances, decisions = np.zeros(truth.shape), np.zeros(truth.shape, bool)
    for part in range(N_PARTS):
        scoring = order[part::N_PARTS]
        fitting = np.setdiff1d(order, scoring)
        of_fitting = [logits[i] for i in fitting]
        calibration = fitted(of_fitting, truth[fitting], once=once)
        thresholds = fit_thresholds(merged(calibration, of_fitting), truth[fitting])
        chances[scoring] = merged(calibration, [logits[i] for i in scoring])
        decisions[scoring] = decide(chances[scoring], thresholds)
    loss = -np.log(np.where(truth, chances, 1 - chances)).mean()
    scores = class_scores(Predictions(truth, decisions, chances, list(map(str, range(len(truth))))))
    return float(loss), float(np.sqrt(np.nanmean(scores["f2"]) * np.nanmean(scores["g2"])))


def fitted(logits: list[np.ndarray], truth: np.ndarray, *, once: bool) -> Calibration:
    """A recording's windows together, or each as if it were a recording."""
    if once:
        return fit_calibration(logits, truth)
    return fit_calibration(
        [window[None] for windows in logits for window in windows], truth.repeat([len(w) for w in logits], axis=0)
    )


if __name__ == "__main__":
    main()
