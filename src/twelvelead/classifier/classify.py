"""The one line that every door calls: Record -> Report."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier.bundle import Classifier
from twelvelead.classifier.long import Burden, Episode, burdens, episodes, seldom_assessed
from twelvelead.diagnoses import DIAGNOSES, LEADS_NEEDED, NORMAL_TOO, nothing_found, stated
from twelvelead.record import LEADS, Record, RecordError
from twelvelead.scoring.probabilities import by_diagnosis, decide, merge
from twelvelead.signals.prepared import Prepared, joined, prepare, prepare_alike, prepare_stream, refuse_unfit
from twelvelead.signals.quality import Finding
from twelvelead.stream import LONG_S, Stream, stream_of
from twelvelead.wording import two_digits

GROUP_RECORDINGS: Final = 16
GROUP_VALUES: Final = 1 << 20  # samples of all leads together: 16 recordings of 10 s at 500 Hz, 4 MB

Opened = Record | Stream | RecordError
Key = TypeVar("Key")
Read = TypeVar("Read", bound=Opened)


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What a classifier says of one recording.

    probabilities, thresholds: by diagnosis. positive: the diagnoses that reach their threshold.
    quality: what is wrong with the recording. withheld: diagnoses that it cannot carry, with the reason; they have a
    probability here, which no door shows, and are never positive.
    attention: (n_windows, 9, steps), where in each window the network looked; a window begins at `starts_s`. None is
    kept of a stream: (0, 9, steps).
    by_window: (n_windows, 9) probabilities of each window, NaN where they are withheld.
    quality_by_window, burden, episodes: of a recording of 5 minutes or more; empty of any other. Its `probabilities`
    are means over the windows that could be assessed.
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
    by_window: NDArray[np.float64]
    quality_by_window: tuple[tuple[Finding, ...], ...] = ()
    burden: dict[str, Burden] = field(default_factory=dict)
    episodes: tuple[Episode, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the command line and the server answer."""
        of_long = {
            "burden": {name: burden.as_json() for name, burden in self.burden.items()},
            "episodes": [episode.as_json() for episode in self.episodes],
        }
        return {
            "record": self.record,
            "probabilities": {
                name: None if name in self.withheld else probability for name, probability in self.probabilities.items()
            },
            "positive": list(self.positive),
            "withheld": self.withheld,
            "quality": [finding.as_json() for finding in self.quality],
            "warnings": list(self.warnings),
            **(of_long if self.burden else {}),
        }

    def in_words(self, bundle: str) -> str:
        """A line for people: the bundle's name, what is positive with its probability, and what is withheld."""
        said = ", ".join(f"{name} {two_digits(self.probabilities[name])}" for name in stated(self.positive))
        too = NORMAL_TOO if stated(self.positive) != self.positive else ""
        line = f"{bundle}: {said or nothing_found(len(self.withheld))}{too}"
        return f"{line}; withheld: {', '.join(self.withheld)}" if self.withheld else line


def classify(recording: Record | Stream, classifier: Classifier, *, anyway: bool = False) -> Report:
    """Say which of the nine diagnoses a recording shows; raises RecordError when it cannot be assessed.

    anyway: withhold nothing, whatever the quality.
    """
    if not isinstance(recording, Record | Stream):
        raise TypeError(
            f"{type(recording).__name__} is classified as a Record: make it one by twelvelead.formats.read, "
            f"or from an array by twelvelead.record.record_from_leads"
        )
    if isinstance(recording, Stream) or recording.duration_s >= LONG_S:
        return _classify_long(recording, classifier, anyway=anyway)
    prepared = prepare(recording, classifier.recipe)
    logits, attention = classifier.run(prepared.windows)
    return conclude(prepared, logits, attention, classifier, anyway=anyway)


def classify_together(
    readings: Sequence[Opened], classifier: Classifier, *, anyway: bool = False
) -> list[Report | RecordError]:
    """What `classify` says of each, to the bit, or why it is refused; in .62 of the time (docs/log.md).

    readings: recordings, or why one could not be read. All go through one stage before any goes through the next; no
    answer depends on the others.
    """
    answers: dict[int, Report | RecordError] = {}
    alike: dict[tuple[int, float], list[tuple[int, Record]]] = {}
    for number, reading in enumerate(readings):
        try:
            if isinstance(reading, RecordError):
                answers[number] = reading
            elif isinstance(reading, Stream) or reading.duration_s >= LONG_S:
                answers[number] = _classify_long(reading, classifier, anyway=anyway)
            else:
                refuse_unfit(reading, classifier.recipe)
                alike.setdefault((reading.n_samples, reading.rate_hz), []).append((number, reading))
        except RecordError as error:
            answers[number] = error
    for those in alike.values():
        prepared = prepare_alike([record for _, record in those], classifier.recipe)
        heard = classifier.run_each([one.windows for one in prepared])
        for (number, _), one, (logits, attention) in zip(those, prepared, heard, strict=True):
            answers[number] = conclude(one, logits, attention, classifier, anyway=anyway)
    return [answers[number] for number in range(len(readings))]


