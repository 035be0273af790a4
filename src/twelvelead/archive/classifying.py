"""What a worker does with a shard: some entries at a time to rows, noted in the journal, then all to their file."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twelvelead.archive.entries import Entry, recording_of
from twelvelead.archive.journal import note_begun, note_rows, rows_done
from twelvelead.archive.listing import shard_entries
from twelvelead.archive.manifest import Manifest, shard_path
from twelvelead.archive.rows import Row, as_parquet, classified, refused
from twelvelead.archive.worker import OUT_OF_MEMORY
from twelvelead.classifier import Classifier, Opened, Report, classify_together, groups
from twelvelead.formats.files import write_whole
from twelvelead.record import RecordError


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """Where a worker works; parent: the process without which it has no reason to go on."""

    out: Path
    manifest: Manifest
    classifier: Classifier
    journal: int
    parent: int


def do_shard(place: Place, shard: int, only: int | None = None) -> None:
    """Bring every recording of a shard to its row, and the rows to their file; or one recording to its row, only.

    What the journal has already is not done again.
    """
    rows = rows_done(place.journal)
    entries = shard_entries(place.out, shard, place.manifest.settings.shard_size)
    left = (each for each in entries if each[0] not in rows and only in (None, each[0]))
    for group in groups(_read(place, left)):
        signal.setitimer(signal.ITIMER_REAL, sum(left_s for (_, _, left_s), _ in group))
        answers = _answers(place, [reading for _, reading in group])
        signal.setitimer(signal.ITIMER_REAL, 0)
        done = [_row(index, entry, answer) for ((index, entry, _), _), answer in zip(group, answers, strict=True)]
        note_rows(place.journal, done)
        rows |= {row["index"]: row for row in done}
    if only is None:
        content = as_parquet((rows[index] for index in sorted(rows)), place.manifest.tag(shard))
        _end_without_parent(place)  # else another run may hold the folder
        write_whole(shard_path(place.out, shard), content, for_good=True)


def _read(place: Place, entries: Iterable[tuple[int, Entry]]) -> Iterator[tuple[tuple[int, Entry, float], Opened]]:
    """Each recording with its number and entry, and how many of its seconds reading has left it."""
    for index, entry in entries:
        signal.setitimer(signal.ITIMER_REAL, place.manifest.settings.seconds)
        reading = _reading(place, index, entry)
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        yield (index, entry, left_s), reading


def _reading(place: Place, index: int, entry: Entry) -> Opened:
    """The recording of an entry, or why there is none; what ends the process here leaves it as begun in the journal."""
    _end_without_parent(place)
    note_begun(place.journal, index)
    try:
        return recording_of(entry)
    except RecordError as error:
        return error
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # so that it is tried again alone, where nothing before it takes memory away
    except Exception as error:  # a reader's defect must cost this recording only
        return _damaged(error)


def _end_without_parent(place: Place) -> None:
    if os.getppid() != place.parent:
        os._exit(1)


def _answers(place: Place, readings: list[Opened]) -> list[Report | RecordError]:
    """What ends the process here has each of them tried again alone, where it ends at most itself."""
    try:
        return classify_together(readings, place.classifier, anyway=place.manifest.settings.anyway)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # again the defect must cost one recording only
        return [_damaged(error)] if len(readings) == 1 else [_answers(place, [reading])[0] for reading in readings]


def _damaged(error: Exception) -> RecordError:
    return RecordError(f"could not be read ({type(error).__name__}): the file is damaged")


def _row(index: int, entry: Entry, answer: Report | RecordError) -> Row:
    return refused(index, entry, str(answer)) if isinstance(answer, RecordError) else classified(index, entry, answer)
