"""How good a classifier is on labelled recordings: by class, over classes, with intervals over patients.

F2, G2, F1 and accuracy are taken over the recordings with at least one of the nine diagnoses, as the metric
demands; AUROC and AUPRC over all. A class without a positive has no score, is left out of the means and named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.scoring.challenge import beta_scores, contingency, nan_mean

NAMES: Final = ("f2", "g2", "f1", "accuracy", "auroc", "auprc")
RESAMPLES: Final = 1000
ClassScores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Predictions:
    """truth, decisions: (n, 9) bool. probabilities: (n, 9). people: whose each recording is, for the intervals."""

    truth: NDArray[np.bool_]
    decisions: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    people: Sequence[str]

    def subset(self, rows: NDArray[np.bool_]) -> "Predictions":
        """The recordings where `rows` is true."""
        people = [person for person, keep in zip(self.people, rows, strict=True) if keep]
        return Predictions(self.truth[rows], self.decisions[rows], self.probabilities[rows], people)


def class_scores(predictions: Predictions) -> ClassScores:
    """Each score of `NAMES` for each class, (9,), NaN for a class without a positive."""
    return _weighted_scores(predictions, _rankings(predictions), np.ones(len(predictions.truth)))


def _weighted_scores(predictions: Predictions, rankings: list["_Ranking"], times: NDArray[np.float64]) -> ClassScores:
    """The same with each recording counted `times` times, as a bootstrap resample says."""
    n_labels = predictions.truth.sum(axis=1)
    labelled = np.where(n_labels > 0, times / np.maximum(n_labels, 1), 0)
    cells = contingency(predictions.truth, predictions.decisions, labelled)
    scores = {name: np.array(values) for name, values in beta_scores(cells).items()}
    areas = [_areas(ranking, times) for ranking in rankings]
    scores["auroc"], scores["auprc"] = np.array(areas).T
    absent = times @ predictions.truth == 0
    return {name: np.where(absent, np.nan, values) for name, values in scores.items()}


def means(scores: ClassScores) -> dict[str, float]:
    """The mean of each score over the classes that have one."""
    return {name: nan_mean(list(values)) for name, values in scores.items()}


def resampled(predictions: Predictions, seed: int = 0) -> ClassScores:
    """(RESAMPLES, 9) of each score over bootstrap resamples of the patients.

    The same seed draws the same patients: differences between two networks' predictions of the same recordings, in
    the same order, are paired.
    """
    random = np.random.default_rng(seed)
    names, member = np.unique(np.asarray(predictions.people), return_inverse=True)
    draws = (random.integers(0, len(names), len(names)) for _ in range(RESAMPLES))
    times = (np.bincount(draw, minlength=len(names))[member].astype(np.float64) for draw in draws)
    rankings = _rankings(predictions)
    scores = [_weighted_scores(predictions, rankings, weights) for weights in times]
    return {name: np.stack([of_classes[name] for of_classes in scores]) for name in NAMES}


def intervals(predictions: Predictions, seed: int = 0) -> tuple[dict[str, list[float]], dict[str, NDArray[np.float64]]]:
    """95 % percentile bootstrap over patients: of the means [low, high], and of each class (2, 9)."""
    of_classes = resampled(predictions, seed)
    of_means = {name: np.array([[nan_mean(list(row))] for row in values]) for name, values in of_classes.items()}
    return (
        {name: [float(bound) for bound in percentiles(values)[:, 0]] for name, values in of_means.items()},
        {name: percentiles(values) for name, values in of_classes.items()},
    )


def percentiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, columns) of (resamples, columns); NaN where no resample has a value."""
    bounds = np.full((2, values.shape[1]), np.nan)
    there = ~np.isnan(values).all(axis=0)
    if there.any():
        bounds[:, there] = np.nanpercentile(values[:, there], [2.5, 97.5], axis=0)
    return bounds


@dataclass(frozen=True, eq=False)
class _Ranking:
    """One class's recordings from the most to the least probable: their order, truth, and where ties end."""

    order: NDArray[np.intp]
    truth: NDArray[np.bool_]
    last_of_ties: NDArray[np.bool_]


def _rankings(predictions: Predictions) -> list[_Ranking]:
    rankings = []
    for truth, chances in zip(predictions.truth.T, predictions.probabilities.T, strict=True):
        order = np.argsort(-chances, kind="stable")
        last_of_ties = np.append(np.diff(chances[order]) != 0, True)
        rankings.append(_Ranking(order, truth[order], last_of_ties))
    return rankings


def _areas(ranking: _Ranking, times: NDArray[np.float64]) -> tuple[float, float]:
    """(AUROC, average precision) with recordings counted `times` times; NaN where one side is missing."""
    ordered = times[ranking.order]
    positives = np.cumsum(ordered * ranking.truth)[ranking.last_of_ties]
    negatives = np.cumsum(ordered * ~ranking.truth)[ranking.last_of_ties]
    if not positives[-1] or not negatives[-1]:
        return float("nan"), float("nan")
    recall = np.append(0, positives) / positives[-1]
    false_alarms = np.append(0, negatives) / negatives[-1]
    steps = np.diff(recall)
    auroc = (np.diff(false_alarms) * (recall[1:] + recall[:-1]) / 2).sum()
    precision = np.divide(positives, positives + negatives, out=np.zeros_like(positives), where=positives > 0)
    return float(auroc), float((steps * precision).sum())
