"""The forms in which a report can be had; a new one is a line of the table. Run in workers."""

import json
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from twelvelead.classifier.classify import Report
from twelvelead.drawing import lay_out
from twelvelead.drawing.svg import svg
from twelvelead.formats.writing import as_csv, as_wfdb
from twelvelead.record import Record
from twelvelead.reports import FORMS, ReadBy, reading
from twelvelead.reports.html import POLICY
from twelvelead.reports.words import rate_in_words

BOUNDARY: Final = "twelvelead-e1b0f7c24d5a4f0f9c3b8a6d72"  # 15 random bytes: samples do not hold them by chance
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
    """What `classify` answers, the bundle's name, the thresholds, the heart rate, and where the network looked.

    heart_rate: null where there is none; heart_rate_in_words: also why.

    attention: `weights` (windows, 9 diagnoses in their order, steps), and the windows' `starts_s`. A recording shorter
    than a window is one.
    """
    read = reading(record, report, by)
    heart = {"heart_rate": read.heart and read.heart.as_json(), "heart_rate_in_words": rate_in_words(read)}
    weights = [[[round(weight, 6) for weight in row] for row in rows] for rows in report.attention.tolist()]
    attention = {"starts_s": report.starts_s, "weights": weights}
    return json.dumps(
        {"bundle": by.bundle, **report.as_json(), "thresholds": report.thresholds, **heart, "attention": attention}
    )


def as_table(record: Record, report: Report, by: ReadBy) -> bytes:
    """The recording itself: twelve leads in millivolts as CSV, whatever its format was."""
    del report, by
    return as_csv(record)


def as_form(record: Record, report: Report, by: ReadBy) -> bytes:
    """The recording as a WFDB record, however long it is: its two files as a form with files holds them."""
    del report, by
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in as_wfdb(record).items()
    ]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def as_report(form: str, record: Record, report: Report, by: ReadBy) -> bytes:
    """The report in one of its forms; nobody is named in it."""
    return FORMS[form](reading(record, report, by))


OWN_STYLE: Final = {"Content-Security-Policy": f"{POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
RENDERINGS: Final[dict[str, Rendering]] = {
    "svg": Rendering("image/svg+xml", as_svg, {}),
    "json": Rendering("application/json", as_json, {}),
    "csv": Rendering("text/csv", as_table, {}),
    "wfdb": Rendering(f"multipart/form-data; boundary={BOUNDARY}", as_form, {}),
    "html": Rendering("text/html", partial(as_report, "html"), OWN_STYLE),
    "pdf": Rendering("application/pdf", partial(as_report, "pdf"), {}),
    "fhir": Rendering("application/fhir+json", partial(as_report, "fhir.json"), {}),
}
