"""What a worker does with a body: multipart -> files in memory -> recordings ready for the network.

Everything a stranger sent is parsed here, in a process that may crash, hang or be killed; none of it becomes a file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from twelvelead.formats import HEADER_SUFFIXES, SIGNAL_SUFFIXES, read
from twelvelead.formats.files import Given
from twelvelead.formats.wfdb import header_in
from twelvelead.record import Record, RecordError
from twelvelead.signals.prepared import Prepared, prepare
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import printable

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD: Final = "files"
MAX_FILES: Final = 256
MAX_NAME_CHARACTERS: Final = 200
MAX_HEADER_BYTES: Final = 4096
MAX_SIGNAL_S: Final = 3 * 3600
MAX_SAMPLES: Final = 40_000_000  # in all leads, before the network: more than a body of 16 bits each can hold
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_EXTENDED_NAME: Final = re.compile(rb";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^';]*'([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """A body of which nothing can be read: the status and the sentence to answer."""

    status: int
    detail: str


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadUpload:
    """One recording of an upload: ready for the network, or refused in a sentence.

    path: the client's name for it, as text. record: only where the caller asked for it, of the only recording.
    """

    path: str
    prepared: Prepared | None = None
    record: Record | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Upload:
    """One file as the client sent it: what it called it, the folders and the name in that, and its bytes."""

    sent_as: str
    folder: str
    name: str
    content: bytes


def read_uploads(body: bytes, content_type: str, recipe: Recipe, with_records: bool) -> list[ReadUpload] | Refusal:
    """Every recording of a multipart body, each file that is one of its own; with its record, there may be only one."""
    try:
        return list(_readings(_uploads(body, content_type), recipe, with_records))
    except _UploadError as error:
        return Refusal(*error.args)


class _UploadError(Exception):
    """The status and the sentence of a `Refusal`."""


def _uploads(body: bytes, content_type: str) -> list[Upload]:
    """The files of a multipart body, in their order; raises _UploadError."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _UploadError(400, "multipart without a boundary: let the program that sends it set the content type")
    found = [_upload(headers, data) for headers, data in _parts(body, boundary)]
    if not found:
        raise _UploadError(400, f"no file: send one or several in the multipart field '{FIELD}'")
    return found


def _upload(headers: dict[str, bytes], data: bytes) -> Upload:
    sent_as = _file_name(headers)
    folder, _, name = sent_as.replace("\\", "/").rpartition("/")
    return Upload(sent_as, folder, name, data)


def _parts(body: bytes, boundary: bytes) -> list[tuple[dict[str, bytes], bytes]]:
    """(headers by name in lower case, data) of each part; raises _UploadError on what is no sound multipart body."""
    found: list[tuple[dict[str, bytes], bytes]] = []
    headers: dict[str, bytes] = {}
    now = {"field": bytearray(), "value": bytearray(), "data": bytearray()}
    ended: list[bool] = []

    def grow(part: str, data: bytes, start: int, end: int) -> None:
        now[part] += data[start:end]
        if part != "data" and len(now[part]) > MAX_HEADER_BYTES:
            raise _UploadError(
                400, f"a header of more than {MAX_HEADER_BYTES:,} bytes in a part: send plain file names"
            )

    def begin() -> None:
        if len(found) == MAX_FILES:
            raise _UploadError(413, f"more than {MAX_FILES} files: send them in several requests")
        headers.clear()
        now["data"] = bytearray()

    def end_header() -> None:
        headers[now["field"].decode("latin-1").lower()] = bytes(now["value"])
        now["field"], now["value"] = bytearray(), bytearray()

    heard: MultipartCallbacks = {
        "on_part_begin": begin,
        "on_header_field": lambda data, start, end: grow("field", data, start, end),
        "on_header_value": lambda data, start, end: grow("value", data, start, end),
        "on_header_end": end_header,
        "on_part_data": lambda data, start, end: grow("data", data, start, end),
        "on_part_end": lambda: found.append((dict(headers), bytes(now["data"]))),
        "on_end": lambda: ended.append(True),
    }
    try:
        MultipartParser(boundary, heard, max_header_size=len(body)).write(body)  # `grow` has a limit, and says so
    except FormParserError:
        raise _UploadError(
            400, "the body is no sound multipart/form-data: send it as a form with files would"
        ) from None
    if not ended:
        raise _UploadError(400, "the multipart body ends before its last boundary: it was cut short; send it whole")
    return found


