"""What ships out of fold, for women and men and by age.

    python experiments/subgroups.py DATA

DATA as for `ship.py`. AUROC is the mean over the classes with at least five positives in each group of a kind, so that
groups are compared by the same; decisions are those of the Challenge's thresholds. Result on 2026-11-30: the table of
docs/model-card.md; of 30 recordings of people below 18 29 are called normal, 19 are labelled so.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from pairs import tested
from results import FEW, SHIPPED

from twelvelead.databases import LabelledRecord, find, partings_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.evaluation import Result, evaluation
from twelvelead.scoring.scores import Predictions

KINDS = {"sexes": ("F", "M"), "ages": ("0 to 39", "40 to 59", "60 to 79", "80 to 120")}
ADULT = 18
SHOWN = ("AF", "I-AVB", "Normal", "PVC", "STD")


def main() -> None:
    """Print whose the recordings are, a row for each group, and over which classes its AUROC is a mean."""
    records = {record.key: record for record in find([Path(sys.argv[1])]).records}
    print(population([*records.values()]))
    pooled = tested(SHIPPED, [*records.values()], left_out=False)
    result = evaluation(pooled.predictions, partings_of([records[key] for key in pooled.keys]))
    for kind, names in KINDS.items():
        groups = {name: result[kind][name] for name in names}
        shared = [
            diagnosis
            for diagnosis in result["classes"]
            if all(group["classes"][diagnosis]["positives"] >= FEW for group in groups.values())
        ]
        for name, group in groups.items():
            print(f"| {name} | {group['records']:,} | {' | '.join(cells(group, shared))} |")
        print(f"AUROC by {kind}: mean of {', '.join(shared)}")
    print(young([records[key] for key in pooled.keys], pooled.predictions))


def population(records: list[LabelledRecord]) -> str:
    """Of all labelled recordings at hand: how many, by database and sex, and how old."""
    ages = np.array([record.age for record in records if record.age is not None])
    counts = (Counter(record.database for record in records), Counter(record.sex or "unknown" for record in records))
    quartiles = ", ".join(f"{age:g}" for age in np.percentile(ages, [25, 50, 75]))
    said = "; ".join(", ".join(f"{name} {n}" for name, n in count.most_common()) for count in counts)
    young, unknown = (ages < ADULT).sum(), len(records) - len(ages)
    return f"{len(records)}: {said}; quartiles of age {quartiles}, {young} below {ADULT}, {unknown} unknown"


def young(records: list[LabelledRecord], predictions: Predictions) -> str:
    """How many of those below 18 are called normal, and are labelled so."""
    normal = DIAGNOSES.index("Normal")
    rows = np.array([record.age is not None and record.age < ADULT for record in records])
    called, has = predictions.decisions[rows, normal], predictions.truth[rows, normal]
    return (
        f"{rows.sum()} below {ADULT}: labelled normal {has.sum()}, called so {called.sum()}, "
        f"not called of those not labelled {(~called & ~has).sum()} of {(~has).sum()}"
    )


def cells(group: Result, shared: list[str]) -> list[str]:
    """The AUROC over the shared classes, and of some diagnoses sensitivity, specificity and number of positives."""
    classes = group["classes"]
    auroc = sum(classes[name]["auroc"] for name in shared) / len(shared)
    rates = (classes[name] for name in SHOWN)
    return [
        f"{auroc:.3f}",
        *(f"{rate['sensitivity']:.2f}, {rate['specificity']:.2f} ({rate['positives']})" for rate in rates),
    ]


if __name__ == "__main__":
    main()
