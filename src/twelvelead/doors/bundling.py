"""From a fitted network to a bundle: calibrate, set thresholds, score the validation, export, check, write."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from twelvelead.classifier.bundle import BundleError, Precision, open_graph
from twelvelead.classifier.writing import write_bundle
from twelvelead.databases import people_of
from twelvelead.databases.published import PUBLISHED
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning.fit import Fitted, Settings
from twelvelead.learning.samples import Samples
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config, n_multiply_adds, n_parameters
from twelvelead.network.to_int8 import to_int8
from twelvelead.network.to_onnx import to_onnx
from twelvelead.release import version
from twelvelead.scoring.evaluation import evaluation, mean_scores
from twelvelead.scoring.probabilities import (
    SPECIFICITIES,
    Calibration,
    by_diagnosis,
    decide,
    fit_decisions,
    merged,
    thresholds_at,
)
from twelvelead.scoring.scores import Predictions, class_scores
from twelvelead.signals.recipe import Recipe

PARITY: Final = 1e-4
CALIBRATION_WINDOWS: Final = 256


@dataclass(frozen=True, eq=False)
class Training:
    """A training that has ended: what was trained, how, and on whom.

    name: what the bundle is called. network: one of the zoo's. held_out: keys of recordings to test on, and of their
    patients' others. left_out: of those that could not be read or placed safely, or are copies.
    """

    name: str
    network: str
    config: Config
    recipe: Recipe
    settings: Settings
    teachers: tuple[str, ...]
    training: Samples
    validation: Samples
    held_out: tuple[str, ...]
    left_out: tuple[str, ...]
    fitted: Fitted[CnnGru]


def bundle_up(out: Path, ended: Training) -> dict[str, Any]:
    """Write the bundle and return its card; raises BundleError when the ONNX graph does not answer as the network."""
    network = ended.fitted.network.cpu()  # it may have been trained on a GPU
    graph = to_onnx(network, ended.config).SerializeToString()
    _refuse_other_answers(graph, network, ended.config, ended.recipe)
    in_integers = to_int8(graph, _some_windows(ended))
    decisions = _decisions(ended)
    card = {
        "name": ended.name,
        "version": version(),
        "purpose": "Research. No medical device: its output must not decide about a patient.",
        "network": {
            "name": ended.network,
            "parameters": n_parameters(ended.config),
            "macs_per_10_s": n_multiply_adds(ended.config, 10),
            "config": ended.config.as_json(),
        },
        **decisions,
        "precisions": {"int8": _in_integers(in_integers, ended, decisions)},
        "training": {
            "recordings": _positives(ended.training),
            "left_out": len(ended.left_out),
            "epochs": ended.fitted.epochs,
            "best_epoch": ended.fitted.best_epoch + 1,
            "settings": asdict(ended.settings),
            "teachers": list(ended.teachers),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "data": [_source(name) for name in sorted({record.database for record in ended.training.records})],
    }
    graphs: dict[Precision, bytes] = {"float32": graph, "int8": in_integers}
    sides = dict.fromkeys(ended.held_out, ("held out", "")) | dict.fromkeys(ended.left_out, ("left out", ""))
    for side, of_side in (("training", ended.training), ("validation", ended.validation)):
        pairs = zip(of_side.records, of_side.samples, strict=True)
        sides |= {record.key: (side, sample.digest) for record, sample in pairs}
    write_bundle(out, card, ended.recipe, save(network.state_dict()), graphs, sides)
    return card


def _decisions(ended: Training) -> dict[str, Any]:
    """Calibration and thresholds, fitted on the validation, and how the network does there."""
    validation, truth = ended.validation, ended.validation.truth.astype(bool)
    calibration, thresholds, chances = fit_decisions(ended.fitted.validation_logits, truth)
    predictions = Predictions(truth, decide(chances, thresholds), chances, people_of(validation.records))
    return {
        "thresholds": by_diagnosis(thresholds),
        "thresholds_at_specificity": {
            specificity: by_diagnosis(thresholds_at(float(specificity), chances, truth))
            for specificity in SPECIFICITIES
        },
        "calibration": calibration.as_json(),
        "validation": {
            "note": "Epoch, calibration and thresholds were chosen on these recordings: they are no test.",
            "recordings": _positives(validation),
            **evaluation(predictions, {"databases": [record.database for record in validation.records]}),
        },
    }


def _some_windows(ended: Training) -> NDArray[np.float32]:
    """(n, 12, window_samples): the first windows of training recordings, evenly chosen."""
    every = max(1, len(ended.training) // CALIBRATION_WINDOWS)
    first = (ended.recipe.windows(sample.signal)[0] for sample in ended.training.samples[::every])
    return np.stack([*map(ended.recipe.padded, first)])


def _in_integers(graph: bytes, ended: Training, decisions: dict[str, Any]) -> dict[str, Any]:
    """What int8 changes on the validation, with the calibration and thresholds of float32."""
    session, validation = open_graph(graph), ended.validation
    calibration = Calibration.from_json(decisions["calibration"])
    thresholds = np.array(list(decisions["thresholds"].values()))
    windows = (ended.recipe.windows(sample.signal) for sample in validation.samples)
    logits = (session.run(["logits"], {"windows": of_recording})[0] for of_recording in windows)
    chances = merged(calibration, logits)
    difference = np.abs(chances - merged(calibration, ended.fitted.validation_logits))
    truth = validation.truth.astype(bool)
    predictions = Predictions(truth, decide(chances, thresholds), chances, people_of(validation.records))
    return {
        "calibrated_on": "training recordings",
        "largest_difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
        "validation": mean_scores(class_scores(predictions)),
        "validation_float32": decisions["validation"]["scores"],
    }


def _positives(samples: Samples) -> dict[str, Any]:
    """How many recordings, of which databases, with which diagnoses."""
    return {
        "count": len(samples),
        "databases": dict(sorted(Counter(record.database for record in samples.records).items())),
        "positives": {name: int(count) for name, count in zip(DIAGNOSES, samples.truth.sum(axis=0), strict=True)},
    }


def _source(database: str) -> dict[str, str]:
    name, licence, source = PUBLISHED.get(database, (database, "as its owner says", "the user's own"))
    return {"name": name, "licence": licence, "source": source}


def _refuse_other_answers(graph: bytes, network: CnnGru, config: Config, recipe: Recipe) -> None:
    windows: NDArray[np.float32] = np.random.default_rng(0).standard_normal(
        (3, config.n_leads, recipe.window_samples), dtype=np.float32
    )
    exported = open_graph(graph).run(None, {"windows": windows})
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(windows))
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(exported, expected, strict=True))
    if not difference <= PARITY:
        raise BundleError(f"the ONNX graph differs from the network by {difference:.2g}: at most {PARITY:g} is allowed")
