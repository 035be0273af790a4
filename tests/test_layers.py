"""Layers arranged for training: what they give, and what they learn, is what torch's own do."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.dropout import Dropout, DropoutReLU, gain
from twelvelead.network.layers import GRU, BatchNorm1d, Conv1d, MaxPool1d, concatenated, convolved_by_twos
from twelvelead.network.peers import InceptionTime
from twelvelead.network.spectral import convolved_by_spectrum
from twelvelead.network.zoo import NETWORKS

SIGNAL = torch.randn(4, 6, 50, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("ours, theirs", [
    (Conv1d(6, 8, 5, stride=2, padding=2, bias=False), nn.Conv1d(6, 8, 5, stride=2, padding=2, bias=False)),
    (Conv1d(6, 6, 7, padding=3, groups=6), nn.Conv1d(6, 6, 7, padding=3, groups=6)),
    (Conv1d(6, 8, 1), nn.Conv1d(6, 8, 1)),
    (Conv1d(6, 8, 1, padding=2, bias=False), nn.Conv1d(6, 8, 1, padding=2, bias=False)),
    (Conv1d(6, 8, 1, stride=2, bias=False), nn.Conv1d(6, 8, 1, stride=2, bias=False)),
    (Conv1d(6, 6, 1, groups=2, bias=False), nn.Conv1d(6, 6, 1, groups=2, bias=False)),
    (BatchNorm1d(6), nn.BatchNorm1d(6)),
    (MaxPool1d(3, stride=2, padding=1), nn.MaxPool1d(3, stride=2, padding=1)),
])  # fmt: skip
def test_a_layer_gives_and_learns_what_torchs_own_does(ours, theirs):
    theirs.load_state_dict(ours.state_dict())
    mine, other = (SIGNAL.clone().requires_grad_() for _ in range(2))
    given, expected = ours.train()(mine), theirs.train()(other)
    torch.testing.assert_close(given, expected)
    (given**2).sum().backward()
    (expected**2).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)
    for one, same in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, same.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    torch.testing.assert_close(ours.eval()(SIGNAL), theirs.eval()(SIGNAL))
    if not isinstance(ours, MaxPool1d):
        as_image = ours(SIGNAL.unsqueeze(2))
        assert as_image._base is None  # what comes after may write into it
        torch.testing.assert_close(as_image.squeeze(2), theirs(SIGNAL))


@pytest.mark.parametrize(("kernel", "stride", "padding"), [
    (1, 1, 0), (1, 3, 0), (2, 1, 1), (3, 1, 1), (4, 2, 0), (5, 3, 2), (7, 1, 3), (15, 1, 7), (15, 2, 7), (25, 2, 12),
    (31, 4, 15), (50, 1, 0), (50, 7, 0),
    (3, 4, 0), (5, 9, 1),
])  # fmt: skip
@pytest.mark.parametrize("n_recordings", [1, 4])
def test_a_depthwise_kernel_of_any_length_and_step_learns_what_torchs_own_does(kernel, stride, padding, n_recordings):
    form = {"stride": stride, "padding": padding, "groups": 6, "bias": False}
    ours, theirs = Conv1d(6, 6, kernel, **form).double(), nn.Conv1d(6, 6, kernel, **form).double()
    theirs.load_state_dict(ours.state_dict())
    mine, other = (SIGNAL[:n_recordings].double().requires_grad_() for _ in range(2))
    given, expected = ours.train()(mine), theirs.train()(other)
    assert "DepthwiseConvolution" in str(given.grad_fn.next_functions)
    torch.testing.assert_close(given, expected)
    (given**3).sum().backward()
    (expected**3).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize("n_samples", [1, 50, 1000, 1005])  # 1005 and half of 39 go beyond 1024
@pytest.mark.parametrize("kernels", [(39, 19, 9), (1,), (5, 39)])
def test_long_kernels_give_and_learn_by_their_spectra_what_they_do_sample_by_sample(n_samples, kernels):
    random = torch.Generator().manual_seed(0)
    signals = [torch.randn(3, 6, n_samples, generator=random, dtype=torch.float64)] * 2
    weights = [[torch.randn(4, 6, n, generator=random, dtype=torch.float64) for n in kernels]] * 2
    mine, other = (signal.clone().requires_grad_() for signal in signals)
    ours, theirs = ([weight.clone().requires_grad_() for weight in each] for each in weights)
    given = convolved_by_spectrum(mine, ours)
    expected = torch.cat(
        [nn.functional.conv1d(other, weight, padding=weight.shape[2] // 2) for weight in theirs], dim=1
    )
    torch.testing.assert_close(given, expected)
    (given**3).sum().backward()
    (expected**3).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)
    torch.testing.assert_close([weight.grad for weight in ours], [weight.grad for weight in theirs])


def test_inception_time_is_trained_by_spectra_on_a_processor_without_autocast(monkeypatch):
    torch.manual_seed(0)
    network = InceptionTime().double().train()  # else a rounding may move a value over a rectifier's corner
    network.head.eval()  # its dropout is chance
    windows = torch.randn(4, 12, 1000, dtype=torch.float64)
    by_spectra = network(windows)[0]
    (by_spectra**2).sum().backward()
    learned = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    asked = []

    def by_samples(signal, kernels):
        asked.append(len(kernels))
        return torch.cat([nn.functional.conv1d(signal, kernel, padding=kernel.shape[2] // 2) for kernel in kernels], 1)

    monkeypatch.setattr("twelvelead.network.peers.convolved_by_spectrum", by_samples)
    given = network(windows)[0]
    assert asked == [3] * 6
    torch.testing.assert_close(given, by_spectra)
    (given**2).sum().backward()
    torch.testing.assert_close([parameter.grad for parameter in network.parameters()], learned)
    with torch.autocast("cpu", torch.bfloat16):
        network.float()(windows.float())
    network.eval()(windows.float())
    assert len(asked) == 6


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_gru_in_training_gives_and_learns_what_torchs_own_does(both_ways):
    ours = GRU(6, 5, batch_first=True, bidirectional=both_ways)
    theirs = nn.GRU(6, 5, batch_first=True, bidirectional=both_ways)
    theirs.load_state_dict(ours.state_dict())
    mine, other = (SIGNAL.transpose(1, 2).clone().requires_grad_() for _ in range(2))
    given, expected = ours.train()(mine), theirs.train()(other)
    torch.testing.assert_close(given, expected)
    for steps, last in (given, expected):
        (steps**2).sum().backward(retain_graph=True)
        (3 * last).sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)
    for one, same in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, same.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("signal", [torch.ones(8, 50, 999), torch.ones(8, 999, 50).transpose(1, 2)])
def test_dropout_silences_its_share_and_keeps_the_mean(signal):
    torch.manual_seed(0)
    signal.requires_grad_()
    given = Dropout(0.2).train()(signal)
    assert given.stride() == signal.stride()
    assert given.detach().unique().numpy() == pytest.approx([0, 1.25], abs=0.01)
    by_place = given.detach().as_strided((given.numel() // 8, 8), (8, 1))  # a random word has eight places
    assert (by_place == 0).float().mean(dim=0).numpy() == pytest.approx(0.2, abs=0.01)
    assert abs(torch.corrcoef(by_place.T) - torch.eye(8)).max() < 0.02
    assert float(given.detach().mean()) == pytest.approx(1, abs=0.01)
    given.sum().backward()
    torch.testing.assert_close(signal.grad, given.detach())
    assert Dropout(0.2).eval()(signal) is signal
    assert Dropout(0.0).train()(signal) is signal


@pytest.mark.parametrize("p", [0.0, 0.2])
def test_dropout_and_relu_in_one_give_and_learn_what_they_do_one_by_one(p):
    at_once = nn.Sequential(BatchNorm1d(6, gain(p)), DropoutReLU(p)).double()
    one_by_one = nn.Sequential(BatchNorm1d(6), Dropout(p), nn.ReLU()).double()
    mine, other = (SIGNAL.double().requires_grad_() for _ in range(2))
    results = []
    for layers, signal in ((at_once, mine), (one_by_one, other)):
        nn.init.constant_(layers[0].bias, 0.5)
        torch.manual_seed(0)
        results.append(layers.train()(signal))
        (results[-1] ** 3).sum().backward()
    torch.testing.assert_close(*results)
    torch.testing.assert_close(mine.grad, other.grad)
    torch.testing.assert_close(at_once[0].weight.grad, one_by_one[0].weight.grad)
    torch.testing.assert_close(at_once.state_dict(), one_by_one.state_dict())
    torch.testing.assert_close(at_once.eval()(SIGNAL.double()), one_by_one.eval()(SIGNAL.double()))
    in_place = SIGNAL.clone()
    assert DropoutReLU(p).train()(in_place).data_ptr() == in_place.data_ptr()


def test_normalisation_of_features_without_time():
    torch.testing.assert_close(BatchNorm1d(6)(SIGNAL[:, :, 0]), nn.BatchNorm1d(6)(SIGNAL[:, :, 0]))


def test_signals_are_joined_over_their_channels_however_they_are_arranged():
    expected = torch.cat([SIGNAL, 2 * SIGNAL], dim=1)
    arranged = SIGNAL.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(concatenated([SIGNAL, 2 * SIGNAL]), expected)
    joined = concatenated([arranged, 2 * arranged])
    torch.testing.assert_close(joined, expected)
    assert joined.transpose(1, 2).is_contiguous()


@pytest.mark.parametrize("build", [lambda: CnnGru(NETWORKS["triple"]), InceptionTime])
def test_a_network_in_training_stays_arranged_from_end_to_end(build):
    """No layer between brings the signal back into torch's usual order, which would cost a copy at the next."""
    seen = []
    network = build().train()
    for module in network.modules():
        if isinstance(module, Conv1d | BatchNorm1d):
            module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.randn(2, 12, 1000))
    later = [signal for signal in seen if signal.ndim > 2 and signal.shape[1] != 12]
    assert len(later) > 10
    assert all(signal.movedim(1, -1).is_contiguous() for signal in later)


