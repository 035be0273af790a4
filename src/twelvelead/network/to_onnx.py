"""The network as an ONNX graph, written node by node: exact, any batch, any number of samples, attention an output.

Written here and not by an exporter because there is little to write and the result stays readable: the exporters
cannot take a free time axis through a GRU, and some of their versions got GRUs silently wrong.

Convolutions are written for images of height 1, which onnxruntime arranges in blocks of channels; a ReLU becomes part
of the convolution before it. An ELU is written as max(x, exp(min(x, 0)) - 1), of operations that it has in vectors.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper
from torch import Tensor, nn

from twelvelead.network.cnn_gru import CnnGru, Residual
from twelvelead.network.config import Config
from twelvelead.network.zoo import NetworkError

OPSET: Final = 17
IR_VERSION: Final = 8
BLOCK: Final = 16  # channels that onnxruntime takes at once; a convolution of fewer takes five times as long
ONNX_GATES: Final = (1, 0, 2)  # torch keeps a GRU's gates as reset, update, new; ONNX as update, reset, new


class _Graph:
    """Nodes and weights under construction; `add` returns the name of what a node makes."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Tensor | NDArray[np.generic] | np.generic) -> str:
        array = values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name


def to_onnx(network: CnnGru, config: Config) -> ModelProto:
    """The trained network as a graph, checked against the standard.

    `windows` (batch, leads, samples) -> `logits` (batch, classes) and `attention` (batch, classes, steps).
    Raises NetworkError on one without GRU or attention, which are ablations of the study and not shipped.
    """
    if not (config.n_directions and config.attention):
        raise NetworkError("a network without GRU or without attention has no graph: take one of `twelvelead networks`")
    graph = _Graph()
    logits, attention = _answers(graph, network)
    graph.nodes += [
        helper.make_node("Identity", [logits], ["logits"]),
        helper.make_node("Identity", [attention], ["attention"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "twelvelead",
            [_value("windows", "batch", config.n_leads, "samples")],
            [
                _value("logits", "batch", config.n_classes),
                _value("attention", "batch", config.n_classes, "steps"),
            ],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model, full_check=True)
    return model


def _answers(graph: _Graph, network: CnnGru) -> tuple[str, str]:
    """Names of the logits and of the attention: the network's flow, node by node."""
    height = graph.constant(np.array([2], np.int64))
    images = graph.add("Unsqueeze", "windows", height)  # (batch, leads, 1, samples)
    branches = [_convolutions(graph, branch, images) for branch in network.branches]
    image = graph.add("Concat", *branches, axis=1) if len(branches) > 1 else branches[0]
    features = graph.add("Squeeze", image, height)  # (batch, channels, steps)
    steps = _gru(graph, network.gru, features)
    hidden = graph.add("Tanh", _linear(graph, network.attention.project, steps))
    scores = graph.add("Softmax", _linear(graph, network.attention.score, hidden), axis=1)
    attention = graph.add("Transpose", scores, perm=[0, 2, 1])
    contexts = graph.add("MatMul", attention, steps)
    weighted = graph.add("Mul", contexts, graph.constant(network.classify))
    summed = graph.add("ReduceSum", weighted, graph.constant(np.array([2], np.int64)), keepdims=0)
    return graph.add("Add", summed, graph.constant(network.bias)), attention


def _value(name: str, *shape: str | int) -> object:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _convolutions(graph: _Graph, layers: nn.Module, signal: str) -> str:
    """A chain of convolutions, batch normalisations and activations, with shortcuts; dropout does nothing in use."""
    for layer in layers.children():
        if isinstance(layer, Residual):
            signal = graph.add("Add", signal, _convolutions(graph, layer, signal))
        elif isinstance(layer, nn.Sequential):
            signal = _convolutions(graph, layer, signal)
        elif not isinstance(layer, nn.Dropout | nn.Identity):
            signal = _layer(graph, layer, signal)
    return signal


def _layer(graph: _Graph, layer: nn.Module, signal: str) -> str:
    if isinstance(layer, nn.Conv1d):
        reach, weight = int(layer.padding[0]), layer.weight.detach()[:, :, None]
        if (lacking := BLOCK - layer.in_channels) > 0 and layer.groups == 1:  # silent leads, of no weight
            signal = graph.add("Pad", signal, graph.constant(np.array([0, 0, 0, 0, 0, lacking, 0, 0], np.int64)))
            weight = nn.functional.pad(weight, (0, 0, 0, 0, 0, lacking))
        strides, pads = [1, layer.stride[0]], [0, reach, 0, reach]
        return graph.add("Conv", signal, graph.constant(weight), group=layer.groups, strides=strides, pads=pads)
    if isinstance(layer, nn.BatchNorm1d):
        assert layer.running_mean is not None
        assert layer.running_var is not None
        statistics = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
        return graph.add("BatchNormalization", signal, *map(graph.constant, statistics), epsilon=layer.eps)
    if isinstance(layer, nn.ReLU):
        return graph.add("Relu", signal)
    if isinstance(layer, nn.ELU):
        negative = graph.add("Exp", graph.add("Min", signal, graph.constant(np.float32(0))))
        return graph.add("Max", signal, graph.add("Sub", negative, graph.constant(np.float32(1))))
    raise TypeError(f"{type(layer).__name__} in a branch: it has no ONNX counterpart here")


def _gru(graph: _Graph, gru: nn.GRU, features: str) -> str:
    """(batch, channels, steps) -> (batch, steps, directions * hidden)."""
    suffixes = ("", "_reverse") if gru.bidirectional else ("",)

    def both(kind: str) -> Tensor:
        return torch.stack([_in_onnx_order(getattr(gru, f"{kind}_l0{suffix}")) for suffix in suffixes])

    biases = torch.cat([both("bias_ih"), both("bias_hh")], dim=1)
    made = graph.add(
        "GRU",
        graph.add("Transpose", features, perm=[2, 0, 1]),
        *map(graph.constant, (both("weight_ih"), both("weight_hh"), biases)),
        hidden_size=gru.hidden_size,
        direction="bidirectional" if gru.bidirectional else "forward",
        linear_before_reset=1,
    )
    by_batch = graph.add("Transpose", made, perm=[2, 0, 1, 3])
    return graph.add("Reshape", by_batch, graph.constant(np.array([0, 0, -1], np.int64)))


def _in_onnx_order(weight: Tensor) -> Tensor:
    gates = weight.detach().chunk(3)
    return torch.cat([gates[gate] for gate in ONNX_GATES])


def _linear(graph: _Graph, linear: nn.Linear, signal: str) -> str:
    product = graph.add("MatMul", signal, graph.constant(linear.weight.detach().T))
    return product if linear.bias is None else graph.add("Add", product, graph.constant(linear.bias))
