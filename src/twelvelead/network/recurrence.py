"""A GRU's steps in training on a processor: the same but for rounding, with a gradient by hand.

Going back, what does not need the step after is made of all steps at once, and so are the weights' gradients: four
operations a step are left, of which autograd has some twenty.
"""

from typing import Any

import torch
from torch import Tensor

_before_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_before_tanh = torch.ops.aten.tanh_backward


class Recurrence(torch.autograd.Function):
    """From what the gates hear of the input to the states; gates in torch's order: reset, update, new."""

    @staticmethod
    def forward(ctx: Any, heard: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """(steps, directions, batch, 3 n), (directions, 3 n, n), (directions, 3 n) -> (steps, directions, batch, n).

        Every direction goes forwards; the state before the first step is 0.
        """
        n, (n_steps, n_directions, n_batch, _) = weight.shape[2], heard.shape
        told = bias.unsqueeze(1).repeat(n_steps, 1, n_batch, 1)  # what the gates hear of the state before
        gates = heard.new_empty(n_steps, n_directions, n_batch, 2 * n)  # reset and update
        new = heard.new_empty(n_steps, n_directions, n_batch, n)
        states = heard.new_zeros(n_steps + 1, n_directions, n_batch, n)
        told_now, gates_now, new_now, state = (each.unbind() for each in (told, gates, new, states))
        heard_both, heard_new, told_both, told_new, reset, update = (
            part.unbind() for whole in (heard, told, gates) for part in _parted(whole, n)
        )
        transposed = weight.mT
        for step in range(n_steps):
            told_now[step].baddbmm_(state[step], transposed)
            torch.add(heard_both[step], told_both[step], out=gates_now[step]).sigmoid_()
            torch.addcmul(heard_new[step], reset[step], told_new[step], out=new_now[step]).tanh_()
            torch.lerp(new_now[step], state[step], update[step], out=state[step + 1])
        ctx.save_for_backward(told, gates, new, states, weight)
        return states[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient of the states -> those of what was heard, of the weight and of the bias."""
        told, gates, new, states, weight = ctx.saved_tensors
        n, before = new.shape[3], states[:-1]
        (_, told_new), (reset, update) = _parted(told, n), _parted(gates, n)
        of_told, of_states = torch.empty_like(told), torch.empty_like(new)
        of_gates = of_told.view(*new.shape[:3], 3, n).transpose(2, 3)  # (steps, directions, 3, batch, n)
        factors = new.new_empty(of_gates.shape)  # what each gate hears of a change of the state by one
        by_new = _before_tanh(1 - update, new)
        _before_sigmoid(by_new * told_new, reset, grad_input=factors[:, :, 0])
        _before_sigmoid(before - new, update, grad_input=factors[:, :, 1])
        torch.mul(by_new, reset, out=factors[:, :, 2])
        of_gates_now, of_told_now, of_state = (each.unbind() for each in (of_gates, of_told, of_states))
        gradient, factor, kept = (each.unbind() for each in (gradients[0], factors, update))
        carried = torch.zeros_like(of_state[0])
        for step in reversed(range(len(of_state))):
            torch.add(carried, gradient[step], out=of_state[step])
            torch.mul(factor[step], of_state[step].unsqueeze(1), out=of_gates_now[step])
            torch.mul(of_state[step], kept[step], out=carried).baddbmm_(of_told_now[step], weight)
        all_told, all_before = (each.transpose(0, 1).flatten(1, 2) for each in (of_told, before))
        of_weight, of_bias = torch.bmm(all_told.mT, all_before), of_told.sum(dim=(0, 2))
        torch.mul(of_states, by_new, out=of_gates[:, :, 2])  # the new state hears the input whatever the reset
        return of_told, of_weight, of_bias


def _parted(gates: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The last n of the gates apart from those before."""
    return gates[..., :-n], gates[..., -n:]
