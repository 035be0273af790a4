"""WFDB records: a `.hea` header and its signal files, `.dat` or the Challenge's `.mat`.

The Challenge's `.mat` (MATLAB v4) holds one matrix of 16-bit numbers after 24 bytes, which its headers say as
`16+24`: as a signal file it is read like any other. Every sample is held against the checksum of the header.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import MAX_STREAM_BYTES, Given, refuse_too_many
from twelvelead.formats.wfdb_header import MAX_HEADER_BYTES, Header, SignalLine, parse_header
from twelvelead.formats.wfdb_samples import BITS, FLAC_BITS, INVALID_SAMPLE, n_bytes, n_values_in, unpack, unpack_flac
from twelvelead.person import plausible_age, sex_letter
from twelvelead.record import (
    LEADS,
    STANDARDISED_UNIT,
    Record,
    RecordError,
    Unit,
    millivolts_per,
    record_from_leads,
    refuse_twice,
    standard_lead,
)

GEORGIAS_GAIN: Final = 4880.0
GEORGIAS_STEP_UV: Final = 4.88
LARGEST_GAIN: Final = 1 << 20
LARGEST_BASELINE: Final = 1 << 23
COMPUTED_LEADS: Final = {"III", "AVR", "AVL", "AVF"}
# Possessive, and no two branches begin alike: whatever a file begins with, nothing is tried twice.
_RECORD_LINE = re.compile(
    rb"(?:\xef\xbb\xbf)?"  # a byte order mark
    rb"(?:\s|#[^\n]*\n)*+[^\s#]++[ \t]+\d+[^\n]*\n(?:\s|#[^\n]*\n)*+[^\s#]++[ \t]+\d+"
)


def is_header(start: bytes) -> bool:
    """Whether a file begins as a WFDB header does: a record line, then a signal line."""
    return b"\0" not in start and _RECORD_LINE.match(start) is not None


def read(given: Given) -> Record:
    """Read the record of a header file; raises RecordError on whatever is damaged, missing or no 12-lead ECG."""
    if given.path is None and given.beside is not None:
        return read_declared(given, header_in(given))
    return read_declared(given, header_of(given)[1])


def header_in(given: Given) -> Header:
    """What the bytes of a header file say; raises RecordError on what is none, or too large for one."""
    return parse_header(given.content(at_most=MAX_HEADER_BYTES))


def header_of(given: Given) -> tuple[Path, Header]:
    """The header's path and what it says; raises RecordError where only its bytes were given."""
    if given.path is None:
        raise RecordError("a WFDB header without its folder: its samples are in another file; give the header's path")
    return given.path, header_in(given)


def read_declared(given: Given, header: Header) -> Record:
    """Read the record of a header that was read already; raises as `read`."""
    unit, per_unit = common_unit(header.signals)
    parts: list[NDArray[np.float32]] = []
    warnings = list(header.warnings)
    for file, signals in files_of(header.signals):
        digital, note = _digital(given.neighbour(file), signals, header.n_samples)
        refuse_too_many(digital.shape[1] * len(header.signals))  # of all files together, before another is read
        warnings += note
        if _are_georgias_microvolts(signals, digital):
            signals = [signal._replace(gain=1000.0) for signal in signals]
            warnings.append("gain 4880/mV: the samples are microvolts in steps of 4.88, so 1000/mV was taken")
        parts.append(physical(digital, signals, per_unit))
    return in_order(given.path or Path(f"{given.name}.hea"), header, unit, parts, warnings)


def _are_georgias_microvolts(signals: list[SignalLine], digital: NDArray[np.integer]) -> bool:
    """Whether a header says 4880/mV of samples that 1000/mV is right for, as Georgia's older headers do.

    Its recorder counts steps of 4.88 uV, and the samples are these steps in microvolts, cut to whole numbers; the leads
    that were computed from others are not. Samples that true 4880/mV belong to fall between the steps.
    """
    if {signal.gain for signal in signals} != {GEORGIAS_GAIN}:
        return False
    samples = digital[[signal.lead.upper() not in COMPUTED_LEADS for signal in signals]]
    steps = np.rint(samples / GEORGIAS_STEP_UV)
    return bool(samples.any() and (np.trunc(steps * GEORGIAS_STEP_UV) == samples).all())


