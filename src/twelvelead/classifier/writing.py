"""How a bundle is written: beside its place and then into it, its card sealed."""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twelvelead.classifier.bundle import (
    CARD,
    FILES,
    FORMAT,
    GRAPHS,
    SPLIT,
    WEIGHTS,
    BundleError,
    Precision,
    read_card,
    seal,
)
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats.files import write_whole
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import printable


def write_bundle(
    folder: Path,
    card: Mapping[str, Any],
    recipe: Recipe,
    weights: bytes,
    graphs: Mapping[Precision, bytes],
    sides: Mapping[str, tuple[str, str]],
) -> None:
    """Write a bundle beside `folder`, then put it in its place; what was there stays until the new one is whole.

    card: all but format, recipe and checksums. graphs: one in float32 at least.
    sides: recording key -> "training", "validation", "held out", ..., and its digest, empty where it was not read.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["recording", "side", "digest"])
    writer.writerows((key, *side) for key, side in sorted(sides.items()))
    files = {WEIGHTS: weights, SPLIT: table.getvalue().encode()}
    files |= {GRAPHS[precision]: graph for precision, graph in graphs.items()}
    whole = {
        "format": FORMAT,
        **card,
        "recipe": asdict(recipe),
        "diagnoses": [*DIAGNOSES],
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    beside, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, data in files.items():
        (beside / name).write_bytes(data)
    (beside / CARD).write_text(sealed_text(whole), encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(beside, folder)
    shutil.rmtree(old, ignore_errors=True)


def refuse_unsafe_place(folder: Path, inputs: Iterable[Path]) -> None:
    """Raise BundleError where writing a bundle would remove or enter anything that is none."""
    if folder.exists() and not _is_bundle(folder):
        raise BundleError(f"{folder} exists and is no bundle: name a new folder, so that nothing of it is lost")
    if others := sorted({path.name for path in folder.glob("*")} - {CARD, *FILES, *GRAPHS.values()}):
        raise BundleError(
            f"{folder} holds {printable(others[0])}, which is no part of a bundle and would be lost with it: "
            f"move it elsewhere, or name another folder"
        )
    for given in inputs:
        if folder == given or folder in given.parents:
            raise BundleError(f"{folder} holds the recordings of {given}: name another folder for the bundle")


def _is_bundle(folder: Path) -> bool:
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(card, dict) and card.keys() >= {"format", "sha256"}


def add_test(folder: Path, name: str, result: Mapping[str, Any]) -> None:
    """Enter the result of a test into the card of a bundle, beside and renamed."""
    card = read_card(folder)
    card.setdefault("tests", {})[name] = result
    write_whole(folder / CARD, sealed_text(card).encode())


def sealed_text(card: Mapping[str, Any]) -> str:
    """A card as it is written: readable, and with its own seal."""
    sealed = {**card, "sha256": {**card["sha256"], CARD: seal(card)}}
    return json.dumps(sealed, indent=2, ensure_ascii=False) + "\n"
