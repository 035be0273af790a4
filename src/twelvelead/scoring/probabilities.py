"""Logits -> calibrated probabilities -> one per recording -> decisions; pure NumPy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.challenge import beta_scores, contingency

Specificity = Literal["0.9", "0.95", "0.99"]  # as a card and the command line write it

PRIOR_STRENGTH: Final = 4.0
ROUNDS: Final = 25
SMALLEST_SLOPE: Final = 0.1
THRESHOLDS: Final = np.arange(2, 91) / 100  # .12 as it is written
SMOOTHING: Final = 5
SHARED_POSITIVES: Final = 50
SPECIFICITIES: Final[tuple[Specificity, ...]] = get_args(Specificity)
THRESHOLD_WITHOUT_POSITIVES: Final = 0.16  # near the optimum of F2 where probabilities are calibrated


@dataclass(frozen=True, eq=False)
class Calibration:
    """Per class, probability = sigmoid(slope * logit + offset)."""

    slopes: NDArray[np.float64]
    offsets: NDArray[np.float64]

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., 9) logits -> (..., 9) probabilities."""
        return sigmoid(self.slopes * logits + self.offsets)

    def as_json(self) -> dict[str, Any]:
        """What a card holds; `from_json` is its inverse."""
        return {
            name: {"slope": float(slope), "offset": float(offset)}
            for name, slope, offset in zip(DIAGNOSES, self.slopes, self.offsets, strict=True)
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Calibration":
        """The calibration that a card holds."""
        rows = [fields[name] for name in DIAGNOSES]
        slopes, offsets = (np.array([float(row[part]) for row in rows]) for part in ("slope", "offset"))
        if not (np.isfinite(slopes).all() and np.isfinite(offsets).all()):
            raise ValueError("calibration with a slope or offset that is no number")
        return cls(slopes, offsets)


def sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -values.astype(np.float64)))


