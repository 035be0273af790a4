"""What a worker does with a body: multipart -> files in a private folder -> recordings ready for the network.

Everything a stranger sent is parsed here, in a process that may crash, hang or be killed.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from twelvelead.formats import SIGNAL_SUFFIXES, read
from twelvelead.formats.wfdb_header import read_header
from twelvelead.record import Record, RecordError, printable
from twelvelead.signals.prepared import Prepared, prepare
from twelvelead.signals.recipe import Recipe

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD: Final = "files"
MAX_FILES: Final = 256
MAX_NAME_CHARACTERS: Final = 200
MAX_HEADER_BYTES: Final = 4096
MAX_SIGNAL_S: Final = 3 * 3600
_PLAIN = re.compile(r"\w[\w .+-]{0,99}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Refusal:
    """A body of which nothing can be read: the status and the sentence to answer."""

    status: int
    detail: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """One recording of an upload: ready for the network, or refused in a sentence.

    path: the client's name for it, as text. record: only where the caller asked for it.
    """

    path: str
    prepared: Prepared | None = None
    record: Record | None = None
    error: str = ""


@dataclass(frozen=True)
class Upload:
    """One file as the client sent it."""

    name: str
    content: bytes


def read_uploads(
    body: bytes, content_type: str, folder: str, recipe: Recipe, with_records: bool
) -> list[Reading] | Refusal:
    """Every recording of a multipart body; within `folder` one is made, used and removed."""
    try:
        uploads = _uploads(body, content_type)
    except _UploadError as error:
        return error.args[0]  # type: ignore[no-any-return]
    private = Path(tempfile.mkdtemp(dir=folder))
    try:
        written = _write(uploads, private)
        return list(_readings(written, recipe, with_records))
    finally:
        shutil.rmtree(private, ignore_errors=True)


class _UploadError(Exception):
    pass


def _refuse(status: int, detail: str) -> _UploadError:
    return _UploadError(Refusal(status, detail))


def _uploads(body: bytes, content_type: str) -> list[Upload]:
    """The files of a multipart body, in their order; raises _UploadError."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _refuse(400, "multipart without a boundary: let the program that sends it set the content type")
    found: list[Upload] = []
    headers: dict[str, bytes] = {}
    now = {"field": bytearray(), "value": bytearray(), "data": bytearray()}
    ended: list[bool] = []

    def grow(part: str, data: bytes, start: int, end: int) -> None:
        now[part] += data[start:end]
        if part != "data" and len(now[part]) > MAX_HEADER_BYTES:
            raise _refuse(400, f"a header of more than {MAX_HEADER_BYTES:,} bytes in a part: send plain file names")

    def begin() -> None:
        if len(found) == MAX_FILES:
            raise _refuse(413, f"more than {MAX_FILES} files: send them in several requests")
        headers.clear()
        now["data"] = bytearray()

    def end_header() -> None:
        headers[now["field"].decode("latin-1").lower()] = bytes(now["value"])
        now["field"], now["value"] = bytearray(), bytearray()

    def end_part() -> None:
        found.append(Upload(_file_name(headers), bytes(now["data"])))

    heard: MultipartCallbacks = {
        "on_part_begin": begin,
        "on_header_field": lambda data, start, end: grow("field", data, start, end),
        "on_header_value": lambda data, start, end: grow("value", data, start, end),
        "on_header_end": end_header,
        "on_part_data": lambda data, start, end: grow("data", data, start, end),
        "on_part_end": end_part,
        "on_end": lambda: ended.append(True),
    }
    try:
        MultipartParser(boundary, heard).write(body)
    except FormParserError:
        raise _refuse(400, "the body is no sound multipart/form-data: send it as a form with files would") from None
    if not ended:
        raise _refuse(400, "the multipart body ends before its last boundary: it was cut short; send it whole")
    if not found:
        raise _refuse(400, f"no file: send one or several in the multipart field '{FIELD}'")
    return found


def _file_name(headers: dict[str, bytes]) -> str:
    options = parse_options_header(headers.get("content-disposition", b""))[1]
    field = options.get(b"name", b"").decode("utf-8", "replace")
    if field != FIELD or b"filename" not in options:
        kind = "file" if b"filename" in options else "text"
        raise _refuse(422, f"{kind} field {printable(field[:40])!r}: only files in the field '{FIELD}' are taken")
    return options[b"filename"].decode("utf-8", "replace")


def _write(uploads: list[Upload], folder: Path) -> list[tuple[Upload, Path]]:
    """Write files under names of our own; beside a WFDB header plain names are kept, for it names its signal files."""
    parted = [re.split(r"[/\\]", upload.name) for upload in uploads]
    groups = list(dict.fromkeys(tuple(parts[:-1]) for parts in parted))
    with_header = {tuple(parts[:-1]) for parts in parted if parts[-1].lower().endswith(".hea")}
    written = []
    for number, (upload, parts) in enumerate(zip(uploads, parted, strict=True)):
        group, name = tuple(parts[:-1]), parts[-1]
        place = folder / str(groups.index(group))
        place.mkdir(mode=0o700, exist_ok=True)
        suffix = Path(name).suffix
        path = place / f"file-{number}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        if group in with_header and _is_plain(name) and not (place / name).exists():
            path = place / name
        path.write_bytes(upload.content)
        written.append((upload, path))
    return written


def _is_plain(name: str) -> bool:
    return _PLAIN.fullmatch(name) is not None and len(name.encode()) <= MAX_NAME_CHARACTERS


def _readings(written: list[tuple[Upload, Path]], recipe: Recipe, with_records: bool) -> Iterator[Reading]:
    """Each file that is a recording of its own, read, or refused in a sentence; never an exception."""
    companions = {signal for _, path in written for signal in _signals_of(path)}
    total_s = 0.0
    for upload, path in written:
        if path in companions:
            continue
        shown = printable(upload.name)[-MAX_NAME_CHARACTERS:]
        try:
            record = _named(read(path), upload.name)
            total_s += record.duration_s
            if total_s > MAX_SIGNAL_S:
                raise RecordError(f"{total_s / 3600:.1f} h of signal: at most 3 h a request; use `twelvelead classify`")
            prepared = prepare(record, recipe)
        except RecordError as error:
            yield Reading(path=shown, error=printable(str(error)).replace(path.stem, Path(shown).stem))
        except Exception as error:  # a reader's defect must cost this file only, and say nothing of its content
            yield Reading(path=shown, error=f"could not be read ({type(error).__name__}): the file is damaged")
        else:
            yield Reading(path=shown, prepared=prepared, record=record if with_records else None)


def _named(record: Record, client_name: str) -> Record:
    """The record under the client's name for its file, where it bears ours."""
    if not re.fullmatch(r"file-\d+", record.name):
        return record
    stem = Path(re.split(r"[/\\]", client_name)[-1]).stem
    return replace(record, name=stem[-MAX_NAME_CHARACTERS:] or "recording")


def _signals_of(path: Path) -> Iterator[Path]:
    """The signal files of a header: those that it names, and those of its own name."""
    if path.suffix.lower() != ".hea":
        return
    yield from (path.with_suffix(suffix) for suffix in SIGNAL_SUFFIXES)
    try:
        yield from (path.parent / signal.file for signal in read_header(path).signals if signal.file != path.name)
    except (RecordError, ValueError):
        return
