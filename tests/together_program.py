"""What `tests/test_together.py` has one process do, and two of torchrun: the tensors go to the path that is named."""

import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits

from test_learning import RECIPE, simulated
from twelvelead.learning.fit import Settings, fit
from twelvelead.learning.together import Team, join, sum_gradients, team
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.zoo import SINGLE, named


def write_tensors(path: Path) -> None:
    """Weights after three epochs, gradients of one step, and how many connections are left at the end."""
    group: Callable[[], object] = lambda: None  # noqa: E731
    with team() as together:
        if together.size > 1:
            group = weakref.ref(dist.group.WORLD)
        tensors = weights(path.with_suffix(".state"), together)
        for name in ("single", "triple"):
            tensors |= {f"{name}.{key}": gradient for key, gradient in gradients(name, together).items()}
    tensors["connections"] = torch.tensor(int(group() is not None))
    if together.rank == 0:
        save_file(tensors, path)


def weights(state: Path, together: Team) -> dict[str, torch.Tensor]:
    build = partial(CnnGru, replace(SINGLE, activation="elu"))
    sides, settings = (simulated(24), simulated(8, seed=100)), Settings(epochs=3, batch_size=9)
    fitted = fit(build, *sides, RECIPE, settings, state_path=state, together=together)
    return {f"weights.{name}": value for name, value in fitted.network.state_dict().items()}


def gradients(name: str, together: Team) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    windows, truth = torch.randn(9, 12, 1000), torch.rand(9, 9).round()
    torch.manual_seed(0)
    network, part = CnnGru(named(name)).train(), together.part(9)
    whole = join(network, together)
    whole.n = 9
    loss = binary_cross_entropy_with_logits(network(windows[part])[0], truth[part], reduction="sum") / truth.numel()
    loss.backward()
    sum_gradients(network, together)
    return {key: parameter.grad.contiguous() for key, parameter in network.named_parameters()}


if __name__ == "__main__":
    write_tensors(Path(sys.argv[1]))