def in_order(
    path: Path, header: Header, unit: Unit, parts: list[NDArray[np.float32]], warnings: Iterable[str]
) -> Record:
    """The twelve leads among those of a header, as a Record; parts: (signals, n_samples) of each of its files."""
    names = [signal.lead for signal in header.signals]
    age, notes = header.comments.get("age"), tuple(warnings)
    sex = header.comments.get("sex") or header.comments.get("gender")
    if len(parts) == 1 and tuple(map(standard_lead, names)) == LEADS:  # as nearly all are: no lead need be copied
        parts[0].setflags(write=False)  # nobody else has it, so that it need not be copied
        return Record(
            name=path.stem,
            signal=parts[0],
            rate_hz=header.rate_hz,
            unit=unit,
            age=plausible_age(age),
            sex=sex_letter(sex),
            warnings=notes,
        )
    leads = dict(zip(names, (row for part in parts for row in part), strict=True))
    return record_from_leads(path.stem, leads, header.rate_hz, unit=unit, age=age, sex=sex, warnings=notes)


def files_of(signals: tuple[SignalLine, ...]) -> list[tuple[str, list[SignalLine]]]:
    """The signal files of a record, each with its signals, all in the header's order; every lead is there once."""
    refuse_twice(signal.lead for signal in signals)
    return [(file, list(group)) for file, group in groupby(signals, key=lambda signal: signal.file)]


def common_unit(signals: tuple[SignalLine, ...]) -> tuple[Unit, dict[str, float]]:
    """What the record is in, and for each unit that its header writes how many of it one is.

    What is no ECG lead, such as respiration, is left out later; its unit is of no account.
    """
    others = dict.fromkeys((signal.unit for signal in signals), 1.0)
    written = {signal.unit for signal in signals if standard_lead(signal.lead)}
    if written == {STANDARDISED_UNIT}:
        return "NU", others
    return "mV", others | {unit: millivolts_per(unit) for unit in written}


def physical(
    digital: NDArray[np.integer], signals: list[SignalLine], per_unit: dict[str, float]
) -> NDArray[np.float32]:
    """(signals, n_samples) in millivolts; NaN where the format's mark says that no sample was taken."""
    scales = [(signal.baseline, signal.gain, per_unit[signal.unit]) for signal in signals]
    alike = set(scales)  # nearly always one for all
    if digital.dtype.itemsize <= 2 and all(_is_short(*scale) for scale in alike):
        baselines, gains, _ = np.array(list(alike) if len(alike) == 1 else scales, np.float32).T[..., None]
        # float32 rounds once here, to what float64 would be rounded to
        shifted = np.subtract(digital, baselines, dtype=np.float32) if baselines.any() else digital
        physical = np.asarray(np.divide(shifted, gains, dtype=np.float32))
    else:
        physical = np.empty(digital.shape, np.float32)
        for samples, (baseline, gain, per_one), row in zip(digital, scales, physical, strict=True):
            np.multiply(samples - float(baseline), per_one / gain, out=row, casting="same_kind")
    if digital.min() == (mark := INVALID_SAMPLE[signals[0].format]):  # it is the lowest value there is
        physical[digital == mark] = np.nan
    return physical


def _is_short(baseline: int, gain: float, per_unit: float) -> bool:
    """Whether float32 holds the gain, and every difference of a sample of 16 bits from the baseline."""
    return per_unit == 1 and gain.is_integer() and gain <= LARGEST_GAIN and abs(baseline) < LARGEST_BASELINE


