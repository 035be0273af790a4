"""PTB as published: `patient001/s0010_re.hea`, a clinical summary in its comments (doi:10.13026/C28C71).

The summary is of the patient, not of the recording: what it names may not show, and what it does not name may.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_statements, parts_of
from twelvelead.databases.comments import comment_lines
from twelvelead.databases.labelled import Entry, LabelledRecord, Search
from twelvelead.person import plausible_age, sex_letter
from twelvelead.record import RecordError

NOTHING: Final = ("", "n/a")
STATEMENTS: Final = ("reason for admission", "additional diagnoses")


def is_here(folder: Path) -> bool:
    """Whether a folder is one patient of PTB."""
    return re.fullmatch(r"patient\d{3}", folder.name) is not None and any(folder.glob("s*.hea"))


def records(folder: Path, _: Search) -> Iterator[Entry]:
    """The recordings of one patient; (path, reason) for one that is passed over."""
    for path in sorted(folder.glob("s*.hea")):
        try:
            said = dict(_fact(line) for line in comment_lines(path) if ":" in line)
        except RecordError as error:
            yield path, str(error)
            continue
        if said.get(STATEMENTS[0], "") in NOTHING:
            yield path, "its header names no reason for admission, so nobody knows its diagnoses"
            continue
        yield LabelledRecord(
            path=path,
            database="ptb",
            recording=f"{folder.name}/{path.stem}",
            diagnoses=from_statements(part for key in STATEMENTS for part in parts_of(said.get(key, ""))),
            patient=folder.name.removeprefix("patient"),
            sex=sex_letter(said.get("sex")),
            age=plausible_age(said.get("age")),
        )


def _fact(comment: str) -> tuple[str, str]:
    key, _, value = comment.lower().partition(":")
    return key.strip(), value.strip()
