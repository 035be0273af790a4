"""Whose the recording is, as far as a classifier needs it: age in years, and sex."""

import re
from datetime import datetime
from typing import Final, Literal

from twelvelead.wording import counted

MAX_AGE: Final = 120
OVER_89: Final = 90.0
YEARS_FROM: Final = 2.0
AGE_ROUNDING: Final = 1e-2  # a month as .083 years is a month
PER_YEAR: Final = {"y": 1, "m": 12, "w": 52, "d": 365}
_AGE = re.compile(r"\s*(\d{1,5}(?:\.\d{1,5})?)\s*([ymwd])(?:ears?|rs?|onths?|os?|eeks?|ays?)?\s*", re.IGNORECASE)

_FEMALE = re.compile(r"F|(FEM|FRAU|WEIB|WOM|MUJ|MUL)\w*")  # femme, weiblich, mujer, mulher
_MALE = re.compile(r"M|(MALE|MAN|MASC|MASK|M\u00c4NN|MU\u017d)\w*")  # Mann, masculino, maskulin, männlich, muž


def plausible_age(age: float | str | None) -> float | None:
    """Age in years of `74`, `045Y`, `45 years` or `7 months`; None where a file says nothing usable.

    So `NaN` or `Unknown`.
    """
    try:
        years = float(age)  # type: ignore[arg-type]  # float() itself says what it cannot take
    except (TypeError, ValueError):
        said = _AGE.fullmatch(str(age))
        if said is None:
            return None
        years = float(said[1]) / PER_YEAR[said[2].lower()]
    return years if 0 <= years <= MAX_AGE else None


def age_in_table(age: str | None) -> float | None:
    """As `plausible_age`, but 90 where a database hides how old somebody above 89 is: PTB-XL's 300, LUDB's ">89"."""
    return OVER_89 if (age or "").split(".")[0].strip() in {"300", ">89"} else plausible_age(age)


def age_between(born: str, at: str, form: str) -> float | None:
    """Age in years between two dates written as `form` says (of strptime); None where one of them is no such date.

    Whole years; below two years whole months, and below one month days.
    """
    try:
        birth, day = (datetime.strptime(text, form) for text in (born, at))
    except ValueError:
        return None
    months = 12 * (day.year - birth.year) + day.month - birth.month - (day.day < birth.day)
    days = (day - birth).days
    return plausible_age(months // 12 if months >= 12 * YEARS_FROM else months / 12 if months > 0 else days / 365.25)


def age_in_units(years: float) -> tuple[int, str]:
    """An age in whole years, below two in months, and below one month in days; with the unit's name."""
    if years >= YEARS_FROM:
        return int(years), "year"
    months = int(years * 12 + AGE_ROUNDING)
    return (months, "month") if months else (int(years * 365.25 + AGE_ROUNDING), "day")


def age_in_words(years: float) -> str:
    """ "71 years", "18 months", "1 day"."""
    number, unit = age_in_units(years)
    return counted(number, unit)


def sex_letter(sex: object) -> Literal["F", "M"] | None:
    """ "F" or "M" from the words in which files write it, else None; so of "missing", "fehlt" or "M/F"."""
    word = sex.strip().upper() if isinstance(sex, str) else ""
    return "F" if _FEMALE.fullmatch(word) else "M" if _MALE.fullmatch(word) else None
