"""CSV and NPY: bare numbers, whose rate and unit a header or whoever reads them must state; nothing is guessed.

CSV: `# rate_hz: 500` and `# unit: mV` before a line of lead names, then a line a sample, separated by comma,
semicolon or tab. NPY: a matrix of 12 leads in standard order x samples.
"""

import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given, refuse_too_many
from twelvelead.formats.wfdb_header import NUMBER
from twelvelead.record import (
    LEADS,
    STANDARDISED_UNIT,
    Record,
    RecordError,
    Unit,
    millivolts_per,
    record_from_leads,
    standard_lead,
)

WAY_OUT: Final = (
    "say so to `twelvelead convert` (--rate 500 --unit mV), whose file states both, "
    "or write `# rate_hz: 500` and `# unit: mV` before the names of a CSV"
)
MAX_CSV_BYTES: Final = 1 << 24
MAX_NPY_BYTES: Final = 1 << 27
MAX_HEADER_LINES: Final = 64
MAX_COLUMNS: Final = 64
MAX_LINE_CHARACTERS: Final = 1 << 13
SEPARATORS: Final = ",;\t"
QUOTATION_MARK: Final = '"'
ROW_NUMBERS: Final = ""
NUMBER_KINDS: Final = "iuf"
_STATED = re.compile(r"#\s*(?:rate_hz|unit)\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"#\s*([A-Za-z_]+)\s*:\s*(.*)")
_UNIT_IN_NAME = re.compile(r"[(\[]\s*([munµμ]?v)\s*[)\]]|[\s_]([munµμ]v)$", re.IGNORECASE)
_TIME_UNIT = r"(s|secs?|seconds?|ms|msecs?|milliseconds?)"
_TIME = re.compile(rf"(?:time|t)[\s_]*[(\[]?\s*{_TIME_UNIT}?\s*[)\]]?|{_TIME_UNIT}", re.IGNORECASE)
TIME_ERROR: Final = 0.01
MOST_UNEVEN_STEPS: Final = 1.5  # times in whole milliseconds are off by half of one
_BLANK_LINE = re.compile(r"^[ \t]*$", re.MULTILINE)
_THOUSANDS = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+") for mark in ",."}
_CELL = re.compile(r"[-+\d.eE\s]*")


def is_npy(start: bytes) -> bool:
    """Whether a file begins as NumPy's single arrays do."""
    return start.startswith(b"\x93NUMPY")


def is_csv(start: bytes) -> bool:
    """Whether text states a rate or unit, or begins with lead names or eight numbers or more, after any comments."""
    if b"\0" in start:
        return False
    lines = start.decode("utf-8-sig", errors="replace").splitlines()
    if any(_STATED.match(line) for line in lines[:MAX_HEADER_LINES]):
        return True
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    cells = _names(first)
    is_bare = len(cells) >= 8 and all(map(_CELL.fullmatch, cells)) and any(cell.strip() for cell in cells)
    return is_bare or sum(standard_lead(cell) is not None for cell in cells) >= 2


def read_csv(given: Given) -> Record:
    """Read a table with named columns; raises RecordError where names, rate or unit are not stated."""
    stated, line, rest, n_above = _head(given.content(at_most=MAX_CSV_BYTES).decode("utf-8-sig", errors="replace"))
    names = _column_names(line)
    rate_hz = _rate_hz(given, stated.get("rate_hz"))
    said = _unit(given, stated.get("unit") or _unit_of_all(names))
    _refuse_another_unit(names, said)
    columns = _numbers(rest, _separator(line), len(names), n_above).T
    _refuse_another_rate(names, columns, rate_hz)
    signal, unit = _scaled(columns, said)
    leads = dict(zip(names, signal, strict=True))
    leads.pop(ROW_NUMBERS, None)  # pandas and R write them in a first column without a name
    return record_from_leads(given.name, leads, rate_hz, unit=unit, age=stated.get("age"), sex=stated.get("sex"))


def _head(text: str) -> tuple[dict[str, str], str, str, int]:
    """What the comments state by name, the line of names below them, all that follows, and how many lines are above."""
    stated: dict[str, str] = {}
    rest = text.replace("\r\n", "\n").replace("\r", "\n")
    for n_above in range(1, MAX_HEADER_LINES + 2):
        line, _, rest = rest.partition("\n")
        if line.strip() and not line.startswith("#"):
            return stated, line, rest, n_above
        if match := _COMMENT.match(line.rstrip(SEPARATORS)):  # which spreadsheets add, as many as there are columns
            name, value = match[1].lower(), match[2].strip()
            if stated.setdefault(name, value) != value:
                raise RecordError(f"{name} is stated twice, as {stated[name]!r} and {value!r}: leave the wrong one out")
    raise RecordError(
        f"no lead names after {MAX_HEADER_LINES} lines of comments: leave some out, the names must follow"
    )


def _column_names(line: str) -> list[str]:
    names = _names(line)
    if not any(standard_lead(name) for name in names):
        raise RecordError(f"columns without lead names ({line[:40]!r}): begin the table with a line of them")
    if len(names) > MAX_COLUMNS:
        raise RecordError(f"{len(names)} columns: there may be {MAX_COLUMNS}; leave out what is no lead")
    if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
        raise RecordError(f"column {twice!r} is there twice: name each column once")
    return names


def _scaled(numbers: NDArray[np.generic], said: str) -> tuple[NDArray[np.float32], Unit]:
    """The numbers in millivolts, or as they are where they are said to be standardised."""
    with np.errstate(over="ignore"):
        signal = numbers.astype(np.float32)
        if said == STANDARDISED_UNIT:
            return signal, "NU"
        return signal * np.float32(millivolts_per(said)), "mV"


def _unit_of_all(names: list[str]) -> str | None:
    """The unit that the name of every lead states, if it is one."""
    units = {_unit_in(name).lower() for name in names if standard_lead(name)}
    return units.pop() or None if len(units) == 1 else None


def _unit_in(name: str) -> str:
    """The unit of a column such as `I (uV)` or `I_uV`; empty where its name states none."""
    found = _UNIT_IN_NAME.search(name)
    return (found[1] or found[2]) if found else ""


def _is_same_unit(one: str, other: str) -> bool:
    """Whether both are one voltage, however written, or both say that the numbers are standardised."""
    if STANDARDISED_UNIT in (one, other):
        return one == other
    return millivolts_per(one) == millivolts_per(other)


def _refuse_another_unit(names: list[str], unit: str) -> None:
    """Raise RecordError where a column such as `I (uV)` states another unit than the header."""
    for name in names:
        stated = _unit_in(name) if standard_lead(name) else ""
        if stated and not _is_same_unit(stated, unit):
            raise RecordError(f"column {name!r} states {stated}, the header {unit}: leave the wrong one out")


def _refuse_another_rate(names: list[str], columns: NDArray[np.float64], rate_hz: float) -> None:
    """Raise RecordError where a column of times, in seconds or milliseconds, goes at another rate than the header."""
    for name, times in zip(names, columns, strict=True):
        match = _TIME.fullmatch(name)
        if match is None or len(times) < 2 or not np.isfinite(times).all():
            continue
        step = float(times[-1] - times[0]) / (len(times) - 1)
        uneven = np.abs(times - np.linspace(times[0], times[-1], len(times)))
        if uneven.max() > MOST_UNEVEN_STEPS * abs(step):
            at = int(np.argmax(np.abs(np.diff(times) - step)))
            raise RecordError(
                f"column {name!r} goes from {times[at]:.15g} to {times[at + 1]:.15g} after row {at + 1}, and not in "
                f"even steps: samples are missing, or are there twice; cut the recording there"
            )
        unit = match[1] or match[2]
        if step == 1 and not unit:
            continue  # numbers of samples
        per_second = [1.0, 1000.0] if not unit else [1000.0] if unit.lower().startswith("m") else [1.0]
        if all(abs(step * rate_hz - per) > TIME_ERROR * per for per in per_second):
            raise RecordError(
                f"column {name!r} goes in steps of {step:.6g}, the header states {rate_hz:g} Hz: correct the wrong one"
            )


def read_npy(given: Given) -> Record:
    """Read a matrix of (12, n_samples) numbers; raises RecordError where rate or unit are not given."""
    data = given.content(at_most=MAX_NPY_BYTES)
    rate_hz, said = _rate_hz(given, None), _unit(given, None)
    array = _array(data)
    if array.ndim != 2 or array.shape[0] != len(LEADS) or array.dtype.kind not in NUMBER_KINDS:
        raise RecordError(
            f"array of {array.dtype} with shape {array.shape}: it must be numbers of shape (12, n_samples), leads in "
            f"the order {', '.join(LEADS)}"
        )
    refuse_too_many(array.size)
    signal, unit = _scaled(array, said)
    return record_from_leads(
        given.name,
        dict(zip(LEADS, signal, strict=True)),
        rate_hz,
        unit=unit,
        warnings=("an NPY file names no leads: the standard order was taken",),
    )


def _array(data: bytes) -> NDArray[np.generic]:
    """The array, read in place; raises RecordError on objects, and where bytes and shape disagree."""
    file = BytesIO(data[: 1 << 16])
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = header(file)
        if dtype.hasobject or any(size < 0 for size in shape):
            raise ValueError(f"it holds {dtype} of shape {shape}")
        flat = np.frombuffer(data, dtype, offset=file.tell())
        return flat.reshape(shape, order="F" if is_fortran else "C")
    except MemoryError:
        raise
    except Exception as error:  # NumPy's reader of headers raises many kinds on damaged ones
        raise RecordError(f"NPY file is damaged ({str(error)[:200]}): save the array again") from error


def _numbers(body: str, separator: str, n_columns: int, n_above: int) -> NDArray[np.float64]:
    """(n_samples, n_columns) of what is below so many lines; raises RecordError on one that is no row of numbers."""
    body = body.rstrip()
    if separator != "," and ("," in body) != ("." in body):
        _refuse_thousands(body, separator, "," if "," in body else ".")
        body = body.replace(",", ".")  # decimal commas
    if not body.strip():
        raise RecordError("a table without a line of numbers: there must be one a sample")
    if gap := _BLANK_LINE.search(body):
        number = n_above + body.count("\n", 0, gap.start()) + 1
        raise RecordError(f"line {number} is empty: a sample is missing there, or the line is too many")
    lines = StringIO(body)
    if (longest := max(map(len, lines))) > MAX_LINE_CHARACTERS:
        raise RecordError(f"a line of {longest:,} characters: a row of numbers has at most {MAX_LINE_CHARACTERS:,}")
    lines.seek(0)
    try:
        rows = np.loadtxt(lines, np.float64, comments=None, delimiter=separator, ndmin=2, quotechar=QUOTATION_MARK)
    except ValueError as error:
        number = n_above + _wrong_line(body, separator, n_columns)
        raise RecordError(f"line {number} is no row of {n_columns} numbers: correct the table") from error
    if rows.shape[1] != n_columns:
        raise RecordError(f"{rows.shape[1]} columns of numbers under {n_columns} names: they must be as many")
    return rows


def _refuse_thousands(body: str, separator: str, mark: str) -> None:
    """Raise RecordError where commas or points are like those of `1,296`: in thousands only, beside numbers without."""

    def cells() -> Iterator[str]:
        return (match[0].strip(f" {QUOTATION_MARK}") for match in re.finditer(rf"[^{separator}\n]+", body))

    if all(_THOUSANDS[mark].fullmatch(cell) for cell in cells() if mark in cell) and any(
        mark not in cell for cell in cells()
    ):
        first = next(cell for cell in cells() if mark in cell)
        raise RecordError(
            f"{first!r} beside numbers without a {'comma' if mark == ',' else 'point'}: it parts thousands, or "
            f"decimals; write numbers without marks of thousands, and with decimal points"
        )


def _wrong_line(body: str, separator: str, n_columns: int) -> int:
    """The number of the first line that is no row of numbers."""
    for number, line in enumerate(body.split("\n"), start=1):
        cells = [cell.strip().strip(QUOTATION_MARK) for cell in line.split(separator)]
        try:
            whole = len([float(cell) for cell in cells]) == n_columns
        except ValueError:
            whole = False
        if not whole:
            return number
    return 1


def _separator(line: str) -> str:
    return max(SEPARATORS, key=line.count)


def _names(line: str) -> list[str]:
    """The cells of the line of names, which some programs write in quotation marks."""
    return [cell.strip().strip(QUOTATION_MARK) for cell in line.split(_separator(line))]


def _rate_hz(given: Given, stated: str | None) -> float:
    """The rate that the file or whoever gave it states; raises RecordError where both do differently, or neither."""
    if stated is not None and not re.fullmatch(NUMBER, stated):
        raise RecordError(f"rate_hz {stated!r}: it must be a number of Hz; correct the header")
    in_file = float(stated) if stated is not None else None
    if in_file is None and given.rate_hz is None:
        raise RecordError(f"no sampling rate is stated: {WAY_OUT}")
    if None not in (in_file, given.rate_hz) and in_file != given.rate_hz:
        raise RecordError(f"the file states {in_file} Hz, not the {given.rate_hz} Hz given: leave one of them away")
    return float(in_file if in_file is not None else given.rate_hz or 0.0)


def _unit(given: Given, stated: str | None) -> str:
    """The unit that the file or whoever gave it states; raises RecordError where both do differently, or neither."""
    if stated is None and given.unit is None:
        raise RecordError(f"no unit is stated: {WAY_OUT}")
    if stated and given.unit and not _is_same_unit(stated, given.unit):
        raise RecordError(f"the file states {stated!r}, not the {given.unit!r} given: leave one of them away")
    return stated if stated is not None else given.unit or ""
