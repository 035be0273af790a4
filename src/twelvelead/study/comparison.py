"""The out-of-fold predictions of each network pooled and scored, and every difference between two of them paired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import LabelledRecord, people_of, truth_of
from twelvelead.network.zoo import MAX_PARAMETERS
from twelvelead.scoring.probabilities import decide
from twelvelead.scoring.scores import Predictions, class_scores, means, percentiles, resampled, resampled_means
from twelvelead.study.contestants import contestants
from twelvelead.study.run import Outcome, StudyError

SCORES: Final = ("auroc", "auprc", "f2", "g2")
BALANCE: Final = "balance"  # sqrt(F2 x G2)


@dataclass(frozen=True, eq=False)
class Pooled:
    """All that one network said of recordings that it had not seen, in the order of `keys`."""

    network: str
    kind: str
    parameters: int
    validation_losses: dict[str, float]
    keys: tuple[str, ...]
    folds: tuple[str, ...]
    databases: NDArray[np.str_]
    predictions: Predictions

    def only(self, rows: NDArray[np.bool_]) -> Predictions:
        """The predictions where `rows` is true."""
        return self.predictions.subset(rows)


def pool(outcomes: Iterable[Outcome], records: Sequence[LabelledRecord]) -> list[Pooled]:
    """Each network's outcomes put together; raises StudyError when one is of a recording that is not at hand."""
    by_network: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_network.setdefault(outcome.network, []).append(outcome)
    at_hand = {record.key: record for record in records}
    return [_pooled(sorted(runs, key=lambda run: run.fold), at_hand) for runs in by_network.values()]


def _pooled(runs: Sequence[Outcome], at_hand: dict[str, LabelledRecord]) -> Pooled:
    rows = sorted((key, chances, run.thresholds) for run in runs for key, chances in run.probabilities.items())
    keys = tuple(key for key, _, _ in rows)
    if missing := [key for key in keys if key not in at_hand]:
        raise StudyError(f"{len(missing)} recordings of {runs[0].network}'s runs are not at hand, first {missing[0]}")
    records = [at_hand[key] for key in keys]
    chances, thresholds = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    [contestant] = contestants([runs[0].network])
    return Pooled(
        network=contestant.name,
        kind=contestant.kind,
        parameters=runs[0].parameters,
        validation_losses={run.fold: run.validation_scores["loss"] for run in runs},
        keys=keys,
        folds=tuple(run.fold for run in runs),
        databases=np.array([record.database for record in records]),
        predictions=Predictions(
            truth_of(records).astype(bool), decide(chances, thresholds), chances, people_of(records)
        ),
    )


def reference(networks: Sequence[Pooled]) -> str:
    """The light network that the others are compared with: the lowest mean loss on the inner validation parts.

    Of the folds that all of them have, if any: in a study that is not finished some have few.
    """
    light = [pooled for pooled in networks if pooled.kind == "ours" and pooled.parameters <= MAX_PARAMETERS]
    those = light or networks
    common = set(those[0].validation_losses).intersection(*(pooled.validation_losses for pooled in those))

    def mean_loss(pooled: Pooled) -> float:
        return float(np.mean([pooled.validation_losses[fold] for fold in common or pooled.validation_losses]))

    return min(those, key=mean_loss).network


def compare(networks: Sequence[Pooled], against: str) -> list[dict[str, Any]]:
    """A row for each network: scores, 95 % intervals over patients, and `against` minus it on the same recordings."""
    [chosen] = [pooled for pooled in networks if pooled.network == against]
    resamples = {pooled.network: _over_classes(pooled.predictions) for pooled in networks}
    rows = []
    for pooled in networks:
        row: dict[str, Any] = {
            "network": pooled.network,
            "kind": pooled.kind,
            "parameters": pooled.parameters,
            "folds": len(pooled.folds),
            "recordings": len(pooled.keys),
        }
        for name, value in overall(pooled.predictions).items():
            row |= {name: value} | _bounds(name, resamples[pooled.network][name])
        if pooled is not chosen:
            row |= _difference(chosen, pooled, resamples)
        rows.append(row)
    return rows


def overall(predictions: Predictions) -> dict[str, float]:
    """The means over classes, and sqrt(F2 x G2)."""
    scores = means(class_scores(predictions))
    return {name: scores[name] for name in SCORES} | {BALANCE: float(np.sqrt(scores["f2"] * scores["g2"]))}


def _over_classes(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """(resamples,) of the same."""
    scores = resampled_means(resampled(predictions))
    return scores | {BALANCE: np.sqrt(scores["f2"] * scores["g2"])}


def _difference(
    chosen: Pooled, other: Pooled, resamples: dict[str, dict[str, NDArray[np.float64]]]
) -> dict[str, float]:
    """`chosen` minus `other`, on the recordings that both were tested on."""
    common = set(chosen.keys) & set(other.keys)
    if not common:
        return {}
    halves = []
    for pooled in (chosen, other):
        rows = np.array([key in common for key in pooled.keys])
        whole = bool(rows.all())
        predictions = pooled.predictions if whole else pooled.only(rows)
        halves.append((overall(predictions), resamples[pooled.network] if whole else _over_classes(predictions)))
    (of_chosen, drawn_chosen), (of_other, drawn_other) = halves
    row = {}
    for name in ("auroc", BALANCE):
        row[f"{name}_gain"] = of_chosen[name] - of_other[name]
        row |= _bounds(f"{name}_gain", drawn_chosen[name] - drawn_other[name])
    return row


def _bounds(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    low, high = percentiles(values[:, None])[:, 0]
    return {f"{name}_low": float(low), f"{name}_high": float(high)}
