"""DICOM waveform objects with a 12-lead ECG; the rhythm strip of ten seconds or so, never the median beat.

Format: DICOM PS3.3, section C.10.9 (Waveform Module); sensitivity and its correction give the unit.
"""

import math
import re
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.dicom_elements import META_GROUP, META_START, refuse_too_many_elements
from twelvelead.formats.files import Given, refuse_too_many
from twelvelead.person import age_between, plausible_age
from twelvelead.record import (
    AT_DIFFERENT_TIMES,
    INDEPENDENT_LEADS,
    Record,
    RecordError,
    millivolts_per,
    record_from_leads,
    refuse_twice,
    standard_lead,
)
from twelvelead.wording import only_longest

SAMPLE_TYPES: Final = {"SB": "i1", "UB": "u1", "SS": "<i2", "US": "<u2", "SL": "<i4", "UL": "<u4"}
REFUSED: Final = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")  # deflated; in big-endian order
IMPLICIT: Final = "1.2.840.10008.1.2"
MAX_BYTES: Final = 1 << 25
MAX_META_BYTES: Final = 1 << 16
DERIVED: Final = "DERIVED"  # from other groups, as an average beat is
RECORDED: Final = ("AcquisitionDateTime", "AcquisitionDate", "StudyDate")
_LEAD_CODE: Final = re.compile(r"(?:2:|5\.6\.3-9-)(\d{1,3})")
_FURTHER_LEAD: Final = re.compile(r"\b[VC]\s*(?:\d+\W*R(?:IGHT|ECHTS)?|[7-9])\b", re.IGNORECASE)
_A_LEAD: Final = r"(?:AV[RLF]|[VC]\d|I{1,3})\b"
_TURNED_OVER: Final = re.compile(
    rf"(?:^-\s*|[\s(\[]-){_A_LEAD}|-\s*(?:$|[)\]])|\b{_A_LEAD}\s*-\s*{_A_LEAD}|"
    r"\b(?:INV|N[E\u00c9]G|REVERS|MINUS|UMGEPOLT)",
    re.IGNORECASE,
)
_CODED: Final = dict(zip([*range(1, 9), *range(61, 65)], [*INDEPENDENT_LEADS, "III", "aVR", "aVL", "aVF"], strict=True))


def is_dicom(start: bytes) -> bool:
    """Whether a file begins with DICOM's preamble."""
    return start[128:132] == b"DICM"


def read(given: Given) -> Record:
    """Read the rhythm of a DICOM ECG; raises RecordError when there is none, or it states no unit or rate."""
    try:
        return _record(given)
    except (RecordError, MemoryError, ImportError):  # the last two are the machine's, not the file's
        raise
    except AttributeError as error:
        raise RecordError(f"DICOM file without what an ECG needs ({error}): it is no 12-lead waveform") from error
    except Exception as error:  # pydicom raises many kinds on damaged bytes, some only when an element is looked at
        raise RecordError(f"DICOM file is damaged ({error}): export it again") from error


def _record(given: Given) -> Record:
    import pydicom  # .3 s, so only where a DICOM file is read

    data = given.content(at_most=MAX_BYTES)
    syntax = _transfer_syntax(data)
    if syntax in REFUSED:  # before anything is inflated
        raise RecordError("DICOM file deflated, or in big-endian order: convert it to explicit little endian first")
    refuse_too_many_elements(data, implicit=syntax == IMPLICIT)
    dataset = pydicom.dcmread(BytesIO(data), stop_before_pixels=True)
    if "WaveformSequence" not in dataset:
        kind = str(dataset.get("Modality", "")) or "unknown"
        raise RecordError(f"DICOM file of modality {kind} without a waveform: export the ECG itself")
    groups = [group for group in dataset.WaveformSequence if _is_rhythm(group)]
    groups = [group for group in groups if group.get("WaveformOriginality") != DERIVED] or groups
    if not groups:
        raise RecordError("DICOM waveform without a rhythm group: median beats alone are not classified")
    group = max(groups, key=lambda each: (_n_leads(each) >= len(INDEPENDENT_LEADS), _duration_s(each)))
    return record_from_leads(
        given.name,
        _leads(group),
        float(group.SamplingFrequency),
        age=_age_years(dataset),
        sex=str(dataset.get("PatientSex", "")),
        warnings=(*only_longest(len(groups), "rhythm groups"), *_status_notes(group)),
    )


def _transfer_syntax(data: bytes) -> str:
    """How the data set is written, as pydicom will understand it; raises RecordError where that is not said early."""
    from pydicom.filereader import read_dataset

    group, start = int.from_bytes(META_GROUP, "little"), BytesIO(data[:MAX_META_BYTES])
    start.seek(META_START)
    meta = read_dataset(start, False, True, stop_when=lambda tag, _kind, _length: tag >> 16 != group)
    if start.tell() >= MAX_META_BYTES:
        raise RecordError(f"DICOM file with more than {MAX_META_BYTES:,} bytes before its data: export it again")
    next(iter(meta), None)  # where this first element cannot be decoded, pydicom would read all of them otherwise
    return str(meta.get("TransferSyntaxUID", ""))


def _duration_s(group: Any) -> float:
    return int(group.NumberOfWaveformSamples) / (float(group.SamplingFrequency) or math.inf)


def _n_leads(group: Any) -> int:
    return int(group.get("NumberOfWaveformChannels", 0) or 0)


def _is_rhythm(group: Any) -> bool:
    return "MEDIAN" not in str(group.get("MultiplexGroupLabel", "")).upper()


