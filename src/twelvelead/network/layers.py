"""Torch's layers over time, computed as images of height 1 with their channels last in memory.

oneDNN is quicker so: a step of training takes .65 to .85 of the time (`make bench` has the networks as they are now),
and a teacher's answer in bfloat16 a third to a half. Parameters, names and results are those of torch's own.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d


class Conv1d(nn.Conv1d):
    """As torch's, with a padding of zeros in samples."""

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) -> (batch, filters, samples)."""
        return convolved(signal, self.weight, self, self.groups)


class BatchNorm1d(nn.BatchNorm1d):
    """As torch's."""

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) or (batch, channels) -> the same shape."""
        if signal.ndim == 2:
            return super().forward(signal)
        return super().forward(_image(signal)).squeeze(2)

    def _check_input_dim(self, signal: Tensor) -> None:
        """Images are taken too."""


class MaxPool1d(nn.Module):
    """As torch's, with sizes in samples."""

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.size, self.stride, self.padding = size, stride, padding

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) -> (batch, channels, fewer samples)."""
        return max_pool2d(_image(signal), (1, self.size), (1, self.stride), (0, self.padding)).squeeze(2)


def convolved(signal: Tensor, weight: Tensor, like: Conv1d, groups: int = 1) -> Tensor:
    """(batch, channels, samples) under a weight (filters, channels / groups, kernel), stepped and padded as `like`."""
    stride, padding = (1, *like.stride), (0, *map(int, like.padding))
    return conv2d(_image(signal), weight.unsqueeze(2), like.bias, stride, padding, 1, groups).squeeze(2)


def concatenated(signals: list[Tensor]) -> Tensor:
    """Signals (batch, channels, samples) joined over their channels, arranged in memory as they are."""
    if signals[0].is_contiguous():
        return torch.cat(signals, dim=1)
    return torch.cat([signal.transpose(1, 2) for signal in signals], dim=2).transpose(1, 2)


def _image(signal: Tensor) -> Tensor:
    """(batch, channels, 1, samples) with the channels last in memory; no copy where they are so."""
    return signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)
