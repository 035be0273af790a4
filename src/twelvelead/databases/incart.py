"""INCART as published: `I01.hea`, 257 Hz and half an hour, its findings in the comments (doi:10.13026/C2V88N)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twelvelead.databases.codes import from_statements, parts_of
from twelvelead.databases.comments import comment_lines
from twelvelead.databases.labelled import Entry, LabelledRecord, Search
from twelvelead.person import plausible_age, sex_letter
from twelvelead.record import RecordError

HEADERS: Final = "I[0-9][0-9].hea"
_PERSON = re.compile(r"<age>:\s*(\S+)\s+<sex>:\s*(\S+)")
_PATIENT = re.compile(r"patient\s+(\d+)")


def is_here(folder: Path) -> bool:
    """Whether a folder holds headers with INCART's names."""
    return any(folder.glob(HEADERS))


def records(folder: Path, _: Search) -> Iterator[Entry]:
    """Each recording: what its last comment finds in it, not what the patient is known to have."""
    for path in sorted(folder.glob(HEADERS)):
        try:
            lines = comment_lines(path)
        except RecordError as error:
            yield path, str(error)
            continue
        person = next(filter(None, map(_PERSON.match, lines)), None)
        patient = next(filter(None, map(_PATIENT.fullmatch, lines)), None)
        findings = [line for line in lines if not _PERSON.match(line) and not _PATIENT.fullmatch(line)]
        if not findings:
            yield path, "its header names no findings, so nobody knows its diagnoses"
            continue
        yield LabelledRecord(
            path=path,
            database="incart",
            recording=path.stem,
            diagnoses=from_statements(part for line in findings for part in parts_of(line)),
            patient=patient[1] if patient else None,
            sex=sex_letter(person[2]) if person else None,
            age=plausible_age(person[1]) if person else None,
        )
