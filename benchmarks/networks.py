"""The network alone: against its peers on onnxruntime, against the processor's peak, and in training; one thread."""

import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pairs import Pair, pair, times_of
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from twelvelead.classifier.bundle import open_graph
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import n_multiply_adds
from twelvelead.network.layers import BatchNorm1d, Conv1d
from twelvelead.network.peers import ResNet1dWang, XResNet1d
from twelvelead.network.to_int8 import to_int8
from twelvelead.network.to_onnx import to_onnx
from twelvelead.network.zoo import SINGLE

PEERS = {
    "ResNet1d-Wang": ResNet1dWang,
    "xresnet1d50": partial(XResNet1d, 50),
    "xresnet1d101": partial(XResNet1d, 101),
}
HERE = Path(__file__).parent
TORCH_ECG = HERE.parent / "build/torch-ecg"
TORCHS_OWN: dict[type[nn.Module], type[nn.Module]] = {Conv1d: nn.Conv1d, BatchNorm1d: nn.BatchNorm1d}
WINDOW = np.random.default_rng(0).standard_normal((1, 12, 1000), dtype=np.float32)
BATCH = 32


def alone(turns: int) -> list[Pair]:
    """One window of 10 s at 100 Hz, batch 1, onnxruntime."""
    ours = to_onnx(CnnGru(SINGLE).eval(), SINGLE).SerializeToString()
    run = asked(ours)
    many = np.random.default_rng(1).standard_normal((BATCH, 12, 1000), dtype=np.float32)
    pairs = [
        pair("network, batch 1", name, run, asked(exported(build())), turns=turns) for name, build in PEERS.items()
    ]
    pairs.append(pair("network, batch 1", "itself in int8", run, asked(to_int8(ours, many)), turns=turns))
    if theirs := crnn():
        at_500_hz = asked(theirs, np.repeat(WINDOW, 5, axis=2))
        pairs.append(pair("network, batch 1", "torch_ecg's CRNN, 9.6 million, 500 Hz", run, at_500_hz, turns=turns))
    return pairs


def asked(graph: bytes, window: np.ndarray = WINDOW) -> Callable[[], None]:
    """Twenty runs of a graph."""
    session = open_graph(graph)
    return times_of(lambda: session.run(None, {"windows": window}), 20)


def crnn() -> bytes | None:
    """torch_ecg's CRNN with the weights it begins with; None, and a word, where it cannot be installed."""
    part = TORCH_ECG.with_suffix(".part")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", part]
    export, paths = [sys.executable, HERE / "crnn.py"], {"PYTHONPATH": str(TORCH_ECG)}
    try:
        if not TORCH_ECG.exists():
            subprocess.run([*install, "--requirement", HERE / "torch-ecg.txt"], check=True)
            part.rename(TORCH_ECG)
        return subprocess.run(export, env=os.environ | paths, check=True, stdout=subprocess.PIPE).stdout
    except subprocess.CalledProcessError as error:
        print(f"torch_ecg is left out: {error}", file=sys.stderr)
        return None


def exported(network: nn.Module) -> bytes:
    """A peer as torch's own exporter writes it."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network.eval(), (torch.from_numpy(WINDOW),), file, input_names=["windows"], dynamo=False)
    return file.getvalue()


def share_of_peak(turns: int) -> dict[str, float]:
    """Multiply-adds a second of the network against those of one large product of NumPy's, both on one thread."""
    square = np.random.default_rng(0).standard_normal((1024, 1024), dtype=np.float32)
    run = asked(to_onnx(CnnGru(SINGLE).eval(), SINGLE).SerializeToString())
    timed = pair("", "", run, lambda: square @ square, turns=turns)
    network, peak = 20 * n_multiply_adds(SINGLE, 10) / timed.ours_s, 1024**3 / timed.peer_s
    return {"network_macs_per_s": network, "product_macs_per_s": peak, "share": network / peak}


def training(turns: int) -> list[Pair]:
    """A step on a batch of 32 windows: forwards, backwards, AdamW; the peer of our quicker layers, then of torch's."""
    peer = ResNet1dWang()
    pairs = [pair("training, a batch of 32", "ResNet1d-Wang", step(CnnGru(SINGLE)), step(peer), turns=turns)]
    for layer in peer.modules():
        layer.__class__ = TORCHS_OWN.get(type(layer), type(layer))
    what = "ResNet1d-Wang of torch's own layers"
    return [*pairs, pair("training, a batch of 32", what, step(CnnGru(SINGLE)), step(peer), turns=turns)]


def step(network: nn.Module) -> Callable[[], None]:
    """A step of training."""
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    windows, truth = torch.randn(BATCH, 12, 1000), torch.rand(BATCH, 9).round()

    def once() -> None:
        loss = binary_cross_entropy_with_logits(network(windows)[0], truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return once
