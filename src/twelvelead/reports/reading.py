"""All that a report says of one recording, gathered once for every form of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from twelvelead.classifier import Classifier, Report
from twelvelead.classifier.long import Episode, clock
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.drawing import Band, Page, Paper, lay_out
from twelvelead.drawing.geometry import drawn_s, drawn_signal, sheet_starts
from twelvelead.record import Record
from twelvelead.release import version
from twelvelead.signals.heart import HeartRate, heart_rate
from twelvelead.wording import counted

LOOKED: Final = "where the network looked, not a measurement"
RHYTHM: Final = "AF"  # withheld where neither II nor V1 can be used
MOST_SHEETS: Final = 6
MOST_ONSETS: Final = 3  # of each diagnosis
BAND_S: Final = 0.1
LEAST_WEIGHT: Final = 0.05


@dataclass(frozen=True)
class ReadBy:
    """Which bundle read a recording: name and version, sha256 of its graph, and how long its windows are.

    barely_learned: the diagnoses that hardly any of its training recordings had, and how many.
    """

    bundle: str
    sha256: str
    window_s: float
    barely_learned: dict[str, int]

    def __str__(self) -> str:
        """As a report shows it."""
        return f"{self.bundle} (model {self.sha256[:12]}), twelvelead {version()}"


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
        """The diagnoses whose attention is shown: the positive ones, else the one nearest to its threshold."""
        report = self.report
        nearness = {name: p / max(report.thresholds[name], 1e-9) for name, p in report.probabilities.items()}
        allowed = [name for name in nearness if name not in report.withheld]
        return report.positive or tuple(sorted(allowed, key=lambda name: -nearness[name])[:1])


def read_by(classifier: Classifier) -> ReadBy:
    """What a report says of the bundle; unlike the bundle it can be handed to another process."""
    return ReadBy(classifier.name, classifier.sha256, classifier.recipe.window_s, classifier.barely_learned)


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
    """What is drawn of the recording, on paper; with a diagnosis' attention or without."""
    looked = bands(read, diagnosis) if diagnosis else ()
    words = f"{diagnosis}: {LOOKED}" if diagnosis else read.report.in_words(read.by.bundle)
    signal = drawn_signal(read.record, read.paper)
    return [
        lay_out(
            read.record,
            replace(read.paper, start_s=start_s),
            caption="; ".join(part for part in (shown, words) if part),
            bands=looked,
            signal=signal,
        )
        for start_s, shown in _parts(read)
    ]


def _parts(read: Reading) -> list[tuple[float, str]]:
    """Where each sheet begins, and what is shown there where that is not all: a long recording's beginning and onsets.

    Of a shorter one a sheet for each span of time, six at most.
    """
    first_s, *later_s = sheet_starts(read.record.duration_s, read.paper)[:MOST_SHEETS]
    first = (first_s, drawn_in_words(read))
    if read.report.burden:
        return [first, *((episode.start_s, f"episode: {episode}") for episode in drawn_episodes(read))]
    return [first, *((start_s, "") for start_s in later_s)]


def drawn_episodes(read: Reading) -> list[Episode]:
    """In order of time the longest episodes of each diagnosis whose onset is not on the first sheet."""
    others = _later_episodes(read)
    of_each = ([episode for episode in others if episode.diagnosis == name] for name in DIAGNOSES)
    longest = [sorted(those, key=lambda one: one.start_s - one.end_s)[:MOST_ONSETS] for those in of_each]
    return sorted((episode for those in longest for episode in those), key=lambda episode: episode.start_s)


def _later_episodes(read: Reading) -> list[Episode]:
    """Those whose onset is not on the first sheet."""
    first_s = sheet_starts(read.record.duration_s, read.paper)[0]
    end_s = first_s + drawn_s(read.paper) / 2
    return [episode for episode in read.report.episodes if not first_s <= episode.start_s < end_s]


def drawn_in_words(read: Reading) -> str:
    """What is drawn, where that is not all of the recording; else nothing."""
    duration_s, span_s = read.record.duration_s, drawn_s(read.paper)
    starts_s = sheet_starts(duration_s, read.paper)
    first_s, end_s = starts_s[0], min(duration_s, starts_s[:MOST_SHEETS][-1] + span_s)
    if not read.report.burden:
        part = f"the first {end_s:g} s" if not first_s else f"{first_s:g} to {end_s:g} s of {duration_s:g} s"
        return f"only {part} are drawn" if first_s or len(starts_s) > MOST_SHEETS else ""
    beginning = f"the first {span_s:g} s" if not first_s else f"{span_s:g} s from {clock(first_s)} on"
    n_onsets, n_later = len(drawn_episodes(read)), len(_later_episodes(read))
    further = "" if n_later == len(read.report.episodes) else "further "
    which = "" if n_onsets == n_later else f"the {n_onsets} longest of "
    onsets = f" and the onset of {which}{counted(n_later, f'{further}episode')}" if n_onsets else ""
    return f"of {clock(duration_s)} {beginning}{onsets} are drawn"


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
