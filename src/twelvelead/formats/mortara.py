"""Mortara ELI XML: one CHANNEL a lead, 16-bit numbers in Base64 and UNITS_PER_MV; the TYPICAL_CYCLE is left alone."""

from typing import Any

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.formats.vendor import read_with
from twelvelead.record import Record, RecordError


def is_mortara(start: bytes) -> bool:
    """Whether a document is an export of an ELI cart."""
    return root_name(start) == "ECG"


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it states no rate or unit, or is no 12-lead ECG."""
    data = checked_xml(given)
    return read_with(_parser, data, given, lambda _: _rate_hz(data))


def _rate_hz(data: bytes) -> float:
    """The SAMPLE_FREQ of all channels, which the parser rounds to whole Hz."""
    rates = {float(channel.get("SAMPLE_FREQ", "")) for channel in tree(data).iterfind("CHANNEL")}
    if len(rates) > 1:
        raise RecordError(f"leads sampled at {sorted(rates)} Hz: all must have one rate")
    return rates.pop()


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.mortara_el250 import MortaraEL250Parser

    return MortaraEL250Parser()
