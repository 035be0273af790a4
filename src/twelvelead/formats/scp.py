"""SCP-ECG: a record of sections, of which the third names the leads and the sixth holds the rhythm.

Format: EN 1064 / ISO 11073-91064. Decoded by ecgdatakit; looked over first, because a few bytes can declare millions
of samples, and because some carts count samples from 0 where the standard says 1, which ecgdatakit refuses.
"""

import struct
from binascii import crc_hqx
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from twelvelead.formats.files import Given
from twelvelead.formats.vendor import read_with
from twelvelead.record import AT_DIFFERENT_TIMES, Record, RecordError

MAX_BYTES: Final = 1 << 22
MAX_SAMPLES: Final = 1 << 19  # of all leads: the Huffman code is undone sample by sample, a microsecond each
MAX_BEAT_BYTES: Final = 1 << 17
HEADER_BYTES: Final = 16
LEADS_SECTION, BEAT_SECTION = 3, 5


class Section(NamedTuple):
    """Where a section lies in the record, its header included."""

    number: int
    begin: int
    end: int


def is_scp(start: bytes) -> bool:
    """Whether a record begins with section 0, whose first pointer is to itself; many carts write SCPECG there too."""
    if len(start) < 32 or start[8:10] != b"\0\0":
        return False
    return start[16:22] == b"SCPECG" or (start[22:24] == b"\0\0" and start[28:32] == b"\7\0\0\0")


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it is damaged, states no unit, or is no 12-lead ECG."""
    data = bytearray(given.content(at_most=MAX_BYTES))
    try:
        for section in _sections(data):
            if section.number == BEAT_SECTION and section.end - section.begin > MAX_BEAT_BYTES:
                raise RecordError(f"SCP-ECG reference beat of more than {MAX_BEAT_BYTES:,} bytes: export it again")
            if section.number == LEADS_SECTION:
                _count_from_one(data, section)
    except struct.error as error:
        raise RecordError(f"SCP-ECG record is cut short ({error}): export it again") from error
    return read_with(_parser, bytes(data), given, _rate_hz)


def _rate_hz(found: Any) -> float:
    """The rate of the interval that the file states, in whole Hz where they have the same interval in microseconds."""
    rounded = float(found.leads[0].sampling_rate)
    interval_us = float(found.raw_metadata.get("rhythm_sample_interval_us") or 0)
    return 1e6 / interval_us if interval_us and abs(1e6 / rounded - interval_us) >= 1 else rounded


def _sections(data: bytearray) -> Iterator[Section]:
    """What the pointers of section 0 point to."""
    (length,) = struct.unpack_from("<I", data, 10)
    for at in range(6 + HEADER_BYTES, min(6 + length, len(data)) - 9, 10):
        number, size, index = struct.unpack_from("<HII", data, at)
        if number and size >= HEADER_BYTES and index > 0 and index - 1 + size <= len(data):
            yield Section(number, index - 1, index - 1 + size)


def _count_from_one(data: bytearray, section: Section) -> None:
    """Begin with sample 1 the leads that begin with sample 0; RecordError on too many, or on leads of other times."""
    first = section.begin + HEADER_BYTES
    (n_leads,) = struct.unpack_from("<B", data, first)
    places = range(first + 2, first + 2 + 9 * n_leads, 9)
    spans = [struct.unpack_from("<II", data, at) for at in places]
    total = sum(max(0, end - begin + 1) for begin, end in spans)
    if total > MAX_SAMPLES:
        raise RecordError(f"SCP-ECG record declares {total:,} samples: at most {MAX_SAMPLES:,} are read; split it")
    if spans and max(begin for begin, _ in spans) > min(end for _, end in spans):
        raise RecordError("SCP-ECG record of leads recorded one after another: twelve at once are needed; export those")
    if len(begins := {max(1, begin) for begin, _ in spans}) > 1:
        raise RecordError(
            f"SCP-ECG record whose leads begin with samples {min(begins):,} to {max(begins):,}: {AT_DIFFERENT_TIMES}"
        )
    from_zero = [at for at, (begin, _) in zip(places, spans, strict=True) if begin == 0]
    for at in from_zero:
        struct.pack_into("<I", data, at, 1)
    if from_zero:
        _seal(data, section.begin, section.end)
        _seal(data, 0, len(data))


def _seal(data: bytearray, begin: int, end: int) -> None:
    """Write the checksum that the two bytes at the beginning hold of all that follows them."""
    struct.pack_into("<H", data, begin, crc_hqx(bytes(data[begin + 2 : end]), 0xFFFF))


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

    return SCPECGParser()
