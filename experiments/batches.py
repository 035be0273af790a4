"""Does asking the network about several recordings at once change its answer, or its price?

python experiments/batches.py

On 22 November 2026, two cores with much other work, ms a window at batches of 1, 2, 5, 16 and 64 windows: single .27,
.26, .23, .26, .36; dual .39, .33, .32, .32, .45; triple .38, .35, .36, .34, .46; of 2.3 ms that a recording takes in
all. On 29 November 2026, AMD EPYC with AVX2 only, single: .61, .54 (2), .49 (5), .44 (16), .47 (64), of 2.2 ms. No bit
of any answer differed, either time. `twelvelead archive` asks about some recordings at once where this was seen to
hold, and one by one where it does not: a row cannot depend on its neighbours, whatever the next network or runtime
does.
"""

import os
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch

from twelvelead.classifier.bundle import open_graph
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.to_onnx import to_onnx
from twelvelead.network.zoo import NETWORKS

N_WINDOWS = 256
BATCHES = (1, 2, 5, 16, 64)


def main() -> None:
    """Print a line for every network and batch."""
    windows = np.random.default_rng(0).standard_normal((N_WINDOWS, 12, 1000)).astype(np.float32)
    for name, config in NETWORKS.items():
        torch.manual_seed(0)
        session = open_graph(to_onnx(CnnGru(config).eval(), config).SerializeToString())
        alone = answers(session, windows, 1)
        for batch in BATCHES:
            began = time.process_time()
            together = answers(session, windows, batch)
            took_ms = 1e3 * (time.process_time() - began) / N_WINDOWS
            print(f"{name}, {batch} at once: {took_ms:.3f} ms a window, {(together != alone).sum()} numbers differ")


def answers(session: object, windows: np.ndarray, batch: int) -> np.ndarray:
    """(n, 9) logits, asked for so many windows at once."""
    parts = (windows[start : start + batch] for start in range(0, len(windows), batch))
    return np.concatenate([session.run(["logits", "attention"], {"windows": part})[0] for part in parts])


if __name__ == "__main__":
    main()
