"""One run of the study: a network trained on one fold's development part, and what it says of the test part."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from safetensors.torch import load_file, save
from torch import nn

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats.files import write_whole
from twelvelead.learning.fit import Fitted, Progress, fingerprint, fit, validation_scores, window_logits
from twelvelead.learning.samples import Samples, unlike
from twelvelead.learning.split import VALIDATION_SHARE, split
from twelvelead.learning.state import StateError
from twelvelead.record import TwelveleadError
from twelvelead.scoring.probabilities import fit_decisions, merged
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import Contestant, contestants
from twelvelead.study.folds import Fold

DIGITS: Final = 4


class StudyError(TwelveleadError):
    """A study cannot be gone on with, or has nothing to compare."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run left behind. probabilities: of each recording tested, calibrated on the inner validation part."""

    network: str
    fold: str
    fingerprint: str
    parameters: int
    training: int
    validation: int
    epochs: int
    best_epoch: int
    seconds: float
    validation_scores: Mapping[str, float]
    thresholds: tuple[float, ...]
    probabilities: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What all runs have in common."""

    recipe: Recipe
    epochs: int
    patience: int
    seed: int
    n_folds: int


def keep_protocol(protocol: Protocol, folder: Path) -> None:
    """Write the protocol into a new study's folder; raises StudyError when the one there was begun with another."""
    path = folder / "protocol.json"
    if not path.exists():
        _refuse_foreign(folder)
    wanted = json.loads(json.dumps(asdict(protocol)))
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_whole(path, f"{json.dumps(wanted, indent=1)}\n".encode())
        return
    try:
        begun = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise StudyError(f"{path} holds no protocol of a study ({error}): name another --out") from error
    for name, value in wanted.items():
        if begun.get(name) != value:
            raise StudyError(
                f"{folder} was begun with {name} {begun.get(name)}, now it is {value}: "
                f"ask for the same, or name another --out"
            )


