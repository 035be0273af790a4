"""The network: economical spatio-temporal convolutions in one or more branches, one GRU layer, attention, nine logits.

After Borra, Andalò, Severi and Corsi, "A lightweight CNN-GRU for 12-lead ECG classification", CinC 2020. Their
abstract gives no sizes: those here are our own.
"""

import torch
from torch import Tensor, nn

from twelvelead.network.config import ATTENTION_HIDDEN, Branch, Config, odd_samples


class Separable(nn.Sequential):
    """A depthwise temporal convolution that halves the rate, then a pointwise one that mixes the channels."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dropout: float) -> None:
        super().__init__(
            nn.Conv1d(n_in, n_in, kernel, stride=2, padding=kernel // 2, groups=n_in, bias=False),
            nn.Conv1d(n_in, n_out, 1, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ELU(),
            nn.Dropout(dropout),
        )


class ConvolutionalBranch(nn.Sequential):
    """Spatial filters over the leads, a temporal kernel for each, then separable stages; each stage halves the rate.

    The spatial filters come first because nothing between the two is non-linear: the order changes no function
    that can be learned, and mixing twelve leads once is cheaper than filtering each in time.
    """

    def __init__(self, branch: Branch, n_leads: int, rate_hz: float, dropout: float) -> None:
        stem, separable = (
            odd_samples(branch.stem_ms, rate_hz),
            odd_samples(branch.separable_ms, rate_hz / 2),
        )
        widths = (branch.n_stem, *branch.n_channels)
        super().__init__(
            nn.Conv1d(n_leads, branch.n_stem, 1, bias=False),
            nn.Conv1d(
                branch.n_stem,
                branch.n_stem,
                stem,
                stride=2,
                padding=stem // 2,
                groups=branch.n_stem,
                bias=False,
            ),
            nn.BatchNorm1d(branch.n_stem),
            nn.ELU(),
            *(Separable(n_in, n_out, separable, dropout) for n_in, n_out in zip(widths, widths[1:], strict=False)),
        )


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
        n_features = sum(branch.n_channels[-1] for branch in config.branches)
        self.branches = nn.ModuleList(
            ConvolutionalBranch(branch, config.n_leads, config.rate_hz, config.dropout) for branch in config.branches
        )
        self.gru = nn.GRU(n_features, config.n_gru, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.attention = Attention(2 * config.n_gru, ATTENTION_HIDDEN, config.n_classes)
        self.classify = nn.Parameter(torch.empty(config.n_classes, 2 * config.n_gru))
        self.bias = nn.Parameter(torch.zeros(config.n_classes))
        nn.init.xavier_uniform_(self.classify)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and attention of a batch of windows."""
        features = torch.cat([branch(signal) for branch in self.branches], dim=1)  # (batch, channels, steps)
        steps, _ = self.gru(features.transpose(1, 2))  # (batch, steps, 2 * n_gru)
        contexts, weights = self.attention(self.dropout(steps))  # (batch, classes, 2 * n_gru)
        return (contexts * self.classify).sum(dim=2) + self.bias, weights
