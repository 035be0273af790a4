"""What burden is found where there is none: how often AF, PAC and PVC are positive in recordings without them.

    python experiments/burden.py DATA

Out of fold, of the recipe that ships (the runs in experiments/study): the share of recordings that are positive though
not labelled so, and of those that are. Most are of 10 s, one window. Results: docs/long.md.
"""

import sys
from pathlib import Path

from pairs import tested
from results import SHIPPED

from twelvelead.classifier.long import BURDENS
from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES


def main() -> None:
    """Print a row of the table for each diagnosis."""
    pooled = tested(SHIPPED, find([Path(sys.argv[1])]).records, left_out=False)
    truth, positive = pooled.predictions.truth, pooled.predictions.decisions
    print("| diagnosis | recordings without it | of these positive | recordings with it | of these positive |")
    print("|---|---:|---:|---:|---:|")
    for name in BURDENS:
        column = DIAGNOSES.index(name)
        cells = []
        for group in (~truth[:, column], truth[:, column]):
            cells += [f"{group.sum():,}", f"{positive[group, column].mean():.1%}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
