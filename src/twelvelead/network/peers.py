"""The networks that people would otherwise pick, written from their papers: the study measures ours against them.

Each maps (batch, 12, samples) to logits (batch, 9) and attention (batch, 1, steps), or None where it has none.
Their parameter counts are held to the published ones by tests.
"""

from itertools import pairwise
from typing import Final, Literal

import torch
from torch import Tensor, nn

from twelvelead.network.dropout import Dropout
from twelvelead.network.layers import BatchNorm1d, Conv1d, MaxPool1d, concatenated, trained_here
from twelvelead.network.spectral import convolved_by_spectrum

N_LEADS: Final = 12
N_CLASSES: Final = 9
XRESNET_BLOCKS: Final = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class ResNet1dWang(nn.Module):
    """Three residual blocks of 128 channels: Wang, Yan and Oates, IJCNN 2017, as in the PTB-XL benchmark.

    Source of the sizes: Strodthoff, Wagner, Schaeffter and Samek, IEEE JBHI 25(5), 2021. 473,865 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normalised(N_LEADS, 128, 7)
        self.blocks = nn.Sequential(*(_Residual(128, stride) for stride in (1, 2, 2)))
        self.head = _pooled_head(128)

    def forward(self, signal: Tensor) -> tuple[Tensor, None]:
        """Logits; no attention."""
        return self.head(self.blocks(self.stem(signal))), None


class _Residual(nn.Module):
    def __init__(self, n_channels: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _normalised(n_channels, n_channels, 5, stride), _normalised(n_channels, n_channels, 3, active=False)
        )
        self.shortcut = nn.Identity() if stride == 1 else _normalised(n_channels, n_channels, 1, stride, active=False)

    def forward(self, signal: Tensor) -> Tensor:
        return torch.relu(self.convolutions(signal) + self.shortcut(signal))


class InceptionTime(nn.Module):
    """Six inception modules with a shortcut over each three: Ismail Fawaz et al., Data Min. Knowl. Disc. 34, 2020.

    One network and not an ensemble of five, with the head of the PTB-XL benchmark. 508,169 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thirds = nn.ModuleList(
            nn.Sequential(_Inception(n_in), _Inception(128), _Inception(128)) for n_in in (N_LEADS, 128)
        )
        self.shortcuts = nn.ModuleList(_normalised(n_in, 128, 1, active=False) for n_in in (N_LEADS, 128))
        self.head = _pooled_head(128)

    def forward(self, signal: Tensor) -> tuple[Tensor, None]:
        """Logits; no attention."""
        for third, shortcut in zip(self.thirds, self.shortcuts, strict=True):
            signal = torch.relu(third(signal) + shortcut(signal))
        return self.head(signal), None


