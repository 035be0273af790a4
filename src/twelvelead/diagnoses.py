"""What can be said: the nine diagnoses of CPSC2018, and the codes in which databases write them."""

from collections.abc import Iterable
from typing import Final

from twelvelead.record import LEADS

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

SNOMED: Final = {
    "164889003": "AF",
    "270492004": "I-AVB",
    "164909002": "LBBB",
    "733534002": "LBBB",  # complete LBBB, a code of the Challenge of 2021
    "284470004": "PAC",
    "63593006": "PAC",  # supraventricular premature beats
    "427172004": "PVC",
    "17338001": "PVC",  # ventricular premature beats
    "164884008": "PVC",  # ventricular ectopics, the code that CPSC2018 was given
    "59118001": "RBBB",
    "713427006": "RBBB",  # complete RBBB
    "429622005": "STD",
    "164931005": "STE",
}
SINUS_RHYTHM_SNOMED: Final = "426783006"

SCP: Final = {
    "AFIB": "AF",
    "1AVB": "I-AVB",
    "CLBBB": "LBBB",
    "NORM": "Normal",
    "PAC": "PAC",
    "PVC": "PVC",
    "CRBBB": "RBBB",
    "STD_": "STD",
    "STE_": "STE",
}

CPSC_NUMBERS: Final = {
    "1": "Normal",
    "2": "AF",
    "3": "I-AVB",
    "4": "LBBB",
    "5": "RBBB",
    "6": "PAC",
    "7": "PVC",
    "8": "STD",
    "9": "STE",
}

LUDB_STATEMENTS: Final = {
    "atrial fibrillation": "AF",
    "i degree av block": "I-AVB",
    "complete left bundle branch block": "LBBB",
    "complete right bundle branch block": "RBBB",
    "atrial extrasystole": "PAC",
    "ventricular extrasystole": "PVC",
}
LUDB_UNREMARKABLE: Final = {
    "sinus rhythm",
    "electric axis of the heart: normal",
    "electric axis of the heart: vertical",
    "electric axis of the heart: horizontal",
}

CHALLENGE_2020_EQUIVALENT: Final = {"59118001": "713427006", "63593006": "284470004", "17338001": "427172004"}
CHALLENGE_2020_SCORED: Final = frozenset(
    {
        "10370003", "111975006", "164889003", "164890007", "164909002", "164917005", "164934002", "164947007",
        "251146004", "270492004", "284470004", "39732003", "426177001", "426627000", "426783006", "427084000",
        "427172004", "427393009", "445118002", "47665007", "59931005", "698252002", "713426002", "713427006",
    }
)  # fmt: skip


def in_order(diagnoses: Iterable[str]) -> tuple[str, ...]:
    """The given diagnoses without repetition, in the order of `DIAGNOSES`."""
    given = set(diagnoses)
    return tuple(diagnosis for diagnosis in DIAGNOSES if diagnosis in given)


def from_challenge(codes: Iterable[str], *, sinus_rhythm_means_normal: bool = False) -> tuple[str, ...]:
    """Diagnoses from the codes of a Challenge header: SNOMED CT numbers, or CPSC's own abbreviations.

    sinus_rhythm_means_normal: CPSC2018's "Normal" was coded 426783006, which in every other database
    says only that the rhythm is sinus.
    """
    known = SNOMED | {diagnosis: diagnosis for diagnosis in DIAGNOSES}
    if sinus_rhythm_means_normal:
        known = known | {SINUS_RHYTHM_SNOMED: "Normal"}
    return in_order(known[code] for code in codes if code in known)


def from_scp(codes: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses from PTB-XL's SCP-ECG statement codes, whatever likelihood they carry."""
    return in_order(SCP[code] for code in codes if code in SCP)


def from_cpsc_numbers(numbers: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses from the numbers 1 to 9 of CPSC2018's REFERENCE.csv."""
    return in_order(CPSC_NUMBERS[number] for number in numbers)


def from_ludb(statements: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses from LUDB's statements; normal where they say sinus rhythm, an unremarkable axis and nothing else.

    Its "STEMI" is no STE here: in none of the eight such recordings does a lead rise more than .1 mV at J + 40 ms.
    """
    lines = {statement.strip().rstrip(".").lower().removeprefix("rhythm: ") for statement in statements} - {""}
    found = [diagnosis for beginning, diagnosis in LUDB_STATEMENTS.items() if _any_begins(lines, beginning)]
    if "sinus rhythm" in lines and lines <= LUDB_UNREMARKABLE:
        found.append("Normal")
    return in_order(found)


def _any_begins(lines: Iterable[str], beginning: str) -> bool:
    return any(line.startswith(beginning) for line in lines)
