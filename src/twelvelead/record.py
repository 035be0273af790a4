"""What was measured: a 12-lead ECG in millivolts, its leads in standard order."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twelvelead.person import MAX_AGE, plausible_age, sex_letter
from twelvelead.wording import printable

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
INDEPENDENT_LEADS: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
MILLIVOLTS_PER: Final = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6, "v": 1e3}
MAX_MV: Final = 100.0
MAX_LEAD_NAME: Final = 64

Unit = Literal["mV", "NU"]
UNITS: Final = get_args(Unit)
STANDARDISED_UNIT: Final = "NU"
AT_DIFFERENT_TIMES: Final = "leads sampled at different times are not read; export the recording with all at one time"
NOTHING_MOVES: Final = (
    "none of the twelve leads ever changes: nothing was recorded; look at the electrodes and the source of the file"
)


class TwelveleadError(Exception):
    """The root of every error that this package raises on purpose."""


class RecordError(TwelveleadError):
    """What was given cannot be taken as a 12-lead ECG; the message says why, and the way out."""


class NoNumbersError(RecordError):
    """Samples that are not numbers: how many, and the lead and the time in seconds of the first."""

    def __init__(self, n: int, lead: str, at_s: float) -> None:
        super().__init__(n, lead, at_s)

    def __str__(self) -> str:
        """The sentence."""
        n, lead, at_s = self.args
        return (
            f"{n:,} samples are not numbers, the first in lead {lead} at {at_s:.3f} s: "
            f"all must be finite; cut the damaged part off before reading"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """A 12-lead ECG, validated at birth; whatever holds a Record holds a sound one.

    signal: (12, n_samples) float32 in `unit`, leads in the order of `LEADS`; read-only.
    rate_hz: samples per second and lead.
    unit: millivolts, or "NU" for a recording whose leads were standardised by whoever published it.
    age: years, or None where it is not known. sex: "F", "M" or None.
    warnings: what a person should know about how it was read.
    Raises RecordError on another shape, numbers that are not finite, amplitudes that no heart makes, or an age or
    sex of nobody.
    """

    name: str
    signal: NDArray[np.float32]
    rate_hz: float
    unit: Unit = "mV"
    age: float | None = None
    sex: Literal["F", "M"] | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise RecordError(
                f"unit {self.unit!r}: a Record holds mV, or NU where its publisher standardised it; "
                f"make it millivolts first (of V times 1000, of uV times 0.001)"
            )
        try:
            object.__setattr__(self, "rate_hz", float(self.rate_hz))  # 500 and 500.0 have one digest
        except (TypeError, ValueError, OverflowError):
            raise RecordError(f"sampling rate {str(self.rate_hz)[:40]!r}: it must be a positive number of Hz") from None
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise RecordError(
                f"sampling rate of {self.rate_hz} Hz: it must be a positive number; correct the file's header"
            )
        try:
            object.__setattr__(self, "age", None if self.age is None else float(self.age))  # NumPy's are not JSON
        except (TypeError, ValueError, OverflowError):
            raise RecordError(f"age {str(self.age)[:40]!r}: it must be 0 to {MAX_AGE} years, or None") from None
        if self.sex not in {"F", "M", None} or not (self.age is None or 0 <= self.age <= MAX_AGE):
            raise RecordError(
                f"sex {self.sex!r}, age {self.age!r}: they must be F or M and 0 to {MAX_AGE} years, or None"
            )
        given = _plain(self.signal)
        if given.dtype.kind not in "iuf" or given.ndim != 2 or given.shape[0] != len(LEADS) or given.shape[1] == 0:
            raise RecordError(
                f"signal of {given.dtype} with shape {given.shape}: it must be numbers of shape (12, n_samples), "
                f"one sample at least"
            )
        with np.errstate(over="ignore"):
            # a copy of what somebody can write into later: the array itself, or that of which it is a view
            is_another_s = given.flags.writeable or given.base is not None
            signal = np.array(given, np.float32, order="C", copy=is_another_s or None)
        signal.setflags(write=False)
        object.__setattr__(self, "signal", signal)
        self._refuse_impossible_samples()
        object.__setattr__(self, "name", printable(str(self.name)))
        object.__setattr__(self, "warnings", tuple(map(printable, self.warnings)))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, in another process too, is as read-only as the record."""
        self.__dict__.update(state)
        self.signal.setflags(write=False)

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.n_samples / self.rate_hz

    @property
    def digest(self) -> str:
        """The same for the same samples, rate and unit, whatever the recording is called: 16 hexadecimal digits."""
        content = self.signal.tobytes() + f"{self.rate_hz} {self.unit}".encode()
        return hashlib.sha256(content).hexdigest()[:16]

    @cached_property
    def flat_leads(self) -> tuple[str, ...]:
        """Names of the leads that never change."""
        low, high = self.extremes
        return tuple(lead for lead, is_flat in zip(LEADS, low == high, strict=True) if is_flat)

    @cached_property
    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(12,) lowest and (12,) highest sample of each lead."""
        return self.signal.min(axis=1), self.signal.max(axis=1)

    def _refuse_impossible_samples(self) -> None:
        low, high = self.extremes
        if low.min() >= -MAX_MV / 2 and high.max() <= MAX_MV / 2:  # as in nearly all: finite, and within any limit
            return
        if not (np.isfinite(low) & np.isfinite(high)).all():  # NaN is both the lowest and the highest
            finite = np.isfinite(self.signal)
            lead, sample = np.argwhere(~finite)[0]
            raise NoNumbersError(int(np.count_nonzero(~finite)), LEADS[lead], float(sample / self.rate_hz))
        extent, offset = float(np.subtract(high, low, dtype=np.float64).max()), float(max(high.max(), -low.min()))
        if self.unit == "mV" and max(extent, offset) > MAX_MV:
            raise RecordError(
                f"a lead spans {extent:.6g} mV and reaches {offset:.6g} mV: an ECG stays within {MAX_MV:g} mV; "
                f"check the unit and the gain that the file states"
            )


def record_from_leads(
    name: str,
    leads: Mapping[str, ArrayLike],
    rate_hz: float,
    *,
    unit: Unit = "mV",
    age: float | str | None = None,
    sex: str | None = None,
    warnings: tuple[str, ...] = (),
) -> Record:
    """Arrange named leads into a Record: matched by name, derived where eight imply twelve, extra ones dropped.

    leads: lead name as the file writes it -> (n_samples,) in `unit`.
    Raises RecordError when a lead is missing, is there twice, or differs in length from the others.
    """
    pairs = [(str(name), samples) for name, samples in leads.items()]  # a DataFrame may have a name twice
    names = [name for name, _ in pairs]
    refuse_twice(names)
    found, dropped = _by_standard_name({name: _real(name, samples) for name, samples in pairs})
    if missing := [lead for lead in INDEPENDENT_LEADS if lead not in found]:
        raise RecordError(
            f"{len(names)} leads ({_listed(names)}), of which {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: a 12-lead ECG needs at least "
            f"{', '.join(INDEPENDENT_LEADS)}"
        )
    if len(lengths := {lead.shape for lead in found.values()}) > 1:
        raise RecordError(f"leads of unequal length {sorted(lengths)}: all must have the same number of samples")
    notes = list(warnings)
    if derived := [lead for lead in LEADS if lead not in found]:
        if unit != "mV":
            raise RecordError(f"leads {', '.join(derived)} are missing and cannot be derived from unit {unit}")
        found |= _derived_limb_leads(found["I"], found["II"], derived)
        notes.append(f"leads {', '.join(derived)} were derived from I and II")
    if dropped:
        notes.append(f"leads {_listed(dropped)} are not among the twelve and were left out")
    signal = np.stack([found[lead] for lead in LEADS])
    signal.setflags(write=False)  # nobody else has it
    return Record(
        name=name,
        signal=signal,
        rate_hz=rate_hz,
        unit=unit,
        age=plausible_age(age),
        sex=sex_letter(sex),
        warnings=tuple(notes),
    )


def _plain(samples: ArrayLike) -> NDArray[Any]:
    """An array; what is masked in one is no number."""
    if isinstance(samples, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(samples.astype(np.float64), np.nan))
    return np.asarray(samples)


def _real(name: str, samples: ArrayLike) -> NDArray[np.floating]:
    array = _plain(samples)
    if array.dtype.kind not in "fiu":
        raise RecordError(f"lead {name[:MAX_LEAD_NAME]} is of {array.dtype}: it must be of real numbers")
    return array


def _by_standard_name(
    leads: Mapping[str, NDArray[np.floating]],
) -> tuple[dict[str, NDArray[np.floating]], list[str]]:
    found: dict[str, NDArray[np.floating]] = {}
    dropped: list[str] = []
    for given, samples in leads.items():
        standard = standard_lead(given)
        if standard is None:
            dropped.append(given)
        elif standard in found:
            raise RecordError(f"lead {standard} is there twice (again as {given!r}): each must be there once")
        else:
            found[standard] = samples
    return found, dropped


def refuse_twice(names: Iterable[str]) -> None:
    """Raise RecordError where a file has two leads of one name: nobody can say which of them is meant."""
    given = list(names)
    if len(set(given)) < len(given):
        twice = next(name for name, n in Counter(given).items() if n > 1)
        raise RecordError(f"lead {twice[:MAX_LEAD_NAME]!r} is there twice: each must be there once")


def _listed(names: Iterable[str], at_most: int = 20) -> str:
    """Names for a sentence, however many and long a file says they are."""
    short = [name[:MAX_LEAD_NAME] for name in islice(names, at_most + 1)]
    return ", ".join([*short[:at_most], "..."] if len(short) > at_most else short) or "none"


def _derived_limb_leads(
    i: NDArray[np.floating], ii: NDArray[np.floating], wanted: list[str]
) -> dict[str, NDArray[np.floating]]:
    """Einthoven's law (III = II - I) and Goldberger's augmented leads."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number in the end is refused with its record
        i, ii = (lead if lead.dtype.kind == "f" else lead.astype(np.float64) for lead in (i, ii))  # integers overflow
        every = {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return {lead: every[lead] for lead in wanted}


_STANDARD = {lead.upper(): lead for lead in LEADS} | {f"C{n}": f"V{n}" for n in range(1, 7)}


_BEFORE_A_LEAD = re.compile(r"^MDC_ECG_LEAD_|^(?:(?:ECG|EKG|LEAD)[\s_:]+)+")
_AROUND_A_LEAD = re.compile(r"[\s_][MUN\u039c]V$|[\s_-]")  # a unit, µ being a capital mu
_IN_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*")
_SAYS_NO_OTHER = re.compile(
    r"[MUN\u039c]?V|EINTHOVEN|GOLDBERGER|WILSON|BIPOLAR|UNIPOLAR|AUGMENTED|LIMB|CHEST|PRECORDIAL|"
    r"DERIVED|CALCULATED|MEASURED|RAW|FILTERED|MONITOR|LEAD|ECG|EKG"
)
_ANOTHER_LEAD = re.compile(r"-.*|.*-|.*\bI{1,3}[\s_-]+I{1,3}")


@lru_cache(maxsize=256)
def standard_lead(name: str) -> str | None:
    """The standard name of a lead that a file may write as `avr`, `Lead I`, `MDC_ECG_LEAD_V1`, `C1`; else None.

    `Lead -aVR`, `aVR-` and `aVR (inverted)` are none of them: another lead, turned over; nor is `I-II`, one less
    another, nor a lead with anything in brackets but its own name, a unit or a word that makes it no other.
    """
    if (plain := name.strip().upper()) in _STANDARD:
        return _STANDARD[plain]
    if len(plain) > MAX_LEAD_NAME:
        return None
    bare = _IN_BRACKETS.sub("", _BEFORE_A_LEAD.sub("", plain))
    lead = None if _ANOTHER_LEAD.fullmatch(bare) else _STANDARD.get(_AROUND_A_LEAD.sub("", bare))
    words = (word.strip() for word in _IN_BRACKETS.findall(plain))
    return lead if all(_SAYS_NO_OTHER.fullmatch(word) or standard_lead(word) == lead for word in words) else None


def millivolts_per(unit: str) -> float:
    """How many millivolts one of `unit` is; raises RecordError on a unit that is no voltage."""
    try:
        return MILLIVOLTS_PER[unit.strip().lower()]
    except KeyError:
        raise RecordError(f"unit {unit!r}: allowed are V, mV, uV and nV; correct the unit in the file") from None