def _digital(given: Given, signals: list[SignalLine], n_samples: int | None) -> tuple[NDArray[np.integer], list[str]]:
    """(signals, n_samples) ADC values of one signal file, verified against its header, and warnings."""
    path = Path(given.name)
    refuse_mixed(path, signals)
    code, offset = signals[0].format, signals[0].offset_bytes
    if code in FLAC_BITS:
        data = given.content(at_most=MAX_STREAM_BYTES)[offset:]
        digital = unpack_flac(code, data, len(signals), n_samples)
        verify(path, signals, digital[:, 0], sums_of(digital))
        return digital, []

    def length(size: int) -> int:
        n_values = samples_in(path, size, signals, n_samples) * len(signals)
        refuse_too_many(n_values)
        return n_bytes(code, n_values)

    data, size = given.part(offset, length)
    n_samples = samples_in(path, size, signals, n_samples)
    digital = in_rows(code, data, len(signals), n_samples)
    verify(path, signals, digital[:, 0], sums_of(digital))
    return digital, left_over(path, size, signals, n_samples)


def refuse_mixed(path: Path, signals: list[SignalLine]) -> None:
    """Raise RecordError where the signals of one file are said to be stored in different ways."""
    if len({(signal.format, signal.offset_bytes) for signal in signals}) > 1:
        raise RecordError(f"signals of {path.name} differ in format or offset: a file has one of each")


def samples_in(path: Path, size: int, signals: list[SignalLine], declared: int | None) -> int:
    """Samples of each signal in an uncompressed file of that size; raises RecordError where they are not all there."""
    code, offset = signals[0].format, signals[0].offset_bytes
    if code not in BITS:
        allowed = ", ".join(map(str, sorted(BITS | FLAC_BITS)))
        raise RecordError(f"signal format {code}: formats {allowed} are read; convert the record")
    n_samples = declared or n_values_in(code, max(0, size - offset)) // len(signals)
    expected = offset + n_bytes(code, n_samples * len(signals))
    if size < expected or n_samples == 0:
        raise RecordError(
            f"{path.name} has {size:,} bytes, its header declares {expected:,}: the file is cut short; fetch it again"
        )
    return n_samples


def left_over(path: Path, size: int, signals: list[SignalLine], n_samples: int) -> list[str]:
    """A warning where a file holds more than declared; RecordError where no checksum says which samples are meant."""
    expected = signals[0].offset_bytes + n_bytes(signals[0].format, n_samples * len(signals))
    if size == expected:
        return []
    if any(signal.checksum is None for signal in signals):
        raise RecordError(
            f"{path.name} has {size:,} bytes, its header declares {expected:,} and no checksum says "
            f"which samples are meant; fetch the record again"
        )
    return [f"a signal file is {size - expected:,} bytes longer than declared; they were left out"]


def in_rows(code: int, data: bytes, n_signals: int, n_samples: int) -> NDArray[np.integer]:
    """(signals, n_samples) of the bytes of an uncompressed format; all that follows goes along a lead."""
    frames = unpack(code, data, n_samples * n_signals).reshape(n_samples, n_signals)
    return np.array(frames.T, frames.dtype.newbyteorder("="), order="C")


def sums_of(digital: NDArray[np.integer]) -> NDArray[np.uint16]:
    """(signals,) sums that wrap around, as the checksum does."""
    unsigned = digital.view(np.uint16) if digital.dtype.itemsize == 2 else digital.astype(np.uint16)
    return np.asarray(unsigned.sum(axis=1, dtype=np.uint16))


def verify(path: Path, signals: list[SignalLine], firsts: NDArray[np.integer], sums: NDArray[np.uint16]) -> None:
    """Hold each signal's first value and sum against the initial value and 16-bit checksum of its header."""
    for signal, first, found in zip(signals, firsts.tolist(), sums.tolist(), strict=True):
        if signal.checksum is None:
            continue
        is_whole = not (found - signal.checksum) % (1 << 16)
        if signal.initial not in {None, first} and not (is_whole and signal.initial == 0):  # 0 may stand for none
            raise RecordError(
                f"lead {signal.lead} of {path.name} begins with {first}, its header says {signal.initial}: "
                f"the header belongs to another file, or one of them is damaged"
            )
        if not is_whole:
            raise RecordError(
                f"lead {signal.lead} of {path.name} has checksum {found}, its header says "
                f"{signal.checksum % (1 << 16)}: the file is damaged; fetch it again"
            )
