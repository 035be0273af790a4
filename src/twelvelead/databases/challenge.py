"""The PhysioNet/CinC Challenges of 2020 and 2021: `.hea` + `.mat`, diagnoses in the header's `Dx` comment."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_challenge, is_challenge_code
from twelvelead.databases.labelled import Entry, LabelledRecord, Search
from twelvelead.formats.wfdb_header import headers_in, read_header
from twelvelead.person import plausible_age, sex_letter
from twelvelead.record import RecordError

BY_PREFIX: Final = {
    "A": "cpsc2018",
    "Q": "cpsc2018-extra",
    "E": "georgia",
    "HR": "ptb-xl",
    "I": "incart",
    "JS": "chapman-shaoxing",
    "S": "ptb",
}
LAST_OF_CHAPMAN_SHAOXING: Final = 10646
CODES_SINUS_RHYTHM_FOR_NORMAL: Final = ("cpsc2018", "cpsc2018-extra")


def is_here(folder: Path) -> bool:
    """Whether a folder holds headers."""
    return any(headers_in(folder))


def records(folder: Path, search: Search) -> Iterator[Entry]:
    """The labelled recordings of one folder, not of those below it; (path, reason) for one that is passed over."""
    for path in sorted(headers_in(folder)):
        try:
            comments = read_header(path).comments
        except RecordError as error:
            yield path, str(error)
            continue
        if not comments.get("dx"):
            yield path, "its header has no Dx, so nobody knows its diagnoses"
            continue
        codes = re.split(r"[,\s]+", comments["dx"])
        if unknown := [code for code in codes if code and not is_challenge_code(code)]:
            yield path, f"its Dx has {unknown[0][:40]!r}: it must be SNOMED CT numbers, or names of the nine"
            continue
        database, recording = identity(path, search.root)
        yield LabelledRecord(
            path=path,
            database=database,
            recording=recording,
            diagnoses=from_challenge(
                codes,
                sinus_rhythm_means_normal=database in CODES_SINUS_RHYTHM_FOR_NORMAL,
            ),
            sex=sex_letter(comments.get("sex")),
            age=plausible_age(comments.get("age")),
        )


def identity(path: Path, root: Path) -> tuple[str, str]:
    """(database, recording) by the Challenge's numbering; else the searched folder's name and the path within it."""
    match = re.fullmatch(r"([A-Z]{1,2})(\d{4,5})", path.stem)
    if match is None or match[1] not in BY_PREFIX:
        return root.resolve().name, path.relative_to(root).with_suffix("").as_posix()
    database, number = BY_PREFIX[match[1]], int(match[2])
    if database == "ptb-xl":
        return database, f"{number:05d}"
    if database == "chapman-shaoxing" and number > LAST_OF_CHAPMAN_SHAOXING:
        database = "ningbo"
    return database, path.stem
