"""Write the shipped bundle anew from its own weights, with today's graphs and card; nothing is trained.

    python experiments/rebundle.py DATA

DATA as for `ship.py`, which enters the study's results and puts the new bundle in place of the old. 21 s.
Result on 2026-11-29, for weights of seven bits in the int8 graph: docs/log.md; the rest stayed as it was.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import ship
import torch
from safetensors.torch import load

from twelvelead.classifier import load_bundle
from twelvelead.classifier.bundle import SPLIT, WEIGHTS
from twelvelead.databases import find
from twelvelead.doors.bundling import Training, bundle_up
from twelvelead.learning.fit import Fitted, Settings, window_logits
from twelvelead.learning.samples import Augmentation
from twelvelead.learning.samples import load as load_samples
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config


def main() -> None:
    """The old bundle's training, as if it had just ended."""
    torch.set_num_threads(1)
    old = load_bundle(ship.SHIPPED)
    with (old.folder / SPLIT).open(encoding="utf-8", newline="") as file:
        side_of = {row["recording"]: row["side"] for row in csv.DictReader(file)}
    records = find([Path(sys.argv[1])]).records
    training, validation = (
        load_samples([record for record in records if side_of.get(record.key) == side], old.recipe)[0]
        for side in ("training", "validation")
    )
    config = Config.from_json(old.card["network"]["config"])
    network = CnnGru(config)
    network.load_state_dict(load((old.folder / WEIGHTS).read_bytes()))
    facts = old.card["training"]
    bundle_up(
        ship.FRESH,
        Training(
            name=old.card["name"],
            network=old.card["network"]["name"],
            config=config,
            recipe=old.recipe,
            settings=settings(facts["settings"]),
            teachers=tuple(facts["teachers"]),
            training=training,
            validation=validation,
            held_out=tuple(key for key, side in side_of.items() if side == "held out"),
            left_out=tuple(key for key, side in side_of.items() if side == "left out"),
            fitted=Fitted(
                network,
                facts["epochs"],
                facts["best_epoch"] - 1,
                window_logits(network, validation, old.recipe),
            ),
        ),
    )
    ship.main()


def settings(fields: dict[str, Any]) -> Settings:
    """The settings that a card holds."""
    return Settings(**fields | {"augmentation": Augmentation(**fields["augmentation"])})


if __name__ == "__main__":
    main()
