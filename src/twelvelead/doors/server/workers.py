"""Processes that read uploads and draw reports: one that crashes or hangs costs its request, and is replaced.

Each is a pool of one (pebble), because a larger pool whose idle worker is killed breaks as a whole.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, resource_tracker
from typing import Final, NamedTuple, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from twelvelead.doors.server.problems import Problem, busy
from twelvelead.formats.confined import confine

P = ParamSpec("P")
T = TypeVar("T")
Workers = asyncio.Queue[ProcessPool]

ATTEMPTS: Final = 2
LOST_S: Final = 5.0
BEGIN_S: Final = 10.0  # a new process begins in a fraction of a second, on a busy machine in some
LOOK_S: Final = 0.05
MEMORY_BYTES: Final = 4 << 30
PRELOADED: Final = [f"twelvelead.doors.{name}" for name in ("cli", "server.uploads", "server.renderings")]
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Deadline(NamedTuple):
    """When a request's `seconds` are over, by the clock of the loop."""

    ends: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """That many seconds from now."""
        return cls(asyncio.get_running_loop().time() + seconds, seconds)


async def start_workers(n_workers: int) -> Workers:
    """Start that many workers and wait until they answer."""
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    _start_forkserver()
    pools = [_new_pool() for _ in range(n_workers)]
    await asyncio.gather(*(asyncio.wrap_future(pool.schedule(os.getpid)) for pool in pools))
    workers: Workers = asyncio.Queue()
    for pool in pools:
        workers.put_nowait(pool)
    return workers


def _start_forkserver() -> None:
    """Start what the workers are forked from, deaf to Ctrl-C, which a terminal sends it too: the server stops them."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()  # which would let signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a process keeps what it is started with
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def stop_workers(workers: Workers) -> None:
    """End the workers that are idle; those at work end with their request."""
    while not workers.empty():
        await _dispose(workers.get_nowait())


async def run_in_worker(
    workers: Workers, deadline: Deadline, function: Callable[P, T], *arguments: P.args, **_none: P.kwargs
) -> T:
    """Run a function in a worker and give its value; what ended with its process is tried once more in a new one.

    Raises what the function raises, and Problem where no worker is free in time (429), or where it took too long or
    ended its process twice (422).
    """
    now, n_ended = asyncio.get_running_loop().time, 0
    while n_ended < ATTEMPTS and (left := deadline.ends - now()) > 0:
        try:
            async with asyncio.timeout_at(deadline.ends):
                pool = await workers.get()
        except TimeoutError:
            break
        sound = False
        try:
            scheduled = pool.schedule(function, args=arguments, timeout=left)
            future = asyncio.wrap_future(scheduled)
            await _begun(scheduled, future)
            value = await asyncio.wait_for(future, left + LOST_S)
            sound = True
            return value
        except TimeoutError:
            raise Problem(
                422, f"not done within {deadline.seconds:g} s: the files are damaged or too long; send fewer"
            ) from None
        except ProcessExpired:
            n_ended += 1
        except BrokenProcessPool:
            pass  # its process had ended before it began with this, or while it took it
        except RuntimeError:
            if pool.active:
                raise  # the function's own
        finally:
            if not sound:
                await asyncio.shield(_dispose(pool))
            workers.put_nowait(pool if sound else _new_pool())
    if n_ended == ATTEMPTS:
        raise Problem(422, "the process that was at it ended twice: the files are damaged, or need too much memory")
    raise busy(f"no process was free within {deadline.seconds:g} s")


async def _begun(scheduled: "ProcessFuture[T]", future: "asyncio.Future[T]") -> None:
    """Wait until a process is at it; raises BrokenProcessPool where none begins: one died holding the pool's lock."""
    begun = False
    try:
        for _ in range(round(BEGIN_S / LOOK_S)):
            done, _ = await asyncio.wait({future}, timeout=LOOK_S)
            if begun := bool(done) or scheduled.running():
                return
    finally:
        if not begun:
            future.cancel()  # nobody asks for its value any more
    raise BrokenProcessPool


def _new_pool() -> ProcessPool:
    pool = ProcessPool(
        max_workers=1, initializer=confine, initargs=(MEMORY_BYTES,), context=multiprocessing.get_context("forkserver")
    )
    if not pool.active:  # asking starts it, so that it is ready before its first task
        raise BrokenProcessPool
    return pool


async def _dispose(pool: ProcessPool) -> None:
    """Stop a pool and wait for its process to end; in a daemon thread, for a pool that lost a lock never ends."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        pool.stop()  # type: ignore[no-untyped-call]  # pebble's own annotations end here
        with contextlib.suppress(Exception):
            pool.join()
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=stop, daemon=True).start()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), LOST_S)
