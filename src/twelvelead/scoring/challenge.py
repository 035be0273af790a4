"""The scores of the PhysioNet/CinC Challenge 2020, to the digit, as its two evaluation scripts computed them.

The unofficial phase (February 2020) and the final script differ where a class or a threshold has nothing to count:
the former takes such a ratio as 1 and drops the threshold above all outputs, the latter leaves the class out.
F2 and G2 count each recording with the inverse of its number of labels.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import TwelveleadError

Phase = Literal["unofficial", "2020"]
BETA: Final = 2.0
Scores = dict[str, float]


class ScoreError(TwelveleadError):
    """Labels and outputs cannot be scored against each other."""


def challenge_scores(
    truth: NDArray[np.bool_], decisions: NDArray[np.bool_], outputs: NDArray[np.float64], phase: Phase
) -> Scores:
    """f2, g2, f1, accuracy, auroc and auprc of (n_recordings, n_classes) arrays.

    Raises ScoreError on unequal shapes, on no recordings, and in the unofficial phase on a recording without labels.
    """
    if not truth.shape == decisions.shape == outputs.shape or truth.ndim != 2 or not truth.size:
        raise ScoreError(
            f"labels {truth.shape}, decisions {decisions.shape} and scores {outputs.shape}: "
            f"all must be (recordings, classes) alike, with at least one of each"
        )
    n_labels = truth.sum(axis=1)
    if phase == "unofficial" and not n_labels.all():
        raise ScoreError(f"{np.count_nonzero(n_labels == 0)} recordings have no label: this phase needs one for each")
    weighted = contingency(truth, decisions, 1 / np.maximum(n_labels, 1))
    per_class = beta_scores(weighted)
    curves = np.array([_areas(truth[:, k], outputs[:, k], phase) for k in range(truth.shape[1])])
    per_class |= {"auroc": curves[:, 0], "auprc": curves[:, 1]}
    if phase == "unofficial":
        return {name: float(np.nan_to_num(values, nan=1.0).mean()) for name, values in per_class.items()}
    per_class["f1"] = beta_scores(contingency(truth, decisions, np.ones(len(truth))))["f1"]
    del per_class["accuracy"]
    return {name: float(nan_mean(values)) for name, values in per_class.items()} | {
        "accuracy": float((truth == decisions).all(axis=1).mean())
    }


def contingency(
    truth: NDArray[np.bool_], decisions: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, ..., n_classes): weighted true positives, false positives, false negatives and true negatives.

    weights: (..., n_recordings).
    """
    cells = (truth & decisions, ~truth & decisions, truth & ~decisions, ~truth & ~decisions)
    return np.stack([weights @ cell for cell in cells])


def beta_scores(cells: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """F2, G2, F1 and accuracy of each class, NaN where there is nothing to count."""
    tp, fp, fn, tn = cells
    return {
        "f2": _ratio((1 + BETA**2) * tp, (1 + BETA**2) * tp + fp + BETA**2 * fn),
        "g2": _ratio(tp, tp + fp + BETA * fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
    }


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(numerator, denominator, out=np.full_like(denominator, np.nan), where=denominator > 0)


def nan_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the last axis of the values that are there, NaN where none is."""
    there = ~np.isnan(values)
    return _ratio(np.where(there, values, 0).sum(axis=-1), there.sum(axis=-1).astype(np.float64))


def _areas(truth: NDArray[np.bool_], outputs: NDArray[np.float64], phase: Phase) -> tuple[float, float]:
    """(AUROC, AUPRC) of one class: the area under specificity over recall, and under precision in steps of recall."""
    absent = 1.0 if phase == "unofficial" else np.nan
    thresholds = _thresholds(outputs, phase)
    positives = _count_from(outputs[truth], thresholds)
    negatives = _count_from(outputs[~truth], thresholds)
    recall = _share(positives, truth.sum(), absent)
    specificity = _share((~truth).sum() - negatives, (~truth).sum(), absent)
    called = positives + negatives
    precision = np.divide(positives, called, out=np.full(len(called), absent), where=called > 0)
    steps = np.diff(recall)
    auroc = float((0.5 * steps * (specificity[1:] + specificity[:-1])).sum())
    return auroc, float((steps * precision[1:]).sum())


def _thresholds(outputs: NDArray[np.float64], phase: Phase) -> NDArray[np.float64]:
    """Falling thresholds: all distinct outputs after one above them; in the unofficial phase from 1, and without 0.

    Its counts never go back once they have passed an output, which the running minimum stands for.
    """
    falling = np.unique(outputs)[::-1]
    if phase == "2020":
        return np.concatenate([falling[:1] + 1, falling])
    if falling[0] != 1:
        falling = np.concatenate([[1.0], falling])
    return np.asarray(np.minimum.accumulate(falling[:-1] if falling[-1] == 0 else falling))


def _count_from(outputs: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each threshold, how many outputs reach it."""
    below = np.searchsorted(np.sort(outputs), thresholds, side="left")
    return np.asarray(len(outputs) - below, np.float64)


def _share(counts: NDArray[np.float64], total: int, absent: float) -> NDArray[np.float64]:
    return np.asarray(counts / total) if total else np.full(len(counts), absent)
