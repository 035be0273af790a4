"""The bundle: a folder of weights, ONNX graph and card, in which everything travels that is needed to use it."""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import TwelveleadError
from twelvelead.scoring.probabilities import Calibration
from twelvelead.signals.recipe import Recipe

FORMAT: Final = 1
CARD: Final = "card.json"
WEIGHTS: Final = "weights.safetensors"
GRAPH: Final = "model.onnx"
SPLIT: Final = "split.csv"
BATCH_WINDOWS: Final = 64


class BundleError(TwelveleadError):
    """A bundle is missing, damaged, or of a version that this package does not read."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A loaded bundle, ready to run on onnxruntime."""

    folder: Path
    card: dict[str, Any]
    recipe: Recipe
    calibration: Calibration
    thresholds: NDArray[np.float64]
    session: Any

    def run(self, windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, 12, samples) windows -> (n, 9) logits and (n, 9, steps) attention."""
        parts = [
            self.session.run(["logits", "attention"], {"windows": windows[start : start + BATCH_WINDOWS]})
            for start in range(0, len(windows), BATCH_WINDOWS)
        ]
        logits, attention = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(attention)

    @property
    def name(self) -> str:
        """Name and version, as a report shows them."""
        return f"{self.card['name']} {self.card['version']}"

    @cached_property
    def seen(self) -> frozenset[str]:
        """Keys (`database/recording`) of the recordings that it was trained or validated on."""
        with (self.folder / SPLIT).open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return frozenset(row["recording"] for row in rows if row["side"] in {"training", "validation"})


def shipped_bundle() -> Path:
    """The folder of the bundle that comes with the package."""
    return Path(__file__).parent / "shipped"


def load_bundle(folder: Path) -> Classifier:
    """Open a bundle after holding its version and every file's checksum against its card.

    Raises BundleError with what was found and the way out.
    """
    card = _card(folder)
    for name, expected in card["sha256"].items():
        try:
            found = hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest()
        except OSError as error:
            raise BundleError(f"bundle {folder}: {name} cannot be read ({error.strerror}); copy it anew") from error
        if found != expected:
            raise BundleError(
                f"bundle {folder}: {name} has sha256 {found[:12]}…, its card says {expected[:12]}…: "
                f"the file was changed; copy the bundle anew"
            )
    try:
        return Classifier(
            folder=folder,
            card=card,
            recipe=Recipe(**card["recipe"]),
            calibration=Calibration.from_json(card["calibration"]),
            thresholds=np.array([card["thresholds"][name] for name in DIAGNOSES]),
            session=open_graph((folder / GRAPH).read_bytes()),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"bundle {folder}: its card is damaged ({error!r}); copy the bundle anew") from error


def _card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"no bundle in {folder}: it must be a folder with {CARD}, {GRAPH} and {WEIGHTS}") from error
    except ValueError as error:
        raise BundleError(f"bundle {folder}: {CARD} is no JSON ({error}); copy the bundle anew") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise BundleError(f"bundle {folder} has format {found!r}: this version reads format {FORMAT}; train it anew")
    if not isinstance(card.get("sha256"), dict) or GRAPH not in card["sha256"] or card.get("diagnoses") != [*DIAGNOSES]:
        raise BundleError(f"bundle {folder}: its card lacks checksums or names other diagnoses; copy the bundle anew")
    return card


def open_graph(graph: bytes) -> Any:
    """An onnxruntime session on one thread: recordings are handed to processes, not to threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def write_bundle(
    folder: Path,
    card: Mapping[str, Any],
    recipe: Recipe,
    weights: bytes,
    graph: bytes,
    sides: Mapping[str, str],
) -> None:
    """Write a bundle beside `folder`, then put it in its place; what was there stays until the new one is whole.

    card: all but format, recipe and checksums. sides: recording key -> "training", "validation", "held out", ...
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["recording", "side"])
    writer.writerows(sorted(sides.items()))
    files = {WEIGHTS: weights, GRAPH: graph, SPLIT: table.getvalue().encode()}
    whole = {
        "format": FORMAT,
        **card,
        "recipe": asdict(recipe),
        "diagnoses": [*DIAGNOSES],
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    beside, old = folder.with_name(folder.name + ".part"), folder.with_name(folder.name + ".old")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, data in files.items():
        (beside / name).write_bytes(data)
    (beside / CARD).write_text(card_text(whole), encoding="utf-8")
    if folder.exists():
        os.replace(folder, old)
    os.replace(beside, folder)
    shutil.rmtree(old, ignore_errors=True)


def card_text(card: Mapping[str, Any]) -> str:
    """A card as it is written: readable, and the same for the same content."""
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


def add_test(folder: Path, name: str, result: Mapping[str, Any]) -> None:
    """Enter the result of a test into the card of a bundle, beside and renamed."""
    card = _card(folder)
    card.setdefault("tests", {})[name] = result
    beside = folder / (CARD + ".part")
    beside.write_text(card_text(card), encoding="utf-8")
    os.replace(beside, folder / CARD)
