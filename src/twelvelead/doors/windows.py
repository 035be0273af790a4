"""The table of `classify --windows`: a row for each window of each recording, written whole or not at all."""

import csv
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from twelvelead.classifier import Report
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.reporting import ReportError
from twelvelead.wording import apart_from, no_formula, printable

COLUMNS: Final = ("path", "record", "start_s", "end_s", *DIAGNOSES, "positive", "quality")


@contextmanager
def window_table(path: Path | None) -> Iterator[TextIO | None]:
    """A table with its header, to add reports to; beside its place, and in it when all are there.

    None where no place is given. Raises ReportError where it cannot be written.
    """
    if path is None:
        yield None
        return
    if path.is_dir():
        raise ReportError(f"{path} is a folder: name a file for the table of windows")
    if path.exists():
        raise ReportError(f"{path} is there already: name another file for the table of windows, or remove it first")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            file = beside.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise ReportError(f"{path} cannot be written: {error.strerror}; name another file") from error
        with file:
            csv.writer(file).writerow(COLUMNS)
            yield file
        if path.exists():
            kept = path.with_name(f"{path.name}.{os.getpid()}")
            os.replace(beside, kept)
            raise ReportError(f"{path} was written by somebody else meanwhile: this table is {kept}")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def add_windows(table: TextIO, path: Path, report: Report, duration_s: float, window_s: float) -> None:
    """A row for each window: when, nine probabilities (empty where withheld), the positive ones, what is wrong."""
    thresholds = np.array(list(report.thresholds.values()))
    quality = report.quality_by_window or (report.quality,) * len(report.starts_s)
    rows = csv.writer(table)
    for start_s, chances, findings in zip(report.starts_s, report.by_window, quality, strict=True):
        rows.writerow(
            [
                no_formula(printable(str(path))),
                no_formula(report.record),
                f"{start_s:.3f}",
                f"{min(start_s + window_s, duration_s):.3f}",
                *map(_cell, chances.tolist(), thresholds.tolist()),
                " ".join(name for name, yes in zip(DIAGNOSES, chances >= thresholds, strict=True) if yes),
                "; ".join(map(str, findings)),
            ]
        )


def _cell(chance: float, threshold: float) -> str:
    return "" if math.isnan(chance) else apart_from(chance, threshold, 4)
