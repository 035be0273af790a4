"""What ships without the databases that never state a diagnosis, whose recordings all count as without it.

    python experiments/stated.py DATA

DATA as for `ship.py`. Georgia, Chapman-Shaoxing and Ningbo never state Normal, LUDB neither STD nor STE, PTB's four
neither Normal, LBBB nor RBBB (`UNLABELLED` in `databases/survey.py`). For each test: of each such diagnosis all
recordings and those of databases that state it, then the means over the nine either way. Result on 2026-11-30: in the
pool out of fold AUROC and F2 move by .002, AUPRC by .004, G2 by .002; on the four databases left out Normal's AUPRC
is .429 and .491, STD's .045 and .094.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pairs import tested
from results import LARGEST, SHIPPED

from twelvelead.databases import find
from twelvelead.databases.survey import never_stated
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.scores import Predictions, class_rates, class_scores

SCORES = ("auroc", "auprc", "f2", "g2")
RATES = ("sensitivity", "specificity", "ppv")


def main() -> None:
    """A block of lines for each test."""
    records = find([Path(sys.argv[1])]).records
    unstated = never_stated(records)
    for left_out, name in ((False, "out of fold"), (True, "databases left out")):
        pooled = tested(SHIPPED, records, left_out=left_out)
        states = np.array([[d not in unstated.get(base, ()) for d in DIAGNOSES] for base in pooled.databases])
        for part, rows in (("", np.full(len(states), True)), (f", all but {LARGEST}", pooled.databases != LARGEST)):
            print(f"{name}{part}:")
            tell(pooled.only(rows), states[rows])


def tell(predictions: Predictions, states: NDArray[np.bool_]) -> None:
    """The diagnoses that some of these recordings' databases never state, and the means, either way."""
    everywhere = class_scores(predictions)
    stated = {name: values.copy() for name, values in everywhere.items()}
    for k, name in enumerate(DIAGNOSES):
        if states[:, k].all():
            continue
        print(f"  {name}, all {one(predictions, k)}")
        where = predictions.subset(states[:, k])
        print(f"  {name}, where stated {one(where, k)}")
        for score, values in class_scores(where).items():
            stated[score][k] = values[k]
    for words, scores in (("all", everywhere), ("where stated", stated)):
        print(f"  mean of the nine, {words}: {', '.join(f'{name} {np.nanmean(scores[name]):.4f}' for name in SCORES)}")


def one(predictions: Predictions, k: int) -> str:
    """One diagnosis's scores and rates, and its mean probability over the share that has it."""
    scores, rates = class_scores(predictions), class_rates(predictions)
    cells = [f"{name} {values[name][k]:.3f}" for names, values in ((SCORES, scores), (RATES, rates)) for name in names]
    share = predictions.probabilities[:, k].mean() / predictions.truth[:, k].mean()
    n_positives, n = predictions.truth[:, k].sum(), len(predictions.truth)
    return f"({n_positives} of {n}): {', '.join(cells)}, mean over share {share:.2f}"


if __name__ == "__main__":
    main()
