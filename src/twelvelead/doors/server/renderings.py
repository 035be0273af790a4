"""The forms in which a report can be had; a new one is a function and a line of the table. Run in workers."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from twelvelead.classifier.classify import Report
from twelvelead.classifier.paper import draw
from twelvelead.formats.writing import as_csv
from twelvelead.record import Record

Render = Callable[[Record, Report, str], str | bytes]


class Rendering(NamedTuple):
    """A media type, and what makes a document of it from the record, its report and the bundle's name."""

    media_type: str
    render: Render


def as_svg(record: Record, report: Report, bundle: str) -> str:
    """The recording on ECG paper, with what was said of it above."""
    return draw(record, report.in_words(bundle))


def as_json(record: Record, report: Report, bundle: str) -> str:
    """What `classify` answers, the bundle's name, the thresholds, and where in each window the network looked.

    attention: `weights` (windows, 9 diagnoses in their order, steps), and the windows' `starts_s`.
    """
    del record
    weights = [[[round(weight, 6) for weight in row] for row in rows] for rows in report.attention.tolist()]
    attention = {"starts_s": report.starts_s, "weights": weights}
    return json.dumps({"bundle": bundle, **report.as_json(), "thresholds": report.thresholds, "attention": attention})


def as_table(record: Record, report: Report, bundle: str) -> bytes:
    """The recording itself: twelve leads in millivolts as CSV, whatever its format was."""
    del report, bundle
    return as_csv(record)


RENDERINGS: Final[dict[str, Rendering]] = {
    "svg": Rendering("image/svg+xml", as_svg),
    "json": Rendering("application/json", as_json),
    "csv": Rendering("text/csv", as_table),
}
PROMISED: Final = ("html", "pdf", "fhir")
