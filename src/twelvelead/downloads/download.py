"""A whole database: its list, then its files over several connections, as far as they are not there yet."""

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import unquote, urlsplit

from twelvelead.downloads.fetch import (
    FREE_BYTES_TO_LEAVE,
    Connections,
    DownloadError,
    File,
    fetch,
    n_bytes_of,
    part_of,
)
from twelvelead.downloads.listing import Listing, listing_of
from twelvelead.downloads.sources import SOURCES, Source

MAX_FAILED: Final = 20
CONNECT_S: Final = 20.0
SILENCE_S: Final = 30.0
MAX_REDIRECTS: Final = 5
MAX_LIST_BYTES: Final = 256 << 20  # of 1.6 million files some 190 MB


@dataclass(frozen=True)
class Downloaded:
    """What a download did. failed: (name, reason) of each file that is not there now, or not all of it."""

    n_files: int
    n_fetched: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Told:
    """How far a download is: files done of all, bytes that are there, and bytes in all where the list says."""

    n_files: int
    n_done: int
    n_bytes: int
    total_bytes: int | None


def download(
    name: str,
    folder: Path,
    *,
    mirror: str | None = None,
    n_connections: int = 4,
    backoff_s: float = 0.5,
    tell: Callable[[Told], None] = lambda _: None,
) -> Downloaded:
    """Bring a database into a folder, every file verified; what is there and right is not fetched again.

    mirror: an address that stands for `https://physionet.org/files` or `https://zenodo.org`, with the same paths.
    Raises DownloadError on an unknown name, no room, or a list that cannot be had; a file that fails is in `failed`.
    """
    source = _named(name)
    n_bytes, n_done, total_bytes = 0, 0, None
    files: list[File] = []
    counting = Lock()

    def received(more: int, files_more: int = 0) -> None:
        nonlocal n_bytes, n_done
        with counting:
            n_bytes, n_done = n_bytes + more, n_done + files_more
            tell(Told(len(files), n_done, n_bytes, total_bytes))

    def done() -> None:
        received(0, 1)

    listing = listing_of(source, mirror)
    folder.mkdir(parents=True, exist_ok=True)
    connections = connections_to(listing.url, n_connections, backoff_s, received)
    files = _listed(listing, folder, connections)
    total_bytes, n_bytes = _refuse_too_little_room(files, source, folder), 0
    return _fetch_all(files, folder, connections, n_connections, done)


def _named(name: str) -> Source:
    if name not in SOURCES:
        raise DownloadError(f"no database {name!r} can be downloaded: known are {', '.join(SOURCES)}")
    return SOURCES[name]


def connections_to(address: str, n: int, backoff_s: float, received: Callable[[int], None]) -> Connections:
    """Connections to a server, through the proxy that the environment names (`https_proxy`, `no_proxy`), if any."""
    from urllib.request import getproxies, proxy_bypass

    import urllib3

    redirects_only = urllib3.Retry(
        total=None, connect=0, read=0, status=0, other=0, redirect=MAX_REDIRECTS, respect_retry_after_header=False
    )
    timeout = urllib3.Timeout(connect=CONNECT_S, read=SILENCE_S)
    kind = urlsplit(address).scheme
    proxy = getproxies().get(kind)
    if not proxy or proxy_bypass(urlsplit(address).netloc):
        pool = urllib3.PoolManager(maxsize=n, retries=redirects_only, timeout=timeout)
        return Connections(pool, received, backoff_s=backoff_s)
    proxy = proxy if "://" in proxy else f"http://{proxy}"  # as others take it
    try:
        login = unquote(urllib3.util.parse_url(proxy).auth or "")
        theirs = urllib3.make_headers(proxy_basic_auth=login or None)
        pool = urllib3.ProxyManager(proxy, maxsize=n, retries=redirects_only, timeout=timeout, proxy_headers=theirs)
    except (urllib3.exceptions.LocationValueError, urllib3.exceptions.ProxySchemeUnknown) as error:
        said = f"the environment's {kind}_proxy names no proxy that can be used ({error})"
        raise DownloadError(f"{said}: it must be http://host:port or https://host:port") from error
    return Connections(pool, received, backoff_s=backoff_s)


def _listed(listing: Listing, folder: Path, connections: Connections) -> list[File]:
    """The files that the publisher lists now; the list is fetched anew each time and kept beside them."""
    (folder / f".{listing.name}.part").unlink(missing_ok=True)
    fetch(File(listing.name, listing.url, "", None, None, MAX_LIST_BYTES), folder, connections)
    return listing.files(folder / listing.name)


def _refuse_too_little_room(files: Sequence[File], source: Source, folder: Path) -> int | None:
    """The sum of the listed sizes, None where a list has none; raises DownloadError where the rest does not fit."""
    missing = [file for file in files if not (folder / file.name).is_file()]
    begun = sum(n_bytes_of(part_of(folder / file.name)) for file in missing)
    sizes = [file.size for file in files if file.size is not None]
    total = sum(sizes) if len(sizes) == len(files) else None
    needed = (
        source.gigabytes * 1e9 * len(missing) / len(files) if total is None else sum(file.size or 0 for file in missing)
    )
    needed -= begun
    free = shutil.disk_usage(folder).free - FREE_BYTES_TO_LEAVE
    if needed > free:
        raise DownloadError(
            f"about {needed / 1e9:.1f} GB are needed and {max(free, 0) / 1e9:.1f} GB are free in {folder}: "
            f"make room, or choose another folder"
        )
    return total


def _fetch_all(
    files: Sequence[File], folder: Path, connections: Connections, n_connections: int, done: Callable[[], None]
) -> Downloaded:
    """Fetch files in as many threads as connections; stops early where nearly nothing can be had."""
    waiting, failed, fetched = deque(files), deque[tuple[str, str]](), deque[str]()

    def work() -> None:
        while waiting and not connections.stop.is_set():
            try:
                file = waiting.popleft()
            except IndexError:
                return
            try:
                if fetch(file, folder, connections):
                    fetched.append(file.name)
            except (DownloadError, OSError) as error:
                failed.append((file.name, str(error)))
                if len(failed) >= MAX_FAILED:
                    connections.stop.set()
            done()

    with ThreadPoolExecutor(n_connections) as pool:
        try:
            for worker in [pool.submit(work) for _ in range(n_connections)]:
                worker.result()
        except BaseException:
            connections.stop.set()
            raise
    failed.extend((file.name, f"not tried after {MAX_FAILED} failures") for file in waiting)
    return Downloaded(len(files), len(fetched), tuple(failed))
