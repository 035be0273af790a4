"""How far off the R peaks and the heart rate are, against the delineations of LUDB by its cardiologists.

    python experiments/heart_rate.py LUDB

LUDB delineates the middle of each recording, lead by lead. A reference beat is the median over the leads of what lies
within 150 ms; a found peak matches within 100 ms. Both are compared between the first and the last reference beat.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import wfdb

from twelvelead.formats import read
from twelvelead.record import LEADS
from twelvelead.signals.heart import r_peaks_s, still_spans_s

JOIN_S = 0.15
MATCH_S = 0.1
LEAST_LEADS = 6


def reference_s(path: Path) -> np.ndarray:
    """Times of the beats that at least half of the leads have."""
    marks = []
    with TemporaryDirectory() as alone:  # beside its header, rdann reads that for each lead again
        for lead in map(str.lower, LEADS):
            (Path(alone) / f"{path.stem}.{lead}").symlink_to(path.with_suffix(f".{lead}").resolve())
            annotation = wfdb.rdann(str(Path(alone) / path.stem), lead, summarize_labels=False)
            marks += [at / 500 for at, kind in zip(annotation.sample, annotation.symbol, strict=True) if kind == "N"]
    marks_s = np.sort(marks)
    groups = np.split(marks_s, np.flatnonzero(np.diff(marks_s) > JOIN_S) + 1)
    return np.array([np.median(group) for group in groups if len(group) >= LEAST_LEADS])


def main(folder: Path) -> None:
    """Print the errors over all recordings."""
    rates, offsets, still, missed, extra, beats = [], [], [0.0], 0, 0, 0
    for path in sorted((folder / "data").glob("*.hea")):
        truth = reference_s(path)
        record = read(path)
        every = r_peaks_s(record)
        begins_s, ends_s = still_spans_s(record)
        still += list(ends_s - begins_s)
        found = every[(every > truth[0] - MATCH_S) & (every < truth[-1] + MATCH_S)]
        distance = np.abs(found[:, None] - truth[None, :]) if len(found) else np.full((1, len(truth)), np.inf)
        lost, more = int((distance.min(axis=0) > MATCH_S).sum()), int((distance.min(axis=1) > MATCH_S).sum())
        missed, extra, beats = missed + lost, extra + more, beats + len(truth)
        offsets += list(distance.min(axis=0)[distance.min(axis=0) <= MATCH_S])
        pair = [60 / np.diff(times).mean() if len(times) > 1 else np.nan for times in (truth, found)]
        rates.append(abs(pair[0] - pair[1]))
        if lost or more or not rates[-1] < 2:
            print(
                f"{path.stem}: {len(truth)} beats, {lost} missed, {more} too many, {pair[0]:.1f} and {pair[1]:.1f} /min"
            )
    error = np.array(rates)
    print(f"{len(error)} recordings, {beats} beats: {missed} missed, {extra} too many")
    print(
        f"peaks off by {1000 * np.median(offsets):.0f} ms (median), {1000 * np.percentile(offsets, 95):.0f} ms (95 %)"
    )
    print(
        f"heart rate off by {error.mean():.2f} /min (mean), {np.percentile(error, 95):.2f} (95 %), {error.max():.2f} "
        f"(largest); within 1 /min in {(error <= 1).sum()}, within 5 in {(error <= 5).sum()}"
    )
    print(f"most leads stand still together for {max(still):.2f} s at most")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
