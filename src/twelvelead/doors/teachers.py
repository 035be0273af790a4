"""A network of `twelvelead train` and those that it learns from, trained on the same recordings before it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from twelvelead.doors.unfinished import forget, left_of, state_path, weights_path
from twelvelead.formats.files import write_whole
from twelvelead.learning.fit import TAUGHT_LONGER, Fitted, Progress, Settings, fingerprint, fit
from twelvelead.learning.samples import Samples
from twelvelead.learning.state import StateError
from twelvelead.learning.together import Team, wait_for_all
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config
from twelvelead.network.zoo import NetworkError
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import Contestant, definition_of


def fit_taught(
    config: Config,
    teachers: Sequence[Contestant],
    sides: tuple[Samples, Samples],
    recipe: Recipe,
    settings: Settings,
    out: Path,
    *,
    resume: bool,
    together: Team,
    tell: Callable[[Progress], None],
) -> Fitted[CnnGru]:
    """The network trained on (training, validation) after its teachers, of which states and weights lie beside `out`.

    Raises StateError when what is to be resumed was begun otherwise.
    """
    state = state_path(out)
    if not resume and together.rank == 0 and left_of(out):  # what another run left would stop this one's --resume
        forget(out)
    wait_for_all(together)
    state.parent.mkdir(parents=True, exist_ok=True)
    trained = [
        _teacher(teacher, sides, recipe, settings, out, resume=resume, together=together, tell=tell)
        for teacher in teachers
    ]
    definition = definition_of(config, [teacher.name for teacher in teachers])
    return fit(
        partial(CnnGru, config),
        *sides,
        recipe,
        settings,
        state_path=state,
        fingerprint=fingerprint(definition, recipe, settings, *sides),
        resume=resume and (not teachers or state.exists()),
        teachers=trained,
        together=together,
        tell=tell,
    )


def refuse_taught(teachers: Sequence[Contestant]) -> None:
    """Raise NetworkError on a teacher that has teachers of its own: it would be trained without them."""
    for teacher in teachers:
        if teacher.teachers:
            without = ", ".join(teacher.teachers)
            raise NetworkError(f"teacher {teacher.name!r} has teachers itself: name those that have none, {without}")


def _teacher(
    contestant: Contestant,
    sides: tuple[Samples, Samples],
    recipe: Recipe,
    student: Settings,
    out: Path,
    *,
    resume: bool,
    together: Team,
    tell: Callable[[Progress], None],
) -> nn.Module:
    """The contestant trained on (training, validation) with its own recipe, the student's seed and its share of epochs.

    Its weights are kept beside `out` until the student's bundle is written, so that `resume` need not train it again.
    Raises StateError when those that are there were reached from other recordings or settings.
    """
    epochs = student.epochs // TAUGHT_LONGER
    settings = contestant.within(epochs=epochs, patience=student.patience, seed=student.seed)
    mark = fingerprint(contestant.definition, recipe, settings, *sides)
    weights = weights_path(out, contestant.name)
    if not (resume and weights.exists()):
        state = weights.with_suffix(".state")
        fitted = fit(
            contestant.build,
            *sides,
            recipe,
            settings,
            state_path=state,
            fingerprint=mark,
            resume=resume and state.exists(),
            together=together,
            tell=tell,
        )
        wait_for_all(together)  # until everybody has looked whether there is a state
        if together.rank == 0:
            write_whole(weights, save(fitted.network.state_dict(), {"fingerprint": mark}))
            state.unlink()
        wait_for_all(together)
    if _mark(weights) != mark:
        raise StateError(f"{weights} was reached from other recordings or settings: start anew with --replace")
    network = contestant.build()
    network.load_state_dict(load_file(weights))
    return network


def _mark(weights: Path) -> str | None:
    try:
        with safe_open(weights, framework="pt") as file:
            return (file.metadata() or {}).get("fingerprint")
    except (OSError, SafetensorError) as error:
        raise StateError(f"{weights} holds no weights ({error}): start anew with --replace") from error
