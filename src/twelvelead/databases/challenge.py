"""The PhysioNet/CinC Challenges of 2020 and 2021: `.hea` + `.mat`, diagnoses in the header's `Dx` comment."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from twelvelead.databases.labelled import LabelledRecord
from twelvelead.diagnoses import from_challenge
from twelvelead.formats.wfdb_header import read_header
from twelvelead.record import plausible_age, sex_letter

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
LOOK_AT: Final = 20
CODES_SINUS_RHYTHM_FOR_NORMAL: Final = ("cpsc2018", "cpsc2018-extra")


def is_here(folder: Path) -> bool:
    """Whether a folder holds headers, one of the first of which has a `Dx` comment."""
    headers = islice(sorted(folder.glob("*.hea")), LOOK_AT)
    return any(re.search(r"^#\s*Dx\s*:", path.read_text(errors="replace"), re.M) for path in headers)


def records(folder: Path, rate_hz: int) -> Iterator[LabelledRecord | tuple[Path, str]]:
    """The labelled recordings of one folder, not of those below it; (path, reason) for one without labels."""
    del rate_hz  # the Challenge published each recording at one rate
    for path in sorted(folder.glob("*.hea")):
        comments = read_header(path).comments
        if not comments.get("dx"):
            yield path, "its header has no Dx, so nobody knows its diagnoses"
            continue
        database, recording = identity(path)
        yield LabelledRecord(
            path=path,
            database=database,
            recording=recording,
            diagnoses=from_challenge(
                re.split(r"[,\s]+", comments["dx"]),
                sinus_rhythm_means_normal=database in CODES_SINUS_RHYTHM_FOR_NORMAL,
            ),
            age=plausible_age(comments.get("age")),
            sex=sex_letter(comments.get("sex")),
        )


def identity(path: Path) -> tuple[str, str]:
    """(database, recording) from a record's name, as the Challenge numbered them; its folder's name otherwise."""
    match = re.fullmatch(r"([A-Z]{1,2})(\d{4,5})", path.stem)
    if match is None or match[1] not in BY_PREFIX:
        folder = path.parent.parent if re.fullmatch(r"g\d+", path.parent.name) else path.parent
        return folder.name, path.stem
    database, number = BY_PREFIX[match[1]], int(match[2])
    if database == "ptb-xl":
        return database, f"{number:05d}"
    if database == "chapman-shaoxing" and number > LAST_OF_CHAPMAN_SHAOXING:
        database = "ningbo"
    return database, path.stem
