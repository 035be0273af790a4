"""GE MUSE XML: the `Rhythm` waveform of a RestingECG, usually eight leads; the `Median` is left alone."""

from typing import Any

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name
from twelvelead.formats.vendor import read_with
from twelvelead.record import Record


def is_muse(start: bytes) -> bool:
    """Whether a document is an export of MUSE."""
    return root_name(start) == "RestingECG"


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    return read_with(_parser, checked_xml(given), given)


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser

    return GEMuseXMLParser()
