"""Paired differences between networks of the study, out of fold: more than the table's, which are all against one.

    python experiments/pairs.py DATA triple single [study-60/xresnet1d101 ...]
    python experiments/pairs.py DATA --left-out single-taught xresnet1d101

Prints, for each two of the networks named, what the first has more than the second, with 95 % intervals: in the study's
two scores, and in AUROC of each class and of all but STE, which has ten positives and moves the mean by itself. A name
with a folder before it is of another study beside this file, `study-60` the one of 60 epochs. With --left-out: on
databases left out, all together, PTB-XL alone (seven eighths of the recordings, tested by networks that had 326 to
learn from), and the others.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import LARGEST

from twelvelead.databases import LabelledRecord, find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.scores import class_scores, percentiles, resampled
from twelvelead.study.comparison import Pooled, compare, pool
from twelvelead.study.folds import LEFT_OUT
from twelvelead.study.run import load_outcome

STUDIES = Path(__file__).parent


def main() -> None:
    """Pool the committed runs and compare."""
    data, *names = sys.argv[1:]
    records, left_out = find([Path(data)]).records, "--left-out" in names
    names = [name for name in names if name != "--left-out"]
    pooled = {name: tested(name, records, left_out=left_out) for name in names}
    for first, second in combinations(names, 2):
        of_both = pooled[first], pooled[second]
        differences(first, second, *of_both)
        if left_out:
            print("  on PTB-XL alone:")
            differences(first, second, *(part(one, one.databases == LARGEST) for one in of_both))
            print("  on the others:")
            differences(first, second, *(part(one, one.databases != LARGEST) for one in of_both))


def differences(first: str, second: str, one: Pooled, other: Pooled) -> None:
    """What the first has more than the second in the study's two scores, on the recordings that both have tested."""
    common = [*({*one.keys} & {*other.keys})]
    if not common:
        print(f"{first}, {second}: no recording that both have tested")
        return
    one, other = (part(each, np.isin(each.keys, common)) for each in (one, other))
    rows = compare([one, other], one.network)
    for name, scores in zip((first, second), rows, strict=True):
        print(f"{name}: AUROC {scores['auroc']:.3f}, sqrt(F2 x G2) {scores['balance']:.3f} on {len(common)} recordings")
    row = rows[1]
    for score, words in (("auroc", "AUROC"), ("balance", "sqrt(F2 x G2)")):
        gain, low, high = (row[f"{score}_{end}"] for end in ("gain", "gain_low", "gain_high"))
        print(f"{first} minus {second}, {words}: {gain:+.3f} ({low:+.3f} to {high:+.3f})")
    by_class(one, other)


def part(pooled: Pooled, rows: NDArray[np.bool_]) -> Pooled:
    """The recordings where `rows` is true."""
    keys = tuple(key for key, keep in zip(pooled.keys, rows, strict=True) if keep)
    return replace(pooled, keys=keys, databases=pooled.databases[rows], predictions=pooled.only(rows))


def tested(name: str, records: Sequence[LabelledRecord], *, left_out: bool) -> Pooled:
    """What a network's committed runs said of recordings of their test parts, folds or databases left out."""
    *of_study, network = name.split("/")
    runs = sorted(STUDIES.joinpath(*of_study or ["study"], "runs").glob(f"{network}.*.json"))
    outcomes = [outcome for outcome in map(load_outcome, runs) if outcome.fold.startswith(LEFT_OUT) == left_out]
    if not outcomes:
        raise SystemExit(f"no runs of {name}: name a network of experiments/study, or FOLDER/NETWORK")
    [pooled] = pool(outcomes, records)
    return replace(pooled, network=name)


def by_class(first: Pooled, second: Pooled) -> None:
    """The same of each class's AUROC, and of the mean over all but STE; both of the same recordings."""
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
