"""The same shards handed to Dask distributed, whose workers reach inputs, results and bundle by the same paths.

Each thread of a Dask worker watches a worker of ours, as on one machine, so that no recording costs a Dask worker.
"""

import logging
import queue
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from distributed import Client
from distributed.client import FutureCancelledError
from distributed.comm import get_address_host_port
from distributed.scheduler import KilledWorker

from twelvelead.archive.listing import ArchiveError
from twelvelead.archive.manifest import Manifest, read_manifest
from twelvelead.archive.running import Tell, Told, refused_in, shards_left, with_shard
from twelvelead.archive.supervising import Seat, close, put_away, run_shard

CONNECT_S: Final = 10
AHEAD: Final = 3
LOSSES: Final = 5
IDLE_S: Final = 60.0
_here: Final = threading.local()


def refuse_no_address(address: str) -> None:
    """Raise ArchiveError where an address has no port, or a scheme that Dask does not know."""
    try:
        get_address_host_port(address)
    except ValueError as error:
        raise ArchiveError(f"--cluster {address} is no address of a scheduler: name one as tcp://HOST:PORT") from error


def run_on_cluster(address: str, out: Path, bundle: Path, manifest: Manifest, tell: Tell) -> Told:
    """Bring every shard to its file on the workers of the scheduler at `address`; returns how it ended.

    Raises ArchiveError where the cluster cannot be reached, is lost, or cannot see the files; what is done then stays.
    """
    left, told = shards_left(out, manifest)
    tell(told)
    _silence()
    try:
        with Client(address, timeout=CONNECT_S, set_as_default=False) as client:
            for shard in _done_on(client, out, bundle, left):
                told = with_shard(told, out, manifest, shard)
                tell(told)
    except (OSError, FutureCancelledError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ArchiveError(
            f"the cluster at {address} cannot be reached, or was lost ({error!r}): what is done stays"
        ) from error
    return told


def _silence() -> None:
    """Dask tells a lost scheduler in tracebacks; what is raised says it."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _done_on(client: Client, out: Path, bundle: Path, shards: list[int]) -> Iterator[int]:
    """Shards as they are done; the cluster holds a few more than it has threads, never all.

    Dask gives a task up once several of its workers died with it; it is handed over again, for shards kill no worker.
    """
    todo, shard_of, losses = iter(shards), {}, 0
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def hand_over(shard: int) -> None:
        future: Any = client.submit(shard_on_worker, str(out), str(bundle), shard, pure=False)
        shard_of[future] = shard
        future.add_done_callback(ended.put)

    for shard in islice(todo, AHEAD * max(1, sum(client.nthreads().values()))):
        hand_over(shard)
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)  # after the first tasks, for which some clusters start them
    except TimeoutError:
        raise ArchiveError(f"no workers at {client.scheduler.address}: start some, and go on") from None
    while shard_of:
        future = ended.get()
        shard = shard_of.pop(future)
        try:
            future.result()
        except KilledWorker:
            losses += 1
            if losses == LOSSES:
                raise ArchiveError(
                    f"workers of the cluster die again and again, last with shard {shard}: look at their logs"
                ) from None
            hand_over(shard)
            continue
        yield shard
        for following in islice(todo, 1):
            hand_over(following)


def shard_on_worker(out: str, bundle: str, shard: int) -> None:
    """What a thread of a Dask worker does; its seat stays a while for the next shard of the same archive."""
    try:
        manifest = read_manifest(Path(out))
    except ArchiveError as error:
        raise ArchiveError(f"{error}; every machine of the cluster must see the folder") from error
    kept: list[tuple[Seat, threading.Timer]] = _here.__dict__.setdefault("kept", [])
    seat = _taken(kept)
    if seat is None or (seat.manifest, seat.out, seat.bundle) != (manifest, Path(out), Path(bundle)):
        _leave(seat)
        seat = Seat(out=Path(out), bundle=Path(bundle), manifest=manifest)
    try:
        if refused_in(Path(out), manifest, shard) is None:
            run_shard(seat, shard)
    finally:
        timer = threading.Timer(IDLE_S, lambda: _leave(_taken(kept)))
        timer.daemon = True
        kept.append((seat, timer))
        timer.start()


def _taken(kept: list[tuple[Seat, threading.Timer]]) -> Seat | None:
    """The seat that a thread kept, for whoever comes first: its next shard, or the timer of the last."""
    try:
        seat, timer = kept.pop()
    except IndexError:
        return None
    timer.cancel()
    return seat


def _leave(seat: Seat | None) -> None:
    if seat is not None:
        close(seat)
        put_away(seat)
