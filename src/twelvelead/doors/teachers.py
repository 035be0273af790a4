"""The networks that a student of `twelvelead train` learns from, trained on the same recordings before it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from twelvelead.learning.fit import Progress, Settings, fingerprint, fit
from twelvelead.learning.samples import Samples
from twelvelead.learning.state import StateError
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import Contestant


def teacher(
    contestant: Contestant,
    sides: tuple[Samples, Samples],
    recipe: Recipe,
    student: Settings,
    out: Path,
    *,
    resume: bool,
    tell: Callable[[Progress], None],
) -> nn.Module:
    """The contestant trained on (training, validation) with its own recipe and the student's epochs and seed.

    Its weights are kept beside `out` until the student's bundle is written, so that `resume` need not train it again.
    Raises StateError when those that are there were reached from other recordings or settings.
    """
    settings = replace(contestant.settings, epochs=student.epochs, patience=student.patience, seed=student.seed)
    mark = fingerprint(contestant.definition, recipe, settings, *sides)
    weights = weights_path(out, contestant.name)
    if not (resume and weights.exists()):
        state = weights.with_suffix(".state")
        again = resume and state.exists()
        fitted = fit(
            contestant.build, *sides, recipe, settings, state_path=state, fingerprint=mark, resume=again, tell=tell
        )
        save_file(fitted.network.state_dict(), weights, {"fingerprint": mark})
        state.unlink()
    if _mark(weights) != mark:
        raise StateError(f"{weights} was reached from other recordings or settings: start without --resume")
    network = contestant.build()
    network.load_state_dict(load_file(weights))
    return network


def weights_path(out: Path, name: str) -> Path:
    """Where a teacher's weights are kept while its student learns."""
    return out.with_name(f"{out.name}.{name}.safetensors")


def _mark(weights: Path) -> str | None:
    try:
        with safe_open(weights, framework="pt") as file:
            return (file.metadata() or {}).get("fingerprint")
    except (OSError, SafetensorError) as error:
        raise StateError(f"{weights} holds no weights ({error}): start without --resume") from error
