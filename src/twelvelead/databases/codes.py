"""The codes and words in which databases write the nine diagnoses."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile
from typing import Final

from twelvelead.diagnoses import DIAGNOSES, in_order

SNOMED: Final = {  # the Challenge's; and disorders and findings by which a hospital means the same
    "164889003": "AF",
    "49436004": "AF",
    "270492004": "I-AVB",
    "164909002": "LBBB",
    "63467002": "LBBB",
    "164854000": "Normal",  # "electrocardiogram normal"
    "733534002": "LBBB",  # complete LBBB, a code of the Challenge of 2021
    "284470004": "PAC",
    "63593006": "PAC",  # supraventricular premature beats
    "427172004": "PVC",
    "17338001": "PVC",  # ventricular premature beats
    "164884008": "PVC",  # ventricular ectopics, the code that CPSC2018 was given
    "59118001": "RBBB",
    "713427006": "RBBB",  # complete RBBB
    "429622005": "STD",
    "26141007": "STD",
    "164931005": "STE",
    "76388001": "STE",
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

AHA: Final = {
    "1": "Normal",
    "30": "PAC",
    "31": "PAC",  # not conducted
    "50": "AF",
    "60": "PVC",
    "82": "I-AVB",  # "prolonged PR interval": these statements have no other for the first degree
    "104": "LBBB",
    "106": "RBBB",
}
AHA_ST_DEVIATION: Final = ("145", "146")
AHA_DIRECTION: Final = {"362": "STD", "363": "STE"}
AHA_UNSURE: Final = frozenset({"301", "302", "312", "315"})  # borderline, consider, possible, probable

CODE_15: Final = {
    "1dAVb": "I-AVB",
    "AF": "AF",
    "LBBB": "LBBB",
    "RBBB": "RBBB",
    "normal_ecg": "Normal",
}

VERHOEFF_PERMUTED: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
VERHOEFF_PERIOD: Final = 8
_CONCEPT = re.compile(r"[1-9][0-9]{2,14}[01]0[0-9]")

_BEATS = r"(?:complex|beat|contraction|extrasystole)"
_FIRST, _AV = r"(?:1st|first|i)[ -]degree", r"(?:a-?v|atrioventricular)"
_ST = r"\bst(?:[ -]segment)?(?: junctional)? "
STATEMENTS: Final = {
    "AF": r"\batrial fibrillation(?!.*flutter)(?! ?/)|\bafib\b(?! ?/)",
    "I-AVB": rf"\b{_FIRST} {_AV}[ -]block|\b{_AV}[ -]block,? \(?{_FIRST}\b|\bprolonged p-?r interval",
    "LBBB": r"\bleft bundle[ -]branch block|\blbbb\b",
    "Normal": r"^(?:\W*)normal ecg\W*$",
    "PAC": rf"\b(?:pac|apc|apb)(?:s|\(s\))?(?!\w)|\b(?:atrial|supraventricular) premature {_BEATS}"
    rf"|\bpremature (?:atrial|supraventricular) {_BEATS}|\b(?:atrial|supraventricular) extrasystole|\bsvebs?\b",
    "PVC": rf"\b(?:pvc|vpc|vpb)(?:s|\(s\))?(?!\w)|\bventricular premature {_BEATS}|\bpremature ventricular {_BEATS}"
    r"|\bventricular (?:extrasystole|bigeminy|trigeminy|couplet)",
    "RBBB": r"\bright bundle[ -]branch block|\brbbb\b",
    "STD": rf"{_ST}depression",
    "STE": rf"{_ST}elev",
}
MAX_STATEMENT_CHARACTERS: Final = 500
UNSURE: Final = (
    r"\b(?:no|not|non|without|absent|consider|possibl[ey]|probabl[ey]|suggests?|suspect(?:ed)?|borderline|cannot|"
    r"exclude|rule out|versus|vs|or|likely|previous|prior|history|paroxysmal|inc(?:ompl(?:ete)?)?|partial|nonspecific|"
    r"normal variant|presumed|questionable|doubtful|unlikely|suspicious|negative for|free of|resolved|disappeared|"
    r"status post|s/p|(?:may|might|could) be(?! (?:due|secondary|related)))\b|\?"
)
_CLAUSE = re.compile(r" - |, (?=consider\b)| with ")
_PART = re.compile(
    r"[,;](?!\s*(?:borderline|flutter|incomplete|old|paroxysmal|partial|possible|probable)\s*(?:[.,;]|$))",
    re.IGNORECASE,
)


def is_challenge_code(code: str) -> bool:
    """Whether a word of a `Dx` is a number of SNOMED CT, or one of the nine's abbreviations."""
    return is_snomed(code) or code in DIAGNOSES


