"""Path, bytes or file object -> Record: the formats that can be read, recognised by what a file holds."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from twelvelead.formats import (
    aecg,
    alivecor,
    cardiosoft,
    cpsc2018,
    dicom,
    edf,
    edf_stream,
    ishne,
    ishne_stream,
    mfer,
    mortara,
    muse,
    scp,
    sierra,
    table,
    wfdb,
    wfdb_stream,
)
from twelvelead.formats.files import MAX_STREAM_BYTES, Given, beginning_of
from twelvelead.formats.wfdb_header import signal_files_of_all
from twelvelead.record import LEADS, NOTHING_MOVES, Record, RecordError
from twelvelead.stream import Stream


class Format(NamedTuple):
    """One family of files: its name, how its first bytes are told, how it is read, and left unread where it is long."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Given], Record]
    needs_rate_and_unit: bool = False
    open: Callable[[Given], Record | Stream] | None = None


FORMATS: Final = (
    Format("WFDB header (.hea)", wfdb.is_header, wfdb.read, open=wfdb_stream.recording),
    Format("DICOM waveform", dicom.is_dicom, dicom.read),
    Format("SCP-ECG", scp.is_scp, scp.read),
    Format("HL7 aECG", aecg.is_aecg, aecg.read),
    Format("GE MUSE XML", muse.is_muse, muse.read),
    Format("GE CardioSoft XML", cardiosoft.is_cardiosoft, cardiosoft.read),
    Format("Philips Sierra XML", sierra.is_sierra, sierra.read),
    Format("Mortara ELI XML", mortara.is_mortara, mortara.read),
    Format("EDF, EDF+ or BDF", edf.is_edf, edf.read, open=edf_stream.recording),
    Format("ISHNE", ishne.is_ishne, ishne.read, open=ishne_stream.recording),
    Format("CPSC2018's own .mat", cpsc2018.is_matlab, cpsc2018.read),
    Format("AliveCor JSON (always refused)", alivecor.is_alivecor, alivecor.read),
    Format("NPY", table.is_npy, table.read_npy, needs_rate_and_unit=True),
    Format("CSV", table.is_csv, table.read_csv, needs_rate_and_unit=True),
    Format("MFER", mfer.is_mfer, mfer.read),
)
SIGNAL_SUFFIXES: Final = (".dat", ".mat")
HEADER_SUFFIXES: Final = (".hea", ".HEA")
CLAIMING_SUFFIXES: Final = (".hea", ".dcm", ".mat", ".scp", ".edf", ".bdf", ".mwf", ".mfer")


Source = Path | str | bytes | BinaryIO | Given


def read(source: Source, *, rate_hz: float | None = None, unit: str | None = None) -> Record:
    """Read one recording into millivolts, whatever its format.

    source: a path, the bytes of a file, or a file open for reading bytes. A WFDB record may be named by its header, by
    a signal file beside its header, or without a suffix, and only by a path, since its samples are in another file; or
    it is a `Given` with the bytes of its header and of the files beside it.
    rate_hz, unit: for CSV and NPY, where the file does not state them itself.
    Raises RecordError, with the way out, on whatever is no 12-lead ECG.
    """
    return _read(*_recognised(_given(source, rate_hz, unit)))


def open_recording(path: Path | str) -> Record | Stream:
    """Read one recording as `read` does, or leave it where it is and read it as it is used.

    The latter where it lasts 5 minutes or more, in WFDB (without FLAC), EDF, BDF or ISHNE.
    Raises RecordError as `read`; a stream raises the rest of what is wrong when it is passed through.
    """
    form, given = _recognised(_given(path, None, None))
    if form.open is None:
        return _read(form, given)
    recording = form.open(given)
    return recording if isinstance(recording, Stream) else _moving(recording)


def _read(form: Format, given: Given) -> Record:
    rate_hz, unit = given.rate_hz, given.unit
    if not form.needs_rate_and_unit and (rate_hz, unit) != (None, None):
        raise RecordError(f"{form.name} states rate and unit itself: give neither")
    return _moving(form.read(given))


def _moving(record: Record) -> Record:
    if len(record.flat_leads) == len(LEADS):
        raise RecordError(NOTHING_MOVES)
    return record


def format_name(path: Path | str) -> str:
    """The name of a file's format, as `read` recognises it; raises RecordError where it is none."""
    return _recognised(_given(path, None, None))[0].name


def _recognised(given: Given) -> tuple[Format, Given]:
    """The format, and what to read: the header where a signal file was given."""
    start = given.beginning
    if found := next((form for form in FORMATS if form.recognises(start)), None):
        return found, given
    file = given.path or Path(given.file)
    if file.suffix.lower() in SIGNAL_SUFFIXES:
        if given.path is not None and (header := header_beside(given.path)) is not None:
            return FORMATS[0], replace(given, name=header.stem, path=header)
        raise RecordError(f"a signal file without its header {file.stem}.hea: give the header with it, beside it")
    if not start:
        raise RecordError("it is empty: fetch it again")
    allowed = ", ".join(form.name for form in FORMATS)
    raise RecordError(f"starts with {_shown(start[:8])}, which is none of the formats that can be read: {allowed}")


