"""What can be said: the nine diagnoses of CPSC2018, in words, and which leads each needs."""

from collections.abc import Iterable
from typing import Final

from twelvelead.record import LEADS

NORMAL: Final = "Normal"
DIAGNOSES: Final = ("AF", "I-AVB", "LBBB", "Normal", "PAC", "PVC", "RBBB", "STD", "STE")

IN_WORDS: Final = {
    "AF": "atrial fibrillation",
    "I-AVB": "first-degree atrioventricular block",
    "LBBB": "left bundle branch block",
    "Normal": "normal ECG",
    "PAC": "premature atrial contraction",
    "PVC": "premature ventricular contraction",
    "RBBB": "right bundle branch block",
    "STD": "ST-segment depression",
    "STE": "ST-segment elevation",
}

EVEN: Final = 0.5
NORMAL_TOO: Final = " (Normal too: look at it)"  # in short, after what is positive besides

# Of each group of leads at least one must be usable, or the diagnosis is withheld: a rhythm is seen in a lead with
# clear P waves, a bundle branch block in a right and a left one, ST segments and a normal ECG only in all.
_RHYTHM: Final = (("II", "V1"),)
_BUNDLE_BRANCH: Final = (("V1", "V2"), ("I", "V5", "V6"))
_EVERY: Final = tuple((lead,) for lead in LEADS)
LEADS_NEEDED: Final = {
    "AF": _RHYTHM,
    "I-AVB": _RHYTHM,
    "LBBB": _BUNDLE_BRANCH,
    "Normal": _EVERY,
    "PAC": _RHYTHM,
    "PVC": _RHYTHM,
    "RBBB": _BUNDLE_BRANCH,
    "STD": _EVERY,
    "STE": _EVERY,
}


def name_in_words(diagnosis: str) -> str:
    """A diagnosis and its abbreviation, where it has one."""
    return IN_WORDS[diagnosis] if diagnosis == "Normal" else f"{IN_WORDS[diagnosis]} ({diagnosis})"


def nothing_found(n_withheld: int) -> str:
    """What is said where no diagnosis is positive, and so many of the nine could not be assessed."""
    if not n_withheld:
        return "none of the nine diagnoses"
    left = len(DIAGNOSES) - n_withheld
    return f"none of the {left} diagnoses that could be assessed" if left else "nothing could be assessed"


def stated(positive: Iterable[str]) -> tuple[str, ...]:
    """The positive diagnoses that words state together: Normal only where it is alone."""
    found = tuple(positive)
    return tuple(name for name in found if name != NORMAL) or found


def about_normal(positive: Iterable[str], probability: float, *, is_long: bool) -> str:
    """What must be said where Normal is positive: that it is no all-clear, or, beside another, that it hardly can be.

    probability: of Normal, which may be positive below one half. is_long: positive on average over a long recording, of
    which both may be true, one after the other.
    """
    found = tuple(positive)
    if NORMAL not in found:
        return ""
    if len(found) == 1:
        doubt = "is called at less than even odds, and is" if probability < EVEN else "is"
        return f"normal ECG {doubt} no all-clear: infarction, hypertrophy and much else are not assessed"
    if is_long:
        return "normal ECG reaches its threshold too: parts of the recording may be normal; look at the recording"
    return "normal ECG reaches its threshold too, and the two seldom go together: look at the recording"


def in_order(diagnoses: Iterable[str]) -> tuple[str, ...]:
    """The given diagnoses without repetition, in the order of `DIAGNOSES`."""
    given = set(diagnoses)
    return tuple(diagnosis for diagnosis in DIAGNOSES if diagnosis in given)
