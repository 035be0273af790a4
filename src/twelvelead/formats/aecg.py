"""HL7 aECG: XML whose sequences are digits x scale + origin; the rhythm series, not the representative beat.

Format: ANSI/HL7 V3 ECG R1-2004 and the FDA's implementation guide.
"""

from typing import Any

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name
from twelvelead.formats.vendor import read_with
from twelvelead.record import Record


def is_aecg(start: bytes) -> bool:
    """Whether a document is an annotated ECG."""
    return root_name(start) == "AnnotatedECG"


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    return read_with(_parser, checked_xml(given), given, _exact_rate_hz)


def _exact_rate_hz(found: Any) -> float:
    """The rate from the increment that the file states, which the parser rounds to whole Hz."""
    return round(float(found.raw_metadata["rhythm_time"]["sampling_rate_exact"]), 6)


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser

    return HL7aECGParser()
