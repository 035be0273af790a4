"""Philips Sierra XML, 1.03 to 1.04.02: numbers in Base64 or as text, or compressed as XLI.

XLI: each lead's second differences in ten-bit LZW, and III, aVR, aVL, aVF as what is left of them after Einthoven and
Goldberger. Read here, because a few kilobytes of LZW can stand for a gigabyte and ecgdatakit, our oracle, unpacks it.
"""

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given, refuse_too_many
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.formats.xli import unpack
from twelvelead.person import YEARS_FROM, age_between, plausible_age
from twelvelead.record import INDEPENDENT_LEADS, LEADS, Record, RecordError, record_from_leads, standard_lead
from twelvelead.wording import only_longest

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

VERSIONS: Final = ("1.03", "1.04", "1.04.01", "1.04.02")
STANDARD_SETS: Final = ("STD-12", "10-WIRE")
MAX_LEADS: Final = 32
LEAST_PULSE_MV: Final = 0.5


def is_sierra(start: bytes) -> bool:
    """Whether a document is an export of PageWriter, TraceMaster or IntelliSpace."""
    return root_name(start) == "restingecgdata"


def read(given: Given) -> Record:
    """Read the rhythm; raises RecordError on another version, or where rate, resolution or leads are not stated."""
    root = tree(checked_xml(given))
    version = (root.findtext("documentinfo/documentversion") or "").strip()
    if version not in VERSIONS:
        raise RecordError(f"Sierra XML of version {version[:20]!r}: {', '.join(VERSIONS)} are read; export it anew")
    strips = root.findall(".//parsedwaveforms")
    if not strips:
        raise RecordError("Sierra XML without parsedwaveforms: it holds no rhythm; export the whole ECG")
    facts = {element.tag: (element.text or "").strip() for element in root.iterfind(".//signalcharacteristics/*")}
    waves = max(strips, key=lambda each: _extent(each, facts)) if len(strips) > 1 else strips[0]
    names = _lead_names(waves, facts)
    rate_hz = _number(waves.get("samplespersecond") or facts.get("samplingrate"), "sampling rate")
    per_unit = _number(
        waves.get("resolution") or facts.get("resolution") or facts.get("signalresolution"), "resolution"
    )
    n_samples = round(_duration_ms(waves) * rate_hz / 1000)
    refuse_too_many(n_samples * len(names))
    zero = _number(waves.get("signaloffset") or facts.get("signaloffset") or "0", "signal offset", least=-1e9)
    signal, warnings = _without_pulse((_samples(waves, facts, names, n_samples) - zero) * (per_unit / 1000), rate_hz)
    return record_from_leads(
        given.name,
        dict(zip(names, signal.astype(np.float32), strict=True)),
        rate_hz,
        age=_age(root),
        sex=root.findtext(".//generalpatientdata/sex"),
        warnings=(*only_longest(len(strips), "strips"), *warnings),
    )


def _extent(waves: "Element", facts: dict[str, str]) -> tuple[bool, float]:
    """Whether there may be twelve leads, and how many milliseconds they last."""
    return len(_lead_names(waves, facts)) >= len(INDEPENDENT_LEADS), _duration_ms(waves)


def _duration_ms(waves: "Element") -> float:
    return _number(waves.get("durationperchannel"), "durationperchannel")


def _age(root: "Element") -> float | None:
    """The years that are stated, of the smallest from the dates of birth and recording; `defaultage` is a setting."""
    if (age := root.find(".//generalpatientdata/age")) is None:
        return None
    recorded = root.find(".//dataacquisition")
    at = "" if recorded is None else recorded.get("date", "")
    years = plausible_age(age.findtext("years"))
    return years if (years or 0) >= YEARS_FROM else age_between(age.findtext("dateofbirth") or "", at, "%Y-%m-%d")


def _without_pulse(signal: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """(leads, fewer samples) where the strip ends with a calibration pulse, and a warning that says so.

    The pulse, which a network takes for a beat, is the same to the bit in all leads; a heart is not.
    """
    differs = np.flatnonzero(np.ptp(signal, axis=0) > 0)
    n_same = signal.shape[1] - 1 - int(differs[-1]) if len(differs) else 0
    if not n_same or np.ptp(signal[0, -n_same:]) <= LEAST_PULSE_MV:
        return signal, ()
    return signal[:, :-n_same], (f"the last {n_same / rate_hz:.2f} s, a calibration pulse in all leads, were left out",)


def _lead_names(waves: "Element", facts: dict[str, str]) -> list[str]:
    """Names in the order of the samples: written out, or the twelve of a standard lead set."""
    names = (waves.get("leadlabels") or "").split()
    if names:
        n_leads = waves.get("numberofleads", "")
        names = names[: int(n_leads)] if re.fullmatch("[1-9][0-9]{0,3}", n_leads) else names
    elif (facts.get("acquisitiontype") or facts.get("leadset")) in STANDARD_SETS:
        names = list(LEADS)
    if not 0 < len(names) <= MAX_LEADS or len(set(names)) < len(names):
        raise RecordError(f"Sierra XML names {len(names)} leads, not each once: 12 are needed; export it again")
    return names


def _number(text: str | None, what: str, least: float = 0) -> float:
    """A number that the file states, above `least` and of at most nine digits before the point."""
    try:
        number = float(text or "")
    except ValueError:
        number = float("nan")
    if not least < number < 1e9:
        raise RecordError(
            f"Sierra XML states {(text or 'nothing')[:20]!r} as {what}: "
            f"it must be a number above {least:g}; export it anew"
        )
    return number


def _samples(waves: "Element", facts: dict[str, str], names: list[str], n_samples: int) -> NDArray[np.float64]:
    """(leads, n_samples) as the converter gave them."""
    text, encoding = "".join(waves.itertext()), waves.get("dataencoding")
    method = waves.get("compression") or waves.get("compressmethod") or ""
    is_plain = waves.get("compressflag", "").lower() == "false" or method.lower() in {"", "none", "uncompressed"}
    if encoding not in {"Base64", "Plain"} or not (is_plain or (method.upper() == "XLI" and encoding == "Base64")):
        raise RecordError(f"Sierra XML in {encoding} with compression {method!r}: Base64, Plain and XLI are read")
    try:
        data = base64.b64decode("".join(text.split()), validate=True) if encoding == "Base64" else b""
        if not is_plain:
            signal = unpack(data, len(names), n_samples)
            return _with_limb_leads(signal) if tuple(map(standard_lead, names[:6])) == LEADS[:6] else signal
        is_signed = (waves.get("signalsigned") or facts.get("signalsigned", "True")).lower() not in {"false", "no", "0"}
        values = np.frombuffer(data, "<i2" if is_signed else "<u2") if data else np.array(text.split(), np.float64)
        if len(values) != len(names) * n_samples:
            raise RecordError(
                f"Sierra XML holds {len(values):,} samples and declares {len(names)} leads of {n_samples:,}: "
                f"it contradicts itself; export it again"
            )
        return values.astype(np.float64).reshape(len(names), n_samples)
    except (ValueError, binascii.Error) as error:
        raise RecordError(f"Sierra XML is damaged in its samples ({error}): export it again") from error


def _with_limb_leads(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leads III to aVF from what is stored of them: their difference to what I and II imply, in whole units."""
    i, ii, of_iii, of_avr, of_avl, of_avf = signal[:6]
    iii = ii - i - of_iii
    avr = -((i + ii) // 2) - of_avr
    return np.stack([i, ii, iii, avr, (i - iii) // 2 - of_avl, (ii + iii) // 2 - of_avf, *signal[6:]])
