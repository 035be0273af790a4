"""What defines a network, and what it costs; no torch, so that anybody can ask."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Literal

ATTENTION_HIDDEN: Final = 16
GATES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One time scale: the length of its first temporal kernel and of its first separable one, and its channels.

    Later separable kernels have as many samples as the first, each at half the rate and so twice as long in time.
    n_residual: separable convolutions with a shortcut after each one that halves the rate.
    """

    stem_ms: float
    separable_ms: float
    n_stem: int
    n_channels: tuple[int, ...]
    n_residual: int = 0


@dataclass(frozen=True, kw_only=True)
class Config:
    """What defines a network; the vocabulary is the same for every network here.

    n_directions: of the GRU: 2, 1, or 0 to leave it out. attention: else every class sees the mean over the steps.
    separable: else each separable convolution is a plain one, of the same kernel and channels.
    activation: after each normalisation; onnxruntime makes a ReLU part of its convolution, an ELU four steps more.
    """

    branches: tuple[Branch, ...]
    n_gru: int
    n_directions: int = 2
    attention: bool = True
    separable: bool = True
    activation: Literal["relu", "elu"] = "relu"
    dropout: float = 0.2
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
        return cls(**{"activation": "elu"} | fields | {"branches": branches})  # cards of 0.2.0 and before say none


def odd_samples(length_ms: float, rate_hz: float) -> int:
    """A kernel length in samples, odd so that it has a centre."""
    return 2 * int(length_ms * rate_hz / 2000) + 1


def n_parameters(config: Config) -> int:
    """Trainable parameters; batch normalisation has two a channel."""
    total = 0
    for branch in config.branches:
        total += _stem_weights(branch, config) + 2 * branch.n_stem
        total += sum(_stage_weights(branch, config)) + 2 * (1 + branch.n_residual) * sum(branch.n_channels)
    n_features, n_out = gru_sizes(config)
    total += config.n_directions * GATES * config.n_gru * (n_features + config.n_gru + 2)
    if config.attention:
        total += ATTENTION_HIDDEN * (n_out + 1 + config.n_classes)
    return total + config.n_classes * (n_out + 1)


def n_multiply_adds(config: Config, duration_s: float) -> int:
    """Multiply-adds of one window: convolutions, GRU, attention and classification."""
    n_samples, total, n_steps = round(duration_s * config.rate_hz), 0, 0
    for branch in config.branches:
        n_steps = _halved(n_samples)
        mixing = config.n_leads * branch.n_stem if config.separable else 0
        total += n_samples * mixing + n_steps * (_stem_weights(branch, config) - mixing)
        for n_weights in _stage_weights(branch, config):
            n_steps = _halved(n_steps)
            total += n_steps * n_weights
    n_features, n_out = gru_sizes(config)
    total += n_steps * config.n_directions * GATES * config.n_gru * (n_features + config.n_gru)
    if config.attention:
        total += n_steps * (ATTENTION_HIDDEN * (n_out + config.n_classes) + config.n_classes * n_out)
    else:
        total += n_steps * n_out
    return total + config.n_classes * n_out


def _stem_weights(branch: Branch, config: Config) -> int:
    """Weights of the first convolutions: over the leads and in time one after the other, or both at once."""
    kernel = odd_samples(branch.stem_ms, config.rate_hz)
    return branch.n_stem * (config.n_leads + kernel if config.separable else config.n_leads * kernel)


def _stage_weights(branch: Branch, config: Config) -> list[int]:
    """Weights of the convolutions of each later stage, all of which run at its rate."""
    kernel = odd_samples(branch.separable_ms, config.rate_hz / 2)

    def weights(n_in: int, n_out: int) -> int:
        return n_in * (kernel + n_out) if config.separable else n_in * kernel * n_out

    pairs = pairwise((branch.n_stem, *branch.n_channels))
    return [weights(n_in, n_out) + branch.n_residual * weights(n_out, n_out) for n_in, n_out in pairs]


def gru_sizes(config: Config) -> tuple[int, int]:
    """Channels into the GRU, and features out of it."""
    n_features = sum(branch.n_channels[-1] for branch in config.branches)
    return n_features, config.n_directions * config.n_gru or n_features


def _halved(n_samples: int) -> int:
    """Steps after a convolution of stride 2, padded by half of its odd kernel."""
    return (n_samples + 1) // 2
