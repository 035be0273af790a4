"""Processes that read uploads and draw reports: one that crashes or hangs costs its request, and is replaced.

Each is a pool of one (pebble), because a larger pool whose idle worker is killed breaks as a whole.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Final, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from twelvelead.doors.server.problems import Problem, busy

P = ParamSpec("P")
T = TypeVar("T")
Workers = asyncio.Queue[ProcessPool]

ATTEMPTS: Final = 2
LOST_S: Final = 5.0
MEMORY_BYTES: Final = 4 << 30
PRELOADED: Final = [f"twelvelead.doors.{name}" for name in ("cli", "server.uploads", "server.renderings")]
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


async def start_workers(n_workers: int) -> Workers:
    """Start that many workers and wait until they answer."""
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    pools = [_new_pool() for _ in range(n_workers)]
    await asyncio.gather(*(asyncio.wrap_future(pool.schedule(os.getpid)) for pool in pools))
    workers: Workers = asyncio.Queue()
    for pool in pools:
        workers.put_nowait(pool)
    return workers


async def stop_workers(workers: Workers) -> None:
    """End the workers that are idle; those at work end with their request."""
    while not workers.empty():
        await _dispose(workers.get_nowait())


async def run_in_worker(
    workers: Workers, seconds: float, function: Callable[P, T], *arguments: P.args, **_none: P.kwargs
) -> T:
    """Run a function in a worker and give its value; what ended with its process is tried once more in a new one.

    Raises Problem where no worker is free in time (429), or where it took too long or ended its process twice (422).
    """
    now = asyncio.get_running_loop().time
    ends, n_ended = now() + seconds, 0
    while n_ended < ATTEMPTS and (left := ends - now()) > 0:
        try:
            async with asyncio.timeout_at(ends):
                pool = await workers.get()
        except TimeoutError:
            break
        sound = False
        try:
            future = asyncio.wrap_future(pool.schedule(function, args=arguments, timeout=left))
            value = await asyncio.wait_for(future, left + LOST_S)
            sound = True
            return value
        except TimeoutError:
            raise Problem(
                422, f"not read within {seconds:g} s: the files are damaged or too long; send fewer"
            ) from None
        except ProcessExpired:
            n_ended += 1
        except (BrokenProcessPool, RuntimeError):
            pass  # its process had ended before it began with this
        finally:
            if not sound:
                await asyncio.shield(_dispose(pool))
            workers.put_nowait(pool if sound else _new_pool())
    if n_ended == ATTEMPTS:
        raise Problem(
            422, "the process that read the upload ended twice: the files are damaged, or need too much memory"
        )
    raise busy(f"no process was free to read the upload within {seconds:g} s")


def _new_pool() -> ProcessPool:
    pool = ProcessPool(max_workers=1, initializer=_begin, context=multiprocessing.get_context("forkserver"))
    assert pool.active  # asking starts it, so that it is ready before its first task
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


def _begin() -> None:
    """A worker writes nothing anywhere, and its memory is bounded; libraries warn with what is in the file."""
    warnings.simplefilter("ignore")
    logging.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold what was uploaded