def _shown(start: bytes) -> str:
    """As text where it is, else in hexadecimal; in quotation marks either way, so that reasons can be told apart."""
    is_text = all(32 <= byte < 127 and byte != ord('"') for byte in start)
    return f'"{start.decode("ascii")}"' if is_text else f'the bytes "{start.hex(" ")}"'


def _given(source: Source, rate_hz: float | None, unit: str | None) -> Given:
    if isinstance(source, Given):
        if rate_hz is None and unit is None:
            return source
        return replace(source, rate_hz=rate_hz or source.rate_hz, unit=unit or source.unit)
    if isinstance(source, bytes | bytearray | memoryview):
        return Given(name="recording", held=bytes(source), rate_hz=rate_hz, unit=unit)
    if not isinstance(source, str | os.PathLike):
        held = source.read(MAX_STREAM_BYTES + 1)
        if not isinstance(held, bytes) or len(held) > MAX_STREAM_BYTES:
            raise RecordError(f"a file object must give bytes, at most {MAX_STREAM_BYTES:,} of them: give its path")
        file = Path(str(getattr(source, "name", "recording")))
        return Given(name=file.stem, held=held, file=file.name, rate_hz=rate_hz, unit=unit)
    path = source if isinstance(source, Path) else Path(source)  # once more would take as long as opening it
    try:
        if (
            path.suffix.lower() != ".hea"
            and not path.exists()
            and (named := path.with_name(path.name + ".hea")).is_file()
        ):
            path = named
    except (OSError, ValueError):
        pass  # what is no possible name is refused when it is opened
    return Given(name=path.stem, path=path, rate_hz=rate_hz, unit=unit)


def recordings_in(folder: Path) -> list[Path]:
    """Every file below a folder that is a recording or claims by its suffix to be one, sorted.

    What cannot be looked into, a file or a folder, is among them, so that reading it says why.
    """
    return list(files_below(folder, is_recording))


def files_below(
    folder: Path, wanted: Callable[[Path], bool], passed_over: "PassedOver | None" = None
) -> Iterator[Path]:
    """The files below a folder that are wanted, and the folders that cannot be looked into, in the order of paths.

    Names that begin with a dot are passed over and links to folders are not followed. At any time the names of one
    folder, and of those above it, are held.
    passed_over: counts the links to folders.
    """
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if not entry.name.startswith(".")]
            found = sorted((entry.name, is_folder(entry), entry.is_symlink()) for entry in seen)
    except OSError:
        yield folder
        return
    for name, has_files, is_link in found:
        path = folder / name
        if not has_files:
            if wanted(path):
                yield path
        elif not is_link:
            yield from files_below(path, wanted, passed_over)
        elif passed_over is not None:
            passed_over.add(path)


def is_folder(path: Path | os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one; what cannot be looked at is none, so that reading it says why."""
    try:
        return path.is_dir()
    except OSError:
        return False


class PassedOver:
    """What in folders is neither a recording nor the samples of one, links too: how many, and the first of them."""

    def __init__(self) -> None:
        self.n = 0
        self.first: Path | None = None

    def add(self, path: Path) -> None:
        """Count one."""
        self.n += 1
        self.first = self.first or path

    def __str__(self) -> str:
        return f"passed over in the folders, as no recordings or links: {self.n:,}, such as {self.first}"


def is_recording(path: Path, passed_over: PassedOver | None = None) -> bool:
    """Whether a file is a recording of its own, or claims by its suffix to be one.

    passed_over: counts it if it is not, nor the samples of one.
    """
    if path.name.startswith("."):
        return False
    try:
        if is_part(path.name, lambda header: path.with_name(header).is_file(), lambda: _is_named_beside(path)):
            return False
        is_one = claims(path.name) or _begins_as_one(path)
    except OSError:  # of a folder that may be listed and not entered: reading it says why
        is_one = True
    if passed_over and not is_one:
        passed_over.add(path)
    return is_one


def _begins_as_one(path: Path) -> bool:
    """By its first bytes; true also of what cannot be opened, so that reading it says why."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        return is_known(beginning_of(path))
    except RecordError:
        return True


def is_part(name: str, is_there: Callable[[str], bool], is_named: Callable[[], bool]) -> bool:
    """Whether a file only holds the samples of a WFDB header beside it.

    is_there: says whether a name is. is_named: whether a header beside it names it, asked only where none has its name.
    """
    file = Path(name)
    if file.suffix.lower() not in SIGNAL_SUFFIXES:
        return False
    return any(is_there(file.stem + header) for header in HEADER_SUFFIXES) or is_named()


def _is_named_beside(path: Path) -> bool:
    return path.name in signal_files_of_all(path.parent, path.parent.stat().st_mtime_ns)


def claims(name: str) -> bool:
    """Whether a file says by its suffix that it is a recording."""
    return Path(name).suffix.lower() in CLAIMING_SUFFIXES


def is_known(start: bytes) -> bool:
    """Whether a file that begins so is of one of the formats."""
    return any(form.recognises(start) for form in FORMATS)


def header_beside(path: Path) -> Path | None:
    """The header of a signal file's name, where there is one."""
    headers = (path.with_suffix(suffix) for suffix in HEADER_SUFFIXES)
    return next((header for header in headers if header.is_file()), None)
