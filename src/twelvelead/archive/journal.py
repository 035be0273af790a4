"""What a worker has done of its shard: a file of lines that outlives it, so that whoever looks knows what it died of.

A line is a number, where a recording was begun, or the row with which it was ended; several may be begun before the
first of them ends.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterable
from typing import BinaryIO

from twelvelead.archive.rows import Row


def new_journal() -> BinaryIO:
    """A nameless file that a worker inherits; every write goes to its end."""
    journal = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115  # whoever asked closes it
    fcntl.fcntl(journal, fcntl.F_SETFL, fcntl.fcntl(journal, fcntl.F_GETFL) | os.O_APPEND)  # a mode "a" would not
    return journal


def note_begun(journal: int, index: int) -> None:
    """A recording is begun."""
    os.write(journal, b"%d\n" % index)


def note_rows(journal: int, rows: Iterable[Row]) -> None:
    """Recordings are done; their floats survive to the bit."""
    os.write(journal, b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def clear(journal: int) -> None:
    """Nothing is begun."""
    os.ftruncate(journal, 0)


def rows_done(journal: int) -> dict[int, Row]:
    """The rows of a journal by their index."""
    rows = [json.loads(line) for line in _lines(journal) if line.startswith(b"{")]
    return {row["index"]: row for row in rows}


def n_done(journal: int) -> int:
    """How many rows there are."""
    return sum(line.startswith(b"{") for line in _lines(journal))


def take_under_way(journal: int) -> list[int]:
    """The recordings that were begun and have no row, in their order; begun no more afterwards."""
    rows = rows_done(journal)
    begun = dict.fromkeys(int(line) for line in _lines(journal) if not line.startswith(b"{"))
    clear(journal)
    note_rows(journal, rows.values())
    return [index for index in begun if index not in rows]


def _lines(journal: int) -> list[bytes]:
    """The whole lines; what a death left half-written is none."""
    content = os.pread(journal, os.fstat(journal).st_size, 0)
    return content.split(b"\n")[:-1]
