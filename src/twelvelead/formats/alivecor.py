"""AliveCor's JSON and ATC: recognised to be refused in a sentence, since they hold one lead or six."""

import re
from typing import Final

from twelvelead.formats.files import Given
from twelvelead.record import Record, RecordError

_KEYS: Final = re.compile(rb'"(?:amplitudeResolution|algorithmDetermination|mainsFrequency|recordedAt|data12L)"\s*:')


def is_alivecor(start: bytes) -> bool:
    """Whether a file is a recording of AliveCor's: JSON with its keys, or ATC."""
    return start.startswith(b"ALIVE") or (start.lstrip()[:1] == b"{" and _KEYS.search(start) is not None)


def read(given: Given) -> Record:
    """Always raises RecordError: no twelve leads can be made of six limb leads."""
    raise RecordError(
        f"{given.name} is a recording of AliveCor's with at most the six limb leads: V1 to V6 are missing and cannot "
        f"be derived; record twelve leads"
    )
