"""How good a classifier is on labelled recordings: by class, over classes, with intervals over patients.

F2, G2, F1 and accuracy are taken over the recordings with at least one of the nine diagnoses, as the metric
demands; AUROC and AUPRC over all. A class without a positive has no score, is left out of the means and named.
Sensitivity, specificity and positive predictive value are of each class's decisions, over all recordings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.scoring.challenge import beta_scores, contingency, nan_mean

NAMES: Final = ("f2", "g2", "f1", "accuracy", "auroc", "auprc")
RATES: Final = ("sensitivity", "specificity", "ppv")
RESAMPLES: Final = 1000
FEWEST_RESAMPLES: Final = 100
SEED: Final = 0
MAX_COUNTS: Final = 1 << 16  # of recordings in resamples, at once: they stay in the processor's cache
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
    once = np.ones((1, len(predictions.truth)))
    return {name: values[0] for name, values in _weighted_scores(predictions, _rankings(predictions), once).items()}


def _weighted_scores(predictions: Predictions, rankings: list["_Ranking"], times: NDArray[np.float64]) -> ClassScores:
    """(resamples, 9) of the same with each recording counted `times` (resamples, n) times."""
    n_labels = predictions.truth.sum(axis=1)
    labelled = np.where(n_labels > 0, times / np.maximum(n_labels, 1), 0)
    scores = beta_scores(contingency(predictions.truth, predictions.decisions, labelled))
    areas = np.array([_areas(ranking, times) for ranking in rankings])  # (9, 2, resamples)
    scores["auroc"], scores["auprc"] = areas.transpose(1, 2, 0)
    absent = times @ predictions.truth == 0
    return {name: np.where(absent, np.nan, values) for name, values in scores.items()}


def class_rates(predictions: Predictions) -> ClassScores:
    """Each of `RATES` for each class, (9,); NaN without a positive, a negative, or one called positive."""
    once = np.ones((1, len(predictions.truth)))
    return {name: values[0] for name, values in _weighted_rates(predictions, once).items()}


def _weighted_rates(predictions: Predictions, times: NDArray[np.float64]) -> ClassScores:
    """(resamples, 9) of the same with each recording counted `times` (resamples, n) times."""
    truth, called = predictions.truth, predictions.decisions
    n_positive, n_called, n_found = times @ truth, times @ called, times @ (truth & called)
    n_negative = times.sum(axis=1, keepdims=True) - n_positive
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "sensitivity": n_found / n_positive,
            "specificity": 1 - (n_called - n_found) / n_negative,
            "ppv": n_found / n_called,
        }


def means(scores: ClassScores) -> dict[str, float]:
    """The mean of each score over the classes that have one."""
    return {name: float(nan_mean(values)) for name, values in scores.items()}


def resampled(predictions: Predictions) -> ClassScores:
    """(RESAMPLES, 9) of each score over bootstrap resamples of the patients.

    Every call draws the same patients: differences between two networks' predictions of the same recordings, in
    the same order, are paired.
    """
    rankings = _rankings(predictions)
    parts = [_weighted_scores(predictions, rankings, times) for times in _draws(predictions.people)]
    return _joined(parts, predictions.people)


def _draws(people: Sequence[str]) -> Iterator[NDArray[np.float64]]:
    """(some, n) how often each recording is drawn with its patient; `RESAMPLES` rows in all, the same in every call."""
    random = np.random.default_rng(SEED)
    names, member = np.unique(np.asarray(people), return_inverse=True)
    at_once = max(1, MAX_COUNTS // len(member))
    for done in range(0, RESAMPLES, at_once):
        draws = (random.integers(0, len(names), len(names)) for _ in range(min(at_once, RESAMPLES - done)))
        yield np.stack([np.bincount(draw, minlength=len(names))[member] for draw in draws]).astype(np.float64)


def resampled_means(of_classes: ClassScores) -> dict[str, NDArray[np.float64]]:
    """(n,) of each score over those of its resamples in which every class that has a positive has one.

    The others would be means over fewer classes, and say nothing of this mean. Where so few are left that a 95 %
    interval would be their extremes, (0,).
    """
    whole = {}
    for name, values in of_classes.items():
        known = values[:, ~np.isnan(values).all(axis=0)]
        rows = known[~np.isnan(known).any(axis=1)]
        whole[name] = rows.mean(axis=1) if known.size and len(rows) >= FEWEST_RESAMPLES else np.empty(0)
    return whole


def intervals(predictions: Predictions) -> tuple[dict[str, list[float]], dict[str, NDArray[np.float64]]]:
    """95 % percentile bootstrap over patients: of the means [low, high], and of each class (2, 9)."""
    of_classes = resampled(predictions)
    return (
        {name: percentiles(values[:, None])[:, 0].tolist() for name, values in resampled_means(of_classes).items()},
        {name: percentiles(values) for name, values in of_classes.items()},
    )


def rate_intervals(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """95 % percentile bootstrap over the same patients of each class's `RATES`, (2, 9)."""
    parts = [_weighted_rates(predictions, times) for times in _draws(predictions.people)]
    return {name: percentiles(values) for name, values in _joined(parts, predictions.people).items()}


