"""What lies in a tar or zip archive, listed without unpacking it, and one member's bytes.

Sources: tar and pax by `tarfile`; zip by PKWARE's APPNOTE 6.3.10. A zip's directory is read here, entry by entry,
because `zipfile` holds all of it in memory.
"""

import os
import re
import stat
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from twelvelead.record import RecordError

MAX_MEMBER_BYTES: Final = 128 << 20
MAX_RATIO: Final = 200
SMALL_BYTES: Final = 1 << 20
MAX_EXTENSION_BYTES: Final = 1 << 16
MAX_EXTENSIONS: Final = 100
MOST: Final = 1 << 60
MAX_NAME_BYTES: Final = 4096
ARCHIVE_SUFFIXES: Final = (".tar", ".zip")
PACKED_SUFFIXES: Final = (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar", ".z")
PACKED: Final = "packed: unpack it first; of archives, plain tar and zip are read"
_PACKED_SIGNS: Final = (b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_BZIP2: Final = re.compile(rb"BZh[1-9]1AY&SY")
NO_PLAIN_FILE: Final = "not a plain file: a link, a device or sparse; unpack the archive, and name its folder"
MAX_SHOWN: Final = 200
STORED: Final = 0
DEFLATED: Final = 8
ZIP_SIGNS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # a member, an empty one's end, one of parts
_EXTENSIONS: Final = (b"x", b"g", b"X", b"L", b"K")  # of pax and GNU
_ENCRYPTED: Final = 0x1
_UNIX: Final = 3
_UTF8: Final = 0x800
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_TOLD_ELSEWHERE: Final = 0xFFFFFFFF
_COUNTED_UP_TO: Final = 1 << 16


class Member(NamedTuple):
    """A file within an archive: where it begins, its size, and as what it is stored there; all in bytes.

    refused: why it cannot be read, else empty.
    """

    name: str
    offset: int
    size: int
    stored: int
    method: int = STORED
    crc: int | None = None
    refused: str = ""


class Damaged(Exception):  # noqa: N818  # it becomes a row of the archive's results and never leaves the room
    """An archive that ends early or contradicts itself: what was found of it, and from where on nothing is known."""


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so is a zip, or a tar of this century: older ones bear no mark."""
    return start[:4] in ZIP_SIGNS or start[257:262] == b"ustar"


def members_of(file: BinaryIO) -> Iterator[Member]:
    """Every file in a tar or zip archive, in its order; raises Damaged where it cannot be followed further."""
    try:
        start = file.read(tarfile.BLOCKSIZE)
        if start.startswith(_PACKED_SIGNS) or _BZIP2.match(start):  # whatever it is called
            raise Damaged(PACKED)
        yield from _zip_members(file) if start[:4] in ZIP_SIGNS else _tar_members(file)
    except (OSError, struct.error, tarfile.TarError, ValueError, OverflowError, EOFError, IndexError) as error:
        raise Damaged(f"the archive is damaged or no tar or zip ({printable_reason(error)}): fetch it again") from error


def printable_reason(error: Exception) -> str:
    """An error's own words, or its kind where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class _Bounded(tarfile.TarInfo):
    """A header of tar whose extensions (long names, pax) are small and few in a row.

    tarfile takes each into memory whole, and calls itself for what follows it.
    """

    n_in_a_row = 0

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Bounded":
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENSIONS and header.size > MAX_EXTENSION_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes: at most {MAX_EXTENSION_BYTES:,} are read")
        cls.n_in_a_row = cls.n_in_a_row + 1 if header.type in _EXTENSIONS else 0
        if cls.n_in_a_row > MAX_EXTENSIONS:
            raise tarfile.ReadError(f"more than {MAX_EXTENSIONS} headers before one member")
        return header


def _tar_members(file: BinaryIO) -> Iterator[Member]:
    class Header(_Bounded):
        """It counts those of this archive."""

    at = file.seek(0)
    with tarfile.open(fileobj=file, mode="r:", tarinfo=Header) as tar:
        while (found := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # else it would remember every one
            if not (at < tar.offset < MOST and found.size >= 0):  # or tarfile would go round for ever
                raise ValueError(f"a member of {found.size:,} bytes")
            at = tar.offset
            if found.isdir() or (found.islnk() and found.linkname == found.name):  # GNU tar's mark of one named twice
                continue
            yield _checked(Member(found.name, found.offset_data, found.size, found.size, refused=_no_file(found)))
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise Damaged(f"the archive is damaged or cut short at byte {tar.offset:,}; what follows was not read")
        while padding := file.read(1 << 20):
            if padding.count(0) < len(padding):
                raise Damaged(
                    f"another archive follows the end of this one at byte {tar.offset:,} and was not read: "
                    f"part them, or join them with `tar --concatenate`"
                )


def _no_file(found: tarfile.TarInfo) -> str:
    """Why a member of a tar is no plain file; empty where it is one."""
    if found.islnk():  # as backups keep what they have already
        return f"a hard link to {found.linkname[:MAX_SHOWN]}, not a plain file: unpack the archive, and name its folder"
    return "" if found.isreg() and not found.issparse() else NO_PLAIN_FILE


def _zip_members(file: BinaryIO) -> Iterator[Member]:
    n_entries, n_bytes, at = _zip_directory(file)
    file.seek(at)
    n_read = read = 0
    while read < n_bytes:  # whatever its count says: of more than 65,535 some programs only keep the rest
        start = file.read(_ENTRY.size)
        if n_read >= n_entries and start[:4] != b"PK\x01\x02":
            break  # a signature
        entry = _ENTRY.unpack(start)
        sign, _, _, flags, method, _, _, crc, stored, size, n_name, n_extra, n_comment = entry[:13]
        if sign != b"PK\x01\x02":
            raise ValueError(f"entry at byte {at + read:,} is none")
        name, extra = file.read(n_name), file.read(n_extra)
        file.seek(n_comment, os.SEEK_CUR)
        n_read, read = n_read + 1, read + _ENTRY.size + n_name + n_extra + n_comment
        if read > n_bytes:
            raise ValueError("more entries than its directory has room for")
        size, stored, offset = _wide(extra, size, stored, entry[16])
        if max(size, stored, offset) >= MOST:
            raise ValueError(f"a member of {size:,} bytes at byte {offset:,}")
        shown = name.decode("utf-8" if flags & _UTF8 else "cp437", "surrogateescape")
        shown = shown.replace("\\", "/")  # as older programs on Windows part folders, against the format's word
        if not shown.endswith("/"):
            made_by, mode = entry[1] >> 8, entry[15] >> 16
            is_link = made_by == _UNIX and stat.S_ISLNK(mode)
            refused = "encrypted: decrypt the archive" if flags & _ENCRYPTED else NO_PLAIN_FILE if is_link else ""
            yield _checked(Member(shown, offset, size, stored, method, crc, refused))
    if (n_read - n_entries) % _COUNTED_UP_TO:
        raise ValueError(f"its directory holds {n_read:,} entries and counts {n_entries:,}")


def _zip_directory(file: BinaryIO) -> tuple[int, int, int]:
    """(entries, bytes, first byte) of the directory at a zip's end."""
    total = file.seek(0, os.SEEK_END)
    tail_at = max(0, total - _END.size - 0xFFFF)
    file.seek(tail_at)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise ValueError("its directory is missing")
    _, disk, _, _, n_entries, n_bytes, at, _ = _END.unpack_from(tail, found)
    locator = found - _LOCATOR_64.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        file.seek(_LOCATOR_64.unpack_from(tail, locator)[2])
        sign, _, _, _, disk, _, _, n_entries, n_bytes, at = _END_64.unpack(file.read(_END_64.size))
        if sign != b"PK\x06\x06":
            raise ValueError("its zip64 directory is missing")
    if disk or at + n_bytes > total:
        raise ValueError("its directory lies outside of it")
    return n_entries, n_bytes, at


def _wide(extra: bytes, *narrow: int) -> tuple[int, ...]:
    """Size, stored size and offset, each from the zip64 field where the entry says that it is told there."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            return tuple(next(values, value) if value == _TOLD_ELSEWHERE else value for value in narrow)
        at += 4 + length
    return narrow


def _checked(member: Member) -> Member:
    """The member, refused where its bytes would be too many, too well packed, or packed in another way."""
    if member.refused:
        return member
    refused = ""
    if len(member.name) > MAX_NAME_BYTES:
        refused = f"a name of {len(member.name):,} characters: at most {MAX_NAME_BYTES:,} are read"
    elif Path(member.name).suffix.lower() in (*ARCHIVE_SUFFIXES, *PACKED_SUFFIXES):
        refused = "an archive within an archive: take it out, and name it by itself"
    elif member.size > MAX_MEMBER_BYTES:
        refused = f"{member.size:,} bytes: at most {MAX_MEMBER_BYTES:,} of a member are read; take it out"
    elif member.size > SMALL_BYTES and member.size > MAX_RATIO * member.stored:
        refused = f"{member.stored:,} bytes stand for {member.size:,}: no recording packs so well"
    elif member.method not in (STORED, DEFLATED):
        refused = f"packed by method {member.method}: plain and deflated members are read; pack the archive anew"
    return member._replace(name=member.name[:MAX_NAME_BYTES], refused=refused)


def bytes_of(file: BinaryIO, member: Member, *, only: int | None = None) -> bytes:
    """The bytes of a member, or its first `only`; raises RecordError where they are not what the archive declares."""
    wanted = member.size if only is None else min(only, member.size)
    try:
        begin = member.offset if member.crc is None else _after_local_header(file, member)
        file.seek(begin)
        content = file.read(wanted if member.method == STORED else min(member.stored, 2 * wanted + SMALL_BYTES))
        if member.method == DEFLATED:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, wanted + 1)[: wanted + (only is None)]
    except (OSError, struct.error, zlib.error, ValueError, OverflowError) as error:
        raise RecordError(f"cannot be taken out of its archive ({printable_reason(error)}): fetch it again") from error
    if len(content) != wanted or (only is None and member.crc is not None and zlib.crc32(content) != member.crc):
        raise RecordError("not what its archive declares (size or checksum): the archive is damaged; fetch it again")
    return content


def _after_local_header(file: BinaryIO, member: Member) -> int:
    file.seek(member.offset)
    sign, *_, n_name, n_extra = _LOCAL.unpack(file.read(_LOCAL.size))
    if sign != b"PK\x03\x04":
        raise ValueError("no member begins there")
    return member.offset + _LOCAL.size + int(n_name) + int(n_extra)
