"""HL7 aECG: XML whose sequences are digits x scale + origin; the rhythm series, not the representative beat.

Format: ANSI/HL7 V3 ECG R1-2004 and the FDA's implementation guide.
"""

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.formats.vendor import read_with
from twelvelead.formats.wfdb_header import NUMBER
from twelvelead.record import INDEPENDENT_LEADS, Record, RecordError, millivolts_per
from twelvelead.wording import only_longest

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BEAT: Final = "REPRESENTATIVE_BEAT"
SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def is_aecg(start: bytes) -> bool:
    """Whether a document is an annotated ECG."""
    return root_name(start) == "AnnotatedECG"


def read(given: Given) -> Record:
    """Read the longest rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    data = checked_xml(given)
    root = tree(data)
    n_series = _keep_longest(root)
    _refuse_no_numbers(root)
    record = read_with(_parser, data if n_series < 2 else _text(root), given, _exact_rate_hz)
    return replace(record, warnings=(*record.warnings, *only_longest(n_series, "rhythm series")))


def _keep_longest(root: "Element") -> int:
    """Leave the longest rhythm of eight leads or more alone, where there are several; how many there were."""
    parts = [part for part in root.findall("component") if part.find("series") is not None]
    rhythms = [part for part in parts if _code(part.find("series")) != BEAT]
    kept = max(rhythms, key=_extent, default=None)
    for part in rhythms:
        if part is not kept:
            root.remove(part)
    return len(rhythms)


def _text(root: "Element") -> bytes:
    from defusedxml.ElementTree import tostring

    return bytes(tostring(root))


def _refuse_no_numbers(root: "Element") -> None:
    """Raise RecordError where scale or origin of digits is no number, which the parser takes as 1 or 0."""
    for value in root.iterfind("component/series/component/sequenceSet/component/sequence/value[digits]"):
        scale, origin = value.find("scale"), value.find("origin")
        stated = {"scale": "" if scale is None else scale.get("value", "")}
        if origin is not None:
            stated["origin"] = origin.get("value", "")
        for name, number in stated.items():
            if not re.fullmatch(NUMBER, number.strip()) or math.isinf(float(number)):
                raise RecordError(f"{name} {number[:20]!r} of digits: it must be a number; export the recording again")
        if origin is not None and float(stated["origin"]) != 0:
            millivolts_per(origin.get("unit", ""))


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
