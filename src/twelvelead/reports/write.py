"""The forms in which a report can be written, in one table."""

from collections.abc import Callable
from typing import Final

from twelvelead.reports.dicom import dicom
from twelvelead.reports.fhir import fhir
from twelvelead.reports.html import html
from twelvelead.reports.pdf import pdf
from twelvelead.reports.plain import plain
from twelvelead.reports.reading import Reading

FORMS: Final[dict[str, Callable[[Reading], bytes]]] = {
    "html": html,
    "pdf": pdf,
    "fhir.json": fhir,
    "json": plain,
    "dcm": dicom,
}
