"""The state of a training run on disk: one safetensors file, written beside and renamed, never a pickle."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from twelvelead.formats.files import write_whole
from twelvelead.record import TwelveleadError

VERSION: Final = 2
MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")


class StateError(TwelveleadError):
    """A training run cannot be resumed from what is on disk."""


@dataclass
class Run:
    """What changes while training: weights, the optimiser's moments, and the best so far.

    fingerprint: what the run was started with: network, recipe, settings, recordings.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    best: dict[str, Tensor]
    fingerprint: str = ""
    best_loss: float = float("inf")
    best_epoch: int = 0
    epoch: int = 0


def save_state(run: Run, path: Path) -> None:
    """Write the run: a kill at any moment leaves the state before or after."""
    tensors = {f"network.{name}": value for name, value in run.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in run.best.items()}
    for index, moments in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": moments[name] for name in MOMENTS}
    facts = {
        "version": VERSION,
        "fingerprint": run.fingerprint,
        "threads": torch.get_num_threads(),
        "epoch": run.epoch,
        "best_loss": run.best_loss,
        "best_epoch": run.best_epoch,
    }
    write_whole(path, save({name: value.clone() for name, value in tensors.items()}, {"run": json.dumps(facts)}))


def load_state(run: Run, path: Path) -> None:
    """Bring a freshly made run to where the one on disk had stopped.

    Raises StateError when there is none, or when it was started otherwise: its result would not be the same.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["run"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise StateError(f"{path} holds no run to resume ({error}): start anew with --replace") from error
    for name, now in {"version": VERSION, "threads": torch.get_num_threads()}.items():
        if facts.get(name) != now:
            raise StateError(
                f"{path} was started with {name} {facts.get(name)}, now it is {now}: "
                f"resume with the same, or start anew with --replace"
            )
    if facts.get("fingerprint") != run.fingerprint:
        raise StateError(
            f"{path} was started with another network, other teachers, recordings or settings (--epochs, --seed): "
            f"resume with the same, or start anew with --replace"
        )
    run.network.load_state_dict(_below("network.", tensors))
    run.best = _below("best.", tensors)
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in _below("optimiser.", tensors).items():
        index, moment = name.split(".")
        states.setdefault(int(index), {})[moment] = value
    run.optimiser.load_state_dict(run.optimiser.state_dict() | {"state": states})
    run.epoch, run.best_epoch, run.best_loss = facts["epoch"], facts["best_epoch"], facts["best_loss"]


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
