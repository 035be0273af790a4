"""The network: economical spatio-temporal convolutions in one or more branches, one GRU layer, attention, nine logits.

After Borra, Andalò, Severi and Corsi, "A lightweight CNN-GRU for 12-lead ECG classification", CinC 2020. Their
abstract gives no sizes: those here are our own.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from twelvelead.network.config import ATTENTION_HIDDEN, Branch, Config, gru_sizes, odd_samples
from twelvelead.network.dropout import Dropout, DropoutReLU, gain
from twelvelead.network.layers import GRU, BatchNorm1d, Conv1d, concatenated, convolved_by_twos, image


class ConvolutionalBranch(nn.Sequential):
    """Spatial filters over the leads, a temporal kernel for each, then separable stages; each stage halves the rate.

    The spatial filters come first because nothing between the two is non-linear: the order changes no function
    that can be learned, and mixing twelve leads once is cheaper than filtering each in time.
    """

    def __init__(self, branch: Branch, config: Config) -> None:
        stem = odd_samples(branch.stem_ms, config.rate_hz)
        later = odd_samples(branch.separable_ms, config.rate_hz / 2)
        if config.separable:
            first = [Conv1d(config.n_leads, branch.n_stem, 1, bias=False), _depthwise(branch.n_stem, stem, 2)]
        else:
            first = [Conv1d(config.n_leads, branch.n_stem, stem, stride=2, padding=stem // 2, bias=False)]
        super().__init__(
            *first,
            *_activated(branch.n_stem, config.activation, 0),
            *(
                _stage(n_in, n_out, later, branch.n_residual, config)
                for n_in, n_out in pairwise((branch.n_stem, *branch.n_channels))
            ),
        )
        self.separable = config.separable

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, leads, samples) -> (batch, channels, steps).

        Nothing non-linear lies between the first two, so training takes them as one: the slowest gradient of all, back
        through the second, is then not needed (a sixth of a step).
        """
        layers: list[nn.Module] = list(self)
        if self.training and self.separable:
            spatial, temporal, *layers = layers
            assert isinstance(spatial, Conv1d)
            assert isinstance(temporal, Conv1d)
            signal = convolved_by_twos(signal, temporal.weight * spatial.weight)
        signal = image(signal)
        for layer in layers:
            signal = layer(signal)
        return signal.squeeze(2)


class Residual(nn.Sequential):
    """What its layers make of the signal, added to the signal."""

    def forward(self, signal: Tensor) -> Tensor:
        """An image -> the same shape."""
        added: Tensor = signal + super().forward(signal)  # type: ignore[no-untyped-call]
        return added


def _stage(n_in: int, n_out: int, kernel: int, n_residual: int, config: Config) -> nn.Sequential:
    """A convolution that halves the rate, then those with a shortcut."""
    return nn.Sequential(
        *_convolution(n_in, n_out, kernel, 2, config),
        *(Residual(*_convolution(n_out, n_out, kernel, 1, config)) for _ in range(n_residual)),
    )


def _convolution(n_in: int, n_out: int, kernel: int, stride: int, config: Config) -> list[nn.Module]:
    """A depthwise temporal convolution, then a pointwise one that mixes the channels; or both in a plain one."""
    if config.separable:
        layers = [_depthwise(n_in, kernel, stride), Conv1d(n_in, n_out, 1, bias=False)]
    else:
        layers = [Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)]
    # ReLU has its dropout in it, and something stands for it so that weights keep the names that they have in bundles
    last = Dropout(config.dropout) if config.activation == "elu" else nn.Identity()
    return [*layers, *_activated(n_out, config.activation, config.dropout), last]


def _activated(n_channels: int, activation: str, dropout: float) -> list[nn.Module]:
    """Normalised and made non-linear; by a ReLU, which may come last, in one with dropout."""
    if activation == "relu":
        return [BatchNorm1d(n_channels, gain(dropout)), DropoutReLU(dropout)]
    return [BatchNorm1d(n_channels), nn.ELU()]


def _depthwise(n_channels: int, kernel: int, stride: int) -> Conv1d:
    """Each channel filtered in time by itself."""
    return Conv1d(n_channels, n_channels, kernel, stride=stride, padding=kernel // 2, groups=n_channels, bias=False)


class Attention(nn.Module):
    """For each class its own weights over the steps, and the mean of the steps under them (additive attention)."""

    def __init__(self, n_features: int, n_hidden: int, n_classes: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_features, n_hidden)
        self.score = nn.Linear(n_hidden, n_classes, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, steps, features) -> contexts (batch, classes, features) and weights (batch, classes, steps)."""
        weights = self.score(torch.tanh(self.project(features))).softmax(dim=1).transpose(1, 2)
        return weights @ features, weights


class CnnGru(nn.Module):
    """(batch, leads, samples) -> logits (batch, classes) and attention (batch, classes, steps)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        n_features, n_out = gru_sizes(config)
        self.branches = nn.ModuleList(ConvolutionalBranch(branch, config) for branch in config.branches)
        if config.n_directions:
            self.gru = GRU(n_features, config.n_gru, batch_first=True, bidirectional=config.n_directions == 2)
        self.dropout = Dropout(config.dropout)
        if config.attention:
            self.attention = Attention(n_out, ATTENTION_HIDDEN, config.n_classes)
        self.classify = nn.Parameter(torch.empty(config.n_classes, n_out))
        self.bias = nn.Parameter(torch.zeros(config.n_classes))
        nn.init.xavier_uniform_(self.classify)
        self.config = config

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and attention of a batch of windows."""
        features = concatenated([branch(signal) for branch in self.branches])  # (batch, channels, steps)
        steps = features.transpose(1, 2)
        if self.config.n_directions:
            steps, _ = self.gru(steps)  # (batch, steps, n_directions * n_gru)
        contexts, weights = self._attended(self.dropout(steps))  # (batch, classes, features), (batch, classes, steps)
        return (contexts * self.classify).sum(dim=2) + self.bias, weights

    def _attended(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        if self.config.attention:
            attended: tuple[Tensor, Tensor] = self.attention(steps)
            return attended
        weights = steps.new_full((len(steps), self.config.n_classes, steps.shape[1]), 1 / steps.shape[1])
        return weights @ steps, weights
