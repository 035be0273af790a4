"""Zero-phase filtering and resampling in one: each output is a weighted sum of the inputs around it.

The weights are a symmetric kernel in continuous time, so any rate leads to any other. Outputs are computed in
blocks that share one banded matrix; at the ends the weights that fall outside are left out and the rest are
scaled to sum to 1, so that a constant stays that constant.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

LOW_PASS_HALF_WIDTH_S: Final = 0.15
LOW_PASS_KAISER_BETA: Final = 5.0
GAUSSIAN_HALF_WIDTH: Final = 3.0
BLOCKS: Final = (16, 48)  # 32 or 64 would make rows of 4,096 bytes, which push each other out of the cache
KEPT_S: Final = 60.0
SMALL_PHASES: Final = 4.0
COPYING: Final = 3  # multiply-adds in whose time a sample is copied
ADDING: Final = 3.5  # samples that are copied while one sum is added to another
MAX_BLOCK: Final = 256


@dataclass(frozen=True)
class Kernel:
    """A symmetric impulse response: kind and corner frequency, zero beyond `half_width_s`."""

    weights: Callable[[NDArray[np.float64], float], NDArray[np.float64]]
    corner_hz: float
    half_width_s: float


@lru_cache(maxsize=32)
def low_pass(corner_hz: float) -> Kernel:
    """A sinc under a Kaiser window: flat below the corner, half of the amplitude at it."""
    return Kernel(_kaiser_sinc, corner_hz, LOW_PASS_HALF_WIDTH_S)


@lru_cache(maxsize=32)
def gaussian(corner_hz: float) -> Kernel:
    """A Gaussian moving average; what remains when it is subtracted is down 3 dB at the corner."""
    return Kernel(_gaussian, corner_hz, GAUSSIAN_HALF_WIDTH * _gaussian_deviation_s(corner_hz))


def _kaiser_sinc(time_s: NDArray[np.float64], corner_hz: float) -> NDArray[np.float64]:
    inside = np.clip(1 - (time_s / LOW_PASS_HALF_WIDTH_S) ** 2, 0, None)
    return np.sinc(2 * corner_hz * time_s) * np.i0(LOW_PASS_KAISER_BETA * np.sqrt(inside))


def _gaussian(time_s: NDArray[np.float64], corner_hz: float) -> NDArray[np.float64]:
    return np.exp(-0.5 * (time_s / _gaussian_deviation_s(corner_hz)) ** 2)


def _gaussian_deviation_s(corner_hz: float) -> float:
    """Of the moving average whose complement has the amplitude 1/sqrt(2) at the corner."""
    return float(np.sqrt(-np.log(1 - np.sqrt(0.5)) / 2) / (np.pi * corner_hz))


def resample(signal: NDArray[np.float32], from_hz: float, to_hz: float, kernel: Kernel) -> NDArray[np.float32]:
    """(..., leads, n) at `from_hz` -> (..., leads, ceil(n / ratio)) at `to_hz`, smoothed by the kernel.

    Sample k of the result lies at the time k / to_hz; sample 0 of both lie at the same time. What becomes of one
    recording does not depend on how many are given: each is a product of its own.
    """
    n_samples, block = signal.shape[-1], _block(from_hz, to_hz, kernel)
    is_short = n_samples <= KEPT_S * from_hz
    ones = _of_a_constant(n_samples, from_hz, to_hz, kernel) if is_short else _sums_of_ones(n_samples, block)
    sums = _weighted(signal, block) / ones  # of whole blocks, which lie side by side: in half of the time
    return sums.reshape(*signal.shape[:-1], -1)[..., : _n_out(n_samples, block)]


def _weighted(signal: NDArray[np.float32], block: "_Block") -> NDArray[np.float32]:
    """(..., leads, n_in) -> (..., leads, blocks, outputs of one): sums under their weights, with zeros around."""
    *others, n_leads, n_samples = signal.shape
    n_blocks = -(-_n_out(n_samples, block) // block.n_out)
    parts = [block.matrix[first : first + block.width] for first in range(0, len(block.matrix), block.width)]
    n_spans = n_blocks + len(parts) - 1
    n_in = (n_spans - 1) * block.step_in + block.width
    inside = np.zeros((*others, n_leads, max(n_in, block.lead_in + n_samples)), np.float32)
    inside[..., block.lead_in : block.lead_in + n_samples] = signal
    spans = np.ndarray(  # sliding_window_view, in a tenth of its time
        (*others, n_leads, n_spans, block.width),
        np.float32,
        inside,
        strides=(*inside.strides[:-1], block.step_in * inside.itemsize, inside.itemsize),
    )
    # Copied where they overlap: one large product is faster than many.
    flat = np.ascontiguousarray(spans).reshape(*others, n_leads * n_spans, block.width)
    sums = flat @ parts[0]
    for number, part in enumerate(parts[1:], 1):  # the inputs of a block's next part are those of the next block
        sums[..., :-number, :] += (flat[..., : len(part)] @ part)[..., number:, :]
    return np.asarray(sums.reshape(*others, n_leads, n_spans, block.n_out)[..., :n_blocks, :])


def _n_out(n_samples: int, block: "_Block") -> int:
    return -(-n_samples * block.n_out // block.step_in)


@lru_cache(maxsize=64)  # of recordings of a minute, 24 kB each
def _of_a_constant(n_samples: int, from_hz: float, to_hz: float, kernel: Kernel) -> NDArray[np.float32]:
    """As `_sums_of_ones`, kept."""
    return _sums_of_ones(n_samples, _block(from_hz, to_hz, kernel))


def _sums_of_ones(n_samples: int, block: "_Block") -> NDArray[np.float32]:
    """(blocks, outputs of one) what the weights make of so many ones: 1 but at the ends; 1 too where no one is."""
    [sums] = _weighted(np.ones((1, n_samples), np.float32), block)
    return np.where(sums == 0, 1, sums)


def ratio(from_hz: float, to_hz: float) -> Fraction:
    """Inputs per output: that of the rates, or the nearest whose phases repeat after at most `MAX_BLOCK` outputs."""
    return (Fraction(from_hz) / Fraction(to_hz)).limit_denominator(MAX_BLOCK)


@dataclass(frozen=True, eq=False)
class _Block:
    """A banded matrix (inputs, n_out) that makes n_out outputs, and how far its inputs step from block to block.

    width: of how many inputs one product is: all, which overlap those of the next block and are copied for it, or as
    many as lie between two blocks, whose products are added up.
    """

    matrix: NDArray[np.float32]
    n_out: int
    step_in: int
    lead_in: int
    width: int


def _block(from_hz: float, to_hz: float, kernel: Kernel) -> _Block:
    """As `_made`, kept: small ones for all filters of a recording at several rates; an odd rate's has up to 46 MB."""
    return (_small if (SMALL_PHASES * from_hz / to_hz).is_integer() else _large)(from_hz, to_hz, kernel)


