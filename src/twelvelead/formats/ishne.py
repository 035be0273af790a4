"""ISHNE Holter files of twelve leads: at once up to 32 MB (46 minutes at 500 Hz), of any length in blocks.

Format: Badilini, "The ISHNE Holter Standard Output File Format" (1998); 16-bit numbers, resolution in nanovolts.
"""

from typing import Any, Final

from twelvelead.formats.files import Given
from twelvelead.formats.vendor import read_with
from twelvelead.record import Record

MAX_BYTES: Final = 1 << 25
MAGIC: Final = b"ISHNE1.0"
LEAD_FAULT: Final = -32768


def is_ishne(start: bytes) -> bool:
    """Whether a file begins as an ISHNE file with an ECG does."""
    return start.startswith(MAGIC)


def read(given: Given) -> Record:
    """Read all of it; raises RecordError when a lead is missing or states no resolution."""
    return read_bytes(given.content(at_most=MAX_BYTES), given.name)


def read_bytes(data: bytes, name: str) -> Record:
    """Read the bytes of a whole file, however many."""
    return read_with(_parser, data, Given(name=name, held=data), missing=LEAD_FAULT)


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.ishne_holter import ISHNEHolterParser

    return ISHNEHolterParser()
