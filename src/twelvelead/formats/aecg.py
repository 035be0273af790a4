"""HL7 aECG: XML whose sequences are digits x scale + origin; the rhythm series, not the representative beat.

Format: ANSI/HL7 V3 ECG R1-2004 and the FDA's implementation guide.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.formats.vendor import read_with
from twelvelead.record import INDEPENDENT_LEADS, Record

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BEAT: Final = "REPRESENTATIVE_BEAT"
SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_SERIES: Final = re.compile(rb"<(?:[\w.-]+:)?series[\s>]")


def is_aecg(start: bytes) -> bool:
    """Whether a document is an annotated ECG."""
    return root_name(start) == "AnnotatedECG"


def read(given: Given) -> Record:
    """Read the longest rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    data = checked_xml(given)
    if len(_SERIES.findall(data)) < 2:
        return read_with(_parser, data, given, _exact_rate_hz)
    data, n_series = _with_longest(data)
    record = read_with(_parser, data, given, _exact_rate_hz)
    note = (f"{n_series} rhythm series found; only the longest is read",) if n_series > 1 else ()
    return replace(record, warnings=(*record.warnings, *note))


def _with_longest(data: bytes) -> tuple[bytes, int]:
    """The document with the longest rhythm of eight leads or more alone, where it has several, and how many it has."""
    from defusedxml.ElementTree import tostring

    root = tree(data)
    parts = [part for part in root.findall("component") if part.find("series") is not None]
    rhythms = [part for part in parts if _code(part.find("series")) != BEAT]
    if len(rhythms) > 1:
        kept = max(rhythms, key=_extent)
        for part in rhythms:
            if part is not kept:
                root.remove(part)
    return tostring(root), len(rhythms)


def _code(series: "Element | None") -> str:
    code = None if series is None else series.find("code")
    return "" if code is None else code.get("code", "").upper()


def _extent(part: "Element") -> tuple[bool, float]:
    """Whether there may be twelve leads, and how many seconds the longest has; samples, where no time is stated."""
    values = "series/component/sequenceSet/component/sequence/value"
    digits, increment = part.findall(f"{values}/digits"), part.find(f"{values}/increment")
    said = {} if increment is None else increment.attrib
    try:
        step_s = float(said.get("value", 1)) * SECONDS.get(said.get("unit", "s"), 1.0)
    except ValueError:
        step_s = 1.0
    n_samples = max((len((one.text or "").split()) for one in digits), default=0)
    return len(digits) >= len(INDEPENDENT_LEADS), step_s * n_samples


def _exact_rate_hz(found: Any) -> float:
    """The rate from the increment that the file states, which the parser rounds to whole Hz."""
    return round(float(found.raw_metadata["rhythm_time"]["sampling_rate_exact"]), 6)


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser

    return HL7aECGParser()