def _file_name(headers: dict[str, bytes]) -> str:
    disposition = headers.get("content-disposition", b"")
    options = parse_options_header(disposition)[1]
    field = options.get(b"name", b"").decode("utf-8", "replace")
    plain = options[b"filename"].decode("utf-8", "replace") if b"filename" in options else None
    name = _extended_name(disposition) or plain
    if field != FIELD or name is None:
        kind = "text" if name is None else "file"
        raise _UploadError(422, f"{kind} field {printable(field[:40])!r}: only files in the field '{FIELD}' are taken")
    return name


def _extended_name(disposition: bytes) -> str | None:
    """What `filename*` says, which some clients send for names beyond ASCII; source: RFC 5987."""
    found = _EXTENDED_NAME.search(_QUOTED.sub(b'""', disposition))  # a quoted value may look like a parameter
    if found is None:
        return None
    charset, value = found.groups()
    return unquote_to_bytes(value).decode("latin-1" if charset.lower() == b"iso-8859-1" else "utf-8", "replace")


def _readings(uploads: list[Upload], recipe: Recipe, with_records: bool) -> Iterator[ReadUpload]:
    """Each file that is a recording of its own, read, or refused in a sentence.

    Raises _UploadError, before any is read, where one with its record is wanted and there are others.
    """
    folders: dict[str, dict[str, bytes]] = defaultdict(dict)
    for upload in uploads:
        folders[upload.folder].setdefault(upload.name, upload.content)
    times = Counter((upload.folder, upload.name) for upload in uploads)
    records = {upload: _signal_files(upload) for upload in uploads if upload.name.endswith(HEADER_SUFFIXES)}
    companions = {(header.folder, name) for header, names in records.items() for name in names}
    mains = [upload for upload in uploads if (upload.folder, upload.name) not in companions]
    if with_records and len(mains) > 1:
        raise _UploadError(422, f"{len(mains)} recordings: a report is of one; send them one by one")
    taken = _Taken()
    for upload in mains:
        shown = printable(upload.sent_as)[-MAX_NAME_CHARACTERS:]
        try:
            for name in (upload.name, *records[upload]) if upload in records else ():
                if times[upload.folder, name] > 1:
                    raise RecordError(f"two files are called {name}: send their records one by one, or with folders")
            taken.refuse_beyond()
            record = _record(upload, folders[upload.folder])
            taken.add(record)
            taken.refuse_beyond()
            prepared = prepare(record, recipe)
        except RecordError as error:
            yield ReadUpload(path=shown, error=printable(str(error)))
        except Exception as error:  # a reader's defect must cost this file only, and say nothing of its content
            yield ReadUpload(path=shown, error=f"could not be read ({type(error).__name__}): the file is damaged")
        else:
            yield ReadUpload(path=shown, prepared=prepared, record=record if with_records else None)


@dataclass
class _Taken:
    """How much signal of one request was read: several headers may name one file, which is in the body once."""

    seconds: float = 0.0
    n_samples: int = 0

    def add(self, record: Record) -> None:
        self.seconds += record.duration_s
        self.n_samples += record.signal.size

    def refuse_beyond(self) -> None:
        if self.seconds > MAX_SIGNAL_S:
            raise RecordError(
                f"{self.seconds / 3600:.1f} h of signal: at most 3 h a request; use `twelvelead classify`"
            )
        if self.n_samples > MAX_SAMPLES:
            raise RecordError(
                f"{self.n_samples:,} samples in all leads: at most {MAX_SAMPLES:,} a request; send fewer recordings, "
                "or use `twelvelead classify`"
            )


def _record(upload: Upload, beside: dict[str, bytes]) -> Record:
    """What an upload holds, under the client's name for it."""
    title = printable(PurePosixPath(upload.name).stem)[-MAX_NAME_CHARACTERS:] or "recording"
    return read(Given(name=title, held=upload.content, file=upload.name, beside=beside))


def _signal_files(header: Upload) -> set[str]:
    """Names of the signal files of a header: those of its own name, and those that it names."""
    stem = PurePosixPath(header.name).stem
    files = {stem + suffix for suffix in SIGNAL_SUFFIXES}
    with suppress(RecordError, ValueError):  # reading it says why
        files.update(signal.file for signal in header_in(Given(name=stem, held=header.content)).signals)
    return files - {header.name}
