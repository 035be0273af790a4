"""Whether the probabilities of what ships are frequencies: out of fold, and in hospitals that it has not seen.

    python experiments/frequencies.py DATA

DATA as for `ship.py`. Of each diagnosis: the mean probability over the share that has it (1 where they agree on the
whole), the calibration slope (of a logistic regression of the label on the logit: 1 where they agree throughout, below
1 where they are too sure), and the Brier score beside that of saying the share of everybody. Result on 2026-11-30: the
table of docs/model-card.md. Of the recordings out of fold those outside PTB-XL are shown apart, too few for more than
the first of the three.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pairs import part, tested
from results import FEW, LARGEST, SHIPPED
from sklearn.linear_model import LogisticRegression

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES


def main() -> None:
    """Print a row for each diagnosis."""
    records = find([Path(sys.argv[1])]).records
    here = tested(SHIPPED, records, left_out=False)
    elsewhere = tested(SHIPPED, records, left_out=True)
    is_large = elsewhere.databases == LARGEST
    tests = [here, part(elsewhere, ~is_large), part(elsewhere, is_large)]
    outside = part(here, here.databases != LARGEST).predictions
    print(f"out of fold {len(here.keys)}, of these outside PTB-XL {len(outside.truth)}")
    for k, name in enumerate(DIAGNOSES):
        cells = [
            agreement(test.predictions.probabilities[:, k], test.predictions.truth[:, k].astype(np.float64))
            for test in tests
        ]
        mean = outside.probabilities[:, k].mean() / outside.truth[:, k].mean()
        print(f"| {name} | {cells[0]} | {mean:.2f} | {' | '.join(cells[1:])} |")


def agreement(chances: NDArray[np.float64], truth: NDArray[np.float64]) -> str:
    """Mean probability over share, slope, and Brier score over that of the share."""
    if truth.sum() < FEW:
        return "– | – | –"
    logits = np.log(chances / (1 - chances))[:, None]
    slope = float(LogisticRegression(C=np.inf).fit(logits, truth).coef_[0, 0])
    share = truth.mean()
    brier, of_share = ((chances - truth) ** 2).mean(), share * (1 - share)
    return f"{chances.mean() / share:.2f} | {slope:.2f} | {brier / of_share:.2f}"


if __name__ == "__main__":
    main()