@lru_cache(maxsize=4096)
def is_snomed(code: str) -> bool:
    """Whether a number can be a concept of SNOMED CT: 6 to 18 digits, the last but one 00 or 10, the last a check.

    The check is Verhoeff's (1969): each digit, permuted by its place, is multiplied in the symmetries of a pentagon.
    """
    if not _CONCEPT.fullmatch(code):
        return False
    product = 0
    for place, digit in enumerate(map(int, reversed(code))):
        for _ in range(place % VERHOEFF_PERIOD):
            digit = VERHOEFF_PERMUTED[digit]
        turned, by = product % 5, digit % 5
        is_mirrored, mirrors = product >= 5, digit >= 5
        product = (turned - by if is_mirrored else turned + by) % 5 + 5 * (is_mirrored != mirrors)
    return product == 0


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


def from_aha(statements: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses from AHA statements such as `30+310`: a primary code and its modifiers.

    Codes: Mason, Hancock, Gettes, Circulation 115, 1325 (2007), tables 1 and 3. A statement with a modifier that
    makes it unsure does not count; an ST deviation counts by its direction.
    """
    found: list[str] = []
    for statement in statements:
        primary, *modifiers = (code.strip() for code in statement.split("+"))
        if AHA_UNSURE.intersection(modifiers):
            continue
        if primary in AHA_ST_DEVIATION:
            found += [AHA_DIRECTION[code] for code in modifiers if code in AHA_DIRECTION]
        elif primary in AHA:
            found.append(AHA[primary])
    return in_order(found)


def from_statements(statements: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses that English statements name; what comes with or after a word of doubt, negation or the past is none.

    A clause begins at " - ", " with " or ", consider": in "RBBB with RAD - possible LPFB" the first one is sure.
    """
    short = (statement for statement in statements if len(statement) <= MAX_STATEMENT_CHARACTERS)
    return in_order(diagnosis for statement in short for diagnosis in _named_by(statement))


@lru_cache(maxsize=4096)  # a cart has few statements and a database many recordings
def _named_by(statement: str) -> tuple[str, ...]:
    plain = " ".join(statement.lower().split()).partition(" has replaced ")[0]
    sure = list(takewhile(lambda clause: not re.search(UNSURE, clause), _CLAUSE.split(plain)))
    return tuple(
        diagnosis
        for diagnosis, form in STATEMENTS.items()
        if re.search(form, plain) and any(re.search(form, clause) for clause in sure)
    )


def parts_of(line: str) -> list[str]:
    """The statements of a line, parted at commas semicolons; "RBBB, incomplete" is one, "RBBB, possible PVC" two."""
    return _PART.split(line)


def from_ludb(statements: Iterable[str]) -> tuple[str, ...]:
    """Diagnoses from LUDB's statements; normal where they say sinus rhythm, an unremarkable axis and nothing else.

    Its "STEMI" is not labelled STE: by the headers' gains no lead of the eight such recordings rises more than .1 mV at
    J + 40 ms, but these gains do not fit each other (docs/quality.md), so that nobody can say what it is.
    """
    lines = {statement.strip().rstrip(".").lower().removeprefix("rhythm: ") for statement in statements} - {""}
    found = [diagnosis for beginning, diagnosis in LUDB_STATEMENTS.items() if _any_begins(lines, beginning)]
    if "sinus rhythm" in lines and lines <= LUDB_UNREMARKABLE:
        found.append("Normal")
    return in_order(found)


def _any_begins(lines: Iterable[str], beginning: str) -> bool:
    return any(line.startswith(beginning) for line in lines)
