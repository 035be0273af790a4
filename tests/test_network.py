"""One contract over every named network."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import Config, n_multiply_adds, n_parameters
from twelvelead.network.to_onnx import to_onnx
from twelvelead.network.zoo import MAX_PARAMETERS, NETWORKS, SINGLE, NetworkError, named

CONFIGS = {**NETWORKS, "elu": replace(SINGLE, activation="elu")}
EVERY = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))


def settled(config: Config) -> CnnGru:
    """A network whose batch statistics have seen something, as after training."""
    torch.manual_seed(0)
    network = CnnGru(config).train()
    for _ in range(3):
        network(torch.randn(16, 12, 1000) * 2 + 0.5)
    return network.eval()


def test_the_names_that_are_promised_are_there():
    assert {name: len(config.branches) for name, config in NETWORKS.items()} == {"single": 1, "dual": 2, "triple": 3}
    with pytest.raises(NetworkError, match="'huge': there are single, dual, triple"):
        named("huge")


def test_the_shipped_weights_are_those_of_its_network_and_of_its_graph():
    """Weights go by the names of layers: a layer more or less, and no bundle or run of before could be opened."""
    classifier = load_bundle(shipped_bundle())
    network = CnnGru(Config.from_json(classifier.card["network"]["config"])).eval()
    network.load_state_dict(load_file(shipped_bundle() / "weights.safetensors"))
    windows = np.random.default_rng(0).standard_normal((3, 12, 1000), dtype=np.float32)
    with torch.inference_mode():
        logits, attention = network(torch.from_numpy(windows))
    for given, expected in zip((logits, attention), classifier.run(windows), strict=True):
        np.testing.assert_allclose(given.numpy(), expected, atol=1e-4)


@EVERY
def test_it_is_light(config):
    assert n_parameters(config) <= MAX_PARAMETERS == 50_000


@EVERY
@pytest.mark.parametrize("n_samples", [500, 777, 1000, 3000])
def test_any_length_gives_nine_logits_and_attention_that_sums_to_one(config, n_samples):
    logits, attention = settled(config)(torch.randn(2, 12, n_samples))
    assert logits.shape == (2, 9)
    assert attention.shape[:2] == (2, 9)
    torch.testing.assert_close(attention.sum(dim=2), torch.ones(2, 9))


@EVERY
def test_every_parameter_learns(config):
    network = CnnGru(config).train()
    network(torch.randn(4, 12, 1000))[0].square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@EVERY
def test_a_silent_or_huge_signal_gives_numbers(config):
    network = settled(config)
    for signal in (torch.zeros(1, 12, 1000), torch.full((1, 12, 1000), 1e4)):
        assert all(torch.isfinite(part).all() for part in network(signal))


@EVERY
def test_its_configuration_survives_the_card(config):
    assert Config.from_json(json.loads(json.dumps(config.as_json()))) == config


def test_a_card_from_before_activations_were_named_has_elus():
    fields = SINGLE.as_json()
    del fields["activation"]
    assert Config.from_json(fields) == replace(SINGLE, activation="elu")


@EVERY
@pytest.mark.parametrize("batch, n_samples", [(1, 1000), (5, 1000), (2, 640)])
def test_the_onnx_graph_answers_as_the_network(config, batch, n_samples):
    network = settled(config)
    session = onnxruntime.InferenceSession(to_onnx(network, config).SerializeToString())
    windows = torch.randn(batch, 12, n_samples)
    with torch.inference_mode():
        expected = network(windows)
    for ours, theirs in zip(session.run(["logits", "attention"], {"windows": windows.numpy()}), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


@EVERY
def test_the_counted_parameters_are_those_of_the_network(config):
    assert n_parameters(config) == sum(parameter.numel() for parameter in CnnGru(config).parameters())


@EVERY
@pytest.mark.parametrize("duration_s", [5, 10, 12.34])
def test_the_counted_multiply_adds_are_those_of_the_network(config, duration_s):
    network, total = CnnGru(config).eval(), 0

    def count(module, _, output):
        nonlocal total
        if isinstance(module, nn.Conv1d):
            total += module.weight.numel() * output.shape[-1]
        elif isinstance(module, nn.Linear):
            total += module.weight.numel() * output.shape[1]
        elif isinstance(module, nn.GRU):
            matrices = [weight for name, weight in module.named_parameters() if name.startswith("weight")]
            total += sum(matrix.numel() for matrix in matrices) * output[0].shape[1]

    for module in network.modules():
        module.register_forward_hook(count)
    _, weights = network(torch.zeros(1, 12, round(duration_s * 100)))
    total += network.classify.numel() * (weights.shape[-1] + 1)
    assert n_multiply_adds(config, duration_s) == total


def test_asking_for_the_cost_needs_no_torch():
    program = "import sys, twelvelead.network.zoo, twelvelead.network.config; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


@pytest.mark.parametrize("without", [{"n_directions": 0}, {"attention": False}])
def test_a_network_without_gru_or_attention_has_no_graph(without):
    config = replace(SINGLE, **without)
    with pytest.raises(NetworkError, match="has no graph"):
        to_onnx(CnnGru(config), config)
