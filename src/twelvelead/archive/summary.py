"""What an archive's results say together, counted file after file, so that any number of rows fits."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twelvelead.archive.manifest import Manifest, shard_path, shards_there
from twelvelead.archive.running import refused_in
from twelvelead.diagnoses import DIAGNOSES

N_BINS: Final = 50
MOST_REASONS: Final = 1000
OTHER: Final = "other reasons"
_PARTICULAR = (
    (re.compile(r"b?'[^']*'|b?\"[^\"]*\""), "'…'"),
    (re.compile(r"\S+\.[A-Za-z]\w{1,4}(?=[\s:,;]|$)"), "FILE"),
    (re.compile(r"\([^)]*\)"), "(…)"),
    (re.compile(r"(?<![\w-])-?\d[\d,.]*(?:e[-+]?\d+)?(?![\w-])"), "N"),
    (re.compile(r"\b(?:I|II|III|aVR|aVL|aVF|V[1-6])(?:, (?:I|II|III|aVR|aVL|aVF|V[1-6]))*\b"), "LEADS"),
)


@dataclass(kw_only=True)
class Summary:
    """Counts over all rows that are there.

    positive, withheld: by diagnosis. none: classified, and none of the nine positive; partly: none of those positive
    that could be assessed, which were not all; nothing: none could be assessed. reasons: refused, by reason without
    its numbers and names. quality: recordings with a finding of a kind. histograms: (9, 50) of probabilities.
    foreign: what lies among the shards and is none.
    """

    n_rows: int = 0
    n_refused: int = 0
    n_shards: int = 0
    none: int = 0
    partly: int = 0
    nothing: int = 0
    positive: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    quality: Counter[str] = field(default_factory=Counter)
    histograms: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(DIAGNOSES), N_BINS), np.int64))
    foreign: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All counts for machines."""
        return {
            "recordings": self.n_rows,
            "refused": self.n_refused,
            "none_of_the_nine": self.none,
            "none_of_those_assessed": self.partly,
            "nothing_assessed": self.nothing,
            "positive": {name: self.positive[name] for name in DIAGNOSES},
            "withheld": {name: self.withheld[name] for name in DIAGNOSES},
            "quality": dict(self.quality.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "histograms": dict(zip(DIAGNOSES, self.histograms.tolist(), strict=True)),
            "foreign_files": len(self.foreign),
        }


def summarise(out: Path, manifest: Manifest) -> Summary:
    """Count the rows of every shard that is whole; the others are still to be done."""
    shards, foreign = shards_there(out, manifest)  # of as many as a damaged manifest may claim
    summary = Summary(foreign=foreign)
    for table in _tables(out, manifest, shards):
        summary.n_shards += 1
        summary.n_rows += table.num_rows
        classified = table.filter(pc.is_null(table["error"]))
        summary.n_refused += table.num_rows - classified.num_rows
        withheld = pc.list_value_length(classified.filter(_is_empty(classified["positive"]))["withheld"]).to_pylist()
        summary.none += withheld.count(0)
        summary.nothing += withheld.count(len(DIAGNOSES))
        summary.partly += sum(0 < n < len(DIAGNOSES) for n in withheld)
        summary.positive += _counts(pc.list_flatten(classified["positive"]))
        summary.withheld += _counts(pc.struct_field(pc.list_flatten(classified["withheld"]), "diagnosis"))
        for findings in classified["quality"].to_pylist():
            summary.quality.update({finding["kind"] for finding in findings})
        for name, row in zip(DIAGNOSES, summary.histograms, strict=True):
            row += np.histogram(classified[name].drop_null().to_numpy(), N_BINS, (0.0, 1.0))[0]
        _add_reasons(summary.reasons, table["error"].drop_null().to_pylist())
    return summary


def _tables(out: Path, manifest: Manifest, shards: list[int]) -> Iterator[Any]:
    columns = [*DIAGNOSES, "positive", "withheld", "quality", "error"]
    for shard in shards:
        if refused_in(out, manifest, shard) is not None:
            with shard_path(out, shard).open("rb") as file:  # a path may be no text, or look like an address
                table = pq.read_table(file, columns=columns)
            yield table


def _is_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.list_value_length(column), 0)


def _counts(column: pa.ChunkedArray) -> Counter[str]:
    return Counter({entry["values"]: entry["counts"] for entry in pc.value_counts(column).to_pylist()})


def _add_reasons(reasons: Counter[str], errors: list[str]) -> None:
    for error in errors:
        reason = without_particulars(error)
        reasons[reason if reason in reasons or len(reasons) < MOST_REASONS else OTHER] += 1


def without_particulars(error: str) -> str:
    """A reason without what is of one recording only: its numbers, names, leads and what is in brackets or quotes."""
    for pattern, stand_in in _PARTICULAR:
        error = pattern.sub(stand_in, error)
    return error[:120]
