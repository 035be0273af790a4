"""The one line that every door calls: Record -> Report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier.bundle import Classifier
from twelvelead.diagnoses import DIAGNOSES, LEADS_NEEDED
from twelvelead.record import Record
from twelvelead.scoring.probabilities import decide, merge
from twelvelead.signals.prepared import Prepared, prepare
from twelvelead.signals.quality import Finding


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

    def in_words(self, bundle: str) -> str:
        """A line for people: the bundle's name, what is positive with its probability, and what is withheld."""
        said = ", ".join(f"{name} {self.probabilities[name]:.2f}" for name in self.positive)
        line = f"{bundle}: {said or 'none of the nine diagnoses'}"
        return f"{line}; withheld: {', '.join(self.withheld)}" if self.withheld else line


def classify(record: Record, classifier: Classifier, *, anyway: bool = False) -> Report:
    """Say which of the nine diagnoses a recording shows; raises RecordError when it cannot be assessed.

    anyway: withhold nothing, whatever the quality.
    """
    prepared = prepare(record, classifier.recipe)  # (n_windows, 12, window_samples)
    logits, attention = classifier.run(prepared.windows)  # (n_windows, 9), (n_windows, 9, steps)
    return conclude(prepared, logits, attention, classifier, anyway=anyway)


def conclude(
    prepared: Prepared,
    logits: NDArray[np.float32],
    attention: NDArray[np.float32],
    classifier: Classifier,
    *,
    anyway: bool = False,
) -> Report:
    """What follows from the network's answer about one recording; so a server can ask it about several at once.

    logits: (n_windows, 9). attention: (n_windows, 9, steps).
    """
    probabilities = merge(classifier.calibration.probabilities(logits))  # (9,)
    decisions = decide(probabilities, classifier.thresholds)  # (9,)
    withheld = {} if anyway else withheld_for(prepared.quality)
    return Report(
        record=prepared.name,
        probabilities=_by_diagnosis(probabilities),
        thresholds=_by_diagnosis(classifier.thresholds),
        positive=tuple(name for name, yes in zip(DIAGNOSES, decisions, strict=True) if yes and name not in withheld),
        quality=prepared.quality,
        withheld=withheld,
        warnings=prepared.warnings,
        attention=attention,
        starts_s=prepared.starts_s,
    )


def withheld_for(quality: Sequence[Finding]) -> dict[str, str]:
    """The diagnoses for which no usable lead is left, each with the finding that is to blame."""
    blame = {lead: finding for finding in reversed(quality) if finding.unusable for lead in finding.leads}
    lacking = {name: [group for group in groups if blame.keys() >= set(group)] for name, groups in LEADS_NEEDED.items()}
    return {name: str(blame[groups[0][0]]) for name, groups in lacking.items() if groups}


def _by_diagnosis(values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(DIAGNOSES, values, strict=True)}
