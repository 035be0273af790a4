"""What a publisher lists: names, checksums and, at Zenodo, sizes; no name may lead out of the folder."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from twelvelead.downloads.fetch import DownloadError, File
from twelvelead.downloads.sources import ROOTS, Source

_SUM = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*?)\s*")
_NAME = re.compile(r"[A-Za-z0-9_+@=,()' -][A-Za-z0-9_+@=,()' .-]*")
MAX_NAME_CHARACTERS: Final = 240
MAX_FILE_BYTES: Final = 1 << 50


class Listing(NamedTuple):
    """Where a database's list of files lies, under which name it is kept, and how it is read."""

    url: str
    name: str
    source: Source
    root: str

    def files(self, path: Path) -> list[File]:
        """The files that a downloaded list names; raises DownloadError on a damaged list or a name that is unsafe."""
        every = _zenodo(path, self) if self.source.host == "zenodo" else _physionet(path, self)
        files = [file for file in every if file.name.startswith(self.source.within or "")]
        names = {refuse_unsafe(file.name).casefold() for file in files}
        if not files or len(names) < len(files):
            raise DownloadError(f"{self.url} lists {len(names)} names for {len(files)} files: it is not a sound list")
        return files


def listing_of(source: Source, mirror: str | None = None) -> Listing:
    """Where the list of a source lies; a mirror stands for the publisher's root, with the same paths below it.

    Raises DownloadError on a mirror that is no http address.
    """
    if mirror is not None and not _is_address(mirror):
        raise DownloadError(f"mirror {mirror!r}: it must be an address that begins with https:// or http://")
    root = (mirror or ROOTS[source.host]).rstrip("/")
    if source.host == "zenodo":
        return Listing(f"{root}/api/records/{source.path}", f"zenodo-{source.path}.json", source, root)
    return Listing(f"{root}/{source.path}/SHA256SUMS.txt", "SHA256SUMS.txt", source, root)


def _is_address(text: str) -> bool:
    import urllib3

    try:
        return bool(re.match("https?://", text) and urllib3.util.parse_url(text).host)
    except urllib3.exceptions.LocationParseError:
        return False


def refuse_unsafe(name: str) -> str:
    """The name, a path below the folder of plain words; raises DownloadError on any other."""
    for part in name.split("/"):
        if not _NAME.fullmatch(part) or part != part.strip() or part.endswith(".") or len(part) > MAX_NAME_CHARACTERS:
            raise DownloadError(
                f"the list names a file {name[:80]!r}: only relative paths of letters, digits and common signs, with "
                f"no part that begins with a dot, are written; tell the publisher, or use another mirror"
            )
    return name


def _physionet(path: Path, listing: Listing) -> Iterator[File]:
    """Lines of `SHA256SUMS.txt`: a checksum and a path."""
    base, most = listing.url.rpartition("/")[0], int(listing.source.gigabytes * 1e9)
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if match := _SUM.fullmatch(line):
                yield File(match[2], f"{base}/{quote(match[2])}", "sha256", match[1].lower(), None, most)
            elif line.strip():
                raise DownloadError(f"{listing.url}: line {number} is no checksum and name: {line[:60]!r}")


def _zenodo(path: Path, listing: Listing) -> Iterator[File]:
    """The `files` of a record: key, size and `md5:...`; https://developers.zenodo.org."""
    try:
        for entry in json.loads(path.read_bytes())["files"]:
            algorithm, _, digest = entry["checksum"].partition(":")
            if algorithm != "md5" or not re.fullmatch("[0-9a-f]{32}", digest):
                raise DownloadError(f"{listing.url}: checksum {entry['checksum']!r} of {entry['key']!r} is not an md5")
            url = f"{listing.url}/files/{quote(entry['key'], safe='')}/content"
            size = entry["size"]
            if type(size) is not int or not 0 <= size <= MAX_FILE_BYTES:
                raise DownloadError(f"{listing.url}: size {size!r} of {entry['key']!r} is no number of bytes")
            yield File(str(entry["key"]), url, "md5", digest, size, size)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DownloadError(f"{listing.url} is not a list of files as Zenodo writes it ({error!r})") from error
