"""One recording of an archive: where it lies, as a line of the listing, and its Record."""

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from twelvelead.archive.members import Member, bytes_of
from twelvelead.formats import open_recording, read
from twelvelead.formats.files import Given, open_plain
from twelvelead.record import Record, RecordError
from twelvelead.stream import Stream

MAX_NAME_CHARACTERS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A recording as the listing has it.

    path: of its file; of a member, that of the archive with the member's name behind it, which no file has.
    size: of its file in bytes, or None where there is none. archive: the tar or zip in which its parts lie, the
    recording's own file first. refused: why it cannot be read, found out while listing.
    """

    path: str
    size: int | None = None
    archive: str = ""
    parts: dict[str, Member] = field(default_factory=dict)
    refused: str = ""

    @property
    def name(self) -> str:
        """What the recording is called where nothing inside of it says better."""
        return PurePosixPath(self.path).stem[:MAX_NAME_CHARACTERS]


def to_line(entry: Entry) -> bytes:
    """The entry as a line of JSON; names of any bytes survive."""
    facts: dict[str, Any] = {"path": entry.path}
    if entry.refused:
        facts["refused"] = entry.refused
    elif entry.archive:
        facts["archive"] = entry.archive
        facts["parts"] = {name: member[1:6] for name, member in entry.parts.items()}
    else:
        facts["size"] = entry.size
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Entry:
    """The entry of a line of JSON."""
    facts = json.loads(line)
    parts = {name: Member(name, *numbers) for name, numbers in facts.pop("parts", {}).items()}
    return Entry(**facts, parts=parts)


def recording_of(entry: Entry) -> Record | Stream:
    """The recording, long ones of some formats as a stream, as `classify` opens it; raises RecordError as `read` does.

    Members of archives are read into memory, never unpacked.
    """
    if entry.refused:
        raise RecordError(entry.refused)
    if not entry.archive:
        return open_recording(Path(entry.path))
    with open_plain(Path(entry.archive)) as file:
        own, *others = ((name, bytes_of(file, member)) for name, member in entry.parts.items())
    return read(Given(name=entry.name, held=own[1], file=own[0], beside=dict(others)))
