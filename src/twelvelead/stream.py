"""A long recording that is read as it is used: what a Record says of itself, and its samples block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, MAX_MV, NOTHING_MOVES, NoNumbersError, Record, RecordError, Unit
from twelvelead.wording import printable

LONG_S: Final = 300.0
BLOCK_VALUES: Final = 500_000  # of all signals of a file, read at a time: 83 s of twelve at 500 Hz
MAX_RATE_HZ: Final = 8000.0  # faster ones are read at once, or refused for their size

Blocks = Iterator[NDArray[np.float32]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Stream:
    """A 12-lead ECG of five minutes or more, of which no more is in memory than is being looked at.

    blocks: begins a new pass over the samples: (12, k) float32 in `unit` each, leads in the order of `LEADS`, together
    `n_samples`. A pass raises RecordError on whatever is damaged, some of it only at its end (checksums): nothing may
    be concluded from a pass that did not end.
    """

    name: str
    rate_hz: float
    n_samples: int
    blocks: Callable[[], Blocks]
    unit: Unit = "mV"
    age: float | None = None
    sex: Literal["F", "M"] | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "warnings", tuple(map(printable, self.warnings)))

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.n_samples / self.rate_hz

    def beginning(self, seconds: float) -> Record:
        """Its first blocks, so many seconds at least, as a recording of its own; all of it where it has no more."""
        blocks: list[NDArray[np.float32]] = []
        for block in self.blocks():
            blocks.append(block)
            if sum(each.shape[1] for each in blocks) >= seconds * self.rate_hz:
                break
        return Record(
            name=self.name,
            signal=np.concatenate(blocks, axis=1),
            rate_hz=self.rate_hz,
            unit=self.unit,
            age=self.age,
            sex=self.sex,
            warnings=self.warnings,
        )


def _whole(signal: NDArray[np.float32]) -> Blocks:
    return iter([signal])


def stream_of(recording: Record | Stream) -> Stream:
    """A recording that is in memory already, as a stream of one block; a stream as it is."""
    if isinstance(recording, Stream):
        return recording
    return stream_like(recording, recording.n_samples, partial(_whole, recording.signal), recording.warnings)


def signals_of(records: Callable[..., Iterator[Record]], *given: object) -> Blocks:
    """The samples of records, block by block; by `partial`, a stream's blocks can be sent to another process."""
    return (record.signal for record in records(*given))


def in_block(error: RecordError, begin_s: float) -> RecordError:
    """What is wrong with a block that begins so many seconds after its recording, said of the recording."""
    if isinstance(error, NoNumbersError):
        n, lead, at_s = error.args
        return NoNumbersError(n, lead, begin_s + at_s)
    return RecordError(f"{error} (in the part that begins at {begin_s:.3f} s)")


def stream_like(first: Record, n_samples: int, blocks: Callable[[], Blocks], warnings: tuple[str, ...]) -> Stream:
    """A stream of which a block is a recording: what that says of rate, unit, age and sex holds for all."""
    return Stream(
        name=first.name,
        rate_hz=first.rate_hz,
        n_samples=n_samples,
        blocks=blocks,
        unit=first.unit,
        age=first.age,
        sex=first.sex,
        warnings=warnings,
    )


def extremes(stream: Stream) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(12,) lowest and (12,) highest sample of each lead, in one pass; raises RecordError as `spans` does."""
    lows, highs = zip(*((block.min(axis=1), block.max(axis=1)) for block in _whole_sound(stream)), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def spans(stream: Stream, bounds: list[tuple[int, int]]) -> Blocks:
    """(12, stop - start) for each (start, stop) in samples, both ascending; then the rest is read, to its end.

    Raises RecordError as the stream does, and on what a Record of all its samples would refuse.
    """
    blocks = _whole_sound(stream)
    held, at = np.empty((len(LEADS), 0), np.float32), 0  # samples `at` and after
    for start, stop in bounds:
        while at + held.shape[1] < stop:
            kept = held[:, max(0, start - at) :]
            at += held.shape[1] - kept.shape[1]
            block = next(blocks)
            held = np.concatenate([kept, block], axis=1) if kept.size else block
        yield held[:, start - at : stop - at]
    for _ in blocks:
        pass


def _whole_sound(stream: Stream) -> Blocks:
    """The blocks, held against the limits that are a whole recording's: their number, its extent, and that it moves."""
    low, high, n_seen = np.full(len(LEADS), np.inf), np.full(len(LEADS), -np.inf), 0
    for block in stream.blocks():
        low, high = np.minimum(low, block.min(axis=1)), np.maximum(high, block.max(axis=1))
        if stream.unit == "mV" and (extent := float((high - low).max())) > MAX_MV:
            raise RecordError(f"a lead spans {extent:.6g} mV: an ECG stays within {MAX_MV:g} mV; check unit and gain")
        n_seen += block.shape[1]
        yield block
    if n_seen != stream.n_samples:
        raise RecordError(f"{n_seen:,} samples came of {stream.n_samples:,} declared: it is cut short; fetch it again")
    if (low == high).all():
        raise RecordError(NOTHING_MOVES)
