"""A request's body, taken into memory within bounds of size and time; nothing of it touches a disk here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from twelvelead.doors.server.problems import Problem, busy
from twelvelead.doors.server.settings import MEGABYTE, Settings


@dataclass
class Held:
    """Bytes of bodies that are in memory now, of all requests together."""

    n_bytes: int = 0


@asynccontextmanager
async def body_of(request: Request, settings: Settings, held: Held) -> AsyncIterator[bytes]:
    """A multipart body, held until the caller is done with it.

    Raises Problem where it is of another type or encoded (415), empty (400), too large (413), too slow (408), or where
    the bodies of all requests together leave no room (429).
    """
    _refuse_declared(request, settings)
    parts: list[bytes] = []
    try:
        async for chunk in _chunks(request, settings):
            held.n_bytes += len(chunk)
            parts.append(chunk)
            if held.n_bytes > settings.held_bytes:
                raise busy(f"{held.n_bytes / MEGABYTE:.0f} MB of other uploads are being read")
        if not parts:
            raise Problem(400, "empty body: send one or several files in the multipart field 'files'")
        yield b"".join(parts)
    finally:
        held.n_bytes -= sum(map(len, parts))


def _refuse_declared(request: Request, settings: Settings) -> None:
    """Refuse by the headers alone what need not be read."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > settings.max_body_bytes:
        raise _too_large(int(declared), settings)
    if declared == "0":
        raise Problem(400, "empty body: send one or several files in the multipart field 'files'")
    kind = request.headers.get("content-type", "")
    if kind.split(";")[0].strip().lower() != "multipart/form-data":
        raise Problem(
            415, f"content type {_shown(kind)!r}: send multipart/form-data with one or several fields 'files'"
        )
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise Problem(
            415,
            f"content encoding {_shown(encoding)!r}: only identity is taken; send the body as it is",
            headers={"Accept-Encoding": "identity"},
        )


def _shown(value: str) -> str:
    return value[:80].encode("ascii", "replace").decode()


async def _chunks(request: Request, settings: Settings) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    began, received = loop.time(), 0
    stream = request.stream()
    while True:
        deadline = began + settings.body_s + received / settings.slowest_bytes_per_s
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream, b"")
        except TimeoutError:
            raise _too_slow(received, loop.time() - began, settings) from None
        except ClientDisconnect:
            raise Problem(400, "the body was cut short: send it whole") from None
        if not chunk:
            return
        received += len(chunk)
        if received > settings.max_body_bytes:
            raise _too_large(received, settings)
        yield chunk


def _too_large(n_bytes: int, settings: Settings) -> Problem:
    most = settings.max_body_bytes / MEGABYTE
    return Problem(
        413,
        f"a body of {n_bytes / MEGABYTE:.1f} MB or more: at most {most:g} MB are taken; send fewer files, or use "
        f"`twelvelead classify`",
    )


def _too_slow(received: int, seconds: float, settings: Settings) -> Problem:
    rate = settings.slowest_bytes_per_s / MEGABYTE
    return Problem(
        408,
        f"{received:,} bytes in {seconds:.0f} s: after {settings.body_s:g} s a body must have come at {rate:g} MB/s or "
        f"faster; send fewer files or use a faster line",
    )
