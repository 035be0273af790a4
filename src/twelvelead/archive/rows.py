"""Rows of results: one a recording, as dicts until a shard is whole, then as Parquet."""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from twelvelead.archive.entries import Entry
from twelvelead.classifier import Report
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.wording import printable

Row = dict[str, Any]
TAG: Final = b"twelvelead"
SEAL: Final = b"sha256 of all before the footer"
END_BYTES: Final = 8
_TEXTS: Final = pa.list_(pa.string())
_WITHHELD: Final = pa.struct([("diagnosis", pa.string()), ("reason", pa.string())])
_FINDING: Final = pa.struct(
    [
        ("kind", pa.string()),
        ("leads", _TEXTS),
        ("value", pa.float64()),
        ("limit", pa.float64()),
        ("unit", pa.string()),
        ("unusable", pa.bool_()),
        ("windows", pa.int64()),  # of a long recording: in how many of its windows
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("index", pa.int64()),
        ("record", pa.string()),
        ("path", pa.string()),
        *((name, pa.float64()) for name in DIAGNOSES),
        ("positive", _TEXTS),
        ("withheld", pa.list_(_WITHHELD)),
        ("quality", pa.list_(_FINDING)),
        ("warnings", _TEXTS),
        ("error", pa.string()),  # the last, for the statistics of a file to be found by
    ]
)


def classified(index: int, entry: Entry, report: Report) -> Row:
    """The row of a recording; a withheld diagnosis has no probability, as in what `classify --json` answers."""
    said = report.as_json()
    withheld = [{"diagnosis": name, "reason": reason} for name, reason in said["withheld"].items()]
    facts = {name: said[name] for name in ("record", "positive", "quality", "warnings")}
    return {"index": index, "path": printable(entry.path), **said["probabilities"], **facts, "withheld": withheld}


def refused(index: int, entry: Entry, reason: str) -> Row:
    """The row of a recording that could not be classified."""
    return {
        "index": index,
        "path": printable(entry.path),
        "record": printable(entry.name),
        "error": printable(reason),
    }


def as_parquet(rows: Iterable[Row], tag: str) -> bytes:
    """The file of a shard's rows; equal rows give equal bytes."""
    file = io.BytesIO()
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA))
        writer.add_key_value_metadata({TAG: tag.encode(), SEAL: _seal(file.getvalue())})
    return file.getvalue()


def _seal(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def n_refused(path: Path, tag: str, n_rows: int) -> int | None:
    """How many rows of a file were refused; None where it is missing, damaged or not whole, or of another tag.

    Raises OSError where it is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        facts = pq.read_metadata(io.BytesIO(content))
    except (OSError, pa.ArrowException):  # which are Arrow's words for damage: the bytes are here
        return None
    said = facts.metadata or {}
    if said.get(TAG) != tag.encode() or facts.num_rows != n_rows or facts.schema.to_arrow_schema() != SCHEMA:
        return None
    footer_at = len(content) - END_BYTES - int.from_bytes(content[-END_BYTES:-4], "little")
    if said.get(SEAL) != _seal(content[:footer_at]):
        return None
    groups = (facts.row_group(number) for number in range(facts.num_row_groups))
    return sum(int(group.num_rows - group.column(group.num_columns - 1).statistics.null_count) for group in groups)
