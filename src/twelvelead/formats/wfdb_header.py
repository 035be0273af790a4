"""The header of a WFDB record, read strictly; format: https://wfdb.io/spec/header-files.html."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from twelvelead.formats.files import read_bytes
from twelvelead.record import RecordError

MAX_HEADER_BYTES: Final = 1 << 20
MAX_LINE_CHARACTERS: Final = 4096
MAX_RATE_HZ: Final = 1e6
DEFAULT_RATE_HZ: Final = 250.0
DEFAULT_GAIN: Final = 200.0
LEAST_GAIN: Final = 1e-6
MOST_GAIN: Final = 1e15  # wfdb writes format 32 with gains of 5e9
NUMBERS: Final = ("ADC zero", "initial value", "checksum")
REPLACED: Final = "\ufffd"

NUMBER: Final = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
_GAIN = re.compile(rf"({NUMBER}|[a-z]+)(?:\(([-+]?\d{{1,10}})\))?(?:/(\S+))?", re.IGNORECASE)
_WHOLE = re.compile(r"\d{1,12}")
_INTEGERS = re.compile(r"[-+]?\d{1,12}(?: [-+]?\d{1,12})*")
_INTEGER = re.compile(r"[-+]?\d{1,12}")
_IN_NO_NAME = re.compile(r"[/\\:\0]")
_SEVERAL = re.compile(r"<([A-Za-z]+)>\s*:\s*([^<]*)")
_COMMENT = re.compile(r"#\s*<?([A-Za-z]+)>?\s*:\s*(.*)")


class SignalLine(NamedTuple):
    """One signal as its header line declares it; gain in ADC units per `unit`."""

    file: str
    format: int
    offset_bytes: int
    gain: float
    baseline: int
    unit: str
    initial: int | None
    checksum: int | None
    lead: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """A record's header: its rate, its signals, what its comments say (keys in lower case), and any warnings."""

    rate_hz: float
    n_samples: int | None
    signals: tuple[SignalLine, ...]
    comments: dict[str, str]
    warnings: tuple[str, ...]


def headers_in(folder: Path) -> Iterator[Path]:
    """The header files of a folder in the order of the disk, hidden ones left out."""
    return (path for path in folder.iterdir() if path.suffix.lower() == ".hea" and not path.name.startswith("."))


@lru_cache(maxsize=64)  # whoever walks through folders comes back to those above
def signal_files_of_all(folder: Path, changed_ns: int) -> frozenset[str]:
    """The names with which lines of a folder's headers begin; `changed_ns`: of the folder, as they are kept."""
    del changed_ns
    names: set[str] = set()
    for path in headers_in(folder):
        with suppress(RecordError):  # reading it says why
            names.update(first_words(read_bytes(path, at_most=MAX_HEADER_BYTES)))
    return frozenset(names)


def first_words(header: bytes) -> list[str]:
    """Those of its lines, comments left out: the names of record and signal files."""
    rows = (line.split(maxsplit=1) for line in header.decode("utf-8-sig", errors="surrogateescape").split("\n"))
    return list(dict.fromkeys(row[0] for row in rows if row and not row[0].startswith("#")))


def read_header(path: Path) -> Header:
    """Read a `.hea` file; raises RecordError on whatever contradicts the format or is not a plain ECG."""
    return parse_header(read_bytes(path, at_most=MAX_HEADER_BYTES))


def parse_header(data: bytes) -> Header:
    """The header in the bytes of a `.hea` file; raises as `read_header`."""
    text = data.decode("utf-8-sig", errors="replace")
    lines = text.split("\n")
    if max(map(len, lines)) > MAX_LINE_CHARACTERS:
        raise RecordError(f"header with a line of more than {MAX_LINE_CHARACTERS} characters: fetch it again")
    rows = _rows(lines)
    if REPLACED in text:  # the names of files may have any bytes, and are opened as they are
        exact = _rows(data.decode("utf-8-sig", errors="surrogateescape").split("\n"))
        rows = [[name, *row[1:]] for row, (name, *_) in zip(rows, exact, strict=True)]
    if not rows:
        raise RecordError("header without a record line: it must begin with name, signals, rate and samples")
    n_signals, rate_hz, n_samples, warnings = _record_line(rows[0])
    if len(rows) - 1 != n_signals:
        raise RecordError(f"header declares {n_signals} signals and describes {len(rows) - 1}: fetch it again")
    numbers = _numbers(rows[1:])
    if n_samples is None:  # then 0 stands for initial values and checksums that nobody knows
        numbers = [(zero, initial or None, checksum or None) for zero, initial, checksum in numbers]
    signals, notes = zip(*map(_signal_line, rows[1:], numbers, range(n_signals)), strict=True)
    return Header(
        rate_hz=rate_hz,
        n_samples=n_samples,
        signals=signals,
        comments=comments_of(lines),
        warnings=tuple(dict.fromkeys(chain(warnings, *notes))),
    )


def _rows(lines: list[str]) -> list[list[str]]:
    """The words of each line that is neither empty nor a comment."""
    return [row for line in lines if (row := line.split()) and not row[0].startswith("#")]


