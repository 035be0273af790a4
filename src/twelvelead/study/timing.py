"""What a recording of 10 s costs each network, measured side by side."""

import json
import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from twelvelead.study.contestants import Contestant

WINDOWS: Final = 32
ROUNDS: Final = 5


def milliseconds_per_recording(networks: Sequence[Contestant], n_samples: int) -> dict[str, float]:
    """The median over rounds, in each of which every network takes its turn: torch, one thread, 32 at once.

    What only learned from others takes as long as the same network without teachers, and is not measured again.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    windows = torch.randn(WINDOWS, 12, n_samples)
    alike = {contestant.name: _untaught(contestant) for contestant in networks}
    built = {alike[contestant.name]: contestant.build().eval() for contestant in networks}
    took: dict[str, list[float]] = {name: [] for name in built}
    with torch.inference_mode():
        for _ in range(ROUNDS + 1):  # the first warms up
            for name, network in built.items():
                begun = time.perf_counter()
                network(windows)
                took[name].append(1e3 * (time.perf_counter() - begun) / WINDOWS)
    torch.set_num_threads(threads)
    return {name: float(np.median(took[kind][1:])) for name, kind in alike.items()}


def _untaught(contestant: Contestant) -> str:
    """What a network is, whoever taught it."""
    return json.dumps({name: value for name, value in contestant.definition.items() if name != "teachers"})
