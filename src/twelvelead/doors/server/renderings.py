"""The forms in which a report can be had; a new one is a line of the table. Run in workers."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from twelvelead.classifier.classify import Report
from twelvelead.drawing import lay_out
from twelvelead.drawing.svg import svg
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
    """What `classify` answers, and the bundle's name."""
    del record
    return json.dumps({"bundle": by.bundle, **report.as_json()})


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
    "html": Rendering("text/html", as_html, OWN_STYLE),
    "pdf": Rendering("application/pdf", as_pdf, {}),
    "fhir": Rendering("application/fhir+json", as_fhir, {}),
}
