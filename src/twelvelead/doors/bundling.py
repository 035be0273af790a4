"""From a fitted network to a bundle: calibrate, set thresholds, score the validation, export, check, write."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from twelvelead.classifier.bundle import BundleError, open_graph, write_bundle
from twelvelead.databases import people_of
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning.fit import Fitted, Settings
from twelvelead.learning.samples import Samples
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config, n_multiply_adds, n_parameters
from twelvelead.network.to_onnx import to_onnx
from twelvelead.scoring.evaluation import evaluation
from twelvelead.scoring.probabilities import decide, fit_calibration, fit_thresholds, merge
from twelvelead.scoring.scores import Predictions
from twelvelead.signals.recipe import Recipe

PARITY: Final = 1e-4
DATABASES: Final = {
    "ptb-xl": ("PTB-XL", "CC BY 4.0", "https://doi.org/10.13026/kfzx-aw45"),
    "ludb": ("LUDB", "ODC-By 1.0", "https://doi.org/10.13026/eegm-h675"),
    "cpsc2018": ("CPSC2018", "CC BY 4.0", "http://2018.icbeb.org/Challenge.html"),
    "cpsc2018-extra": ("CPSC2018-Extra", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "georgia": ("Georgia", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "chapman-shaoxing": ("Chapman-Shaoxing", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "ningbo": ("Ningbo", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "ptb": ("PTB", "ODC-By 1.0", "https://doi.org/10.13026/C28C71"),
    "incart": ("INCART", "ODC-By 1.0", "https://doi.org/10.13026/C2V88N"),
}


def bundle_up(
    out: Path,
    name: str,
    config: Config,
    recipe: Recipe,
    settings: Settings,
    fitted: Fitted[CnnGru],
    training: Samples,
    validation: Samples,
    *,
    held_out: Iterable[str],
) -> dict[str, Any]:
    """Write the bundle and return its card; raises BundleError when the ONNX graph does not answer as the network."""
    truth = validation.truth.astype(bool)
    windows = np.concatenate(fitted.validation_logits)
    owners = np.repeat(np.arange(len(validation)), [len(logits) for logits in fitted.validation_logits])
    calibration = fit_calibration(windows, truth[owners])
    merged = np.stack([merge(calibration.probabilities(logits)) for logits in fitted.validation_logits])
    thresholds = fit_thresholds(merged, truth)
    predictions = Predictions(truth, decide(merged, thresholds), merged, people_of(validation.records))
    graph = to_onnx(fitted.network, config).SerializeToString()
    _refuse_other_answers(graph, fitted.network, config, recipe)
    card = {
        "name": f"twelvelead-{name}",
        "version": version("twelvelead"),
        "purpose": "Research. No medical device: its output must not decide about a patient.",
        "network": {
            "name": name,
            "parameters": n_parameters(config),
            "macs_per_10_s": n_multiply_adds(config, 10),
            "config": config.as_json(),
        },
        "thresholds": dict(zip(DIAGNOSES, map(float, thresholds), strict=True)),
        "calibration": calibration.as_json(),
        "training": {
            "recordings": _positives(training),
            "epochs": fitted.epochs,
            "best_epoch": fitted.best_epoch + 1,
            "settings": asdict(settings),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "validation": {
            "note": "Epoch, calibration and thresholds were chosen on these recordings: they are no test.",
            "recordings": _positives(validation),
            **evaluation([record.database for record in validation.records], predictions),
        },
        "data": [_source(name) for name in sorted({record.database for record in training.records})],
    }
    sides = dict.fromkeys(held_out, "held out")
    sides |= {record.key: "training" for record in training.records}
    sides |= {record.key: "validation" for record in validation.records}
    write_bundle(out, card, recipe, save(fitted.network.state_dict()), graph, sides)
    return card


def _positives(samples: Samples) -> dict[str, Any]:
    """How many recordings, of which databases, with which diagnoses."""
    return {
        "count": len(samples),
        "databases": dict(sorted(Counter(record.database for record in samples.records).items())),
        "positives": {name: int(count) for name, count in zip(DIAGNOSES, samples.truth.sum(axis=0), strict=True)},
    }


def _source(database: str) -> dict[str, str]:
    name, licence, source = DATABASES.get(database, (database, "as its owner says", "the user's own"))
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
