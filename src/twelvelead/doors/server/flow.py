"""From an upload to reports: the worker reads, the network answers in batches, and both within bounds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from twelvelead.classifier.bundle import Classifier
from twelvelead.classifier.classify import Report, conclude
from twelvelead.doors.server.batching import Jobs, ask
from twelvelead.doors.server.body import Held, body_of
from twelvelead.doors.server.problems import Problem, busy
from twelvelead.doors.server.settings import Settings
from twelvelead.doors.server.uploads import ReadUpload, Refusal, read_uploads
from twelvelead.doors.server.workers import Deadline, Workers, run_in_worker


@dataclass(kw_only=True)
class Running:
    """What a running server holds."""

    settings: Settings
    classifier: Classifier
    workers: Workers
    jobs: Jobs = field(default_factory=asyncio.Queue)
    held: Held = field(default_factory=Held)
    n_under_way: int = 0


@dataclass(frozen=True, eq=False)
class Answered:
    """What an upload's recordings show, in its order, None for one that was refused; and until when to say so."""

    reports: list[tuple[ReadUpload, Report | None]]
    deadline: Deadline


@asynccontextmanager
async def answered(request: Request, running: Running, *, with_records: bool = False) -> AsyncIterator[Answered]:
    """Read an upload and ask the network; the request is under way until the caller is done with the answer.

    Raises Problem where the upload as a whole is refused, every recording of it among them (422).
    """
    _refuse_when_full(running)
    async with AsyncExitStack() as until_done:
        async with body_of(request, running.settings, running.held) as body:
            until_done.enter_context(_place(running))
            deadline = Deadline.after(running.settings.request_s)
            readings = await _read(body, request.headers["content-type"], running, deadline, with_records)
        _refuse_without_any(readings)
        try:
            async with asyncio.timeout_at(deadline.ends):
                reports = await asyncio.gather(*(_report(reading, running) for reading in readings))
        except TimeoutError:
            raise busy(f"the network did not answer within {deadline.seconds:g} s") from None
        yield Answered(list(zip(readings, reports, strict=True)), deadline)


def _refuse_without_any(readings: list[ReadUpload]) -> None:
    errors = [{"path": reading.path, "error": reading.error} for reading in readings if reading.prepared is None]
    if len(errors) == len(readings):
        detail = errors[0]["error"] if len(errors) == 1 else f"none of {len(errors)} recordings can be classified"
        raise Problem(422, detail, errors=errors)


def _refuse_when_full(running: Running) -> None:
    if running.n_under_way >= running.settings.queue + running.settings.workers:
        raise busy(f"{running.n_under_way} requests are under way")


@contextmanager
def _place(running: Running) -> Iterator[None]:
    """A place among the requests whose body is there, so that a slow client takes none."""
    _refuse_when_full(running)
    running.n_under_way += 1
    try:
        yield
    finally:
        running.n_under_way -= 1


async def _read(
    body: bytes, content_type: str, running: Running, deadline: Deadline, with_records: bool
) -> list[ReadUpload]:
    recipe = running.classifier.recipe
    read = await run_in_worker(running.workers, deadline, read_uploads, body, content_type, recipe, with_records)
    if isinstance(read, Refusal):
        raise Problem(read.status, read.detail)
    return read


async def _report(reading: ReadUpload, running: Running) -> Report | None:
    if reading.prepared is None:
        return None
    logits, attention = await ask(running.jobs, reading.prepared.windows)
    return conclude(reading.prepared, logits, attention, running.classifier)
