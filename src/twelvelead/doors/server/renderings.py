"""The forms in which a report can be had; a new one is a function and a line of the table. Run in workers."""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

from twelvelead.classifier.classify import Report
from twelvelead.drawing import lay_out
from twelvelead.drawing.svg import svg
from twelvelead.record import Record

Render = Callable[[Record, Report, str], str | bytes]


class Rendering(NamedTuple):
    """A media type, and what makes a document of it from the record, its report and the bundle's name."""

    media_type: str
    render: Render


def as_svg(record: Record, report: Report, bundle: str) -> str:
    """The recording on ECG paper, with what was said of it above."""
    return svg(lay_out(record, caption=report.in_words(bundle)))


def as_json(record: Record, report: Report, bundle: str) -> str:
    """What `classify` answers, and the bundle's name."""
    del record
    return json.dumps({"bundle": bundle, **report.as_json()})


RENDERINGS: Final[dict[str, Rendering]] = {
    "svg": Rendering("image/svg+xml", as_svg),
    "json": Rendering("application/json", as_json),
}
PROMISED: Final = ("html", "pdf", "fhir")
