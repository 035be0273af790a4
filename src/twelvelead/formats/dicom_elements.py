"""How many elements a DICOM file has, counted without a reader: a sequence may hide a million of them from its size.

Format: DICOM PS3.5, sections 7.1 and 7.5. Sequences and items are walked into; values are stepped over.
"""

from typing import Final

from twelvelead.record import RecordError

MAX_ELEMENTS: Final = 20_000
META_START: Final = 132
META_GROUP: Final = b"\x02\x00"
ITEM_GROUP: Final = b"\xfe\xff"
UNDEFINED: Final = 0xFFFFFFFF
LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
WAVEFORM_SEQUENCES: Final = frozenset(
    bytes.fromhex(tag) for tag in ("00540001", "3a000002", "3a000802", "3a001102")
)  # (5400,0100), (003A,0200), (003A,0208), (003A,0211): where the value's kind is not written


def refuse_too_many_elements(data: bytes, *, implicit: bool) -> None:
    """Raise RecordError where a file, from its preamble on, has more elements than any ECG.

    implicit: whether the data set leaves out what kind its values are of; the group before it never does.
    """
    at, n_elements = META_START, 0
    while at + 8 <= len(data):
        n_elements += 1
        if n_elements > MAX_ELEMENTS:
            raise RecordError(f"DICOM file of more than {MAX_ELEMENTS:,} elements: no ECG has so many; export it again")
        at += _step(data, at, implicit)


def _step(data: bytes, at: int, implicit: bool) -> int:
    """Bytes from the beginning of an element to that of the next, or to that of the first inside it."""
    tag, kind = data[at : at + 4], data[at + 4 : at + 6]
    if tag[:2] == ITEM_GROUP:
        return 8
    if implicit and tag[:2] != META_GROUP:
        header, length = 8, int.from_bytes(data[at + 4 : at + 8], "little")
        is_sequence = tag in WAVEFORM_SEQUENCES
    elif kind in LONG:
        header, length = 12, int.from_bytes(data[at + 8 : at + 12], "little")
        is_sequence = kind == b"SQ"
    else:
        header, length = 8, int.from_bytes(data[at + 6 : at + 8], "little")
        is_sequence = False
    return header if is_sequence or length == UNDEFINED else header + length
