"""What burden the shipped bundle finds where there is none: of AF, PAC and PVC in recordings without them.

    python experiments/burden.py DATA

On the recordings that the bundle never saw (PTB-XL's fold 9, the even-numbered of CPSC2018's): the share of their
windows of 10 s that are positive though the recording is not labelled so, and the same of those that are. Results:
docs/long.md.
"""

import sys
from pathlib import Path

import numpy as np

from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.classifier.long import BURDENS
from twelvelead.databases import find, only, read_keys, truth_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats import read

LISTS = ("ptb-xl-fold-9.txt", "cpsc2018-even.txt")


def main() -> None:
    """Print a row of the table for each diagnosis."""
    classifier = load_bundle(shipped_bundle())
    keys = frozenset(key for name in LISTS for key in read_keys(Path(__file__).parent / name))
    records = only(find([Path(sys.argv[1])]).records, keys)
    by_window = [classify(read(record.path), classifier).by_window for record in records]
    truth = np.repeat(truth_of(records).astype(bool), [len(windows) for windows in by_window], axis=0)
    chances = np.concatenate(by_window)
    print("| diagnosis | windows without it | of these positive | windows with it | of these positive |")
    print("|---|---:|---:|---:|---:|")
    for name in BURDENS:
        column = DIAGNOSES.index(name)
        assessed = np.isfinite(chances[:, column])
        positive = chances[:, column] >= classifier.thresholds[column]
        cells = []
        for group in (assessed & ~truth[:, column], assessed & truth[:, column]):
            cells += [f"{group.sum():,}", f"{positive[group].mean():.1%}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
