"""What defines a network, and what it costs; no torch, so that anybody can ask."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

ATTENTION_HIDDEN: Final = 16
GATES: Final = 3
DIRECTIONS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One time scale: the length of its first temporal kernel and of its first separable one, and its channels.

    Later separable kernels have as many samples as the first, each at half the rate and so twice as long in time.
    """

    stem_ms: float
    separable_ms: float
    n_stem: int
    n_channels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What defines a network; the vocabulary is the same for every network here."""

    branches: tuple[Branch, ...]
    n_gru: int
    dropout: float = 0.3
    n_leads: int = 12
    n_classes: int = 9
    rate_hz: float = 100.0

    def as_json(self) -> dict[str, Any]:
        """What a card holds; `Config.from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Config":
        """The configuration that a card holds."""
        branches = tuple(
            Branch(**branch | {"n_channels": tuple(branch["n_channels"])}) for branch in fields["branches"]
        )
        return cls(**fields | {"branches": branches})


def odd_samples(length_ms: float, rate_hz: float) -> int:
    """A kernel length in samples, odd so that it has a centre."""
    return 2 * int(length_ms * rate_hz / 2000) + 1


def n_parameters(config: Config) -> int:
    """Trainable parameters; batch normalisation has two a channel."""
    total = 0
    for branch in config.branches:
        total += branch.n_stem * (config.n_leads + odd_samples(branch.stem_ms, config.rate_hz) + 2)
        kernel = odd_samples(branch.separable_ms, config.rate_hz / 2)
        total += sum(
            n_in * (kernel + n_out) + 2 * n_out for n_in, n_out in pairwise((branch.n_stem, *branch.n_channels))
        )
    n_features, n_steps = _gru_sizes(config)
    total += DIRECTIONS * GATES * config.n_gru * (n_features + config.n_gru + 2)
    return total + n_steps * ATTENTION_HIDDEN + ATTENTION_HIDDEN + config.n_classes * (ATTENTION_HIDDEN + n_steps + 1)


def n_multiply_adds(config: Config, duration_s: float) -> int:
    """Multiply-adds of one window: convolutions, GRU, attention and classification."""
    n_samples, total, n_steps = round(duration_s * config.rate_hz), 0, 0
    for branch in config.branches:
        total += n_samples * config.n_leads * branch.n_stem
        n_steps = _halved(n_samples)
        total += n_steps * odd_samples(branch.stem_ms, config.rate_hz) * branch.n_stem
        kernel = odd_samples(branch.separable_ms, config.rate_hz / 2)
        for n_in, n_out in pairwise((branch.n_stem, *branch.n_channels)):
            n_steps = _halved(n_steps)
            total += n_steps * n_in * (kernel + n_out)
    n_features, n_out = _gru_sizes(config)
    total += n_steps * DIRECTIONS * GATES * config.n_gru * (n_features + config.n_gru)
    total += n_steps * ATTENTION_HIDDEN * (n_out + config.n_classes)
    return total + config.n_classes * n_out * (n_steps + 1)


def _gru_sizes(config: Config) -> tuple[int, int]:
    """Channels into the GRU, and features out of both its directions."""
    return sum(branch.n_channels[-1] for branch in config.branches), DIRECTIONS * config.n_gru


def _halved(n_samples: int) -> int:
    """Steps after a convolution of stride 2, padded by half of its odd kernel."""
    return (n_samples + 1) // 2
