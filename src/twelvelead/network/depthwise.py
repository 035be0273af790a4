"""Depthwise convolutions in training on a processor: the same but for rounding, the weights' gradient in half the time.

oneDNN has a quick way to the gradient of three taps of a depthwise kernel, and a slow one to that of fifteen. So three
are asked for at a time, of all recordings as one long line with zeros between them: then the samples that meet the
next three taps are the same line from three samples later on, and need not be copied.
"""

from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

TAPS: Final = 3


class DepthwiseConvolution(torch.autograd.Function):
    """Each channel of images (batch, channels, 1, samples) under its own of the kernels (channels, 1, 1, taps)."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """(batch, channels, 1, steps), the channels last in memory as in the images."""
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return conv2d(images, weight, None, (1, stride), (0, padding), 1, len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """The gradient of the results -> those of images and weight."""
        images, weight = ctx.saved_tensors
        of_images, _ = _gradients(gradients[0], images, weight, ctx.stride, ctx.padding, (True, False, False))
        return of_images, _of_weight(gradients[0], images, weight, ctx.stride, ctx.padding), None, None


def _of_weight(gradient: Tensor, images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """(channels, 1, 1, taps)."""
    n_taps = -(-weight.shape[3] // TAPS) * TAPS
    n_between = -(-n_taps // stride) - 1  # so that no tap reaches from one recording into the next
    n_steps = gradient.shape[3] + n_between
    gradient = _padded(gradient, 0, n_between)
    images = _padded(images, padding, stride * n_steps - padding - images.shape[3])
    n_out = len(images) * n_steps - n_between
    n_in = stride * (n_out - 1) + TAPS
    all_steps, some_taps = _line(gradient, 0, n_out), weight[..., :1].expand(-1, -1, -1, TAPS)
    parts = (
        _gradients(all_steps, _line(images, first, n_in), some_taps, stride, 0, (False, True, False))[1]
        for first in range(0, n_taps, TAPS)
    )
    return torch.cat([*parts], dim=3)[..., : weight.shape[3]]


def _padded(images: Tensor, before: int, after: int) -> Tensor:
    """With so many zeros before and after the samples of each, or fewer samples; the channels last in memory."""
    return pad(images, (before, after)).contiguous(memory_format=torch.channels_last)


def _line(images: Tensor, first: int, n: int) -> Tensor:
    """So many samples of all images, one behind the other, as one image (1, channels, 1, n); no copy."""
    channels = images.shape[1]
    return images.as_strided((1, channels, 1, n), (n * channels, 1, n * channels, channels), first * channels)


def _gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, stride: int, padding: int, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor]:
    """Torch's own: of the images and of the weight, as far as they are wanted."""
    sizes = ((1, stride), (0, padding), (1, 1), False, (0, 0), len(weight))
    of_images, of_weight, _ = torch.ops.aten.convolution_backward(gradient, images, weight, None, *sizes, wanted)
    return of_images, of_weight
