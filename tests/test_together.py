"""Two processes of torchrun train what one trains: the same batches, statistics, masks and gradients."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import simulator
from twelvelead.learning.samples import Augmentation, batches
from twelvelead.learning.together import Team


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    simulator.write_ptbxl(folder / "ptb-xl")
    return folder


def train(home, folder, *options, processes):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(launcher if processes > 1 else []), "-m", "twelvelead", "train", home]
    done = subprocess.run(
        [*map(str, command), "--out", "bundle", *options, "--json"],
        cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), load_file(folder / "bundle/weights.safetensors")


@pytest.fixture(scope="module")
def alone_and_together(home, tmp_path_factory):
    folders = [tmp_path_factory.mktemp(name) for name in ("alone", "together")]
    return [train(home, folder, "--epochs", "3", processes=n + 1) for n, folder in enumerate(folders)]


def test_two_processes_give_the_result_of_one(alone_and_together):
    (alone, weights), (together, shared) = alone_and_together
    assert together["epochs"] == alone["epochs"] == 3
    assert together["validation"] == pytest.approx(alone["validation"], abs=1e-6)
    assert weights.keys() == shared.keys()
    for name, value in weights.items():
        torch.testing.assert_close(
            shared[name], value, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_a_training_together_resumes_and_learns_from_teachers(home, tmp_path):
    options = ("--epochs", "1", "--teachers", "cpsc2018-winner")
    facts, _ = train(home, tmp_path, *options, processes=2)
    assert facts["epochs"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_the_parts_of_a_batch_are_the_batch():
    from test_learning import RECIPE, simulated

    samples = simulated(11)

    def epoch(team):
        return list(batches(samples, RECIPE, Augmentation(), 4, np.random.default_rng(3), team))

    parts = zip(epoch(Team(0, 3)), epoch(Team(1, 3)), epoch(Team(2, 3)), strict=True)
    for whole, by_three in zip(epoch(Team()), parts, strict=True):
        assert (np.concatenate([part.windows for part in by_three]) == whole.windows).all()
        assert (np.concatenate([part.truth for part in by_three]) == whole.truth).all()
        assert {part.n for part in by_three} == {len(whole.windows)}
