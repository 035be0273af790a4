"""A network that learns from others: what it is taught, and that a killed training goes on with the same teachers."""

import json
import signal
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from test_learning import QUICK, RECIPE, simulated
from twelvelead.learning.fit import TAUGHT, fit, taught
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.zoo import SINGLE
from twelvelead.study.contestants import CONTESTANTS


class Oracle(nn.Module):
    """Says the same of every window."""

    def __init__(self, logit):
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(float(logit)))

    def forward(self, signal):
        return self.logit.expand(len(signal), 9), None


def test_what_is_taught_is_the_mean_probability():
    chances = taught([Oracle(0), Oracle(100)], torch.zeros(2, 12, 1000))
    torch.testing.assert_close(chances, torch.full((2, 9), 0.75))
    assert not chances.requires_grad


def test_a_student_moves_towards_what_its_teachers_say(tmp_path):
    samples = simulated(16)

    def mean_chance(teachers):
        fitted = fit(
            partial(CnnGru, SINGLE), samples, samples, RECIPE, QUICK, state_path=tmp_path / "s", teachers=teachers
        )
        return float(np.mean([1 / (1 + np.exp(-logits)) for logits in fitted.validation_logits]))

    low, high = mean_chance([Oracle(-9)]), mean_chance([Oracle(9)])
    assert low < mean_chance([]) < high
    assert 0 < TAUGHT < 1


def test_every_teacher_in_the_study_is_in_the_study_and_no_student():
    by_name = {contestant.name: contestant for contestant in CONTESTANTS}
    for contestant in CONTESTANTS:
        for name in contestant.teachers:
            assert not by_name[name].teachers
        budget = contestant.within(epochs=30, patience=15, seed=0)
        assert budget.epochs == (60 if contestant.teachers else 30)


def options(home, out, *more):
    data = [home / "cpsc2018", home / "ludb"]
    return ["train", *data, "--out", out, "--epochs", 4, "--teachers", "cpsc2018-winner,dual", *more]


def test_a_killed_student_resumes_with_its_teachers_to_the_same_bundle(home, twelvelead, tmp_path):
    done = twelvelead(*options(home, tmp_path / "whole"))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole"]
    card = json.loads((tmp_path / "whole/card.json").read_text())
    assert card["training"]["teachers"] == ["cpsc2018-winner", "dual"]
    assert card["training"]["settings"]["epochs"] == 2 * 4
    killed = twelvelead(*options(home, tmp_path / "killed"), killed_at=tmp_path / ".killed.training/dual.state")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / ".killed.training/cpsc2018-winner.safetensors").exists()
    resumed = twelvelead(*options(home, tmp_path / "killed", "--resume"))
    assert resumed.returncode == 0, resumed.stderr
    whole, again = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == again


def test_what_replaces_a_killed_training_can_be_resumed_too(home, twelvelead, tmp_path):
    """The killed one had its teacher already; the one in its place is killed before that."""
    state, teacher = (tmp_path / f".bundle.training/{name}" for name in ("dual.state", "cpsc2018-winner.state"))
    killed = twelvelead(*options(home, tmp_path / "bundle"), killed_at=state)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    others = ("--seed", 5)
    killed = twelvelead(*options(home, tmp_path / "bundle", "--replace", *others), killed_at=teacher)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = twelvelead(*options(home, tmp_path / "bundle", "--resume", *others))
    assert resumed.returncode == 0, resumed.stderr


@pytest.mark.parametrize("damage", ["others", "bytes"])
def test_weights_of_another_training_are_no_teacher(home, twelvelead, tmp_path, damage):
    weights = tmp_path / ".bundle.training/cpsc2018-winner.safetensors"
    weights.parent.mkdir()
    if damage == "others":
        save_file({"a": torch.zeros(1)}, weights, {"fingerprint": "another"})
    else:
        weights.write_bytes(b"no weights")
    done = twelvelead(*options(home, tmp_path / "bundle", "--resume"))
    assert done.returncode == 1
    assert "start anew with --replace" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_teacher_must_be_of_the_study(home, twelvelead, tmp_path):
    done = twelvelead("train", home, "--out", tmp_path / "b", "--teachers", "professor")
    assert (done.returncode, "'professor': the study has" in done.stderr) == (1, True)


def test_a_teacher_has_no_teachers(home, twelvelead, tmp_path):
    done = twelvelead("train", home, "--out", tmp_path / "b", "--teachers", "dual,single-taught")
    assert (done.returncode, "'single-taught' has teachers itself" in done.stderr) == (1, True)
