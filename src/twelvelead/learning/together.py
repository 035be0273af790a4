"""Several processes that train one network, as torchrun starts them; the result is that of one process.

Each process takes its part of every batch. Batch normalisation uses the statistics of the whole batch, dropout the
masks that one process would draw for it, and the gradients are summed, so that the weights stay the same everywhere.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group: its functions keep, as a default, that of their first import
from torch import Tensor, nn

from twelvelead.network.dropout import Dropout, DropoutReLU, chances
from twelvelead.network.layers import BatchNorm1d

WAIT: Final = timedelta(days=1)  # for whoever validates alone


class Team(NamedTuple):
    """Which of how many processes this one is."""

    rank: int = 0
    size: int = 1

    def part(self, n: int) -> slice:
        """Of n recordings of a batch those that are this process's: parts as equal as can be, in order."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)


ALONE: Final = Team()


@contextmanager
def team() -> Iterator[Team]:
    """The processes that torchrun started, connected until the end of the block; one alone without torchrun."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=WAIT)
    try:
        yield Team(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


class Whole:
    """The batch of which each process has a part; `n` recordings in all of them."""

    n = 0


def join(network: nn.Module, together: Team) -> Whole:
    """Make batch normalisation and dropout act as if the whole batch were here; its `n` must be set for each batch."""
    whole = Whole()
    for module in network.modules() if together.size > 1 else ():
        if isinstance(module, BatchNorm1d):
            module.forward = partial(_normalised, module)  # type: ignore[method-assign]
        elif isinstance(module, Dropout | DropoutReLU):
            module.chances = partial(_chances_of_part, together, whole)
    return whole


def _normalised(layer: BatchNorm1d, signal: Tensor) -> Tensor:
    """(part of the batch, channels, ...) by the mean and variance of the whole batch."""
    if not layer.training:
        return BatchNorm1d.forward(layer, signal)
    of_channels = (-1, *[1] * (signal.ndim - 2))
    others = [axis for axis in range(signal.ndim) if axis != 1]
    n = _over_all(signal.new_tensor([signal.numel() / signal.shape[1]]))
    mean = _over_all(signal.sum(dim=others)) / n
    centred = signal - mean.view(of_channels)
    variance = _over_all((centred**2).sum(dim=others)) / n
    with torch.no_grad():
        assert layer.running_mean is not None
        assert layer.running_var is not None
        assert layer.num_batches_tracked is not None
        assert layer.momentum is not None
        layer.num_batches_tracked += 1
        layer.running_mean.lerp_(mean, layer.momentum)
        layer.running_var.lerp_(variance * n / (n - 1), layer.momentum)
    scale = layer.weight / torch.sqrt(variance + layer.eps)
    normalised: Tensor = centred * scale.view(of_channels) + layer.bias.view(of_channels)
    return normalised * layer.gain


class _Sum(torch.autograd.Function):
    """The sum over all processes; the gradient of a part is the sum of theirs."""

    @staticmethod
    def forward(_: object, part: Tensor) -> Tensor:
        summed = part.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        return _Sum.forward(_, gradient)


def _over_all(part: Tensor) -> Tensor:
    summed: Tensor = _Sum.apply(part)  # type: ignore[no-untyped-call]
    return summed


def _chances_of_part(together: Team, whole: Whole, signal: Tensor) -> Tensor:
    """Those of this process's part, drawn for the whole batch as one process would draw them."""
    shape = (whole.n, *signal.shape[1:])
    in_memory = np.argsort([-step for step in signal.stride()], kind="stable").tolist()
    arranged = signal.new_empty([shape[axis] for axis in in_memory]).permute(np.argsort(in_memory).tolist())
    return chances(arranged)[together.part(whole.n)]


def sum_gradients(network: nn.Module, together: Team) -> None:
    """Give every process the gradient of the whole batch; each has that of its part of the loss."""
    if together.size > 1:
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        for gradient, summed in zip(
            gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True
        ):
            gradient.copy_(summed.view_as(gradient))


def said_by_first(say: Callable[[], dict[str, float]], names: Sequence[str], together: Team) -> dict[str, float]:
    """What the first process finds out, known to all; `say` is called there alone and gives these names."""
    if together.size == 1:
        return say()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    values = torch.zeros(len(names), dtype=torch.float64, device=device)
    if together.rank == 0:
        said = say()
        values.copy_(torch.tensor([said[name] for name in names]))
    dist.broadcast(values, src=0)
    return dict(zip(names, values.tolist(), strict=True))


def wait_for_all(together: Team) -> None:
    """Return when every process is here."""
    if together.size > 1:
        dist.barrier()