def _made(from_hz: float, to_hz: float, kernel: Kernel) -> _Block:
    """The phases of the outputs repeat after `ratio.denominator` of them; a block is a whole number of repeats."""
    step = ratio(from_hz, to_hz)
    reach = int(np.ceil(kernel.half_width_s * from_hz))

    def n_inputs(n_out: int) -> int:
        return math.ceil((n_out - 1) * step) + 2 * reach + 1

    sizes = [step.denominator * -(-size // step.denominator) for size in BLOCKS]
    # The time of an output: in a small block it has fewer zeros to multiply, in a large one more inputs are shared.
    n_out = min(sizes, key=lambda size: n_inputs(size) * (1 + COPYING / size))
    step_in = int(n_out * step)
    matrix = np.zeros((n_inputs(n_out), n_out), np.float32)
    for first in range(0, n_out, BLOCKS[0]):  # some outputs, and the inputs that they reach: the rest is zeros
        outputs = np.arange(first, min(first + BLOCKS[0], n_out))
        inputs = np.arange(math.floor(first * step), math.ceil(int(outputs[-1]) * step) + 2 * reach + 1)
        distance = (inputs - reach)[:, None] - outputs * float(step)
        weights = np.where(np.abs(distance) <= reach, kernel.weights(distance / from_hz, kernel.corner_hz), 0)
        matrix[inputs[0] : inputs[-1] + 1, outputs] = weights / weights.sum(axis=0)
    n_added = n_out * (-(-len(matrix) // step_in) - 1)
    return _Block(matrix, n_out, step_in, reach, step_in if n_added * ADDING < len(matrix) else len(matrix))


_small = lru_cache(maxsize=32)(_made)
_large = lru_cache(maxsize=8)(_made)