def _leads(group: Any) -> dict[str, NDArray[np.float32]]:
    """Lead name -> millivolts: sample x sensitivity x correction + baseline, in the sensitivity's unit."""
    sample_type = SAMPLE_TYPES.get(str(group.WaveformSampleInterpretation))
    if sample_type is None:
        raise RecordError(f"samples coded {group.WaveformSampleInterpretation}: allowed are {', '.join(SAMPLE_TYPES)}")
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    refuse_too_many(n_channels * n_samples)
    expected = n_channels * n_samples * np.dtype(sample_type).itemsize
    if len(group.WaveformData) not in {expected, expected + 1} or len(group.ChannelDefinitionSequence) != n_channels:
        raise RecordError(
            f"{len(group.WaveformData):,} bytes of samples for {n_channels} channels x {n_samples} samples "
            f"({expected:,} bytes): the file contradicts itself; export it again"
        )
    _refuse_skew(group)
    raw = np.frombuffer(group.WaveformData, sample_type, count=n_channels * n_samples).reshape(n_samples, n_channels)
    names = [_lead_name(channel.ChannelSourceSequence[0]) for channel in group.ChannelDefinitionSequence]
    refuse_twice(names)
    leads: dict[str, NDArray[np.float32]] = {}
    for name, channel, samples in zip(names, group.ChannelDefinitionSequence, raw.T, strict=True):
        if standard_lead(name) is None:
            leads[name] = samples.astype(np.float32)  # whatever it measures, it is left out by its name
            continue
        _refuse_inverted(channel, name)
        leads[name] = _millivolts(channel, name, samples)
        leads[name][_is_padding(group, samples)] = np.nan
    return leads


def _status_notes(group: Any) -> tuple[str, ...]:
    """A warning where the recorder calls leads disconnected, uncalibrated, invalid or test data."""
    said = []
    for channel in group.ChannelDefinitionSequence:
        name, status = _lead_name(channel.ChannelSourceSequence[0]), channel.get("ChannelStatus") or "OK"
        if status != "OK" and standard_lead(name):
            said.append(f"{name} {status if isinstance(status, str) else ', '.join(status)}")
    return (f"the recorder calls {', '.join(said)}",) if said else ()


def _refuse_inverted(channel: Any, name: str) -> None:
    """Raise RecordError where a modifier of a channel's source turns the lead over."""
    for modifier in channel.get("ChannelSourceModifiersSequence") or ():
        if _TURNED_OVER.search(meaning := str(modifier.get("CodeMeaning", ""))):
            raise RecordError(f"lead {name} is modified as {meaning[:40]!r}: export the recording with it upright")


def _refuse_skew(group: Any) -> None:
    """Raise RecordError where the channels were not sampled at one time."""
    for name in ("ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset"):
        skews = {_number(channel, name, 0.0) for channel in group.ChannelDefinitionSequence}
        if len(skews) > 1:
            raise RecordError(f"{name} from {min(skews):g} to {max(skews):g}: {AT_DIFFERENT_TIMES}")


def _lead_name(source: Any) -> str:
    """The meaning of a channel's code; where that is in another language or missing, the lead of its number."""
    meaning = str(source.get("CodeMeaning", ""))
    code = _LEAD_CODE.fullmatch(str(source.get("CodeValue", "")))
    if code is None or int(code[1]) == 0 or _FURTHER_LEAD.search(meaning) or _TURNED_OVER.search(meaning):
        return meaning
    coded, lead = _CODED.get(int(code[1])), standard_lead(meaning)
    if lead not in {coded, None}:
        raise RecordError(
            f"a lead is {lead} by its name and {coded or f'none of the twelve, {code[0]},'} by its code: "
            f"export the recording again"
        )
    return coded if coded and lead is None else meaning


def _is_padding(group: Any, samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a sample is the mark of a missing one; 0, which some write beside signed samples, marks nothing."""
    written = bytes(group.get("WaveformPaddingValue") or b"")[: samples.itemsize]
    mark = np.frombuffer(written if len(written) == samples.itemsize else b"", samples.dtype)
    return np.isin(samples, mark[(mark != 0) | (samples.dtype.kind == "u")])


def _millivolts(channel: Any, name: str, samples: NDArray[Any]) -> NDArray[np.float32]:
    if "ChannelSensitivity" not in channel or "ChannelSensitivityUnitsSequence" not in channel:
        raise RecordError(f"lead {name} states no sensitivity: without it its samples have no unit; export it again")
    sensitivity = float(channel.ChannelSensitivity) * _number(channel, "ChannelSensitivityCorrectionFactor", 1.0)
    if not np.isfinite(sensitivity) or sensitivity <= 0:
        raise RecordError(f"lead {name} has a sensitivity of {sensitivity}: it must be positive; export it again")
    baseline = _number(channel, "ChannelBaseline", 0.0)
    unit = str(channel.ChannelSensitivityUnitsSequence[0].CodeValue)
    with np.errstate(over="ignore"):
        return ((samples * np.float64(sensitivity) + baseline) * millivolts_per(unit)).astype(np.float32)


def _number(channel: Any, name: str, otherwise: float) -> float:
    """The value of an element that may be absent or empty."""
    value = channel.get(name)
    return otherwise if value in (None, "") else float(value)


def _age_years(dataset: Any) -> float | None:
    """Years from DICOM's age string, such as `074Y` or `006M`; else from the dates of birth and recording."""
    age: float | None = plausible_age(str(dataset.get("PatientAge", "")))
    if age is not None:
        return age
    recorded = next(filter(None, (str(dataset.get(name, "") or "") for name in RECORDED)), "")
    return age_between(str(dataset.get("PatientBirthDate", ""))[:8], recorded[:8], "%Y%m%d")
