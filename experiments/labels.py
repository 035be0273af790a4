"""What PTB-XL's other statements say of recordings that count as without a diagnosis, or as normal.

    python experiments/labels.py DATA

DATA as for `ship.py`. Labels are those of `databases/codes.py`: STD is "non-specific ST depression" (STD_) alone, so
ischaemia (ISC*) and injury (INJ*) count as without it; I-AVB is "first degree AV block" (1AVB) alone, so "prolonged PR
interval" (LPR) counts as without it, though SPH's statement of that name is I-AVB. Calls are those of what ships, out
of fold. Result on 2026-11-30: of 467 called STD and not labelled so 151 have ischaemia or injury, of 194 called I-AVB
17 a prolonged PR interval; 60 of PTB-XL's 1,283 normal ones are labelled with another of the nine too.
"""

import ast
import csv
import sys
from pathlib import Path

import numpy as np
from pairs import tested
from results import LARGEST, SHIPPED

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES

BESIDE = {"STD": ("ISC", "INJ"), "I-AVB": ("LPR",)}  # how the codes begin that say nearly the same


def main() -> None:
    """Print the counts."""
    data = Path(sys.argv[1])
    statements = statements_of_ptbxl(data / "ptb-xl")
    pooled = tested(SHIPPED, find([data]).records, left_out=False)
    called, truth = pooled.predictions.decisions, pooled.predictions.truth
    for name, beginnings in BESIDE.items():
        k = DIAGNOSES.index(name)
        has = np.array([any(code.startswith(beginnings) for code in statements.get(key, ())) for key in pooled.keys])
        without = ~truth[:, k]
        false = called[:, k] & without
        print(
            f"{'/'.join(beginnings)} and not labelled {name}: {(has & without).sum()}, of which called {name} "
            f"{(has & false).sum()}, of all {false.sum()} called so without the label"
        )
    normal = truth[(pooled.databases == LARGEST) & truth[:, DIAGNOSES.index("Normal")]]
    others = ", ".join(f"{name} {n}" for name, n in zip(DIAGNOSES, normal.sum(axis=0), strict=True) if name != "Normal")
    print(f"PTB-XL's normal ones {len(normal)}, with another of the nine {(normal.sum(axis=1) > 1).sum()}: {others}")


def statements_of_ptbxl(folder: Path) -> dict[str, set[str]]:
    """The SCP-ECG codes of each recording, whatever their likelihood, by its key."""
    with (folder / "ptbxl_database.csv").open(newline="", encoding="utf-8") as file:
        return {
            f"ptb-xl/{int(row['ecg_id']):05d}": {*ast.literal_eval(row["scp_codes"])} for row in csv.DictReader(file)
        }


if __name__ == "__main__":
    main()
