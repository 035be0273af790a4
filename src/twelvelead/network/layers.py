"""Torch's layers over time in less time; parameters, names and results are those of torch's own.

Convolutions, normalisation and pooling go as images of height 1 with their channels last in memory: oneDNN is quicker
so, a step of training takes .65 to .85 of the time (`make bench` has the networks as they are now), and a teacher's
answer in bfloat16 a third to a half.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

from twelvelead.network.depthwise import DepthwiseConvolution
from twelvelead.network.recurrence import Recurrence


class Conv1d(nn.Conv1d):
    """As torch's, with a padding of zeros in samples."""

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) or an image of it -> the same with filters for channels."""
        return convolved(signal, self.weight, self, self.groups)


class BatchNorm1d(nn.BatchNorm1d):
    """As torch's."""

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples), an image of it or (batch, channels) -> the same shape."""
        if signal.ndim == 2:
            return super().forward(signal)
        return _arranged_like(signal, super().forward(image(signal)))

    def _check_input_dim(self, signal: Tensor) -> None:
        """Images are taken too."""


class MaxPool1d(nn.Module):
    """As torch's, with sizes in samples."""

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) -> (batch, channels, fewer samples)."""
        return max_pool2d(image(signal), (1, self.size), (1, self.stride), (0, self.padding)).squeeze(2)


class Dropout(nn.Dropout):
    """As torch's, but each value's chance is a byte of a random word: a fifth of the time. p: to the nearest 256th."""

    def forward(self, signal: Tensor) -> Tensor:
        """Any shape -> the same; in training some values are 0 and the rest larger, so that their mean stays."""
        if not (self.training and self.p):
            return signal
        return signal.mul_(self.mask(signal)) if self.inplace else signal * self.mask(signal)

    def mask(self, like: Tensor) -> Tensor:
        """0 for each value to be silenced, else what the rest are multiplied by; arranged in memory like the signal."""
        dropped = round(256 * self.p)
        words = torch.empty(-(-like.numel() // 8), dtype=torch.int64, device=like.device).random_(-(2**63), None)
        chances = words.view(torch.uint8).as_strided(like.shape, torch.empty_like(like).stride()).to(like.dtype)
        return chances.sub_(dropped - 1).clamp_(0, 1).mul_(256 / (256 - dropped))  # what comparing takes thrice as long


class GRU(nn.GRU):
    """As torch's of one layer with the batch first; a processor trains both directions at once, in half of the time."""

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # no first state, nor packs
        """(batch, steps, features) -> (batch, steps, directions * hidden) and last states (directions, batch, .)."""
        if not self.training or signal.is_cuda:
            return super().forward(signal)
        w_in, w_state, b_in, b_state = (torch.stack(of_both) for of_both in zip(*self.all_weights, strict=True))
        steps = signal.transpose(0, 1)
        inputs = torch.stack([steps, steps.flip(0)][: len(w_in)])  # (directions, steps, batch, features)
        heard = torch.baddbmm(b_in.unsqueeze(1), inputs.flatten(1, 2), w_in.mT).view(*inputs.shape[:3], -1)
        told: Tensor = Recurrence.apply(heard, w_state, b_state)  # type: ignore[no-untyped-call]
        forwards, *backwards = told.transpose(1, 2)  # (batch, steps, hidden) each
        return torch.cat([forwards, *(each.flip(1) for each in backwards)], dim=2), told[:, -1]


def convolved(signal: Tensor, weight: Tensor, like: Conv1d, groups: int = 1) -> Tensor:
    """(batch, channels, samples) under a weight (filters, channels / groups, kernel), stepped and padded as `like`."""
    images, kernels, stride, padding = image(signal), weight.unsqueeze(2), like.stride[0], int(like.padding[0])
    if groups == len(weight) > 1 and like.bias is None and like.training and not signal.is_cuda:
        filtered: Tensor = DepthwiseConvolution.apply(images, kernels, stride, padding)  # type: ignore[no-untyped-call]
    else:
        filtered = conv2d(images, kernels, like.bias, (1, stride), (0, padding), 1, groups)
    return _arranged_like(signal, filtered)


def concatenated(signals: list[Tensor]) -> Tensor:
    """Signals (batch, channels, samples) joined over their channels, arranged in memory as they are."""
    if signals[0].is_contiguous():
        return torch.cat(signals, dim=1)
    return torch.cat([signal.transpose(1, 2) for signal in signals], dim=2).transpose(1, 2)


def _arranged_like(signal: Tensor, made: Tensor) -> Tensor:
    """An image; or of a signal, without its height."""
    return made if signal.ndim == 4 else made.squeeze(2)


def image(signal: Tensor) -> Tensor:
    """(batch, channels, 1, samples), the channels last in memory, of a signal or an image; no copy where it is so."""
    return (signal if signal.ndim == 4 else signal.unsqueeze(2)).contiguous(memory_format=torch.channels_last)
