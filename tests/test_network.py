"""One contract over every named network."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from twelvelead.network.cnn_gru import CnnGru, Config
from twelvelead.network.to_onnx import to_onnx
from twelvelead.network.zoo import MAX_PARAMETERS, NETWORKS, NetworkError, n_multiply_adds, n_parameters, named

EVERY = pytest.mark.parametrize("config", NETWORKS.values(), ids=list(NETWORKS))


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


@EVERY
def test_it_is_light(config):
    assert n_parameters(CnnGru(config)) <= MAX_PARAMETERS == 50_000


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
def test_multiply_adds_grow_with_length_and_stay_small(config):
    ten, twenty = n_multiply_adds(config, 10), n_multiply_adds(config, 20)
    assert 1_000_000 < ten < 6_000_000
    assert twenty == pytest.approx(2 * ten, rel=0.02)


def test_multiply_adds_of_a_network_counted_by_hand():
    config = NETWORKS["single"]
    (branch,) = config.branches
    first, second, third = branch.n_channels
    steps = (500, 250, 125, 63)
    stem = 1000 * 12 * branch.n_stem + steps[0] * 25 * branch.n_stem
    separable = 15
    stages = (
        steps[1] * (separable * branch.n_stem + branch.n_stem * first)
        + steps[2] * (separable * first + first * second)
        + steps[3] * (separable * second + second * third)
    )
    hidden = config.n_gru
    gru = steps[3] * 2 * 3 * hidden * (third + hidden)
    attention = steps[3] * (2 * hidden * 16 + 16 * 9) + 9 * 2 * hidden * (steps[3] + 1)
    assert n_multiply_adds(config, 10) == stem + stages + gru + attention
