"""Paired differences between networks of the study, out of fold: more than the table's, which are all against one.

    python experiments/pairs.py DATA triple single [dual ...]

Prints, for each two of the networks named, what the first has more than the second, with 95 % intervals.
"""

import sys
from itertools import combinations
from pathlib import Path

from twelvelead.databases import find
from twelvelead.study.comparison import compare, pool
from twelvelead.study.folds import LEFT_OUT
from twelvelead.study.run import load_outcome

RUNS = Path(__file__).parent / "study/runs"


def main() -> None:
    """Pool the committed runs and compare."""
    data, *names = sys.argv[1:]
    outcomes = [load_outcome(path) for path in sorted(RUNS.glob("*.json"))]
    in_folds = [outcome for outcome in outcomes if not outcome.fold.startswith(LEFT_OUT) and outcome.network in names]
    pooled = {network.network: network for network in pool(in_folds, find([Path(data)]).records)}
    for first, second in combinations(names, 2):
        rows = compare([pooled[first], pooled[second]], first)
        (row,) = (row for row in rows if row["network"] == second)
        for score, words in (("auroc", "AUROC"), ("balance", "sqrt(F2 x G2)")):
            gain, low, high = (row[f"{score}_{end}"] for end in ("gain", "gain_low", "gain_high"))
            print(f"{first} minus {second}, {words}: {gain:+.3f} ({low:+.3f} to {high:+.3f})")


if __name__ == "__main__":
    main()
