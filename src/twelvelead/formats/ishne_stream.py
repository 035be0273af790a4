"""A long ISHNE file, read in blocks, each as a shorter file under the same header: the same samples as at once."""

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from twelvelead.formats.files import Given, parts_of
from twelvelead.formats.ishne import read, read_bytes
from twelvelead.record import Record, RecordError
from twelvelead.stream import BLOCK_VALUES, LONG_S, MAX_RATE_HZ, Stream, in_block, signals_of, stream_like

FIXED_BYTES: Final = 522
MAX_HEAD_BYTES: Final = 1 << 16
MAX_LEADS: Final = 12


def recording(given: Given) -> Record | Stream:
    """The record of a file, left where it is when it is long; raises RecordError as `ishne.read`."""
    if given.path is None:
        return read(given)
    start, size = given.part(0, lambda _: MAX_HEAD_BYTES)
    begin, n_leads, rate_hz = _layout(start)
    n_frames = (size - begin) // (2 * n_leads) if n_leads else 0
    is_sound = 0 < n_leads <= MAX_LEADS and FIXED_BYTES <= begin <= len(start)
    if not is_sound or n_frames < LONG_S * rate_hz or rate_hz > MAX_RATE_HZ:
        return read(given)
    records = (given.name, given.path, start[:begin], 2 * n_leads, n_frames)
    first = next(_records(*records))
    notes = ("the file ends within a sample, which was left out",) if (size - begin) % (2 * n_leads) else ()
    return stream_like(first, n_frames, partial(signals_of, _records, *records), (*first.warnings, *notes))


def _layout(start: bytes) -> tuple[int, int, int]:
    """(where the samples begin, leads, samples a second) as the header states them; zeros where it is cut short."""
    if len(start) < FIXED_BYTES:
        return 0, 0, 0
    (n_variable,), (n_leads,), (rate_hz,) = (
        struct.unpack_from(form, start, at) for form, at in (("<i", 10), ("<h", 156), ("<h", 272))
    )
    return FIXED_BYTES + n_variable, n_leads, rate_hz


def _records(name: str, path: Path, head: bytes, frame_bytes: int, n_frames: int) -> Iterator[Record]:
    """The recording block by block."""
    n_together = 2 * BLOCK_VALUES // frame_bytes
    counts = [min(n_together, n_frames - start) for start in range(0, n_frames, n_together)]
    for number, part in enumerate(parts_of(path, len(head), (count * frame_bytes for count in counts))):
        try:
            yield read_bytes(head + part, name)
        except RecordError as error:
            raise in_block(error, number * n_together / _layout(head)[2]) from error
