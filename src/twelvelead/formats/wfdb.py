"""WFDB records: a `.hea` header and its signal files, `.dat` or the Challenge's `.mat`.

The Challenge's `.mat` (MATLAB v4) holds one matrix of 16-bit numbers after 24 bytes, which its headers say as
`16+24`: as a signal file it is read like any other. Every sample is held against the checksum of the header.
"""

import re
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import MAX_STREAM_BYTES, Given, opened, read_bytes, refuse_too_many
from twelvelead.formats.wfdb_header import MAX_HEADER_BYTES, SignalLine, parse_header
from twelvelead.formats.wfdb_samples import BITS, FLAC_BITS, INVALID_SAMPLE, n_bytes, n_values_in, unpack, unpack_flac
from twelvelead.record import Record, RecordError, Unit, millivolts_per, record_from_leads

STANDARDISED_UNIT: Final = "NU"
_RECORD_LINE = re.compile(rb"(?:#[^\n]*\n|\s)*[^\s#]+[ \t]+\d+(?:[ \t]+[\d.eE+/()-]+)*[^\n]*\n[^\s#]+[ \t]+\d+")


def is_header(start: bytes) -> bool:
    """Whether a file begins as a WFDB header does: a record line, then a signal line."""
    return b"\0" not in start and _RECORD_LINE.match(start) is not None


def read(given: Given) -> Record:
    """Read the record of a header file; raises RecordError on whatever is damaged, missing or no 12-lead ECG."""
    if given.path is None:
        raise RecordError("a WFDB header without its folder: its samples are in another file; give the header's path")
    path = given.path
    header = parse_header(given.content(at_most=MAX_HEADER_BYTES))
    unit, per_unit = _common_unit(header.signals)
    leads: dict[str, NDArray[np.float32]] = {}
    warnings = list(header.warnings)
    for file, group in groupby(header.signals, key=lambda signal: signal.file):
        signals = list(group)
        digital, note = _digital(path.parent / file, signals, header.n_samples)
        warnings += note
        for signal, samples in zip(signals, _physical(digital, signals, per_unit), strict=True):
            if signal.lead in leads:
                raise RecordError(f"lead {signal.lead!r} is there twice: each must be there once")
            leads[signal.lead] = samples
    return record_from_leads(
        path.stem,
        leads,
        header.rate_hz,
        unit=unit,
        age=header.comments.get("age"),
        sex=header.comments.get("sex"),
        warnings=tuple(warnings),
    )


def _common_unit(signals: tuple[SignalLine, ...]) -> tuple[Unit, dict[str, float]]:
    """What the record is in, and for each unit that its header writes how many of it one is."""
    written = {signal.unit for signal in signals}
    if written == {STANDARDISED_UNIT}:
        return "NU", {STANDARDISED_UNIT: 1.0}
    return "mV", {unit: millivolts_per(unit) for unit in written}


def _physical(
    digital: NDArray[np.integer], signals: list[SignalLine], per_unit: dict[str, float]
) -> NDArray[np.float32]:
    """(signals, n_samples) in millivolts; NaN where the format's mark says that no sample was taken."""
    physical = np.empty(digital.shape, np.float32)
    centred = np.empty(digital.shape[1])  # one lead at a time stays in the processor's cache
    for samples, signal, row in zip(digital, signals, physical, strict=True):
        np.subtract(samples, float(signal.baseline), out=centred)
        np.multiply(centred, per_unit[signal.unit] / signal.gain, out=row, casting="same_kind")
    missing = digital == INVALID_SAMPLE[signals[0].format]
    if missing.any():
        physical[missing] = np.nan
    return physical


def _digital(path: Path, signals: list[SignalLine], n_samples: int | None) -> tuple[NDArray[np.integer], list[str]]:
    """(signals, n_samples) ADC values of one signal file, verified against its header, and warnings."""
    code, offset = signals[0].format, signals[0].offset_bytes
    if any((signal.format, signal.offset_bytes) != (code, offset) for signal in signals):
        raise RecordError(f"signals of {path.name} differ in format or offset: a file has one of each")
    if code in FLAC_BITS:
        data = read_bytes(path, at_most=MAX_STREAM_BYTES)[offset:]
        digital = unpack_flac(code, data, len(signals), n_samples)
        _verify(path, signals, digital)
        return digital, []
    if code not in BITS:
        allowed = ", ".join(map(str, sorted(BITS | FLAC_BITS)))
        raise RecordError(f"signal format {code}: formats {allowed} are read; convert the record")
    with opened(path) as (file, size):
        n_samples = n_samples or n_values_in(code, max(0, size - offset)) // len(signals)
        expected = offset + n_bytes(code, n_samples * len(signals))
        if size < expected or n_samples == 0:
            raise RecordError(
                f"{path.name} has {size:,} bytes, its header declares {expected:,}: "
                f"the file is cut short; fetch it again"
            )
        refuse_too_many(n_samples * len(signals))
        file.seek(offset)
        data = file.read(expected - offset)
    frames = unpack(code, data, n_samples * len(signals)).reshape(n_samples, len(signals))
    digital = np.ascontiguousarray(frames.T)  # all that follows goes along a lead
    verified = _verify(path, signals, digital)
    if size == expected:
        return digital, []
    if not verified:
        raise RecordError(
            f"{path.name} has {size:,} bytes, its header declares {expected:,} and no checksum says "
            f"which samples are meant; fetch the record again"
        )
    return digital, [f"{path.name} is {size - expected:,} bytes longer than declared; they were left out"]


def _verify(path: Path, signals: list[SignalLine], digital: NDArray[np.integer]) -> bool:
    """Hold each signal against its initial value and 16-bit checksum; whether all had a checksum."""
    sums = digital.astype(np.uint16).sum(axis=1, dtype=np.uint16)  # both wrap around, as the checksum does
    for signal, first, found in zip(signals, digital[:, 0], map(int, sums), strict=True):
        if signal.initial is not None and signal.checksum is not None and signal.initial != first:
            raise RecordError(
                f"lead {signal.lead} of {path.name} begins with {first}, its header says {signal.initial}: "
                f"the header belongs to another file, or one of them is damaged"
            )
        if signal.checksum is not None and (found - signal.checksum) % (1 << 16):
            raise RecordError(
                f"lead {signal.lead} of {path.name} has checksum {found}, its header says "
                f"{signal.checksum % (1 << 16)}: the file is damaged; fetch it again"
            )
    return all(signal.checksum is not None for signal in signals)
