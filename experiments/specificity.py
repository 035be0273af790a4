"""What thresholds at a specificity hold on recordings that had no part in them: the study's second draw, out of fold.

    python experiments/specificity.py DATA

For each fold of `study-seed-1` the thresholds are found on the inner validation part, as a bundle's are, and tried on
the test part. The first time this needs the weights that `twelvelead study` leaves beside its runs; the thresholds are
kept in `study-seed-1/at-specificity.json`, from which the table is made again without them. Below the table: of those
with none of the eight abnormal diagnoses the share that is called one, by default and at each specificity.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pairs import tested
from results import LARGEST, SHIPPED
from safetensors.torch import load_file

from twelvelead.databases import LabelledRecord, find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning.fit import window_logits
from twelvelead.learning.samples import load
from twelvelead.scoring.evaluation import evaluation
from twelvelead.scoring.probabilities import SPECIFICITIES, decide, fit_decisions, thresholds_at
from twelvelead.signals.recipe import Recipe
from twelvelead.study.comparison import Pooled
from twelvelead.study.contestants import contestants
from twelvelead.study.folds import folds
from twelvelead.study.run import Protocol, load_outcome, sides_of

STUDY = Path(__file__).parent / "study-seed-1"
KEPT = STUDY / "at-specificity.json"
Classes = dict[str, dict[str, float]]
Thresholds = dict[str, dict[str, list[float]]]  # fold -> specificity -> nine


def main() -> None:
    """The table, after the thresholds where they are not kept yet."""
    records = find([Path(sys.argv[1])]).records
    if not KEPT.exists():
        KEPT.write_text(json.dumps(found(records), indent=1) + "\n", encoding="utf-8")
    kept: Thresholds = json.loads(KEPT.read_text(encoding="utf-8"))
    print("| diagnosis | n | asked for | threshold | specificity | outside PTB-XL | sensitivity | PPV |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    rows = [(specificity, called(records, kept, specificity)) for specificity in SPECIFICITIES]
    for name in DIAGNOSES:
        for specificity, (all_classes, outside) in rows:
            one = all_classes[name]
            shown = [f"{fold[specificity][DIAGNOSES.index(name)]:.3f}" for fold in kept.values()]
            rates = [one["specificity"], outside[name]["specificity"], one["sensitivity"], one["ppv"]]
            cells = " | ".join("–" if rate is None else f"{rate:.2f}" for rate in rates)
            print(f"| {name} | {one['positives']} | {specificity} | {', '.join(shown)} | {cells} |")
    print(alarms("by default", by_default(records)))
    for specificity in SPECIFICITIES:
        print(alarms(f"at {specificity}", decided(records, kept, specificity)))


def found(records: tuple[LabelledRecord, ...]) -> Thresholds:
    """Of each fold, on its inner validation part."""
    torch.set_num_threads(1)
    protocol = Protocol(**json.loads((STUDY / "protocol.json").read_text(encoding="utf-8")) | {"recipe": Recipe()})
    samples, _ = load(records, protocol.recipe)
    thresholds: Thresholds = {}
    for fold in folds(samples, protocol.n_folds, protocol.seed):
        [contestant] = contestants([SHIPPED])
        network = contestant.build()
        network.load_state_dict(load_file(STUDY / "runs" / f"{SHIPPED}.{fold.name}.safetensors"))
        validation = sides_of(fold, samples, protocol).validation
        truth = validation.truth.astype(bool)
        _, _, chances = fit_decisions(window_logits(network, validation, protocol.recipe), truth)
        thresholds[fold.name] = {
            specificity: thresholds_at(float(specificity), chances, truth).tolist() for specificity in SPECIFICITIES
        }
    return thresholds


def called(records: tuple[LabelledRecord, ...], kept: Thresholds, specificity: str) -> tuple[Classes, Classes]:
    """By diagnosis, what `evaluate` says of the decisions on all test parts together, and on those outside PTB-XL."""
    pooled = decided(records, kept, specificity)
    outside = pooled.only(pooled.databases != LARGEST)
    return evaluation(pooled.predictions, {})["classes"], evaluation(outside, {})["classes"]


def by_default(records: tuple[LabelledRecord, ...]) -> Pooled:
    """All test parts together, decided by each fold's thresholds for the Challenge's scores."""
    return tested(f"{STUDY.name}/{SHIPPED}", records, left_out=False)


def decided(records: tuple[LabelledRecord, ...], kept: Thresholds, specificity: str) -> Pooled:
    """The same, decided by each fold's thresholds at a specificity."""
    pooled = by_default(records)
    fold_of = {
        key: fold for fold in kept for key in load_outcome(STUDY / "runs" / f"{SHIPPED}.{fold}.json").probabilities
    }
    thresholds = np.array([kept[fold_of[key]][specificity] for key in pooled.keys])
    predictions = replace(pooled.predictions, decisions=decide(pooled.predictions.probabilities, thresholds))
    return replace(pooled, predictions=predictions)


def alarms(words: str, pooled: Pooled) -> str:
    """How many of those without any of the eight abnormal diagnoses get one called."""
    abnormal = np.array([name != "Normal" for name in DIAGNOSES])
    without = ~pooled.predictions.truth[:, abnormal].any(axis=1)
    called = pooled.predictions.decisions[without][:, abnormal].any(axis=1)
    return f"{words}: of {without.sum()} with none of the eight {called.mean():.3f} are called one"


if __name__ == "__main__":
    main()
