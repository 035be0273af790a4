"""All shards of an archive on one machine: a worker a seat, each with a thread that waits for it."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from twelvelead.archive.journal import clear, n_done
from twelvelead.archive.listing import ArchiveError
from twelvelead.archive.manifest import Manifest, shard_path
from twelvelead.archive.rows import n_refused
from twelvelead.archive.supervising import Closed, Seat, close, put_away, run_shard

POLL_S: Final = 0.5


class Told(NamedTuple):
    """How far it is: rows in all, those there before this run began, and refused ones in whole shards."""

    n_rows: int
    n_before: int
    n_refused: int


Tell = Callable[[Told], None]


def shards_left(out: Path, manifest: Manifest) -> tuple[list[int], Told]:
    """The shards without a sound file, and what there is already."""
    left: list[int] = []
    n_rows = n_bad = 0
    for shard in range(manifest.n_shards):
        found = refused_in(out, manifest, shard)
        if found is None:
            left.append(shard)
        else:
            n_rows, n_bad = n_rows + manifest.n_in(shard), n_bad + found
    return left, Told(n_rows, n_rows, n_bad)


def refused_in(out: Path, manifest: Manifest, shard: int) -> int | None:
    """How many rows of a shard's file were refused; None where it is not there or not whole."""
    return n_refused(shard_path(out, shard), manifest.tag(shard), manifest.n_in(shard))


def with_shard(told: Told, out: Path, manifest: Manifest, shard: int) -> Told:
    """How far it is with a shard more; raises ArchiveError where its file is not there or not whole."""
    n_bad = refused_in(out, manifest, shard)
    if n_bad is None:
        raise ArchiveError(f"shard {shard} is not in {out}: on a cluster it must be one folder for all; go on")
    return told._replace(n_rows=told.n_rows + manifest.n_in(shard), n_refused=told.n_refused + n_bad)


def run_here(out: Path, bundle: Path, manifest: Manifest, n_workers: int, tell: Tell) -> Told:
    """Bring every shard to its file, several at once; returns how it ended.

    Raises ArchiveError or OSError (a full disk) where it cannot go on; what is done then stays.
    """
    left, told = shards_left(out, manifest)
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()
    for shard in left:
        todo.put(shard)
    seats = [Seat(out=out, bundle=bundle, manifest=manifest) for _ in range(min(n_workers, len(left)))]
    tell(told)
    with _seated(seats, todo, ended):
        n_open = len(left)
        while n_open:
            try:
                shard = _ended(ended.get(timeout=POLL_S))
            except queue.Empty:
                under_way = sum(n_done(seat.journal.fileno()) for seat in seats)
                tell(told._replace(n_rows=min(told.n_rows + under_way, manifest.listing.recordings)))
                continue
            n_open -= 1
            told = with_shard(told, out, manifest, shard)
    tell(told)
    return told


def _ended(shard: int | BaseException) -> int:
    if isinstance(shard, BaseException):
        raise shard
    return shard


@contextmanager
def _seated(
    seats: list[Seat], todo: "queue.SimpleQueue[int]", ended: "queue.SimpleQueue[int | BaseException]"
) -> Iterator[None]:
    """A thread for each seat while it lasts; at its end the workers are ended too."""
    threads = [threading.Thread(target=_work, args=(seat, todo, ended), daemon=True) for seat in seats]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for seat in seats:
            close(seat)
        for thread in threads:
            thread.join()
        for seat in seats:
            put_away(seat)


def _work(seat: Seat, todo: "queue.SimpleQueue[int]", ended: "queue.SimpleQueue[int | BaseException]") -> None:
    try:
        while not seat.closed.is_set():
            shard = todo.get_nowait()
            run_shard(seat, shard)
            clear(seat.journal.fileno())  # its rows count with the shard now
            ended.put(shard)
    except (queue.Empty, Closed):
        return
    except BaseException as error:
        ended.put(error)
