"""The whole result of a test, as a card holds it: scores over classes, by class and by parts, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.scores import (
    NAMES,
    RATES,
    ClassScores,
    Predictions,
    class_rates,
    class_scores,
    intervals,
    means,
    rate_intervals,
)

Result = dict[str, Any]


def evaluation(predictions: Predictions, partings: Mapping[str, Sequence[str]]) -> Result:
    """The scores of all recordings and of each part.

    partings: such as "databases", and for each recording the part that it is in.
    """
    result = _scored(predictions)
    for parting, parts in partings.items():
        names = np.array(parts)
        result[parting] = {str(name): _scored(predictions.subset(names == name)) for name in np.unique(names)}
    return result


def _scored(predictions: Predictions) -> Result:
    per_class = class_scores(predictions)
    of_means, of_classes = intervals(predictions)
    by_class, bounds = per_class | class_rates(predictions), of_classes | rate_intervals(predictions)
    positives = predictions.truth.sum(axis=0)
    return {
        "records": len(predictions.truth),
        "records_with_a_diagnosis": int(predictions.truth.any(axis=1).sum()),
        "patients": len(set(predictions.people)),
        "scores": mean_scores(per_class),
        "intervals": {name: [or_null(bound) for bound in of_means[name]] for name in NAMES},
        "classes": {
            diagnosis: {
                "positives": int(positives[k]),
                "called": int(predictions.decisions[:, k].sum()),
                **{name: or_null(by_class[name][k]) for name in (*NAMES, *RATES)},
                "intervals": {name: [or_null(bound) for bound in bounds[name][:, k]] for name in (*NAMES, *RATES)},
            }
            for k, diagnosis in enumerate(DIAGNOSES)
        },
        "without_positives": [name for name, count in zip(DIAGNOSES, positives, strict=True) if not count],
    }


def mean_scores(per_class: ClassScores) -> dict[str, float | None]:
    """The mean of each score over the classes that have one, null where none has."""
    return {name: or_null(value) for name, value in means(per_class).items()}


def or_null(value: float) -> float | None:
    """A score, or null where there is none: JSON knows no NaN."""
    return None if np.isnan(value) else float(value)
