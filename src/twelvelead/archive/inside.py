"""The recordings inside one tar or zip archive, found without unpacking it and without holding its names in memory."""

import errno
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from twelvelead.archive.entries import Entry
from twelvelead.archive.members import ARCHIVE_SUFFIXES, PACKED_SUFFIXES, Damaged, Member, bytes_of, members_of
from twelvelead.formats import HEADER_SUFFIXES, claims, is_known, is_part
from twelvelead.formats.files import BEGINNING_BYTES, open_plain
from twelvelead.formats.wfdb_header import MAX_HEADER_BYTES, first_words
from twelvelead.record import RecordError

MAX_SIGNAL_FILES: Final = 64
_TABLE: Final = """create table members (
    folder blob, name blob, offset, size, stored, method, crc, refused, unique (folder, name) on conflict replace)"""
_NAMED: Final = "create table named (folder blob, name blob, unique (folder, name) on conflict ignore)"
_COLUMNS: Final = "offset, size, stored, method, crc, refused from members"


def recordings_inside(path: Path) -> Iterator[Entry]:
    """The recordings of a tar or zip in its order; where it is damaged, a last one for itself that says so."""
    try:
        file = open_plain(path)
    except RecordError as error:
        yield Entry(path=str(path), refused=str(error))
        return
    with file, closing(sqlite3.connect("")) as table:  # a nameless file: an archive may have millions of members
        trouble = _fill(table, file)
        for folder, name, *facts in table.execute(f"select folder, name, {_COLUMNS} order by rowid"):
            member = Member(_text(name), *facts)
            if _is_recording(table, file, folder, member):
                parts = {} if member.refused else _parts(table, file, folder, member)
                reasons = (f"{part.name}: {part.refused}" for part in parts.values() if part.refused)
                shown = "/".join(filter(None, [str(path), _text(folder), member.name]))
                yield Entry(path=shown, archive=str(path), parts=parts, refused=member.refused or next(reasons, ""))
    if trouble:
        yield Entry(path=str(path), refused=trouble)


def _fill(table: sqlite3.Connection, file: BinaryIO) -> str:
    """Put every member into the table; what ended it early, if anything did."""
    table.execute(_TABLE)
    table.execute(_NAMED)
    try:
        with _room():
            table.executemany("insert into members values (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, members_of(file)))
    except Damaged as error:
        return str(error)
    return ""


@contextmanager
def _room() -> Iterator[None]:
    """Raises OSError where the disk has none for the tables."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(errno.ENOSPC, f"no room to list an archive ({error})", tempfile.gettempdir()) from error


def _row(member: Member) -> tuple[object, ...]:
    folder, _, name = member.name.removeprefix("./").rpartition("/")
    return (_blob(folder), _blob(name), *member[1:])


def _blob(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _is_recording(table: sqlite3.Connection, file: BinaryIO, folder: bytes, member: Member) -> bool:
    """As `formats.is_recording` has it for files; an archive within the archive counts, so that it is named."""
    if any(part.startswith(".") and part.strip(".") for part in [*_text(folder).split("/"), member.name]):
        return False
    if is_part(
        member.name,
        lambda header: _member(table, folder, header) is not None,
        lambda: _is_named(table, file, folder, member.name),
    ):
        return False
    if claims(member.name) or member.name.lower().endswith((*ARCHIVE_SUFFIXES, *PACKED_SUFFIXES)):
        return True
    if member.refused:
        return False
    try:
        return is_known(bytes_of(file, member, only=BEGINNING_BYTES))
    except RecordError:
        return True


def _parts(table: sqlite3.Connection, file: BinaryIO, folder: bytes, member: Member) -> dict[str, Member]:
    """The recording's own file and, of a WFDB header or signal file, those that belong to it, refused ones too."""
    parts = {member.name: member}
    if not member.name.lower().endswith(HEADER_SUFFIXES) or member.size > MAX_HEADER_BYTES:
        return parts
    for name in _signal_files(file, member):
        if (part := _member(table, folder, name)) is not None:
            parts[name] = part
    return parts


def _is_named(table: sqlite3.Connection, file: BinaryIO, folder: bytes, name: str) -> bool:
    """Whether a line of a folder's headers begins with the name; each folder's are read once."""
    query = "select 1 from named where folder = ? and name = ?"
    if table.execute(query, (folder, b"")).fetchone() is None:  # the mark of what was read: no line begins so
        names = chain([""], _named_by_headers(table, file, folder))
        with _room():
            table.executemany("insert into named values (?, ?)", ((folder, _blob(each)) for each in names))
    return table.execute(query, (folder, _blob(name))).fetchone() is not None


def _named_by_headers(table: sqlite3.Connection, file: BinaryIO, folder: bytes) -> Iterator[str]:
    """The names with which lines of a folder's headers begin."""
    suffixes = tuple(map(_blob, HEADER_SUFFIXES))
    query = f"select name, {_COLUMNS} where folder = ? and substr(name, -4) in (?, ?) and refused = ''"
    for name, *facts in table.execute(query, (folder, *suffixes)):
        header = Member(_text(name), *facts)
        if header.size <= MAX_HEADER_BYTES:
            yield from _signal_files(file, header)


def _member(table: sqlite3.Connection, folder: bytes, name: str) -> Member | None:
    query = f"select {_COLUMNS} where folder = ? and name = ?"
    facts = table.execute(query, (folder, _blob(name))).fetchone()
    return None if facts is None else Member(name, *facts)


def _signal_files(file: BinaryIO, header: Member) -> list[str]:
    """The names with which the lines of a header begin; the reader then judges whether it is one."""
    try:
        return first_words(bytes_of(file, header))[:MAX_SIGNAL_FILES]
    except RecordError:
        return []