class _Inception(nn.Module):
    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.bottleneck = Conv1d(n_in, 32, 1, bias=False)
        self.scales = nn.ModuleList(Conv1d(32, 32, kernel, padding=kernel // 2, bias=False) for kernel in (39, 19, 9))
        self.pooled = nn.Sequential(MaxPool1d(3, stride=1, padding=1), Conv1d(n_in, 32, 1, bias=False))
        self.norm = BatchNorm1d(128)

    def forward(self, signal: Tensor) -> Tensor:
        narrow = self.bottleneck(signal)
        if trained_here(self, signal):
            scales = [convolved_by_spectrum(narrow, list(self.scales.parameters()))]
        else:
            scales = [scale(narrow) for scale in self.scales]
        return torch.relu(self.norm(concatenated([*scales, self.pooled(signal)])))


class XResNet1d(nn.Module):
    """Bottleneck blocks of 64 and 256 channels: He et al., "Bag of tricks", CVPR 2019, as in the PTB-XL benchmark.

    depth: 50 or 101. The latter has 33 blocks and 1,872,777 parameters. The 3.64 million that are often given count the
    convolutions of each block twice, as the reference implementation registers them under two names.
    """

    def __init__(self, depth: Literal[50, 101]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _normalised(N_LEADS, 32, 5, stride=2),
            _normalised(32, 32, 5),
            _normalised(32, 64, 5),
            MaxPool1d(3, stride=2, padding=1),
        )
        blocks = XRESNET_BLOCKS[depth]
        strides = [2 if stage and not block else 1 for stage, n in enumerate(blocks) for block in range(n)]
        widths = (64, *[256] * len(strides))
        self.blocks = nn.Sequential(*(_Bottleneck(n_in, stride) for n_in, stride in zip(widths, strides, strict=False)))
        self.head = _pooled_head(256)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, signal: Tensor) -> tuple[Tensor, None]:
        """Logits; no attention."""
        return self.head(self.blocks(self.stem(signal))), None


class _Bottleneck(nn.Module):
    def __init__(self, n_in: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _normalised(n_in, 64, 1), _normalised(64, 64, 5, stride), _normalised(64, 256, 1, active=False)
        )
        nn.init.zeros_(self.convolutions[2][1].weight)  # type: ignore[index]  # a block begins as nothing
        pooled = [nn.AvgPool1d(2, ceil_mode=True)] if stride == 2 else []
        widened = [_normalised(n_in, 256, 1, active=False)] if n_in != 256 else []
        self.shortcut = nn.Sequential(*pooled, *widened)

    def forward(self, signal: Tensor) -> Tensor:
        return torch.relu(self.convolutions(signal) + self.shortcut(signal))


class Cpsc2018Winner(nn.Module):
    """Five blocks of 12 channels, a bidirectional GRU of 12, attention: Chen et al., iScience 23(3), 2020.

    One network of the winning ensemble; for 9 classes 28,005 trainable parameters, as published.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(self._block(kernel) for kernel in (24, 24, 24, 24, 48)))
        self.gru = nn.GRU(N_LEADS, N_LEADS, batch_first=True, bidirectional=True)
        self.after_gru = nn.Sequential(nn.LeakyReLU(0.3), Dropout(0.2))
        self.project = nn.Linear(24, 24)
        self.score = nn.Linear(24, 1, bias=False)
        self.head = nn.Sequential(BatchNorm1d(24), nn.LeakyReLU(0.3), Dropout(0.2), nn.Linear(24, N_CLASSES))

    @staticmethod
    def _block(kernel: int) -> nn.Sequential:
        strides = ((3, 1), (3, 1), (kernel, 2))
        layers: list[nn.Module] = []
        for length, stride in strides:
            layers += [
                nn.ConstantPad1d(((length - 1) // 2, length // 2), 0),
                Conv1d(N_LEADS, N_LEADS, length, stride=stride),
                nn.LeakyReLU(0.3),
            ]
        return nn.Sequential(*layers, Dropout(0.2))

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and one attention for all classes."""
        steps, _ = self.gru(self.blocks(signal).transpose(1, 2))  # (batch, steps, 24)
        steps = self.after_gru(steps)
        weights = self.score(torch.tanh(self.project(steps))).softmax(dim=1).transpose(1, 2)  # (batch, 1, steps)
        return self.head((weights @ steps).squeeze(1)), weights


def _normalised(n_in: int, n_out: int, kernel: int, stride: int = 1, *, active: bool = True) -> nn.Sequential:
    """A convolution without bias, batch normalisation and, where active, a rectifier."""
    convolution = Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, BatchNorm1d(n_out), *([nn.ReLU()] if active else []))


class _MaximumAndMean(nn.Module):
    def forward(self, steps: Tensor) -> Tensor:
        """(batch, channels, steps) -> (batch, 2 * channels)."""
        return torch.cat([steps.amax(dim=2), steps.mean(dim=2)], dim=1)


def _pooled_head(n_channels: int) -> nn.Sequential:
    """The head of the PTB-XL benchmark: both pools, one hidden layer of 128, dropout .25 and .5."""
    layers: list[nn.Module] = [_MaximumAndMean()]
    for n_in, n_out in pairwise((2 * n_channels, 128, N_CLASSES)):
        layers += [BatchNorm1d(n_in), Dropout(0.25 if n_out == 128 else 0.5), nn.Linear(n_in, n_out)]
        layers += [nn.ReLU()] if n_out == 128 else []
    return nn.Sequential(*layers)