def classify_many(
    readings: Iterable[tuple[Key, Read]], classifier: Classifier, *, anyway: bool = False
) -> Iterator[tuple[Key, Read, Report | RecordError]]:
    """Each recording with its key and what is said of it, in order; they are read and classified in groups."""
    for group in groups(readings):
        answers = classify_together([reading for _, reading in group], classifier, anyway=anyway)
        for (key, reading), answer in zip(group, answers, strict=True):
            yield key, reading, answer


def groups(readings: Iterable[tuple[Key, Read]]) -> Iterator[list[tuple[Key, Read]]]:
    """Recordings that are worth to be classified together, in order, each with a key and not read before its turn.

    What could not be read goes along as its error. A large recording is a group of its own.
    """
    group: list[tuple[Key, Read]] = []
    n_values = 0
    for key, reading in readings:
        size = 0 if isinstance(reading, RecordError) else len(LEADS) * reading.n_samples
        if group and (len(group) == GROUP_RECORDINGS or n_values + size > GROUP_VALUES):
            yield group
            group, n_values = [], 0
        group.append((key, reading))
        n_values += size
    if group:
        yield group


def _classify_long(recording: Record | Stream, classifier: Classifier, *, anyway: bool) -> Report:
    """The same line, some windows at a time."""
    n_kept = None if isinstance(recording, Record) else 0
    parts, logits, attention = [], [], []
    for part in prepare_stream(stream_of(recording), classifier.recipe):
        heard, looked = classifier.run(part.windows)
        logits.append(heard)
        attention.append(looked[:n_kept].copy())  # a view would keep the whole
        parts.append(replace(part, windows=part.windows[:0].copy()))
    prepared = joined(recording, parts, parts[0].windows)
    return conclude(prepared, np.concatenate(logits), np.concatenate(attention), classifier, anyway=anyway)


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
    by_window = classifier.calibration.probabilities(logits)  # (n_windows, 9)
    reasons = [{} if anyway else withheld_for(findings) for findings in prepared.by_window or (prepared.quality,)]
    lacking = _lacking(reasons) if any(reasons) else None
    probabilities = merge(by_window, lacking)  # (9,)
    decisions = decide(probabilities, classifier.thresholds).tolist()
    shown, withheld = by_window, dict[str, str]()
    if lacking is not None:
        shown = np.where(lacking, np.nan, by_window)
        withheld = {name: reasons[0][name] for name in DIAGNOSES if all(name in reason for reason in reasons)}
    is_long, spans_s = bool(prepared.by_window), (classifier.recipe.window_s, prepared.duration_s)
    return Report(
        record=prepared.name,
        probabilities=by_diagnosis(probabilities),
        thresholds=by_diagnosis(classifier.thresholds),
        positive=tuple(name for name, yes in zip(DIAGNOSES, decisions, strict=True) if yes and name not in withheld),
        quality=prepared.quality,
        withheld=withheld,
        warnings=(*prepared.warnings, *(seldom_assessed(shown) if is_long else ())),
        attention=attention,
        starts_s=prepared.starts_s,
        by_window=shown,
        quality_by_window=prepared.by_window,
        burden=burdens(shown, classifier.thresholds) if is_long else {},
        episodes=episodes(shown, classifier.thresholds, prepared.starts_s, *spans_s) if is_long else (),
    )


def _lacking(reasons: Sequence[dict[str, str]]) -> NDArray[np.bool_]:
    """(n_windows or 1, 9): what each window cannot carry."""
    return np.array([[name in reason for name in DIAGNOSES] for reason in reasons])


def withheld_for(quality: Sequence[Finding]) -> dict[str, str]:
    """The diagnoses for which no usable lead is left, each with the finding that is to blame."""
    blame = {lead: finding for finding in reversed(quality) if finding.unusable for lead in finding.leads}
    if not blame:
        return {}
    reasons = {groups: _reason(groups, blame) for groups in dict.fromkeys(LEADS_NEEDED.values())}
    return {name: reason for name, groups in LEADS_NEEDED.items() if (reason := reasons[groups])}


def _reason(needed: tuple[tuple[str, ...], ...], blame: dict[str, Finding]) -> str:
    """What is wrong with the first group of leads of which none is left; empty where some of each are."""
    lost = next((group for group in needed if blame.keys() >= set(group)), None)
    return str(blame[lost[0]]) if lost else ""
