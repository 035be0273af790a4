"""A long EDF or BDF file, read in blocks of records: the same samples and refusals as if it were read at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from twelvelead.formats.edf import MAX_SIGNALS, Layout, in_order, layout_of, onsets_s, read, refuse_gaps
from twelvelead.formats.files import Given, parts_of
from twelvelead.record import Record, RecordError, standard_lead
from twelvelead.stream import BLOCK_VALUES, LONG_S, MAX_RATE_HZ, Stream, in_block, signals_of, stream_like


def recording(given: Given) -> Record | Stream:
    """The record of a file, left where it is when it is long; raises RecordError as `edf.read`."""
    if given.path is None:
        return read(given)
    layout = layout_of(*given.part(0, lambda _: 256 * (MAX_SIGNALS + 1)))
    is_long = layout.n_records * layout.duration_s >= LONG_S
    if not is_long or layout.signals[-1].end > BLOCK_VALUES or _rate_hz(layout) > MAX_RATE_HZ:
        return read(given)
    path, name = given.path, given.name
    first = next(_records(name, path, layout))
    n_samples = round(layout.n_records * layout.duration_s * first.rate_hz)
    return stream_like(first, n_samples, partial(signals_of, _records, name, path, layout), first.warnings)


def _rate_hz(layout: Layout) -> float:
    """Of the fastest lead."""
    used = [signal for signal in layout.signals if standard_lead(signal.label)]
    return max((signal.end - signal.begin for signal in used), default=0) / layout.duration_s


def _records(name: str, path: Path, layout: Layout) -> Iterator[Record]:
    """The recording block by block, each of whole records; the times that EDF+ states are held against each other."""
    n_together = max(1, BLOCK_VALUES // layout.signals[-1].end)
    counts = [min(n_together, layout.n_records - start) for start in range(0, layout.n_records, n_together)]
    last = np.empty(0)
    sizes = (count * layout.record_bytes for count in counts)
    for number, data in enumerate(parts_of(path, layout.begin, sizes)):
        records = layout.records(data)
        last = np.array([refuse_gaps(np.concatenate([last, onsets_s(records, layout)]), layout)])
        try:
            yield in_order(name, records, layout)
        except RecordError as error:
            raise in_block(error, number * n_together * layout.duration_s) from error