def merge(probabilities: NDArray[np.float64], withheld: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """(n_windows, 9) -> (9,): the mean over a recording's windows.

    withheld: (n_windows or 1, 9), the windows that do not count for a diagnosis; where none counts, all do.
    """
    if len(probabilities) == 1:
        return np.asarray(probabilities[0])
    if withheld is None or not withheld.any():
        return np.asarray(probabilities.mean(axis=0))
    counted = np.broadcast_to(~withheld | withheld.all(axis=0), probabilities.shape)
    return np.asarray((probabilities * counted).sum(axis=0) / counted.sum(axis=0))


def merged(calibration: Calibration, logits: Iterable[NDArray[np.floating]]) -> NDArray[np.float64]:
    """(n, 9) probabilities, of each recording those of its (n_windows, 9) logits together."""
    return np.stack([merge(calibration.probabilities(windows)) for windows in logits])


def by_diagnosis(values: NDArray[np.float64]) -> dict[str, float]:
    """(9,) as a card, a report or a manifest holds them."""
    return dict(zip(DIAGNOSES, values.tolist(), strict=True))


def decide(probabilities: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which diagnoses are positive: those whose probability reaches the threshold of their class."""
    return np.asarray(probabilities >= thresholds)


def fit_decisions(
    logits: Sequence[NDArray[np.floating]], truth: NDArray[np.bool_]
) -> tuple[Calibration, NDArray[np.float64], NDArray[np.float64]]:
    """Calibration, (9,) thresholds, and the (n, 9) merged probabilities that they give on the same recordings.

    logits: for each recording (n_windows, 9). truth: (n, 9). Both of recordings that had no part in training.
    """
    calibration = fit_calibration(logits, truth)
    chances = merged(calibration, logits)
    return calibration, fit_thresholds(chances, truth), chances


def fit_calibration(logits: Sequence[NDArray[np.floating]], truth: NDArray[np.bool_]) -> Calibration:
    """Platt's scaling of each class by Newton's method, drawn towards slope 1 and offset 0 where positives are few.

    logits: for each recording (n_windows, 9), which together count as one. truth: (n, 9). Both of recordings that had
    no part in training. Source: Platt 1999; the pull is a normal prior.
    """
    counts = np.array([len(windows) for windows in logits])
    of_windows, weights = truth.repeat(counts, axis=0), (1 / counts).repeat(counts)
    windows = np.concatenate(logits).astype(np.float64)
    fitted = [_platt(windows[:, k], of_windows[:, k], weights) for k in range(truth.shape[1])]
    return Calibration(np.array([slope for slope, _ in fitted]), np.array([offset for _, offset in fitted]))


def _platt(logits: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[float, float]:
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    prior = np.array([1.0, 0.0])

    def cost(values: NDArray[np.float64]) -> float:
        scaled = design @ values
        misfit = weights @ (np.logaddexp(0, scaled) - scaled * truth)
        return float(misfit + PRIOR_STRENGTH / 2 * ((values - prior) ** 2).sum())

    def lowest(values: NDArray[np.float64], free: list[int]) -> NDArray[np.float64]:
        """By Newton's method, the values that are not free kept."""
        for _ in range(ROUNDS):
            chances = sigmoid(design @ values)
            gradient = design.T @ (weights * (chances - truth)) + PRIOR_STRENGTH * (values - prior)
            curvature = (design * (weights * chances * (1 - chances))[:, None]).T @ design + PRIOR_STRENGTH * np.eye(2)
            step = np.zeros(2)
            step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
            while cost(values - step) > cost(values) and np.abs(step).max() > 1e-9:
                step = step / 2
            values = values - step
        return values

    slope, offset = lowest(prior, [0, 1])
    if slope < SMALLEST_SLOPE:
        slope, offset = lowest(np.array([SMALLEST_SLOPE, offset]), [1])
    return float(slope), float(offset)


def fit_thresholds(probabilities: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(9,) thresholds that maximise sqrt(F2 x G2) over the recordings with at least one diagnosis.

    Each class's curve over the thresholds counts with its positives, the mean curve of all classes with as many as
    `SHARED_POSITIVES`: the fewer a class has, the nearer it comes to the threshold that is best for all.
    """
    labelled = truth.any(axis=1)
    if not labelled.any():
        return np.full(truth.shape[1], THRESHOLD_WITHOUT_POSITIVES)
    truth, probabilities = truth[labelled], probabilities[labelled]
    balance = np.stack([_balance(truth, probabilities >= threshold) for threshold in THRESHOLDS])
    margins = ((SMOOTHING // 2, SMOOTHING // 2), (0, 0))
    smooth = np.lib.stride_tricks.sliding_window_view(np.pad(balance, margins, mode="edge"), SMOOTHING, 0).mean(axis=-1)
    positives = truth.sum(axis=0)
    shared = smooth[:, positives > 0].mean(axis=1, keepdims=True)
    return np.asarray(THRESHOLDS[np.argmax(positives * smooth + SHARED_POSITIVES * shared, axis=0)])


def thresholds_at(
    specificity: float, probabilities: NDArray[np.float64], truth: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(9,) lowest thresholds, in thousandths, at which that share of the recordings without a diagnosis is not called.

    probabilities, truth: (n, 9), of all recordings that had no part in training, whether they have a diagnosis or not.
    """
    return np.array(
        [_threshold_at(specificity, chances[~yes]) for chances, yes in zip(probabilities.T, truth.T, strict=True)]
    )


def _threshold_at(specificity: float, of_negatives: NDArray[np.float64]) -> float:
    """Above all but the highest few: as many as may be called."""
    falling = np.sort(of_negatives)[::-1]
    n_called = int(len(falling) * (1 - specificity) + 1e-9)  # 20 of 400 at .95, whatever the rounding
    highest = falling[n_called] if n_called < len(falling) else 0.0
    return min(1.0, (int(highest * 1000) + 1) / 1000)


def _balance(truth: NDArray[np.bool_], decisions: NDArray[np.bool_]) -> NDArray[np.float64]:
    """sqrt(F2 x G2) of each class, 0 where there is nothing to count."""
    scores = beta_scores(contingency(truth, decisions, 1 / truth.sum(axis=1)))
    return np.asarray(np.sqrt(np.nan_to_num(scores["f2"]) * np.nan_to_num(scores["g2"])))