def _joined(parts: Sequence[ClassScores], people: Sequence[str]) -> ClassScores:
    """(RESAMPLES, 9) of each score, whose resamples are in parts; NaN of a single patient, of whom all are the same."""
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    is_alone = len(set(people)) == 1
    return {name: np.full_like(values, np.nan) if is_alone else values for name, values in joined.items()}


def percentiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, columns) of (resamples, columns); NaN where no resample has a value."""
    bounds = np.full((2, values.shape[1]), np.nan)
    there = ~np.isnan(values).all(axis=0)
    if there.any():
        bounds[:, there] = np.nanpercentile(values[:, there], [2.5, 97.5], axis=0)
    return bounds


@dataclass(frozen=True, eq=False)
class _Ranking:
    """One class's recordings from the most to the least probable, and its positives among them.

    order: (n,) of the recordings. positives: those of them that are. first: (ties,) which of `positives` is the first
    of each probability that any has; begins, ends: (ties,) the places in `order` between which it stands.
    """

    order: NDArray[np.intp]
    positives: NDArray[np.intp]
    first: NDArray[np.intp]
    begins: NDArray[np.intp]
    ends: NDArray[np.intp]


def _rankings(predictions: Predictions) -> list[_Ranking]:
    rankings = []
    for truth, chances in zip(predictions.truth.T, predictions.probabilities.T, strict=True):
        order = np.argsort(-chances, kind="stable")
        rising, positives = -chances[order], order[truth[order]]
        values, first = np.unique(-chances[positives], return_index=True)
        begins, ends = (np.searchsorted(rising, values, side) for side in ("left", "right"))
        rankings.append(_Ranking(order, positives, first, begins, ends))
    return rankings


def _areas(ranking: _Ranking, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, resamples) AUROC and average precision, recordings counted `times` times; NaN where one side is missing."""
    n_called = np.zeros((len(times), len(ranking.order) + 1))  # by the place down to which all are called positive
    np.cumsum(times[:, ranking.order], axis=1, out=n_called[:, 1:])
    n_tied = np.add.reduceat(times[:, ranking.positives], ranking.first, axis=1)  # (resamples, ties)
    found = np.cumsum(n_tied, axis=1)
    called = n_called[:, ranking.ends]
    false, false_above = called - found, n_called[:, ranking.begins] - (found - n_tied)
    n_positives = n_tied.sum(axis=1)
    n_negatives = n_called[:, -1] - n_positives
    pairs = (n_tied * (n_negatives[:, None] - (false + false_above) / 2)).sum(axis=1)  # in the right order; ties half
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    steps = (n_tied * precision).sum(axis=1)
    both = n_positives * n_negatives
    areas = np.full((2, len(times)), np.nan)
    np.divide([pairs, steps * n_negatives], both, out=areas, where=both > 0)
    return areas
