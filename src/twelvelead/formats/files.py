"""How any file is opened, plain ones only, no larger than a recording can be; and how one is written: whole."""

import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

from twelvelead.record import RecordError
from twelvelead.wording import printable

MAX_VALUES: Final = 27_000_000  # samples of all leads together: 75 minutes of twelve at 500 Hz, some 400 MB while read
MAX_STREAM_BYTES: Final = 1 << 26
BEGINNING_BYTES: Final = 4096
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
)


@dataclass(frozen=True, kw_only=True)
class Given:
    """One recording as it was given: a file, or bytes in memory; and what whoever gave it says about it.

    file, beside: of bytes in memory, their file's name, where that is known, and the other files of its folder by name,
    or None where these are not; of a file, its folder is looked into.
    rate_hz, unit: for the formats that cannot state them, CSV without such a header and NPY; else None.
    """

    name: str
    path: Path | None = None
    held: bytes = b""
    file: str = ""
    beside: Mapping[str, bytes] | None = None
    rate_hz: float | None = None
    unit: str | None = None

    def content(self, *, at_most: int) -> bytes:
        """All bytes; raises RecordError where they are more than `at_most`, or the file cannot be opened."""
        if self.path is not None:
            whole = len(self.beginning) < BEGINNING_BYTES
            return self.beginning if whole else read_bytes(self.path, at_most=at_most)
        if len(self.held) > at_most:
            raise RecordError(f"{len(self.held):,} bytes: at most {at_most:,} are read; split the recording")
        return self.held

    def part(self, offset: int, length: Callable[[int], int]) -> tuple[bytes, int]:
        """So many bytes from `offset` on, and how many there are in all, by which `length` says how many are read."""
        if self.path is not None:
            return part_of(self.path, offset, length)
        return self.held[offset : offset + length(len(self.held))], len(self.held)

    def neighbour(self, name: str) -> "Given":
        """The file of that name in the same folder; raises RecordError where it was not given."""
        if self.path is not None:
            return Given(name=name, path=self.path.parent / name)
        shown = printable(name)  # bytes that are no UTF-8 came another way, and may have been replaced on it
        for each in (name, shown):
            if self.beside is not None and each in self.beside:
                return Given(name=each, held=self.beside[each])
        raise RecordError(f"{shown}, which the header names, is not there: give all files of a record together")

    @cached_property
    def beginning(self) -> bytes:
        """The first bytes, enough to recognise the format."""
        return self.held[:BEGINNING_BYTES] if self.path is None else beginning_of(self.path)


def refuse_too_many(n_values: int) -> None:
    """Raise RecordError where samples are more than can be read within bounded memory."""
    if n_values > MAX_VALUES:
        raise RecordError(f"{n_values:,} samples in all leads: at most {MAX_VALUES:,} are read; split the recording")


def size_of(path: Path) -> int:
    """Size of a plain file in bytes."""
    return part_of(path, 0, lambda _: 0)[1]


def read_bytes(path: Path, *, at_most: int) -> bytes:
    """The bytes of a plain file; raises RecordError where they are more than `at_most`."""

    def length(size: int) -> int:
        if size > at_most:
            raise RecordError(f"{path.name} has {size:,} bytes: at most {at_most:,} are read; split the recording")
        return size

    return part_of(path, 0, length)[0]


def parts_of(path: Path, offset: int, sizes: Iterable[int]) -> Iterator[bytes]:
    """The bytes of a plain file from `offset` on, in parts of the given sizes, one in memory at a time."""
    with open_plain(path) as file:
        file.seek(offset)
        for size in sizes:
            part = file.read(size)
            if len(part) < size:
                raise RecordError(f"{path.name} became shorter while it was read: read it again")
            yield part


def beginning_of(path: Path) -> bytes:
    """The first bytes of a plain file, enough to recognise its format."""
    return part_of(path, 0, lambda _: BEGINNING_BYTES)[0]


def part_of(path: Path, offset: int, length: Callable[[int], int]) -> tuple[bytes, int]:
    """As `Given.part`, of a plain file; without a file object, which takes as long as all the rest."""
    handle, size = _handle_of(path)
    try:
        wanted = length(size)
        if offset:
            os.lseek(handle, offset, os.SEEK_SET)
        data = os.read(handle, wanted)
        while len(data) < wanted and (more := os.read(handle, wanted - len(data))):
            data += more
        return data, size
    finally:
        os.close(handle)


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading bytes; a pipe, a device, a folder or a link as its last part is refused."""
    return os.fdopen(_handle_of(path)[0], "rb")


def _handle_of(path: Path) -> tuple[int, int]:
    """The handle of a regular file, and its size in bytes."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        reason = (
            "it is a link; name or copy the file that it leads to"
            if os.path.islink(path)  # noqa: PTH114  # which never raises
            else getattr(error, "strerror", None) or str(error)
        )
        raise RecordError(f"{path.name} cannot be opened: {reason}") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise RecordError(f"{path.name or path} is not a plain file: name a file that holds a recording")
    return handle, found.st_size


def write_whole(path: Path, content: bytes, *, for_good: bool = False) -> None:
    """Write beside the place and rename into it: nobody finds half a file, and an old one is there until then.

    for_good: on the disk before it is renamed, so that it is whole after a power cut too.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")  # other machines have the same process numbers
    try:
        with beside.open("wb") as file:
            file.write(content)
            if for_good:
                file.flush()
                os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
