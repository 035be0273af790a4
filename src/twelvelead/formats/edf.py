"""EDF, EDF+ and BDF: a header of text fields, then records of 16-bit (BDF: 24-bit) samples signal by signal.

Format: Kemp et al. 1992; EDF+ (https://www.edfplus.info/specs/edfplus.html); BDF (https://www.biosemi.com/faq/file_format.htm).
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given, refuse_too_many
from twelvelead.formats.wfdb_samples import from_24_bit
from twelvelead.person import age_between
from twelvelead.record import Record, RecordError, millivolts_per, record_from_leads, refuse_twice, standard_lead

EDF, BDF = b"0       ", b"\xffBIOSEMI"
MAX_BYTES: Final = 3 << 25
MAX_SIGNALS: Final = 512
FIELD_BYTES: Final = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
DISCONTINUOUS: Final = (b"EDF+D", b"BDF+D")
TOLERANCE_S: Final = 1e-3
MOST_DRIFT: Final = 1e-3
ANNOTATIONS: Final = ("EDF Annotations", "BDF Annotations")
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ONSET: Final = re.compile(rb"([+-]\d{1,12}(?:\.\d{1,12})?)\x14\x14")


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One signal as the header declares it; begin, end: its samples within a record."""

    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[float, float]
    begin: int
    end: int


