"""Torch's layers over time in less time; parameters, names and results are those of torch's own.

Convolutions, normalisation and pooling go as images of height 1 with their channels last in memory: oneDNN is quicker
so, a step of training takes .65 to .85 of the time (`make bench` has the networks as they are now), and a teacher's
answer in bfloat16 a third to a half.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, linear, max_pool2d, pad

from twelvelead.network.depthwise import DepthwiseConvolution
from twelvelead.network.recurrence import Recurrence


class Conv1d(nn.Conv1d):
    """As torch's, with a padding of zeros in samples."""

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples) or an image of it -> the same with filters for channels."""
        images, kernels, stride, padding = image(signal), self.weight.unsqueeze(2), self.stride[0], int(self.padding[0])
        ours = trained_here(self, signal)
        if ours and self.bias is None and self.groups == len(kernels) > 1:
            filtered: Tensor = DepthwiseConvolution.apply(images, kernels, stride, padding)  # type: ignore[no-untyped-call]
        elif ours and self.groups == self.kernel_size[0] == stride == 1 and padding == 0:
            filtered = linear(images.permute(0, 2, 3, 1), kernels[..., 0, 0], self.bias).permute(0, 3, 1, 2)
        else:
            filtered = conv2d(images, kernels, self.bias, (1, stride), (0, padding), 1, self.groups)
        return _arranged_like(signal, filtered)


class BatchNorm1d(nn.BatchNorm1d):
    """As torch's. gain: what its results are multiplied by in training."""

    def __init__(self, n_channels: int, gain: float = 1.0) -> None:
        super().__init__(n_channels)
        self.gain = gain

    def forward(self, signal: Tensor) -> Tensor:
        """(batch, channels, samples), an image of it or (batch, channels) -> the same shape."""
        if signal.ndim == 2:
            return self._normalised(signal)
        return _arranged_like(signal, self._normalised(image(signal)))

    def _normalised(self, signal: Tensor) -> Tensor:
        if not self.training or self.gain == 1:
            return super().forward(signal)
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        weight, bias = self.gain * self.weight, self.gain * self.bias
        return batch_norm(signal, self.running_mean, self.running_var, weight, bias, True, self.momentum, self.eps)

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


class GRU(nn.GRU):
    """As torch's of one layer with the batch first; a processor trains both directions at once, in half of the time."""

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # no first state, nor packs
        """(batch, steps, features) -> (batch, steps, directions * hidden) and last states (directions, batch, .)."""
        if not trained_here(self, signal):
            return super().forward(signal)
        w_in, w_state, b_in, b_state = (torch.stack(of_both) for of_both in zip(*self.all_weights, strict=True))
        by_direction = linear(signal, w_in.flatten(0, 1), b_in.flatten()).chunk(len(w_in), dim=2)
        heard = torch.stack([each.transpose(0, 1) for each in _turned(by_direction)], dim=1)
        told: Tensor = Recurrence.apply(heard, w_state, b_state)  # type: ignore[no-untyped-call]
        return torch.cat(_turned(told.permute(1, 2, 0, 3).unbind()), dim=2), told[-1]


def _turned(by_direction: Sequence[Tensor]) -> list[Tensor]:
    """(batch, steps, .) of each direction, the second's steps in the other order."""
    forwards, *backwards = by_direction
    return [forwards, *(each.flip(1) for each in backwards)]


def trained_here(layer: nn.Module, signal: Tensor) -> bool:
    """Whether a layer is in training on a processor, all in float32 or float64: where ways of our own are quicker."""
    return layer.training and signal.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def convolved_by_twos(signal: Tensor, weight: Tensor) -> Tensor:
    """(batch, channels, samples) under an odd kernel, centred, two samples on at each step -> an image.

    With AVX-512 two neighbouring samples are taken as one of twice the channels, and so the step is one: of twelve
    leads in steps of two, oneDNN takes the weights' gradient by way of a copy that is 25 times as large. Elsewhere that
    copy is quicker.
    """
    n_filters, n_channels, n_taps = weight.shape
    if signal.is_cuda or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return conv2d(image(signal), weight.unsqueeze(2), None, (1, 2), (0, n_taps // 2))
    samples, odd = signal.transpose(1, 2), n_taps // 2 % 2
    if odd or samples.shape[1] % 2:  # else the middle of the kernel would lie on the second of a pair
        samples = pad(samples, (0, 0, odd, odd + samples.shape[1] % 2))
    pairs = samples.reshape(len(signal), 1, -1, 2 * n_channels).permute(0, 3, 1, 2)
    kernels = pad(weight, (0, 1)).view(n_filters, n_channels, 1, -1, 2).permute(0, 4, 1, 2, 3).flatten(1, 2)
    return conv2d(pairs, kernels, None, 1, (0, n_taps // 4))


def concatenated(signals: list[Tensor]) -> Tensor:
    """Signals (batch, channels, samples) joined over their channels, arranged in memory as they are."""
    if len(signals) == 1:
        return signals[0]
    if signals[0].is_contiguous():
        return torch.cat(signals, dim=1)
    return torch.cat([signal.transpose(1, 2) for signal in signals], dim=2).transpose(1, 2)


def _arranged_like(signal: Tensor, made: Tensor) -> Tensor:
    """An image; or of a signal, without its height."""
    return made if signal.ndim == 4 else made.squeeze(2)


def image(signal: Tensor) -> Tensor:
    """(batch, channels, 1, samples), the channels last in memory, of a signal or an image; no copy where it is so."""
    return (signal if signal.ndim == 4 else signal.unsqueeze(2)).contiguous(memory_format=torch.channels_last)
