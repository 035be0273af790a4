"""GE CardioSoft XML: the StripData of a resting ECG, numbers as text and a resolution in microvolts a unit."""

import math
import re
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given
from twelvelead.formats.markup import checked_xml, root_name, tree
from twelvelead.record import INDEPENDENT_LEADS, Record, RecordError, record_from_leads, refuse_twice
from twelvelead.wording import only_longest

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

UNIT: Final = "uVperLsb"
_NUMBERS: Final = re.compile(r"[\d\s,+-]+")


def is_cardiosoft(start: bytes) -> bool:
    """Whether a document is an export of CardioSoft."""
    return root_name(start) == "CardiologyXML"


def read(given: Given) -> Record:
    """Read the rhythm strip; raises RecordError when it is missing, damaged, or states no rate or resolution."""
    root = tree(checked_xml(given))
    strips = root.findall(".//StripData")
    if not strips:
        raise RecordError("CardioSoft file without a StripData: it holds no rhythm; export the resting ECG")
    strip = max(strips, key=_extent) if len(strips) > 1 else strips[0]
    resolution_mv = _stated(strip, "Resolution", UNIT) / 1000
    waveforms = strip.findall("WaveformData")
    refuse_twice(waveform.get("lead", "") for waveform in waveforms)
    leads = {waveform.get("lead", ""): _samples(waveform, resolution_mv) for waveform in waveforms}
    _refuse_another_count(strip, leads)
    return record_from_leads(
        given.name,
        leads,
        _stated(strip, "SampleRate", "Hz"),
        age=_age(root),
        sex=root.findtext("PatientInfo/Gender"),
        warnings=only_longest(len(strips), "strips"),
    )


def _extent(strip: "Element") -> tuple[bool, float]:
    """Whether there may be twelve leads, and how many seconds the longest has."""
    waveforms = strip.findall("WaveformData")
    n_samples = max(((waveform.text or "").count(",") for waveform in waveforms), default=0)
    return len(waveforms) >= len(INDEPENDENT_LEADS), n_samples / (_stated(strip, "SampleRate", "Hz") or math.inf)


def _age(root: "Element") -> str | None:
    """With its unit, where it states one: months are not years."""
    age = root.find("PatientInfo/Age")
    return None if age is None else f"{age.text or ''} {age.get('units', '')}".strip()


def _stated(strip: "Element", name: str, unit: str) -> float:
    """A number that the strip states in its one unit."""
    element = strip.find(name)
    text = "" if element is None else (element.text or "").strip()
    if element is None or element.get("units") != unit or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        found = "nothing" if element is None else f"{text[:40]!r} in {element.get('units')!r}"
        raise RecordError(f"CardioSoft file states {found} as {name}: it must be a number in {unit}; export it again")
    return float(text)


def _samples(waveform: "Element", resolution_mv: float) -> NDArray[np.float32]:
    text = (waveform.text or "").strip().rstrip(",")
    if not _NUMBERS.fullmatch(text):
        raise RecordError(f"lead {waveform.get('lead')!r} holds something other than numbers: export the file again")
    try:
        return (np.array(text.split(","), np.float64) * resolution_mv).astype(np.float32)
    except ValueError as error:
        raise RecordError(f"lead {waveform.get('lead')!r} is damaged ({error}): export the file again") from error


def _refuse_another_count(strip: "Element", leads: dict[str, NDArray[np.float32]]) -> None:
    declared = (strip.findtext("ChannelSampleCountTotal") or "").strip()
    for name, samples in leads.items():
        if declared and declared != str(len(samples)):
            raise RecordError(
                f"lead {name!r} has {len(samples)} samples, the file declares {declared[:20]}: it is cut short; "
                f"export it again"
            )
