"""MFER: definitions of tag, length and value, then frames of samples; ISO 22077-1.

A file may define a million channels in a few bytes, so its definitions are counted before it is read.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, Literal

from twelvelead.formats.files import Given
from twelvelead.formats.vendor import read_with
from twelvelead.record import AT_DIFFERENT_TIMES, Record, RecordError

MAX_BYTES: Final = 1 << 23
MAX_DEFINITIONS: Final = 5000
MAX_CHANNELS: Final = 64
MAX_FRAMES: Final = 16  # each is filled up to the length that the file declares
BYTE_ORDER, CHANNELS, WAVEFORM, ATTRIBUTE, SET, PREAMBLE, END = 0x01, 0x05, 0x1E, 0x3F, 0x67, 0x40, 0x80
NS_PER_S: Final = 1_000_000_000
DOMINANT_BEAT: Final = 9
GROUPS: Final = (ATTRIBUTE, SET)
FIRST_TAGS: Final = {0x01: 1, 0x02: 3}  # byte order and version, each with the only length it can have


def is_mfer(start: bytes) -> bool:
    """Whether a file begins with MFER's preamble, or with byte order or version as bare files do."""
    if start[:1] == bytes([PREAMBLE]) and start[2:5] == b"MFR":
        return True
    return len(start) > 8 and FIRST_TAGS.get(start[0]) == start[1] and (start[0] != 1 or start[2] < 2)


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError when it states no unit, or is no 12-lead ECG."""
    data = given.content(at_most=MAX_BYTES)
    _refuse_expensive(data)
    return read_with(_parser, data, given, _rate_hz)


def _rate_hz(found: Any) -> float:
    """The exact rate; raises RecordError where channels or frames are not of one time."""
    rate_hz = float(found.raw_metadata["sampling_rates"][0])
    skew_ns = max(found.raw_metadata.get("sample_skew_ns", [0]))
    if skew_ns * rate_hz >= NS_PER_S:
        raise RecordError(f"sampling skew of {skew_ns:,} ns: {AT_DIFFERENT_TIMES}")
    frames = [frame for frame in found.raw_metadata["frames"] if frame["waveform_type"] != DOMINANT_BEAT]
    for before, frame in pairwise(frames):
        if frame["pointer"] != (expected := before["pointer"] + before["samples"]):
            raise RecordError(
                f"a frame begins with sample {frame['pointer']:,} where {expected:,} follows: samples are missing, or "
                f"not in order; export it again, a part at a time"
            )
    return rate_hz


def _refuse_expensive(data: bytes) -> None:
    """Raise RecordError where a few bytes ask for more channels or definitions than any ECG has."""
    order: Literal["big", "little"] = "big"
    frames = 0
    for number, (tag, value) in enumerate(_definitions(data)):
        frames += tag == WAVEFORM
        if tag == BYTE_ORDER:
            order = "little" if value[:1] == b"\1" else "big"
        is_crowd = tag == CHANNELS and int.from_bytes(value, order) > MAX_CHANNELS
        if is_crowd or frames > MAX_FRAMES or number >= MAX_DEFINITIONS:
            raise RecordError(
                f"MFER file with more than {MAX_CHANNELS} channels, {MAX_FRAMES} frames or {MAX_DEFINITIONS} "
                f"definitions: no ECG needs them; export it again"
            )


def _definitions(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of each definition, also of those in groups; raises RecordError where one overruns the file."""
    at, end = 0, len(data)
    while at < end:
        tag, at = data[at], at + 1
        if tag in (0, END):
            continue
        while tag == ATTRIBUTE and at < end and data[at] & 0x80:
            at += 1
        at += tag == ATTRIBUTE
        length, at = _length(data, at, end)
        yield tag, b"" if tag == WAVEFORM else data[at : at + min(length, 8)]
        at += 0 if tag in GROUPS else length


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """(length, where the value begins); a first byte over 0x80 says how many bytes the length has."""
    n_bytes = data[at] & 0x7F if at < end and data[at] & 0x80 else 0
    body = data[at + 1 : at + 1 + n_bytes] if n_bytes else data[at : at + 1]
    length, begins = int.from_bytes(body, "big"), at + 1 + n_bytes
    if n_bytes > 4 or begins + length > end or (at < end and data[at] == 0x80):
        raise RecordError("MFER file with a definition longer than itself or without a length: export it again")
    return length, begins


def _parser() -> Any:
    from ecgdatakit.parsing.parsers.mfer import MFERParser

    return MFERParser()