def _refuse_foreign(folder: Path) -> None:
    """Raise StudyError where a new study would write among other things."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if foreign := sorted(name for name in names - {"runs"} if not name.startswith(".protocol")):
        raise StudyError(f"{folder} holds other things ({foreign[0]}): name a new folder, so that nothing is lost")


class Sides(NamedTuple):
    """Whom a network of one fold learns from, whom it is stopped, calibrated and set thresholds on, and whom tested."""

    training: Samples
    validation: Samples
    test: Samples


def sides_of(fold: Fold, samples: Samples, protocol: Protocol) -> Sides:
    """The three sides of a fold; copies of a recording, by whatever name, are on one of them."""
    test = samples.subset(fold.test)
    development = unlike(samples.subset(fold.development), test)
    parts = split(development.records, held_out=frozenset(), validation_share=VALIDATION_SHARE, seed=protocol.seed)
    validation = development.subset(parts.validation)
    return Sides(unlike(development.subset(parts.training), validation), validation, test)


def run(
    contestant: Contestant,
    fold: Fold,
    samples: Samples,
    protocol: Protocol,
    folder: Path,
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    for_teaching: bool = False,
) -> Outcome:
    """Train, calibrate and set thresholds on the development part alone, and classify the test part.

    folder: keeps the weights, the outcome, which is returned at once when it is there, and the state from which a
    killed run goes on. for_teaching: the weights are needed too, and trained again where only the outcome is there.
    Raises StudyError when an outcome that is there was reached from other recordings or settings.
    """
    settings = contestant.within(epochs=protocol.epochs, patience=protocol.patience, seed=protocol.seed)
    sides = sides_of(fold, samples, protocol)
    mark = fingerprint(contestant.definition, protocol.recipe, settings, sides.training, sides.validation)
    path = _path(folder, contestant.name, fold.name)
    weights = path.with_suffix(".safetensors")
    before = _checked(load_outcome(path), mark, path) if path.exists() else None
    if before is not None and (weights.exists() or not for_teaching):
        return before
    state = path.with_suffix(".state")
    teachers = [_teacher(name, fold, samples, protocol, folder, tell) for name in contestant.teachers]
    begun = time.monotonic()
    try:
        fitted = fit(
            contestant.build,
            sides.training,
            sides.validation,
            protocol.recipe,
            settings,
            state_path=state,
            fingerprint=mark,
            resume=state.exists(),
            teachers=teachers,
            tell=tell,
        )
    except StateError:
        if path.exists():  # another study in this folder has ended the same run since
            return _checked(load_outcome(path), mark, path)
        raise
    write_whole(weights, save(fitted.network.state_dict()))
    if before is None:
        before = outcome_of(contestant, fold, mark, fitted, sides, protocol.recipe, time.monotonic() - begun)
        save_outcome(before, path)
    state.unlink(missing_ok=True)
    return before


def _teacher(
    name: str, fold: Fold, samples: Samples, protocol: Protocol, folder: Path, tell: Callable[[Progress], None]
) -> nn.Module:
    """The network of that name as trained on the same development part; trained now where its weights are missing."""
    [contestant] = contestants([name])
    run(contestant, fold, samples, protocol, folder, tell, for_teaching=True)
    network = contestant.build()
    network.load_state_dict(load_file(_path(folder, name, fold.name).with_suffix(".safetensors")))
    return network


def outcome_of(
    contestant: Contestant,
    fold: Fold,
    mark: str,
    fitted: Fitted[nn.Module],
    sides: Sides,
    recipe: Recipe,
    seconds: float,
) -> Outcome:
    """Calibrate and set thresholds on the validation, and say what the network then says of the test; all rounded."""
    calibration, thresholds, _ = fit_decisions(fitted.validation_logits, sides.validation.truth.astype(bool))
    chances = merged(calibration, window_logits(fitted.network, sides.test, recipe))
    scores = validation_scores(fitted.validation_logits, sides.validation)
    return Outcome(
        network=contestant.name,
        fold=fold.name,
        fingerprint=mark,
        parameters=contestant.n_parameters,
        training=len(sides.training),
        validation=len(sides.validation),
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch + 1,
        seconds=round(seconds),
        validation_scores={name: _rounded(value) for name, value in scores.items()},
        thresholds=tuple(map(_rounded, thresholds)),
        probabilities={
            record.key: tuple(map(_rounded, row)) for record, row in zip(sides.test.records, chances, strict=True)
        },
    )


def _path(folder: Path, network: str, fold: str) -> Path:
    return folder / "runs" / f"{network}.{fold}.json"


def save_outcome(outcome: Outcome, path: Path) -> None:
    """Write the outcome, a line for each recording."""
    facts = asdict(outcome)
    rows = facts.pop("probabilities")
    head = json.dumps(facts | {"diagnoses": DIAGNOSES}, indent=1)[:-2]
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in rows.items())
    write_whole(path, f'{head},\n "probabilities": {{\n{lines}\n }}\n}}\n'.encode())


def load_outcome(path: Path) -> Outcome:
    """The outcome of an earlier run; raises StudyError when the file holds none."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if tuple(facts.pop("diagnoses")) != DIAGNOSES:
            raise ValueError("of other diagnoses")
        rows = {key: tuple(map(float, row)) for key, row in facts.pop("probabilities").items()}
        if any(len(row) != len(DIAGNOSES) for row in rows.values()) or not rows:
            raise ValueError("without nine probabilities for each recording")
        return Outcome(**facts | {"thresholds": tuple(facts["thresholds"])}, probabilities=rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"{path} holds no run of a study ({error}): delete it to run again") from error


def _checked(outcome: Outcome, mark: str, path: Path) -> Outcome:
    if outcome.fingerprint != mark:
        raise StudyError(
            f"{path} was reached from other recordings or settings (fingerprint {outcome.fingerprint}, now {mark}): "
            f"name another --out, or delete it to run again"
        )
    return outcome


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
