"""Dropout in little time: each value's chance is a byte of a random word, and with a ReLU after it a step back is one.

p: to the nearest 256th.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

_where_above = torch.ops.aten.threshold_backward


def chances(like: Tensor) -> Tensor:
    """For each value one of 0 to 255, each as likely; arranged in memory like the signal."""
    words = torch.empty(-(-like.numel() // 8), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    return words.view(torch.uint8).as_strided(like.shape, torch.empty_like(like).stride()).to(like.dtype)


def gain(p: float) -> float:
    """What the values that stay are multiplied by, so that their mean is what it was before some are silenced."""
    return 256 / (256 - _n_silent(p))


def _n_silent(p: float) -> int:
    """How many of the 256 chances silence a value."""
    return round(256 * p)


class Dropout(nn.Dropout):
    """As torch's. chances: drawn for the values of a signal."""

    chances: Callable[[Tensor], Tensor] = staticmethod(chances)

    def forward(self, signal: Tensor) -> Tensor:
        """Any shape -> the same; in training some values are 0 and the rest larger, so that their mean stays."""
        if not (self.training and self.p):
            return signal
        mask = self.chances(signal).sub_(_n_silent(self.p) - 1).clamp_(0, 1)  # comparing takes thrice as long
        return signal * mask.mul_(gain(self.p))


class DropoutReLU(nn.ReLU):
    """Dropout and then ReLU, in place, but for dropout's `gain`: the layer before multiplies by it."""

    chances: Callable[[Tensor], Tensor] = staticmethod(chances)

    def __init__(self, p: float) -> None:
        super().__init__(inplace=True)
        self.p = p

    def forward(self, signal: Tensor) -> Tensor:
        """Any shape -> the same memory; in training some values are 0 whatever they were."""
        if not (self.training and self.p):
            return super().forward(signal)
        left: Tensor = _Silenced.apply(signal, self.chances(signal), _n_silent(self.p))  # type: ignore[no-untyped-call]
        return left


class _Silenced(torch.autograd.Function):
    """What is left above zero has a gradient, whichever of the two silenced the rest."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, drawn: Tensor, n_silent: int) -> Tensor:
        _where_above.grad_input(signal, drawn, n_silent - 0.5, grad_input=signal)
        ctx.mark_dirty(signal)
        ctx.save_for_backward(signal.relu_())
        return signal

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (left,) = ctx.saved_tensors
        return _where_above(gradients[0], left, 0), None, None
