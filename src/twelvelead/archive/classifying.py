"""What a worker does with a shard: entry after entry to a row, noted in the journal, then all rows to their file."""

import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path

from twelvelead.archive.entries import Entry, recording_of
from twelvelead.archive.journal import note_begun, note_row, rows_done
from twelvelead.archive.listing import shard_entries
from twelvelead.archive.manifest import Manifest, shard_path, write_beside
from twelvelead.archive.rows import Row, as_parquet, classified, refused
from twelvelead.archive.worker import OUT_OF_MEMORY
from twelvelead.classifier import Classifier, classify
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
    settings, rows = place.manifest.settings, rows_done(place.journal)
    for index, entry in shard_entries(place.out, shard, settings.shard_size):
        if index in rows or only not in (None, index):
            continue
        if os.getppid() != place.parent:
            os._exit(1)
        note_begun(place.journal, index)
        signal.setitimer(signal.ITIMER_REAL, settings.seconds)
        rows[index] = _row(place, index, entry)
        signal.setitimer(signal.ITIMER_REAL, 0)
        note_row(place.journal, rows[index])
    if only is None:
        content = as_parquet((rows[index] for index in sorted(rows)), place.manifest.tag(shard))
        write_beside(shard_path(place.out, shard), content, part=f".{secrets.token_hex(8)}")


def _row(place: Place, index: int, entry: Entry) -> Row:
    try:
        recording = recording_of(entry)
        report = classify(recording, place.classifier, anyway=place.manifest.settings.anyway)
    except RecordError as error:
        return refused(index, entry, str(error))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # so that it is tried again alone, where nothing before it takes memory away
    except Exception as error:  # a reader's defect must cost this recording only
        return refused(index, entry, f"could not be read ({type(error).__name__}): the file is damaged")
    return classified(index, entry, report)
