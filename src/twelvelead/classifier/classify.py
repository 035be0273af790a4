"""The one line that every door calls: Record -> Report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier.bundle import Classifier
from twelvelead.diagnoses import DIAGNOSES, LEADS_NEEDED
from twelvelead.record import Record, RecordError
from twelvelead.scoring.probabilities import decide, merge
from twelvelead.signals.quality import Finding, assess


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What a classifier says of one recording.

    probabilities, thresholds: by diagnosis. positive: the diagnoses that reach their threshold.
    quality: what is wrong with the recording. withheld: diagnoses that it cannot carry, with the reason; they have a
    probability here, which no door shows, and are never positive.
    attention: (n_windows, 9, steps), where in each window the network looked; a window begins at `starts_s`.
    """

    record: str
    probabilities: dict[str, float]
    thresholds: dict[str, float]
    positive: tuple[str, ...]
    warnings: tuple[str, ...]
    quality: tuple[Finding, ...]
    withheld: dict[str, str]
    attention: NDArray[np.float32]
    starts_s: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        return {
            "record": self.record,
            "probabilities": {
                name: None if name in self.withheld else probability for name, probability in self.probabilities.items()
            },
            "positive": list(self.positive),
            "withheld": self.withheld,
            "quality": [finding.as_json() for finding in self.quality],
            "warnings": list(self.warnings),
        }


def classify(record: Record, classifier: Classifier, *, anyway: bool = False) -> Report:
    """Say which of the nine diagnoses a recording shows; raises RecordError when it cannot be assessed.

    anyway: withhold nothing, whatever the quality.
    """
    if record.unit != "mV":
        raise RecordError(f"signal in {record.unit}, standardised by its publisher: only millivolts are classified")
    signal = classifier.recipe.filtered(record)  # (12, n) at the recipe's rate
    windows = classifier.recipe.windows(signal)  # (n_windows, 12, window_samples)
    logits, attention = classifier.run(windows)  # (n_windows, 9), (n_windows, 9, steps)
    probabilities = merge(classifier.calibration.probabilities(logits))  # (9,)
    decisions = decide(probabilities, classifier.thresholds)  # (9,)
    quality = assess(record)
    withheld = {} if anyway else withheld_for(quality)
    return Report(
        record=record.name,
        probabilities=_by_diagnosis(probabilities),
        thresholds=_by_diagnosis(classifier.thresholds),
        positive=tuple(name for name, yes in zip(DIAGNOSES, decisions, strict=True) if yes and name not in withheld),
        quality=quality,
        withheld=withheld,
        warnings=record.warnings,
        attention=attention,
        starts_s=tuple(start / classifier.recipe.rate_hz for start in classifier.recipe.starts(signal)),
    )


def withheld_for(quality: Sequence[Finding]) -> dict[str, str]:
    """The diagnoses for which no usable lead is left, each with the finding that is to blame."""
    blame = {lead: finding for finding in reversed(quality) if finding.unusable for lead in finding.leads}
    lacking = {name: [group for group in groups if blame.keys() >= set(group)] for name, groups in LEADS_NEEDED.items()}
    return {name: str(blame[groups[0][0]]) for name, groups in lacking.items() if groups}


def _by_diagnosis(values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(DIAGNOSES, values, strict=True)}
