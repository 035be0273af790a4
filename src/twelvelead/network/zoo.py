"""The named configurations, and what each costs."""

from typing import Final

import torch
from torch import Tensor, nn

from twelvelead.network.cnn_gru import Branch, CnnGru, Config
from twelvelead.record import TwelveleadError

SINGLE = Config(branches=(Branch(stem_ms=250, separable_ms=300, n_stem=32, n_channels=(48, 48, 64)),), n_gru=40)
DUAL = Config(
    branches=(
        Branch(stem_ms=100, separable_ms=100, n_stem=24, n_channels=(32, 32, 32)),
        Branch(stem_ms=250, separable_ms=400, n_stem=24, n_channels=(32, 32, 32)),
    ),
    n_gru=40,
)
TRIPLE = Config(
    branches=(
        Branch(stem_ms=60, separable_ms=60, n_stem=16, n_channels=(24, 24, 24)),
        Branch(stem_ms=150, separable_ms=200, n_stem=16, n_channels=(24, 24, 24)),
        Branch(stem_ms=350, separable_ms=500, n_stem=16, n_channels=(24, 24, 24)),
    ),
    n_gru=40,
)
NETWORKS: Final = {"single": SINGLE, "dual": DUAL, "triple": TRIPLE}
MAX_PARAMETERS: Final = 50_000


class NetworkError(TwelveleadError):
    """No network has the name that was asked for."""


def named(name: str) -> Config:
    """The configuration of that name; raises NetworkError with the names there are."""
    if name not in NETWORKS:
        raise NetworkError(f"network {name!r}: there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def n_parameters(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def n_multiply_adds(config: Config, duration_s: float) -> int:
    """Multiply-adds of one forward pass over a window: convolutions, GRU, attention and classification."""
    network, total = CnnGru(config).eval(), 0

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        nonlocal total
        if isinstance(module, nn.Conv1d) and isinstance(output, Tensor):
            total += module.weight.numel() * output.shape[-1]
        elif isinstance(module, nn.GRU):
            matrices = [weight for name, weight in module.named_parameters() if name.startswith("weight")]
            total += sum(matrix.numel() for matrix in matrices) * output[0].shape[1]
        elif isinstance(module, nn.Linear) and isinstance(output, Tensor):
            total += module.weight.numel() * output.shape[1]

    for module in network.modules():
        module.register_forward_hook(count)
    with torch.inference_mode():
        _, weights = network(torch.zeros(1, config.n_leads, round(duration_s * config.rate_hz)))
    return int(total + network.classify.numel() * (weights.shape[-1] + 1))
