"""All that a report says of one recording, gathered once for every form of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from twelvelead.classifier import Classifier, Report
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.drawing import Band, Page, Paper, lay_out
from twelvelead.drawing.geometry import drawn_s
from twelvelead.record import Record
from twelvelead.signals.heart import HeartRate, heart_rate

RESEARCH: Final = "This is research software and no medical device. Nobody may be treated, or left untreated, because of what it says."
LOOKED: Final = "where the network looked, not a measurement"
RATE_ERROR: Final = (
    "from R peaks; off by 0.03 a minute on average and 0.71 at most on the 200 clean recordings of LUDB, more in noise"
)
NOT_GIVEN: Final = (
    "Not assessed: everything but these nine; PR, QRS and QT; infarction, pacemakers, rhythms other than named."
)
MOST_SHEETS: Final = 6
BAND_S: Final = 0.1
LEAST_WEIGHT: Final = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """One recording, what the classifier says of it, and how it is to be drawn; `made` is when, with its time zone."""

    record: Record
    report: Report
    classifier: Classifier
    paper: Paper
    heart: HeartRate | None
    made: datetime

    @property
    def bundle(self) -> str:
        """Name and version of the bundle, and the beginning of its graph's checksum."""
        return f"{self.classifier.name} (model {self.classifier.card['sha256']['model.onnx'][:12]})"

    @property
    def looked_for(self) -> tuple[str, ...]:
        """The diagnoses whose attention is shown: the positive ones, else the likeliest that is not withheld."""
        allowed = {name: p for name, p in self.report.probabilities.items() if name not in self.report.withheld}
        likeliest = tuple(sorted(allowed, key=lambda name: -allowed[name])[:1])
        return self.report.positive or likeliest


def reading(
    record: Record, report: Report, classifier: Classifier, paper: Paper, made: datetime | None = None
) -> Reading:
    """Gather what a report says; `made` is now unless it is given."""
    made = made or datetime.now().astimezone().replace(microsecond=0)
    return Reading(
        record=record, report=report, classifier=classifier, paper=paper, heart=heart_rate(record), made=made
    )


def sheets(read: Reading, diagnosis: str | None = None) -> list[Page]:
    """The recording on paper, a sheet for each span of time, six at most; with the attention for a diagnosis, or without."""
    from dataclasses import replace

    span_s = drawn_s(read.paper)
    n_sheets = min(MOST_SHEETS, max(1, int(np.ceil((read.record.duration_s - 0.5) / span_s))))
    looked = bands(read, diagnosis) if diagnosis else ()
    caption = f"{diagnosis}: {LOOKED}" if diagnosis else read.report.in_words(read.classifier.name)
    papers = [replace(read.paper, start_s=read.paper.start_s + number * span_s) for number in range(n_sheets)]
    return [lay_out(read.record, paper, caption=caption, bands=looked) for paper in papers]


def bands(read: Reading, diagnosis: str) -> tuple[Band, ...]:
    """The attention for a diagnosis over the whole recording, in tenths of a second; the highest has weight 1.

    Windows that overlap are averaged; what weighs less than 5 % is left out.
    """
    recipe, report = read.classifier.recipe, read.report
    n_bands = int(np.ceil(read.record.duration_s / BAND_S))
    middles_s = (np.arange(n_bands) + 0.5) * BAND_S
    padding_s = max(0.0, recipe.window_s - read.record.duration_s) / 2
    total, seen = np.zeros(n_bands), np.zeros(n_bands)
    for start_s, window in zip(report.starts_s, report.attention[:, DIAGNOSES.index(diagnosis)], strict=True):
        step = np.floor((middles_s - start_s + padding_s) / recipe.window_s * len(window)).astype(int)
        inside = (step >= 0) & (step < len(window))
        total[inside] += window[step[inside]]
        seen[inside] += 1
    weights = total / np.maximum(seen, 1)
    weights = weights / max(float(weights.max()), 1e-9)
    return tuple(
        Band(index * BAND_S, min((index + 1) * BAND_S, read.record.duration_s), float(weight))
        for index, weight in enumerate(weights)
        if weight >= LEAST_WEIGHT
    )


def said_of(read: Reading, diagnosis: str) -> str:
    """The decision on a diagnosis, with its threshold, in words."""
    if diagnosis in read.report.withheld:
        return f"withheld: {read.report.withheld[diagnosis]}"
    threshold = f"{read.report.thresholds[diagnosis]:.2f}"
    return f"positive, from {threshold} on" if diagnosis in read.report.positive else f"negative, below {threshold}"


def rate_in_words(read: Reading) -> str:
    """The heart rate and its error."""
    if read.heart is None:
        return "not found: fewer than three R peaks"
    said = read.heart.as_json()
    return (
        f"{said['mean_bpm']} beats a minute on average ({said['slowest_bpm']} to {said['fastest_bpm']} from beat to "
        f"beat), {RATE_ERROR}"
    )


def facts(read: Reading) -> list[tuple[str, str]]:
    """What was read and by what, as (name, value)."""
    record = read.record
    who = []
    if read.paper.identity:
        age = "age not known" if record.age is None else f"{record.age:g} years"
        who = [("recording", f"{record.name}, {age}, sex {record.sex or 'not known'}")]
    return [
        *who,
        ("measured", f"{record.duration_s:.1f} s at {record.rate_hz:g} Hz"),
        ("heart rate", rate_in_words(read)),
        ("read by", read.bundle),
        ("made", read.made.isoformat(sep=" ")),
    ]


def notes(read: Reading) -> list[str]:
    """Quality findings and warnings, in words."""
    found = [f"quality: {finding}" for finding in read.report.quality]
    shown_s = MOST_SHEETS * drawn_s(read.paper)
    drawn = [f"only the first {shown_s:g} s are drawn"] if read.record.duration_s - 0.5 > shown_s else []
    return [*found, *(f"warning: {warning}" for warning in read.report.warnings), *drawn]
