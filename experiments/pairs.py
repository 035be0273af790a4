"""Paired differences between networks of the study, out of fold: more than the table's, which are all against one.

    python experiments/pairs.py DATA triple single [dual ...]

Prints, for each two of the networks named, what the first has more than the second, with 95 % intervals: in the study's
two scores, and in AUROC of each class and of all but STE, which has ten positives and moves the mean by itself.
"""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.scores import class_scores, percentiles, resampled
from twelvelead.study.comparison import Pooled, compare, pool
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
        by_class(pooled[first], pooled[second])


def by_class(first: Pooled, second: Pooled) -> None:
    """The same of each class's AUROC, and of the mean over all but STE."""
    if first.keys != second.keys:
        return
    of_both = [(class_scores(one.predictions)["auroc"], resampled(one.predictions)["auroc"]) for one in (first, second)]
    (gain, drawn) = (of_first - of_second for of_first, of_second in zip(*of_both, strict=True))  # (9,), (resamples, 9)
    common = [k for k, name in enumerate(DIAGNOSES) if name != "STE"]
    for k, name in enumerate(DIAGNOSES):
        tell(name, gain[k], drawn[:, k])
    tell("all but STE", gain[common].mean(), drawn[:, common].mean(axis=1))


def tell(name: str, gain: float, drawn: NDArray[np.float64]) -> None:
    """One line: the difference and its interval."""
    low, high = percentiles(drawn[:, None])[:, 0]
    print(f"    AUROC of {name}: {gain:+.3f} ({low:+.3f} to {high:+.3f})")


if __name__ == "__main__":
    main()
