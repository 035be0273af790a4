"""The forms in which a report can be had; a new one is a line of the table. Run in workers."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from twelvelead.classifier.classify import Report
from twelvelead.drawing import lay_out
from twelvelead.drawing.svg import svg
from twelvelead.formats.writing import as_csv
from twelvelead.record import Record
from twelvelead.reports import FORMS, ReadBy, reading
from twelvelead.reports.html import POLICY

Render = Callable[[Record, Report, ReadBy], str | bytes]


class Rendering(NamedTuple):
    """A media type, what makes a document of a record and its report, and headers of its own."""

    media_type: str
    render: Render
    headers: dict[str, str]


def as_svg(record: Record, report: Report, by: ReadBy) -> str:
    """The recording on ECG paper, with what was said of it above."""
    return svg(lay_out(record, caption=report.in_words(by.bundle)))


def as_json(record: Record, report: Report, by: ReadBy) -> str:
    """What `classify` answers, the bundle's name, the thresholds, and where in each window the network looked.

    attention: `weights` (windows, 9 diagnoses in their order, steps), and the windows' `starts_s`. A recording shorter
    than a window lies in the window's middle.
    """
    del record
    weights = [[[round(weight, 6) for weight in row] for row in rows] for rows in report.attention.tolist()]
    attention = {"starts_s": report.starts_s, "weights": weights}
    return json.dumps(
        {"bundle": by.bundle, **report.as_json(), "thresholds": report.thresholds, "attention": attention}
    )


def as_table(record: Record, report: Report, by: ReadBy) -> bytes:
    """The recording itself: twelve leads in millivolts as CSV, whatever its format was."""
    del report, by
    return as_csv(record)


def as_html(record: Record, report: Report, by: ReadBy) -> bytes:
    """The report as one HTML file; nobody is named in it, nor in PDF and FHIR."""
    return FORMS["html"](reading(record, report, by))


def as_pdf(record: Record, report: Report, by: ReadBy) -> bytes:
    """The report as PDF."""
    return FORMS["pdf"](reading(record, report, by))


def as_fhir(record: Record, report: Report, by: ReadBy) -> bytes:
    """The report as a FHIR R5 Bundle."""
    return FORMS["fhir.json"](reading(record, report, by))


OWN_STYLE: Final = {"Content-Security-Policy": f"{POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
RENDERINGS: Final[dict[str, Rendering]] = {
    "svg": Rendering("image/svg+xml", as_svg, {}),
    "json": Rendering("application/json", as_json, {}),
    "csv": Rendering("text/csv", as_table, {}),
    "html": Rendering("text/html", as_html, OWN_STYLE),
    "pdf": Rendering("application/pdf", as_pdf, {}),
    "fhir": Rendering("application/fhir+json", as_fhir, {}),
}
