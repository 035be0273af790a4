"""GE MUSE XML: the `Rhythm` waveform of a RestingECG, usually eight leads; the `Median` is left alone."""

import re
from typing import TYPE_CHECKING, Any

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.formats.vendor import read_with
from twelvelead.record import Record, RecordError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def is_muse(start: bytes) -> bool:
    """Whether a document is an export of MUSE."""
    return root_name(start) == "RestingECG"


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    data = checked_xml(given)
    return read_with(_parser, data, given, lambda _: _rate_hz(data))


def _rate_hz(data: bytes) -> float:
    """SampleBase x 10 to the SampleExponent of the first rhythm, which the parser rounds to whole Hz."""
    waves = tree(data).iterfind("Waveform")
    rhythm = next(wave for wave in waves if _text(wave, "WaveformType").lower() in {"rhythm", ""})
    base, exponent = _text(rhythm, "SampleBase"), _text(rhythm, "SampleExponent")
    if not re.fullmatch(r"\d{1,12}([.,]\d*)?", base) or not re.fullmatch(r"([-+]?\d{1,2})?", exponent):
        raise RecordError(
            f"MUSE file states SampleBase {base[:20]!r} and SampleExponent {exponent[:20]!r}: they must be a number of "
            f"Hz and a whole number; export the recording again"
        )
    return float(f"{base.replace(',', '.')}e{exponent or 0}")


def _text(wave: "Element", name: str) -> str:
    """What the element of that name holds, in whatever case its name is written, as the parser takes it."""
    named = wave.find(name)
    if named is None:
        named = next((child for child in wave if child.tag.lower() == name.lower()), None)
    return "" if named is None else " ".join("".join(named.itertext()).split())


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser

    return GEMuseXMLParser()
