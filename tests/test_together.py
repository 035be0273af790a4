"""Two processes of torchrun train what one trains: the same batches, statistics, masks and gradients."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import simulator
from test_learning import RECIPE, simulated
from together_program import write_tensors
from twelvelead.learning.samples import Augmentation, batches
from twelvelead.learning.together import Team


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    simulator.write_ptbxl(folder / "ptb-xl")
    return folder


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
TAUGHT = ["train", "--epochs", "1", "--teachers", "cpsc2018-winner", "--out", "bundle", "--json"]


@pytest.fixture(scope="module")
def alone_and_together(home, twelvelead, tmp_path_factory):
    """The folders that one process trained in, and two, and what they said of it."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    by_one = twelvelead(*TAUGHT, home, cwd=alone)
    by_two = subprocess.run(
        [*TORCHRUN, "-m", "twelvelead", *TAUGHT, str(home)],
        cwd=together, env=ONE_THREAD, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (by_one.returncode, by_two.returncode) == (0, 0), by_one.stderr + by_two.stderr
    return (alone, json.loads(by_one.stdout)), (together, json.loads(by_two.stdout))


def test_two_processes_train_as_one_does(alone_and_together):
    """Step by step the same but for rounding, which ReLUs and Adam make more of as they go."""
    (alone, by_one), (together, by_two) = alone_and_together
    assert by_two["epochs"] == by_one["epochs"] == 2  # twice the teacher's
    assert by_two["validation"] == pytest.approx(by_one["validation"], abs=1e-6)
    weights, shared = (load_file(folder / "bundle/weights.safetensors") for folder in (alone, together))
    assert weights.keys() == shared.keys()
    one, other = (torch.cat([part[name].flatten().float() for name in weights]) for part in (weights, shared))
    assert torch.linalg.norm(one - other) < 0.05 * torch.linalg.norm(one)


def test_two_processes_leave_what_one_does(alone_and_together):
    for folder, _ in alone_and_together:
        assert [path.name for path in folder.iterdir()] == ["bundle"]


@pytest.fixture(scope="module")
def by_one_and_by_two(tmp_path_factory):
    """The tensors that `together_program.py` writes in this process, and in two."""
    folder = tmp_path_factory.mktemp("tensors")
    write_tensors(folder / "one.safetensors")
    program = Path(__file__).with_name("together_program.py")
    subprocess.run([*TORCHRUN, str(program), str(folder / "two.safetensors")], env=ONE_THREAD, check=True)
    return [load_file(folder / f"{name}.safetensors") for name in ("one", "two")]


def test_two_processes_give_the_weights_of_one(by_one_and_by_two):
    """With ELUs, so that rounding stays rounding: as close as after three epochs of the command."""
    alone, together = by_one_and_by_two
    for name in (name for name in alone if name.startswith("weights.")):
        torch.testing.assert_close(together[name], alone[name], rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize("network", ["single", "triple"])
def test_two_processes_give_the_gradient_of_one(by_one_and_by_two, network):
    alone, together = by_one_and_by_two
    parameters = [name for name in alone if name.startswith(f"{network}.")]
    assert len(parameters) > 20
    for name in parameters:
        largest = float(alone[name].abs().max())
        torch.testing.assert_close(together[name], alone[name], rtol=0, atol=1e-4 * largest, msg=name)


def test_no_connection_outlives_the_training(by_one_and_by_two):
    """A thread of one that Python's end meets ends the process by SIGABRT, which torchrun calls a failure."""
    assert [int(tensors["connections"]) for tensors in by_one_and_by_two] == [0, 0]


def test_the_parts_of_a_batch_are_the_batch():
    samples = simulated(11)

    def epoch(team):
        return list(batches(samples, RECIPE, Augmentation(), 4, np.random.default_rng(3), team))

    parts = zip(epoch(Team(0, 3)), epoch(Team(1, 3)), epoch(Team(2, 3)), strict=True)
    for whole, by_three in zip(epoch(Team()), parts, strict=True):
        assert (np.concatenate([part.windows for part in by_three]) == whole.windows).all()
        assert (np.concatenate([part.truth for part in by_three]) == whole.truth).all()
        assert {part.n for part in by_three} == {len(whole.windows)}
