"""How many recordings what ships calls a normal ECG and nothing else, out of fold, and what it says of the unlabelled.

    python experiments/normal.py DATA

DATA as for `ship.py`. PTB-XL's diagnostic classes come from its `scp_statements.csv`; a recording may have several.
Result on 2026-11-30: 1,678 of 3,070 recordings are called normal alone, of which 1,176 are labelled so; 396 of
PTB-XL's 1,385 with a diagnosis other than normal, 132 of its 586 with an infarction; of those labelled STE 8 of 10,
STD 18 of 126, I-AVB 8 of 110, PAC 5 of 74, PVC 1 of 160, RBBB 1 of 66, of AF and LBBB none. 275 of the 1,678 have a
probability of normal below .5, of which 79 are labelled so. Of the 1,145 with none of the nine 929 are called
something, 568 of them Normal; with these counted as the Challenge's final script does, F2 is .644 and G2 .392.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from labels import statements_of_ptbxl
from pairs import tested
from results import SHIPPED

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES, EVEN
from twelvelead.scoring.challenge import beta_scores, contingency

NORMAL = DIAGNOSES.index("Normal")


def classes_of_ptbxl(folder: Path) -> dict[str, set[str]]:
    """The diagnostic classes (NORM, MI, STTC, CD, HYP) of each recording, by its key."""
    with (folder / "scp_statements.csv").open(newline="", encoding="utf-8") as file:
        class_of = {row[""]: row["diagnostic_class"] for row in csv.DictReader(file) if row["diagnostic"]}
    return {
        key: {class_of[code] for code in codes if class_of.get(code)}
        for key, codes in statements_of_ptbxl(folder).items()
    }


def main() -> None:
    """Print the counts."""
    data = Path(sys.argv[1])
    pooled = tested(SHIPPED, find([data]).records, left_out=False)
    called, truth = pooled.predictions.decisions, pooled.predictions.truth
    alone = called[:, NORMAL] & (called.sum(axis=1) == 1)
    print(f"normal alone {alone.sum()} of {len(alone)}, labelled normal {truth[alone, NORMAL].sum()}")
    below = alone & (pooled.predictions.probabilities[:, NORMAL] < EVEN)
    print(f"  below even odds {below.sum()}, labelled normal {truth[below, NORMAL].sum()}")
    for name, has in zip(DIAGNOSES, truth.T, strict=True):
        print(f"labelled {name}: normal alone {(alone & has).sum()} of {has.sum()}")
    of_none = ~truth.any(axis=1)
    said = called[of_none]
    print(
        f"none of the nine {of_none.sum()}, of which something {said.any(axis=1).sum()}, Normal {said[:, NORMAL].sum()}"
    )
    weights = 1 / np.maximum(truth.sum(axis=1), 1)
    scores = beta_scores(contingency(truth, called, weights[None]))
    print(", ".join(f"{name} over all {np.nanmean(scores[name]):.3f}" for name in ("f2", "g2")))
    classes, n, n_alone = classes_of_ptbxl(data / "ptb-xl"), Counter[str](), Counter[str]()
    for key, is_alone in zip(pooled.keys, alone, strict=True):
        found = classes.get(key, set())
        for name in (*found, *(["any but NORM"] if found - {"NORM"} else [])):
            n[name] += 1
            n_alone[name] += int(is_alone)
    for name in n:
        print(f"PTB-XL {name}: normal alone {n_alone[name]} of {n[name]}, {n_alone[name] / n[name]:.3f}")


if __name__ == "__main__":
    main()
