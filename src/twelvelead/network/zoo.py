"""The named configurations."""

from typing import Final

from twelvelead.network.config import Branch, Config
from twelvelead.record import TwelveleadError

SINGLE = Config(
    branches=(Branch(stem_ms=250, separable_ms=300, n_stem=32, n_channels=(48, 56, 72), n_residual=1),), n_gru=28
)
DUAL = Config(
    branches=(
        Branch(stem_ms=100, separable_ms=100, n_stem=24, n_channels=(32, 40, 40), n_residual=1),
        Branch(stem_ms=250, separable_ms=400, n_stem=24, n_channels=(32, 40, 40), n_residual=1),
    ),
    n_gru=28,
)
TRIPLE = Config(
    branches=(
        Branch(stem_ms=60, separable_ms=60, n_stem=16, n_channels=(24, 28, 32), n_residual=1),
        Branch(stem_ms=150, separable_ms=200, n_stem=16, n_channels=(24, 28, 32), n_residual=1),
        Branch(stem_ms=350, separable_ms=500, n_stem=16, n_channels=(24, 28, 32), n_residual=1),
    ),
    n_gru=28,
)
NETWORKS: Final = {"single": SINGLE, "dual": DUAL, "triple": TRIPLE}
MAX_PARAMETERS: Final = 50_000


class NetworkError(TwelveleadError):
    """No network has the name that was asked for, or it cannot be used as asked."""


def named(name: str) -> Config:
    """The configuration of that name; raises NetworkError with the names there are."""
    if name not in NETWORKS:
        raise NetworkError(f"network {name!r}: there are {', '.join(NETWORKS)}")
    return NETWORKS[name]
