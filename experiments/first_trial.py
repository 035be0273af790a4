"""What the first trial's networks reach on the same recordings as what ships: PTB-XL's fold 9, CPSC2018's even ones.

    python experiments/first_trial.py DATA

The trial that set the floor (macro AUROC .96 on PTB-XL, .89 on CPSC2018; its split was not written down) is trained
again as far as it was described: one branch of 34,713 parameters for 20 epochs, two branches of 31,993 for 30,
ResNet1d-Wang for 15, each from three seeds, on all recordings at hand but those of the two lists and whoever is in
them. A fifth of these says which epoch's weights are kept. Prints the mean AUROC of each test over all classes and over
the eight but STE, beside what the study's runs say out of fold. About an hour on one core; killed, it goes on where it
was. Result on 2026-11-30: docs/log.md.
"""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from pairs import tested
from results import PARTS

from twelvelead.databases import LabelledRecord, find, people_of, read_keys, truth_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning.fit import Settings
from twelvelead.learning.samples import Samples, load
from twelvelead.learning.split import split
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Branch, Config
from twelvelead.scoring.probabilities import decide
from twelvelead.scoring.scores import Predictions, class_scores
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import PLAIN, Contestant, contestants
from twelvelead.study.folds import Fold
from twelvelead.study.run import Outcome, Protocol, run

HERE = Path(__file__).parent
FOLDER = HERE / "first-trial"
SEEDS = (0, 1, 2)
STUDIED = ("single-taught", "resnet1d-wang")
DRAWS = ("study", "study-seed-1")

ONE = Config(
    branches=(Branch(stem_ms=250, separable_ms=300, n_stem=32, n_channels=(32, 32, 40)),), n_gru=48, activation="elu"
)
TWO = Config(
    branches=tuple(
        Branch(stem_ms=250, separable_ms=length_ms, n_stem=32, n_channels=(24, 24, 24)) for length_ms in (300, 100)
    ),
    n_gru=40,
    activation="elu",
)


def main() -> None:
    """Train what is not there yet, and score."""
    data = Path(sys.argv[1])
    records = find([data]).records
    lists = {title: read_keys(HERE / name) for title, name in PARTS.items()}
    (FOLDER / "runs").mkdir(parents=True, exist_ok=True)
    samples, _ = load(records, Recipe())
    fold = held_out(samples, frozenset().union(*lists.values()))
    print(f"{'':42}  {'PTB-XL: nine':>14}  eight  {'CPSC2018: nine':>14}  eight")
    for contestant, epochs in trial():
        for seed in SEEDS:
            protocol = Protocol(recipe=Recipe(), epochs=epochs, patience=epochs, seed=seed, n_folds=1)
            done = run(contestant, replace(fold, name=f"held-out-{seed}"), samples, protocol, FOLDER)
            show(f"{contestant.name}, {done.parameters:,}, seed {seed}", predictions_of(done, records), lists)
    for name in STUDIED:
        for draw in DRAWS:
            pooled = tested(f"{draw}/{name}", records, left_out=False)
            show(f"{draw}/{name}, out of fold", (pooled.keys, pooled.predictions), lists)


def trial() -> list[tuple[Contestant, int]]:
    """The trial's networks, each with its epochs."""
    settings = Settings(augmentation=PLAIN)
    ours = [
        (Contestant(name, "ours", partial(CnnGru, config), settings, config.as_json()), epochs)
        for name, config, epochs in (("one-branch", ONE, 20), ("two-branches", TWO, 30))
    ]
    [wang] = contestants(["resnet1d-wang"])
    return [*ours, (wang, 15)]


def held_out(samples: Samples, keys: frozenset[str]) -> Fold:
    """All that may be learned from, and the recordings of these names."""
    sides = split(samples.records, held_out=keys, validation_share=0.2, seed=0)
    test = tuple(index for index, record in enumerate(samples.records) if record.key in keys)
    return Fold("held-out", tuple(sorted((*sides.training, *sides.validation))), test)


def predictions_of(done: Outcome, records: tuple[LabelledRecord, ...]) -> tuple[tuple[str, ...], Predictions]:
    """The recordings tested, and what was said of them."""
    those = [record for record in records if record.key in done.probabilities]
    chances = np.array([done.probabilities[record.key] for record in those])
    decisions = decide(chances, np.array(done.thresholds))
    truth = truth_of(those).astype(bool)
    return tuple(record.key for record in those), Predictions(truth, decisions, chances, people_of(those))


def show(title: str, told: tuple[tuple[str, ...], Predictions], lists: dict[str, frozenset[str]]) -> None:
    """A row: the mean AUROC of each list over the classes with a positive there, and of those but STE."""
    keys, predictions = told
    cells = []
    for wanted in lists.values():
        areas = class_scores(predictions.subset(np.array([key in wanted for key in keys])))["auroc"]
        common = np.delete(areas, DIAGNOSES.index("STE"))
        cells.append(f"{np.nanmean(areas):14.3f}  {np.nanmean(common):5.3f}")
    print(f"{title:42}  {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
