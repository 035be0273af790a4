"""What an archive holds, one line a recording, in an order that is always the same; never all of it in memory."""

import hashlib
import os
import struct
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from twelvelead.archive.entries import Entry, from_line, to_line
from twelvelead.archive.inside import recordings_inside
from twelvelead.archive.members import ARCHIVE_SUFFIXES, PACKED, PACKED_SUFFIXES, is_archive
from twelvelead.formats import PassedOver, files_below, is_folder, is_known, is_recording
from twelvelead.formats.files import beginning_of
from twelvelead.record import RecordError, TwelveleadError

LIST_SUFFIXES: Final = (".txt", ".list")
LISTING: Final = "listing.jsonl"
OFFSETS: Final = "listing.offsets"
MAX_LINE_BYTES: Final = 65_536
_OFFSET = struct.Struct("<Q")


class ArchiveError(TwelveleadError):
    """An archive cannot be listed or classified as asked, or not be gone on with."""


class Listing(NamedTuple):
    """How many recordings were listed, the bytes of the listing, and their sha256."""

    recordings: int
    size: int
    sha256: str


def write_listing(inputs: Iterable[Path], out: Path, shard_size: int, passed_over: PassedOver | None = None) -> Listing:
    """List the recordings of all inputs into `out`, beside and renamed, with the place at which each shard begins."""
    listing, offsets = out / f".{LISTING}.part", out / f".{OFFSETS}.part"
    with listing.open("wb") as lines, offsets.open("wb") as places:
        found = _hashed(_entries(inputs, out, passed_over), shard_size, lines, places)
        for file in (lines, places):
            file.flush()
            os.fsync(file.fileno())
    os.replace(offsets, out / OFFSETS)
    os.replace(listing, out / LISTING)
    return found


def is_whole(out: Path, listing: Listing, shard_size: int) -> bool:
    """Whether the listing in `out`, and the places in it, are as they were written."""
    digest, places, size = hashlib.sha256(), bytearray(), 0
    try:
        with (out / LISTING).open("rb") as lines:
            for number, line in enumerate(lines):
                places += b"" if number % shard_size else _OFFSET.pack(size)
                digest.update(line)
                size += len(line)
        return digest.hexdigest() == listing.sha256 and (out / OFFSETS).read_bytes() == places
    except FileNotFoundError:
        return False


def listing_now(inputs: Iterable[Path], out: Path, passed_over: PassedOver | None = None) -> Listing:
    """What would be listed now, so that it can be compared; nothing is written."""
    return _hashed(_entries(inputs, out, passed_over), 1)


def _hashed(
    entries: Iterable[Entry], shard_size: int, lines: BinaryIO | None = None, places: BinaryIO | None = None
) -> Listing:
    digest, number, size = hashlib.sha256(), 0, 0
    for entry in entries:
        line = to_line(entry)
        if places is not None and number % shard_size == 0:
            places.write(_OFFSET.pack(size))
        if lines is not None:
            lines.write(line)
        digest.update(line)
        number, size = number + 1, size + len(line)
    return Listing(number, size, digest.hexdigest())


def shard_entries(out: Path, shard: int, shard_size: int) -> Iterator[tuple[int, Entry]]:
    """The recordings of one shard, each with its number in the listing."""
    with (out / OFFSETS).open("rb") as places, (out / LISTING).open("rb") as lines:
        places.seek(shard * _OFFSET.size)
        lines.seek(_OFFSET.unpack(places.read(_OFFSET.size))[0])
        for number in range(shard * shard_size, (shard + 1) * shard_size):
            if line := lines.readline():
                yield number, from_line(line)


def _entries(inputs: Iterable[Path], out: Path, passed_over: PassedOver | None) -> Iterator[Entry]:
    for given in inputs:
        start = _beginning(given)
        if is_archive(start):  # whatever it is called
            yield from recordings_inside(given)
        elif given.suffix.lower() in LIST_SUFFIXES and os.path.isfile(given) and _is_list(given, start):  # noqa: PTH113
            for path in _listed(given):
                yield from _found(path, out, passed_over)
        else:
            yield from _found(given, out, passed_over)


def named(inputs: Iterable[Path]) -> list[Path]:
    """Inputs by absolute paths without `..`, for another spelling is no other input.

    Raises ArchiveError where one is not there.
    """
    found = []
    for given in inputs:
        if not os.path.lexists(given):
            raise ArchiveError(f"{given} is not there: name folders, lists, tar or zip archives, or recordings")
        plain = Path(os.path.abspath(given))  # noqa: PTH100  # links stay as named
        is_same = all(map(os.path.exists, (plain, given))) and plain.samefile(given)  # else `..` followed a link
        found.append(plain if is_same else given.absolute())
    return found


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; none where it cannot be opened, so that its row says why."""
    try:
        return beginning_of(path)
    except RecordError:
        return b""


def _is_list(file: Path, start: bytes) -> bool:
    """Whether a file called as a list is one, and no recording; raises ArchiveError where it is neither."""
    if b"\0" in start and is_known(start):
        return False
    paths = _listed(file)
    first = next(paths, None)
    if first is None or any(map(_is_there, chain([first], paths))):
        return True
    if is_known(start):
        return False
    raise ArchiveError(f"{file} names nothing that is there, such as {first}: it must hold one path a line")


def _is_there(path: Path) -> bool:
    """A WFDB record may be named without its suffix."""
    return os.path.lexists(path) or os.path.lexists(f"{path}.hea")


def _listed(file: Path) -> Iterator[Path]:
    """The paths of a list, a line each, relative to the list's folder; a mark of UTF-8 before them is none."""
    with file.open("rb") as lines:
        if lines.read(len(BOM_UTF8)) != BOM_UTF8:
            lines.seek(0)
        while line := lines.readline(MAX_LINE_BYTES):
            if len(line) == MAX_LINE_BYTES or b"\0" in line:
                raise ArchiveError(f"{file} is no list of files: it must hold one path a line")
            if path := line.rstrip(b"\r\n"):
                yield Path(os.path.abspath(file.parent / os.fsdecode(path)))  # noqa: PTH100  # links stay as named


def _found(path: Path, out: Path, passed_over: PassedOver | None) -> Iterator[Entry]:
    """The recordings of a folder or an archive, or the file itself."""

    def is_wanted(file: Path) -> bool:
        if out in file.parents:
            return False
        return file.suffix.lower() in (*ARCHIVE_SUFFIXES, *PACKED_SUFFIXES) or is_recording(file, passed_over)

    for below in files_below(path, is_wanted, passed_over) if is_folder(path) else (path,):
        yield from _in_file(below)


def _in_file(path: Path) -> Iterator[Entry]:
    suffix = path.suffix.lower()
    if suffix in ARCHIVE_SUFFIXES:
        yield from recordings_inside(path)
    elif suffix in PACKED_SUFFIXES:
        yield Entry(path=str(path), refused=PACKED)
    else:
        yield Entry(path=str(path), size=_size(path))


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except (OSError, ValueError):
        return None
