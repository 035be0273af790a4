"""The comments of a WFDB header, for databases that keep their diagnoses there in words."""

from pathlib import Path

from twelvelead.formats.files import read_bytes
from twelvelead.formats.wfdb_header import MAX_HEADER_BYTES


def comment_lines(path: Path) -> list[str]:
    """What stands behind the `#` of each comment; raises RecordError where the file cannot be read."""
    text = read_bytes(path, at_most=MAX_HEADER_BYTES).decode("utf-8", errors="replace")
    return [said for line in text.splitlines() if line.startswith("#") and (said := line.lstrip("# \t").strip())]
