"""What the shipped card's thresholds would have decided out of fold, beside the thresholds of each fold's network.

    python experiments/shipped_thresholds.py DATA

DATA as for `ship.py`. The rates in README and model card are those at each fold's own thresholds; the card's are of
another network's validation. Result on 2026-11-30: the folds' lie between .05 and .25, the card's between .07 and .14;
of those not labelled normal 41 % are called normal at the folds' (.05, .07, .12), 35 % at the card's (.14).
"""

import sys
from pathlib import Path

import numpy as np
from pairs import STUDIES, tested
from results import SHIPPED

from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.probabilities import decide
from twelvelead.study.run import load_outcome


def main() -> None:
    """A row for each diagnosis."""
    pooled = tested(SHIPPED, find([Path(sys.argv[1])]).records, left_out=False)
    truth, shipped = pooled.predictions.truth, load_bundle(shipped_bundle()).thresholds
    runs = [load_outcome(STUDIES / "study/runs" / f"{SHIPPED}.{fold}.json") for fold in pooled.folds]
    ways = (pooled.predictions.decisions, decide(pooled.predictions.probabilities, shipped))
    print("| diagnosis | the folds' | sensitivity, specificity | the card's | sensitivity, specificity |")
    print("|---|---|---|---:|---|")
    for k, name in enumerate(DIAGNOSES):
        has = truth[:, k]
        own, other = (f"{called[has, k].mean():.3f}, {1 - called[~has, k].mean():.3f}" for called in ways)
        folds = ", ".join(f"{run.thresholds[k]:.2f}" for run in runs)
        print(f"| {name} | {folds} | {own} | {np.asarray(shipped)[k]:.2f} | {other} |")


if __name__ == "__main__":
    main()