def is_edf(start: bytes) -> bool:
    """Whether a file begins with the version of EDF or BDF and a number of signals."""
    return start[:8] in {EDF, BDF} and start[252:256].strip().isdigit()


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the header declares of a file of a certain size: records from `begin` on, `width` bytes a sample."""

    signals: list[Signal]
    begin: int
    n_records: int
    duration_s: float
    width: int
    is_discontinuous: bool
    age: float | None
    sex: str | None
    warnings: tuple[str, ...]

    @property
    def record_bytes(self) -> int:
        """Bytes of a record of all signals."""
        return self.signals[-1].end * self.width

    def records(self, data: bytes | memoryview) -> NDArray[np.uint8]:
        """(records, bytes a record) of the bytes of whole records."""
        return np.frombuffer(data, np.uint8).reshape(-1, self.record_bytes)


def read(given: Given) -> Record:
    """Read all records, end to end; raises RecordError on a damaged file, on gaps, or where a lead states no unit."""
    data = given.content(at_most=MAX_BYTES)
    layout = layout_of(data, len(data))
    refuse_too_many(layout.n_records * layout.signals[-1].end)
    records = layout.records(memoryview(data)[layout.begin : layout.begin + layout.n_records * layout.record_bytes])
    refuse_gaps(onsets_s(records, layout), layout)
    return in_order(given.name, records, layout)


def layout_of(data: bytes, size: int) -> Layout:
    """The layout of a file of `size` bytes, of which `data` holds the header at least; raises RecordError."""
    n_signals, n_records, duration_s = _counts(data)
    signals = _signals(data, n_signals)
    width = 3 if data[:8] == BDF else 2
    age, sex = _patient(data)
    begin = 256 * (n_signals + 1)
    n_records, notes = _n_records(size - begin, n_records, signals[-1].end * width)
    return Layout(
        signals=signals,
        begin=begin,
        n_records=n_records,
        duration_s=duration_s,
        width=width,
        is_discontinuous=data[192:197] in DISCONTINUOUS,
        age=age,
        sex=sex,
        warnings=tuple(notes),
    )


def in_order(name: str, records: NDArray[np.uint8], layout: Layout) -> Record:
    """The twelve leads of successive records, (records, bytes a record)."""
    used = [signal for signal in layout.signals if standard_lead(signal.label)]
    rates = {(signal.end - signal.begin) / layout.duration_s for signal in used}
    refuse_twice(signal.label for signal in used)
    if len(rates) > 1:
        raise RecordError(f"leads sampled at {sorted(rates)} Hz: all must have one rate")
    leads = {signal.label: _millivolts(signal, records, layout.width) for signal in used}
    left_out = {signal.label: np.empty(0, np.float32) for signal in layout.signals if signal not in used}
    left_out = {label: samples for label, samples in left_out.items() if label not in ANNOTATIONS}
    return record_from_leads(
        name,
        left_out | leads,
        rates.pop() if rates else 1.0,
        age=layout.age,
        sex=layout.sex,
        warnings=layout.warnings,
    )


def _counts(data: bytes) -> tuple[int, int, float]:
    """(signals, records or -1, seconds a record)."""
    n_signals = int(_number(data[252:256], "number of signals"))
    n_records = int(_number(data[236:244], "number of records"))
    duration_s = _number(data[244:252], "duration of a record")
    if not (0 < n_signals <= MAX_SIGNALS and n_records >= -1 and 1e-4 <= duration_s <= 1e5):
        raise RecordError(
            f"header states {n_signals} signals and {n_records} records of {duration_s:g} s: there must be "
            f"1 to {MAX_SIGNALS} signals and records of some time; correct the header"
        )
    if len(data) < 256 * (n_signals + 1):
        raise RecordError("the header is cut short: fetch the file again")
    return n_signals, n_records, duration_s


def _signals(data: bytes, n_signals: int) -> list[Signal]:
    """The signals; the header holds each field for all of them before the next field."""
    columns: list[list[bytes]] = []
    at = 256
    for size in FIELD_BYTES:
        columns.append([data[at + size * index : at + size * (index + 1)] for index in range(n_signals)])
        at += size * n_signals
    signals: list[Signal] = []
    for label, _, unit, low, high, lowest, highest, _, count, _ in zip(*columns, strict=True):
        begin = signals[-1].end if signals else 0
        n_samples = int(_number(count, "samples a record"))
        if not 0 < n_samples <= 1 << 24:
            raise RecordError(f"signal {_text(label)!r} has {n_samples} samples a record: correct the header")
        signals.append(
            Signal(
                label=_text(label),
                unit=_text(unit),
                physical=(_number(low, "physical minimum"), _number(high, "physical maximum")),
                digital=(_number(lowest, "digital minimum"), _number(highest, "digital maximum")),
                begin=begin,
                end=begin + n_samples,
            )
        )
    return signals


def _n_records(n_bytes: int, n_records: int, record_bytes: int) -> tuple[int, list[str]]:
    """How many records to read of the bytes after the header, and warnings; RecordError where some are missing."""
    available = n_bytes // record_bytes
    notes = [f"the recorder left the number of records open: all {available} were taken"] if n_records == -1 else []
    n_records = available if n_records == -1 else n_records
    if n_records == 0 or available < n_records:
        raise RecordError(
            f"the file has {available} complete records of {n_records} declared: it is cut short; fetch it again"
        )
    if spare := n_bytes - n_records * record_bytes:
        notes.append(f"the file is {spare:,} bytes longer than declared; they were left out")
    return n_records, notes


def onsets_s(records: NDArray[np.uint8], layout: Layout) -> NDArray[np.float64]:
    """(records,) the times that EDF+ writes into each record, NaN where one states none that can be read."""
    times = next((signal for signal in layout.signals if signal.label in ANNOTATIONS), None)
    if times is None:
        return np.full(len(records), np.nan)
    parts = records[:, times.begin * layout.width : times.end * layout.width]
    marks = (_ONSET.match(row.tobytes()) for row in parts)
    return np.array([float(mark[1]) if mark else np.nan for mark in marks])


def refuse_gaps(onsets: NDArray[np.float64], layout: Layout) -> float:
    """Hold the times of successive records against records without gaps.

    Gives the time of the last one, NaN where none states any; a file with gaps (EDF+D) must state each.
    """
    known = np.flatnonzero(np.isfinite(onsets))
    if layout.is_discontinuous and len(known) < len(onsets):
        raise RecordError("a record does not state its time, and the file may have gaps (EDF+D): export it as EDF+C")
    steps = np.diff(known)
    off = onsets[known] - known * layout.duration_s
    allowed_s = TOLERANCE_S + len(onsets) * layout.duration_s * MOST_DRIFT  # small gaps after every record add up
    n_samples = max((signal.end - signal.begin for signal in layout.signals if standard_lead(signal.label)), default=1)
    tolerance_s = min(TOLERANCE_S, layout.duration_s / n_samples / 2)
    if (np.abs(np.diff(off)) > steps * tolerance_s).any() or (len(off) and abs(off[-1] - off[0]) > allowed_s):
        raise RecordError("the records have gaps between them (EDF+D): convert the file to EDF+C, a part at a time")
    return onsets[known[-1]] + (len(onsets) - 1 - known[-1]) * layout.duration_s if len(known) else np.nan


def _millivolts(signal: Signal, records: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    (low, high), (lowest, highest) = signal.physical, signal.digital
    if lowest >= highest or low == high:
        raise RecordError(
            f"lead {signal.label} maps {lowest:g}..{highest:g} to {low:g}..{high:g}: both must be ranges; "
            f"correct the header"
        )
    gain = (high - low) / (highest - lowest)
    part = np.ascontiguousarray(records[:, signal.begin * width : signal.end * width])
    digital = part.view("<i2").ravel() if width == 2 else from_24_bit(part.ravel(), part.size // 3)
    with np.errstate(over="ignore"):
        return ((digital * gain + (low - gain * lowest)) * millivolts_per(signal.unit)).astype(np.float32)


def _patient(data: bytes) -> tuple[float | None, str | None]:
    """(age, sex): EDF+ writes `code sex birthdate name` and `Startdate date ...`; plain EDF whatever it likes."""
    if data[192:196] not in {b"EDF+", b"BDF+"}:
        return None, None
    _, sex, born, *_ = [*_text(data[8:88]).split(), "", "", ""]
    _, recorded, *_ = [*_text(data[88:168]).split(), "", ""]
    return age_between(_numbered(born), _numbered(recorded), "%d-%m-%Y"), sex if sex in {"F", "M"} else None


def _numbered(date: str) -> str:
    """A date with its English month, whatever the language here, as a number."""
    day, month, year = [*date.upper().split("-"), "", "", ""][:3]
    return f"{day}-{MONTHS.index(month) + 1}-{year}" if month in MONTHS else ""


def _text(field: bytes) -> str:
    return field.decode("latin-1").split("\0")[0].strip()


def _number(field: bytes, what: str) -> float:
    text = _text(field)
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", text) or not np.isfinite(float(text)):
        raise RecordError(f"header states {text!r} as {what}: it must be a number; correct the header")
    return float(text)
