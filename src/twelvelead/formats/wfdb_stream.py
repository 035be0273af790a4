"""A long WFDB record, read in blocks: the same samples, and the same refusals, as if it were read at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given, parts_of, size_of
from twelvelead.formats.wfdb import (
    GEORGIAS_GAIN,
    common_unit,
    files_of,
    header_of,
    in_order,
    in_rows,
    left_over,
    physical,
    read_declared,
    refuse_mixed,
    samples_in,
    sums_of,
    verify,
)
from twelvelead.formats.wfdb_header import Header, SignalLine
from twelvelead.formats.wfdb_samples import BITS, n_bytes
from twelvelead.record import Record, RecordError
from twelvelead.stream import BLOCK_VALUES, LONG_S, MAX_RATE_HZ, Stream, in_block, signals_of, stream_like

Files = list[tuple[str, list[SignalLine]]]


def recording(given: Given) -> Record | Stream:
    """The record of a header file, left where it is when it is long; raises RecordError as `wfdb.read`."""
    path, header = header_of(given)
    n_samples = _n_samples(path, header)
    if n_samples / header.rate_hz < LONG_S or header.rate_hz > MAX_RATE_HZ:
        return read_declared(given, header)
    return _stream(path, header, n_samples)


def _n_samples(path: Path, header: Header) -> int:
    """Samples of each signal, from the header or the size of the first file.

    0 where no block can be read without the others: in FLAC, and where the gain is Georgia's, which only all of the
    samples explain.
    """
    if any(signal.format not in BITS or signal.gain == GEORGIAS_GAIN for signal in header.signals):
        return 0
    if header.n_samples is not None:
        return header.n_samples
    file, signals = files_of(header.signals)[0]
    return samples_in(path.parent / file, size_of(path.parent / file), signals, None)


def _stream(path: Path, header: Header, n_samples: int) -> Stream:
    """What the first block says of leads, unit, age and sex holds for all of them."""
    files = files_of(header.signals)
    notes = [note for file, signals in files for note in _checked(path.parent / file, signals, n_samples)]
    first = next(_records(path, header, files, n_samples))
    return stream_like(
        first,
        n_samples,
        partial(signals_of, _records, path, header, files, n_samples),
        (*header.warnings, *notes, *first.warnings),
    )


def _checked(path: Path, signals: list[SignalLine], n_samples: int) -> list[str]:
    """What can be said of a signal file by its size."""
    refuse_mixed(path, signals)
    size = size_of(path)
    samples_in(path, size, signals, n_samples)
    return left_over(path, size, signals, n_samples)


def _records(path: Path, header: Header, files: Files, n_samples: int) -> Iterator[Record]:
    """The record block by block; checksums are held against the sums of all blocks at the end."""
    unit, per_unit = common_unit(header.signals)
    n_frames = max(2, BLOCK_VALUES // len(header.signals) // 2 * 2)  # even: two samples of format 212 share a byte
    lengths = [min(n_frames, n_samples - start) for start in range(0, n_samples, n_frames)]
    digital = [_digital(path.parent / file, signals, lengths) for file, signals in files]
    for number, parts in enumerate(zip(*digital, strict=True)):
        of_files = [physical(part, signals, per_unit) for (_, signals), part in zip(files, parts, strict=True)]
        try:
            yield in_order(path, header, unit, of_files, ())
        except RecordError as error:
            raise in_block(error, number * n_frames / header.rate_hz) from error


def _digital(path: Path, signals: list[SignalLine], lengths: list[int]) -> Iterator[NDArray[np.integer]]:
    """(signals, length) ADC values of one signal file for each length."""
    code, n_signals = signals[0].format, len(signals)
    firsts: NDArray[np.integer] = np.zeros(n_signals, np.int64)
    sums = np.zeros(n_signals, np.uint16)
    parts = parts_of(path, signals[0].offset_bytes, (n_bytes(code, length * n_signals) for length in lengths))
    for number, (length, data) in enumerate(zip(lengths, parts, strict=True)):
        part = in_rows(code, data, n_signals, length)
        firsts = part[:, 0].copy() if number == 0 else firsts
        sums += sums_of(part)
        yield part
    verify(path, signals, firsts, sums)