@pytest.mark.parametrize("processor", ["AVX2", "AVX512"])
@pytest.mark.parametrize("n_samples", [1, 2, 99, 100])
@pytest.mark.parametrize("kernel", [1, 3, 5, 25])
def test_two_samples_as_one_give_what_steps_of_two_do(n_samples, kernel, processor, monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: processor)
    signal, weight = torch.randn(2, 12, n_samples).double(), torch.randn(4, 12, kernel).double()
    expected = nn.functional.conv1d(signal, weight, stride=2, padding=kernel // 2)
    torch.testing.assert_close(convolved_by_twos(signal, weight).squeeze(2), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_two_convolutions_give_and_learn_as_one_what_they_do_one_by_one(name):
    torch.manual_seed(0)
    branch = CnnGru(replace(NETWORKS[name], activation="elu")).branches[0]  # no corner for a rounding to move over
    windows = torch.randn(2, 12, 1000)
    one_by_one = deepcopy(branch)
    one_by_one.separable = False
    gradients = []
    for each in (branch, one_by_one):
        torch.manual_seed(0)  # dropout
        (each.train()(windows) ** 2).sum().backward()
        gradients.append([parameter.grad for parameter in each.parameters()])
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("training", "alike"), [
    (False, 0.99), (True, 0.9),  # where a rounding may move a value over a corner
])  # fmt: skip
def test_in_mixed_precision_a_network_learns_about_the_same(training, alike):
    torch.manual_seed(0)
    network = CnnGru(NETWORKS["single"]).train(training)
    windows, truth = torch.randn(4, 12, 1000), torch.rand(4, 9).round()
    gradients = []
    for mixed in (False, True):
        one = deepcopy(network)
        torch.manual_seed(0)  # dropout
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            logits = one(windows)[0]
        nn.functional.binary_cross_entropy_with_logits(logits.float(), truth).backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in one.parameters()]))
    assert torch.cosine_similarity(*gradients, dim=0) > alike