def comments_of(lines: Iterable[str]) -> dict[str, str]:
    """What comments such as `#Age: 74` or `#<age>: 65 <sex>: F` say, by key in lower case; the first one counts."""
    found: dict[str, str] = {}
    for line in map(str.lstrip, lines):
        if line.startswith("#") and (match := _COMMENT.match(line)):
            several = _SEVERAL.findall(line) if "<" in line else []
            for key, value in several if len(several) > 1 else [match.groups()]:
                found.setdefault(key.lower(), value.strip())
    return found


def _record_line(row: list[str]) -> tuple[int, float, int | None, list[str]]:
    """(signals, rate in Hz, samples per signal or None, warnings) of `name n_signals [rate [n_samples ...]]`."""
    if "/" in row[0]:
        raise RecordError(f"record of several segments ({row[0]}): convert it to one segment")
    n_signals = _whole(row[1], "number of signals") if len(row) > 1 else 0
    if not n_signals:
        raise RecordError("record line without a number of signals: it must be at least 1; correct the header")
    n_samples = _whole(row[3], "number of samples") if len(row) > 3 else 0
    if len(row) < 3:
        return (
            n_signals,
            DEFAULT_RATE_HZ,
            None,
            ["header states no rate: 250 Hz, the format's default, was taken"],
        )
    stated = row[2].split("/")[0].split("(")[0]
    rate_hz = float(stated) if re.fullmatch(NUMBER, stated) else math.nan
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise RecordError(
            f"sampling rate {row[2]!r}: it must be a positive number of Hz, at most {MAX_RATE_HZ:.0f}; "
            f"correct the header"
        )
    return n_signals, rate_hz, n_samples or None, []


def _signal_line(row: list[str], numbers: Sequence[int | None], index: int) -> tuple[SignalLine, tuple[str, ...]]:
    """A signal and its warnings, of `file format [gain [bits [zero [initial [checksum [block [name]]]]]]]`."""
    code, offset = _storage(row[1] if len(row) > 1 else "", index)
    gain, baseline, unit, warnings = _gain(row[2] if len(row) > 2 else "")
    zero, initial, checksum = numbers
    if baseline is None:
        baseline = zero or 0
    lead = row[8] if len(row) == 9 else " ".join(row[8:]) or f"signal {index + 1}"
    return SignalLine(_plain_name(row[0]), code, offset, gain, baseline, unit, initial, checksum, lead), warnings


@lru_cache(maxsize=256)
def _storage(field: str, index: int) -> tuple[int, int]:
    """(format, offset in bytes) of `16` or `16+24`."""
    declared = _FORMAT.fullmatch(field)
    if declared is None:
        raise RecordError(
            f"signal {index + 1} has format {field[:60]!r}: it must be one such as 16; correct the header"
        )
    code, per_frame, skew, offset = (int(group or 0) for group in declared.groups())
    if per_frame > 1 or skew:
        raise RecordError(f"signal {index + 1} has format {field}: convert it to one sample a frame without skew")
    return code, offset


@lru_cache(maxsize=256)
def _gain(field: str) -> tuple[float, int | None, str, tuple[str, ...]]:
    """(ADC units per unit, baseline or None, unit, warnings) of `1000`, `1000/mV`, `1000.0(0)/mV` or nothing."""
    if not field:
        return (
            DEFAULT_GAIN,
            None,
            "mV",
            ("header states no gain: 200 per mV, the format's default, was taken",),
        )
    match = _GAIN.fullmatch(field)
    gain = float(match[1]) if match and re.fullmatch(NUMBER, match[1]) else math.nan
    if gain != 0 and not LEAST_GAIN <= gain <= MOST_GAIN:
        raise RecordError(
            f"gain {field!r}: it must be a positive number of ADC units per unit, {LEAST_GAIN:g} to {MOST_GAIN:g}; "
            f"correct the header"
        )
    assert match is not None
    unit, baseline = match[3] or "mV", int(match[2]) if match[2] else None
    if gain == 0:
        said = f"header states a gain of 0, which is none: 200 per {unit}, the format's default, was taken"
        return DEFAULT_GAIN, baseline, unit, (said,)
    warnings = () if match[3] else ("header states no unit: mV, the format's default, was taken",)
    return gain, baseline, unit, warnings


@lru_cache(maxsize=256)
def _plain_name(name: str) -> str:
    if name in {"", ".", "..", "-", "~"} or _IN_NO_NAME.search(name):
        raise RecordError(f"signal file {name!r}: only a plain name of a file beside the header is opened")
    return name


def _whole(text: str, what: str, pattern: re.Pattern[str] = _WHOLE) -> int:
    if not pattern.fullmatch(text):
        raise RecordError(f"{what} {text!r}: it must be a whole number; correct the header")
    return int(text)


def _numbers(rows: list[list[str]]) -> list[Sequence[int | None]]:
    """ADC zero, initial value and checksum of each signal, as far as they are there.

    Looked at all at once, and one by one only where one is missing or wrong.
    """
    texts = [row[4:7] for row in rows]
    every = list(chain.from_iterable(texts))
    if len(every) == len(NUMBERS) * len(rows) and _INTEGERS.fullmatch(" ".join(every)):
        numbers = map(int, every)
        return list(zip(numbers, numbers, numbers, strict=True))
    found = [[_whole(text, what, _INTEGER) for text, what in zip(row, NUMBERS, strict=False)] for row in texts]
    return [[*row, *[None] * (len(NUMBERS) - len(row))] for row in found]
