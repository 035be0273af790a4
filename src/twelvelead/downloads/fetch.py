"""One file from a server to its place: resumed where it stopped, tried again, verified, then renamed."""

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin

from twelvelead.record import TwelveleadError
from twelvelead.wording import printable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CHUNK_BYTES: Final = 1 << 18
ATTEMPTS: Final = 6
MOST_OF_A_CAUSE: Final = 200
MAX_WAIT_S: Final = 600.0
FREE_BYTES_TO_LEAVE: Final = 64 << 20
TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadError(TwelveleadError):
    """A database cannot be downloaded, or a file of it is not what its publisher says."""


class _AgainError(Exception):
    """A fault that may pass; wait_s: how long the server asks to wait, None where it does not say."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class File(NamedTuple):
    """A file as its publisher lists it: its name below the folder, its address, its checksum, its size if known.

    most: bytes that it can have at all.
    """

    name: str
    url: str
    algorithm: str
    digest: str | None
    size: int | None
    most: int


@dataclass(frozen=True)
class Connections:
    """What all files share: the pool of connections, who is told how many bytes more are there, whether to stop.

    backoff_s: the first pause after a fault where the server names none; it doubles each time.
    """

    pool: "PoolManager"
    tell: Callable[[int], None]
    stop: Event = field(default_factory=Event)
    backoff_s: float = 0.5


def fetch(file: File, folder: Path, connections: Connections) -> bool:
    """Bring a file to its place in the folder; whether anything had to be fetched.

    A file that is there and right is left alone. Its bytes gather in `.NAME.part`, which a later call goes on with.
    Raises DownloadError when the server will not give it, or gives other bytes than were published, again and again.
    """
    path = _place(folder, file.name)
    if file.digest and path.is_file() and _digest(path, file.algorithm) == file.digest:
        connections.tell(n_bytes_of(path))
        return False
    part = part_of(path)
    connections.tell(n_bytes_of(part))
    furthest = tries = 0
    while True:
        try:
            _receive(file, part, connections)
            _verify(file, part, connections)
            os.replace(part, path)
            return True
        except _AgainError as fault:
            reached = n_bytes_of(part)
            tries = 1 if reached > furthest else tries + 1
            furthest = max(furthest, reached)
            if tries >= ATTEMPTS:
                raise DownloadError(f"{file.name}: {fault}, {tries} times; start again later to go on") from fault
            _pause(fault.wait_s, tries, connections)


def _place(folder: Path, name: str) -> Path:
    """Where a file goes; its folders are made, and must lie inside the folder even where one of them is a link."""
    path = folder / name
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise DownloadError(f"{path.parent} is a link out of {folder}: remove it, or choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def part_of(path: Path) -> Path:
    """Where the bytes of a file gather until all are there."""
    return path.with_name(f".{path.name}.part")


def _receive(file: File, part: Path, connections: Connections) -> None:
    """Gather what is missing of a file in its part; raises _AgainError where the connection or server fails."""
    import urllib3

    have = n_bytes_of(part)
    if file.size is not None and have == file.size:
        return
    try:
        response = _request(file.url, have, connections)
        try:
            if response.status != 416:  # 416: nothing lies beyond what is there; the checksum says whether it is right
                _write(response, file, part, have, connections)
        finally:
            response.close()
    except urllib3.exceptions.HTTPError as error:
        host, cause = urllib3.util.parse_url(file.url).host, getattr(error, "reason", None) or error
        raise _AgainError(f"the connection to {host} failed ({printable(str(cause))[:MOST_OF_A_CAUSE]})") from error


def _request(url: str, have: int, connections: Connections) -> "BaseHTTPResponse":
    """The server's answer to a request for the bytes from `have` on; only success, and 416, come back."""
    headers = {"User-Agent": "twelvelead", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={have}-"} if have else {}
    response = connections.pool.request("GET", url, headers=headers, preload_content=False)
    if url.startswith("https:") and not urljoin(url, response.geturl() or url).startswith("https:"):
        response.close()
        raise DownloadError(f"{url} leads to an address without https: it is not followed")
    if response.status in (200, 206) or (response.status == 416 and have):
        return response
    response.close()
    if response.status in TRY_AGAIN:
        raise _AgainError(f"the server answers {response.status}", _retry_after_s(response.headers.get("Retry-After")))
    raise DownloadError(f"{url}: the server answers {response.status}; look at the publisher's page for a new address")


def _write(response: "BaseHTTPResponse", file: File, part: Path, have: int, connections: Connections) -> None:
    start = have if response.status == 206 else 0
    if start and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        _discard(part, connections)
        raise _AgainError("the server sent another part of the file than was asked for")
    with _open_part(part) as out:
        connections.tell(start - have)
        out.seek(start)
        out.truncate()
        for chunk in response.stream(CHUNK_BYTES, decode_content=False):
            _refuse_to_go_on(part, out.tell() + len(chunk), file, connections)
            out.write(chunk)
            connections.tell(len(chunk))


def _open_part(part: Path) -> IO[bytes]:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(part, flags, 0o644), "r+b")


def _refuse_to_go_on(part: Path, n_bytes: int, file: File, connections: Connections) -> None:
    if connections.stop.is_set():
        raise DownloadError("stopped; start again to go on")
    if file.size is not None and n_bytes > file.size:
        _discard(part, connections)
        raise _AgainError(f"the server sent more than the {file.size:,} bytes that are listed")
    if n_bytes > file.most:
        _discard(part, connections)
        raise DownloadError(
            f"{file.name}: the server sent more than {file.most:,} bytes, which it cannot have; try again later"
        )
    if shutil.disk_usage(part.parent).free < FREE_BYTES_TO_LEAVE:
        raise DownloadError(f"the disk of {part.parent} is full: make room and start again to go on")


def _verify(file: File, part: Path, connections: Connections) -> None:
    if file.digest is None:
        return
    if not part.exists() or (found := _digest(part, file.algorithm)) != file.digest:
        _discard(part, connections)
        raise _AgainError(f"its {file.algorithm} is {found[:8]}.., published is {file.digest[:8]}..")


def _discard(part: Path, connections: Connections) -> None:
    connections.tell(-n_bytes_of(part))
    part.unlink(missing_ok=True)


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def n_bytes_of(path: Path) -> int:
    """The size of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def _retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3); None where it says nothing usable."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _pause(asked_s: float | None, tries: int, connections: Connections) -> None:
    if asked_s is not None and asked_s > MAX_WAIT_S:
        raise DownloadError(f"the server asks to wait {asked_s:.0f} s: start again then, it goes on where it stopped")
    backoff_s = connections.backoff_s * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
    if connections.stop.wait(asked_s if asked_s is not None else backoff_s):
        raise DownloadError("stopped; start again to go on")
