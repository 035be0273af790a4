"""The one line that every door calls: Record -> Report."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier.bundle import Classifier
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import Record, RecordError
from twelvelead.scoring.probabilities import decide, merge


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What a classifier says of one recording.

    probabilities, thresholds: by diagnosis. positive: the diagnoses that reach their threshold.
    attention: (n_windows, 9, steps), where in each window the network looked; a window begins at `starts_s`.
    """

    record: str
    probabilities: dict[str, float]
    thresholds: dict[str, float]
    positive: tuple[str, ...]
    warnings: tuple[str, ...]
    attention: NDArray[np.float32]
    starts_s: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        return {
            "record": self.record,
            "probabilities": self.probabilities,
            "positive": list(self.positive),
            "warnings": list(self.warnings),
        }


def classify(record: Record, classifier: Classifier) -> Report:
    """Say which of the nine diagnoses a recording shows; raises RecordError when it cannot be assessed."""
    if record.unit != "mV":
        raise RecordError(f"signal in {record.unit}, standardised by its publisher: only millivolts are classified")
    signal = classifier.recipe.filtered(record)  # (12, n) at the recipe's rate
    windows = classifier.recipe.windows(signal)  # (n_windows, 12, window_samples)
    logits, attention = classifier.run(windows)  # (n_windows, 9), (n_windows, 9, steps)
    probabilities = merge(classifier.calibration.probabilities(logits))  # (9,)
    decisions = decide(probabilities, classifier.thresholds)  # (9,)
    return Report(
        record=record.name,
        probabilities=_by_diagnosis(probabilities),
        thresholds=_by_diagnosis(classifier.thresholds),
        positive=tuple(name for name, is_positive in zip(DIAGNOSES, decisions, strict=True) if is_positive),
        warnings=(*record.warnings, *(f"lead {lead} is flat" for lead in record.flat_leads)),
        attention=attention,
        starts_s=tuple(start / classifier.recipe.rate_hz for start in classifier.recipe.starts(signal)),
    )


def _by_diagnosis(values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(DIAGNOSES, values, strict=True)}
