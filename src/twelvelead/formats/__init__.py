"""Path -> Record: the formats that can be read, recognised by what a file holds."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from twelvelead.formats import cpsc2018, dicom, wfdb
from twelvelead.formats.files import beginning_of
from twelvelead.record import Record, RecordError


class Format(NamedTuple):
    """One family of files: its name, how its first bytes are told, and how it is read."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], Record]


FORMATS: Final = (
    Format("WFDB header (.hea)", wfdb.is_header, wfdb.read),
    Format("DICOM waveform", dicom.is_dicom, dicom.read),
    Format("CPSC2018's own .mat", cpsc2018.is_matlab5, cpsc2018.read),
)
SIGNAL_SUFFIXES: Final = (".dat", ".mat")
CLAIMING_SUFFIXES: Final = (".hea", ".dcm", ".mat")


def read(path: Path | str) -> Record:
    """Read one recording into millivolts, whatever its format.

    A WFDB record may be named by its header, by a signal file beside its header, or without a suffix.
    Raises RecordError, with the way out, on whatever is no 12-lead ECG.
    """
    path = Path(path)
    if not path.exists() and (named := path.with_name(path.name + ".hea")).is_file():
        path = named
    start = beginning_of(path)
    for form in FORMATS:
        if form.recognises(start):
            return form.read(path)
    if path.suffix.lower() in SIGNAL_SUFFIXES:
        if (header := _header_beside(path)) is not None:
            return wfdb.read(header)
        raise RecordError(f"a signal file without its header {path.stem}.hea: put the header beside it")
    allowed = ", ".join(form.name for form in FORMATS)
    raise RecordError(f"starts with {start[:8]!r}, which is none of the formats that can be read: {allowed}")


def recordings_in(folder: Path) -> list[Path]:
    """Every file below a folder that is a recording or claims by its suffix to be one, sorted.

    What cannot be looked into, a file or a folder, is among them, so that reading it says why.
    """
    found: list[Path] = []
    closed: list[OSError] = []
    for here, below, files in os.walk(folder, onerror=closed.append):
        below[:] = [name for name in below if not name.startswith(".")]
        found += filter(_is_recording, (Path(here, name) for name in files))
    return sorted([*found, *(Path(error.filename) for error in closed)])


def _is_recording(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    suffix = path.suffix.lower()
    if suffix in SIGNAL_SUFFIXES and _header_beside(path) is not None:
        return False
    if suffix in CLAIMING_SUFFIXES:
        return True
    if path.is_symlink() or not path.is_file():
        return False
    try:
        start = beginning_of(path)
    except RecordError:
        return True
    return any(form.recognises(start) for form in FORMATS)


def _header_beside(path: Path) -> Path | None:
    headers = (path.with_suffix(suffix) for suffix in (".hea", ".HEA"))
    return next((header for header in headers if header.is_file()), None)
