"""All that a report says of one recording, gathered once for every form of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Final

import numpy as np

from twelvelead.classifier import Classifier, Report
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.drawing import Band, Page, Paper, lay_out
from twelvelead.drawing.geometry import drawn_s, drawn_signal
from twelvelead.record import Record
from twelvelead.signals.heart import HeartRate, heart_rate

LOOKED: Final = "where the network looked, not a measurement"
RHYTHM: Final = "AF"  # withheld where neither II nor V1 can be used
MOST_SHEETS: Final = 6
BAND_S: Final = 0.1
LEAST_WEIGHT: Final = 0.05


@dataclass(frozen=True)
class ReadBy:
    """Which bundle read a recording: name and version, sha256 of its graph, and how long its windows are."""

    bundle: str
    sha256: str
    window_s: float

    def __str__(self) -> str:
        """As a report shows it."""
        return f"{self.bundle} (model {self.sha256[:12]}), twelvelead {version('twelvelead')}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """One recording, what a bundle says of it, and how it is to be drawn; `made` is when, with its time zone."""

    record: Record
    report: Report
    by: ReadBy
    paper: Paper
    heart: HeartRate | None
    made: datetime

    @property
    def title(self) -> str:
        """What the report is called; it names the recording only where identity is asked for."""
        return "12-lead ECG report" + (f" {self.record.name}" if self.paper.identity else "")

    @property
    def looked_for(self) -> tuple[str, ...]:
        """The diagnoses whose attention is shown: the positive ones, else the likeliest that is not withheld."""
        allowed = {name: p for name, p in self.report.probabilities.items() if name not in self.report.withheld}
        likeliest = tuple(sorted(allowed, key=lambda name: -allowed[name])[:1])
        return self.report.positive or likeliest


def read_by(classifier: Classifier) -> ReadBy:
    """What a report says of the bundle; unlike the bundle it can be handed to another process."""
    return ReadBy(classifier.name, classifier.sha256, classifier.recipe.window_s)


def reading(
    record: Record, report: Report, by: ReadBy, paper: Paper | None = None, made: datetime | None = None
) -> Reading:
    """Gather what a report says; `made` is now unless it is given.

    There is no heart rate where no lead is left that a rhythm could be seen in.
    """
    made = made or datetime.now().astimezone().replace(microsecond=0)
    heart = None if RHYTHM in report.withheld else heart_rate(record)
    return Reading(record=record, report=report, by=by, paper=paper or Paper(), heart=heart, made=made)


def sheets(read: Reading, diagnosis: str | None = None) -> list[Page]:
    """The recording on paper, a sheet for each span of time, six at most; with a diagnosis' attention or without."""
    span_s = drawn_s(read.paper)
    left_s = read.record.duration_s - read.paper.start_s - 0.5
    n_sheets = min(MOST_SHEETS, max(1, int(np.ceil(left_s / span_s))))
    looked = bands(read, diagnosis) if diagnosis else ()
    caption = f"{diagnosis}: {LOOKED}" if diagnosis else read.report.in_words(read.by.bundle)
    papers = [replace(read.paper, start_s=read.paper.start_s + number * span_s) for number in range(n_sheets)]
    signal = drawn_signal(read.record, read.paper)
    return [lay_out(read.record, paper, caption=caption, bands=looked, signal=signal) for paper in papers]


def bands(read: Reading, diagnosis: str) -> tuple[Band, ...]:
    """The attention for a diagnosis over the whole recording, in tenths of a second; the highest has weight 1.

    Windows that overlap are averaged; what weighs less than 5 % is left out.
    """
    report, window_s = read.report, min(read.by.window_s, read.record.duration_s)
    n_bands = int(np.ceil(read.record.duration_s / BAND_S))
    middles_s = (np.arange(n_bands) + 0.5) * BAND_S
    total, seen = np.zeros(n_bands), np.zeros(n_bands)
    for start_s, window in zip(report.starts_s, report.attention[:, DIAGNOSES.index(diagnosis)], strict=True):
        step = np.floor((middles_s - start_s) / window_s * len(window)).astype(int)
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
