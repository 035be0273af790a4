"""The border to ecgdatakit, which knows the formats of many makers: bytes in, our Record or RecordError out.

Its parsers open paths; they are given a nameless file in memory, so that nothing of a patient touches a disk and no
file beside the given one can be opened.
"""

import os
import re
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import Given, refuse_too_many
from twelvelead.person import YEARS_FROM, age_between
from twelvelead.record import (
    AT_DIFFERENT_TIMES,
    Record,
    RecordError,
    millivolts_per,
    record_from_leads,
    standard_lead,
)

ROUNDED_RATE: Final = "Sampling rate"
MAX_WORDS: Final = 300
_ABOUT_ITS_SAMPLES = re.compile(r"in lead |Section [236]\b")
NOT_ABOUT_THE_SIGNAL: Final = ("Unit ", "SCP-ECG: Section 5", "MFER: invalid birth", "MFER: invalid measurement")
_one_at_a_time = threading.Lock()  # what catches warnings does so for all threads


def read_with(
    parser: Callable[[], Any],
    data: bytes,
    given: Given,
    rate_hz: Callable[[Any], float] | None = None,
    missing: float | None = None,
) -> Record:
    """Read bytes with one of ecgdatakit's parsers.

    parser: imports and makes it. rate_hz: the exact rate where the parser rounds it, from what it read. missing: the
    mark of a sample that is none.
    Raises RecordError on whatever the parser refuses or trips over.
    """
    with _one_at_a_time, warnings.catch_warnings(record=True) as said, _as_file(data) as path:
        warnings.simplefilter("always")
        try:
            found = parser().parse(path)
        except (MemoryError, ImportError):  # the machine's, not the file's
            raise
        except Exception as error:  # whatever a parser of damaged bytes may raise
            raise RecordError(f"cannot be read ({_sentence(error, path)}): export the recording again") from error
    _refuse_damaged(said, path)
    rates = {lead.sampling_rate for lead in found.leads}
    if len(rates) != 1:
        raise RecordError(f"leads sampled at {sorted(rates)} Hz: all must have one rate")
    _refuse_skew(found.leads)
    refuse_too_many(sum(len(lead.samples) for lead in found.leads))
    return record_from_leads(
        given.name,
        _named(found.leads, missing),
        rate_hz(found) if rate_hz else float(rates.pop()),
        age=_age(found),
        sex=found.patient.sex,
        warnings=tuple(
            note for note in dict.fromkeys(_told(said, path)) if not (rate_hz and note.startswith(ROUNDED_RATE))
        ),
    )


def _refuse_damaged(said: list[warnings.WarningMessage], path: Path) -> None:
    """Raise RecordError where samples are not those of which the file holds a checksum."""
    for warning in said:
        text = _sentence(warning.message, path)
        if warning.category.__name__ == "ChecksumWarning" and _ABOUT_ITS_SAMPLES.search(text):
            raise RecordError(f"{text}: the file is damaged; copy or export it again")


def _refuse_skew(leads: list[Any]) -> None:
    """Raise RecordError where leads of a GE MUSE file begin at different times."""
    offsets = sorted({lead.annotations.get("LeadTimeOffset", "0") for lead in leads})
    if len(offsets) > 1:
        raise RecordError(f"LeadTimeOffset of {', '.join(offsets)[:100]}: {AT_DIFFERENT_TIMES}")


def _age(found: Any) -> float | None:
    """Years; where the parser cut months to years, from the dates of birth and recording."""
    if (found.patient.age or 0) >= YEARS_FROM:
        return float(found.patient.age)
    return age_between(str(found.patient.birth_date)[:10], str(found.recording.date)[:10], "%Y-%m-%d")


def _named(leads: list[Any], missing: float | None) -> dict[str, NDArray[np.float32]]:
    """Lead name -> (n_samples,) millivolts; ecgdatakit numbers repeated names, which is refused here."""
    names = dict.fromkeys(lead.label for lead in leads)  # in which a name is found at once, however many there are
    for name in names:
        stem, _, number = name.rpartition("_")
        if number.isdigit() and stem in names:
            raise RecordError(f"lead {stem} is there twice: each must be there once")
    return {lead.label: _millivolts(lead, missing) if standard_lead(lead.label) else lead.samples for lead in leads}


def _millivolts(lead: Any, missing: float | None) -> NDArray[np.float32]:
    unit = lead.resolution_unit if lead.is_raw else lead.units
    if not unit:
        raise RecordError(
            f"lead {lead.label} states no unit of voltage: without it its samples mean nothing; export it again"
        )
    factor = millivolts_per(unit)
    scale, offset = (lead.resolution * factor, lead.offset * factor) if lead.is_raw else (factor, 0.0)
    if not (np.isfinite(scale) and scale != 0 and np.isfinite(offset)):
        raise RecordError(f"lead {lead.label} has a resolution of {lead.resolution}: it must be a finite number, not 0")
    with np.errstate(over="ignore", invalid="ignore"):
        samples = (np.asarray(lead.samples, np.float64) * scale + offset).astype(np.float32)
    if missing is not None:
        samples[np.asarray(lead.samples) == missing] = np.nan
    return samples


def _told(said: list[warnings.WarningMessage], path: Path) -> Iterator[str]:
    for warning in said:
        text = _sentence(warning.message, path)
        if not text.startswith(NOT_ABOUT_THE_SIGNAL):
            yield text


def _sentence(message: object, path: Path) -> str:
    """What a parser says, without the name of the file that it was given and cut to a line."""
    name = re.escape(path.name)  # a file in memory is called by a number, such as 3
    text = re.sub(rf" in {re.escape(str(path))}\b| in {name}\b| of {name}(?![ \w])", "", str(message))
    text = text.replace(str(path), "the file")
    text = text.replace("\n", " ")
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS].rsplit(' ', 1)[0]} ..."


@contextmanager
def _as_file(data: bytes) -> Iterator[Path]:
    """A path under which exactly these bytes can be read, as long as the block lasts."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        with os.fdopen(os.memfd_create("recording"), "wb") as file:
            file.write(data)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")
        return
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder, "recording")).write_bytes(data)
        yield path
