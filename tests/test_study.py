"""The study: nobody on both sides, networks as published, runs that go on, differences that are paired."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from test_learning import made_up
from twelvelead.databases import DatabaseError, Found, find, people_of, truth_of
from twelvelead.doors.study import _tell_unused, _without_nan
from twelvelead.learning.fit import at_step
from twelvelead.learning.samples import gathered
from twelvelead.learning.store import quantised
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.config import n_parameters
from twelvelead.network.zoo import NetworkError
from twelvelead.signals.recipe import Recipe
from twelvelead.study.comparison import compare, pool, reference
from twelvelead.study.contestants import CONTESTANTS, ONE_CYCLE, contestants
from twelvelead.study.folds import databases_left_out, folds
from twelvelead.study.report import class_table, database_table
from twelvelead.study.run import Outcome, Protocol, StudyError, keep_protocol, load_outcome, save_outcome

EVERY = pytest.mark.parametrize("contestant", CONTESTANTS, ids=[contestant.name for contestant in CONTESTANTS])
PUBLISHED = {"cpsc2018-winner": 28_005, "resnet1d-wang": 474_000, "inception-time": 508_000}


def without_signals(records):
    return flat(records, [not record.recording.startswith("standardised") for record in records])


def flat(records, in_mv):
    nothing = np.zeros((12, 1), np.float32)
    return gathered((record, quantised(nothing, in_mv=known)) for record, known in zip(records, in_mv, strict=True))


def ptbxl(n):
    records = made_up(n, n // 2, database="ptb-xl")
    records = [replace(record, fold=int(record.patient.split("p")[-1]) % 9 + 1) for record in records]
    return [replace(r, recording=f"standardised{i}", patient=None) if i % 7 == 0 else r for i, r in enumerate(records)]


@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_every_recording_in_millivolts_is_tested_once_and_no_patient_is_on_both_sides(n_folds):
    samples = without_signals([*made_up(400, 150), *ptbxl(300)])
    parts = folds(samples, n_folds, seed=1)
    tested = [index for part in parts for index in part.test]
    assert sorted(tested) == [index for index, in_mv in enumerate(sample.in_mv for sample in samples.samples) if in_mv]
    people = people_of(samples.records)
    for part in parts:
        assert not {people[i] for i in part.development} & {people[i] for i in part.test}
        assert not {samples.records[i].fold for i in part.development if samples.records[i].fold} & {
            samples.records[i].fold for i in part.test if samples.records[i].fold
        }
    for database in ("georgia", "ptb-xl")[: 2 if n_folds == 3 else 1]:  # nine published folds make three equal parts
        normals = [
            sum("Normal" in samples.records[i].diagnoses for i in part.test if samples.records[i].database == database)
            for part in parts
        ]
        assert max(normals) < 1.6 * min(normals), (database, normals)


def test_a_fold_without_anything_to_test_is_refused_before_training():
    records = [replace(record, fold=1 + index % 2, patient=None) for index, record in enumerate(made_up(40, 40))]
    with pytest.raises(DatabaseError, match="fold 3 of 3 has 0 recordings in millivolts .* ask for fewer --folds"):
        folds(without_signals(records), 3, seed=0)
    single = [replace(record, fold=4) for record in records]
    for n_folds in (1, 2):
        with pytest.raises(DatabaseError, match="the table has fold 4 only, .*: leave its column fold out, or add the"):
            folds(without_signals(single), n_folds, seed=0)
    standardised = flat(made_up(40, 40), [False] * 40)
    with pytest.raises(DatabaseError, match="fold 1 of 2 has 0 recordings in millivolts to test on and 2"):
        folds(standardised, 2, seed=0)


def test_what_no_fold_can_take_and_what_is_no_score_are_told(capsys):
    records = [replace(record, patient=None if index % 5 else record.patient) for index, record in enumerate(ptbxl(60))]
    records = [replace(record, fold=None) if record.patient is None else record for record in records]
    samples = without_signals(records)
    _tell_unused(Found(tuple(records), ()), samples, folds(samples, 2, seed=0), Console(stderr=True, width=200))
    assert "recordings: of an unknown person, so no fold is safe" in capsys.readouterr().err
    assert _without_nan({"auroc": float("nan"), "f2": 0.5, "n": 3}) == {"auroc": None, "f2": 0.5, "n": 3}


def test_the_folds_depend_on_the_seed_alone():
    samples = without_signals(made_up(200, 80))
    assert folds(samples, 3, seed=0) == folds(samples, 3, seed=0) != folds(samples, 3, seed=1)


def test_a_database_left_out_takes_its_publishers_other_one_along():
    records = [
        *made_up(60, 30),
        *made_up(40, 20, database="cpsc2018"),
        *made_up(30, 15, database="cpsc2018-extra"),
        *made_up(5, 5, database="ptb"),
    ]
    parts = {part.name: part for part in databases_left_out(without_signals(records))}
    assert set(parts) == {"without-georgia", "without-cpsc2018"}
    cpsc = parts["without-cpsc2018"]
    assert Counter(records[i].database for i in cpsc.test) == {"cpsc2018": 40, "cpsc2018-extra": 30}
    assert {records[i].database for i in cpsc.development} == {"georgia", "ptb"}
    with pytest.raises(DatabaseError, match="at least two are needed"):
        databases_left_out(without_signals(made_up(60, 30)))


@EVERY
def test_each_network_maps_windows_to_nine_logits_and_every_parameter_learns(contestant):
    torch.manual_seed(0)
    network = contestant.build().train()
    logits, attention = network(torch.randn(4, 12, 1000))
    assert logits.shape == (4, 9)
    assert attention is None or torch.allclose(attention.sum(dim=2), torch.ones(1))
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("name, count", PUBLISHED.items())
def test_the_peers_have_their_published_size(name, count):
    [contestant] = contestants([name])
    assert contestant.n_parameters == pytest.approx(count, abs=500 if count > 28_005 else 0)


def test_the_published_size_of_xresnet1d101_counts_its_convolutions_twice():
    [contestant] = contestants(["xresnet1d101"])
    network = contestant.build()
    again = sum(p.numel() for block in network.blocks for p in block.convolutions.parameters())
    assert contestant.n_parameters == 1_872_777
    assert contestant.n_parameters + again == pytest.approx(3_640_000, abs=5_000)


def test_the_arithmetic_of_parameters_holds_for_every_ablation():
    ours = [contestant for contestant in CONTESTANTS if contestant.kind != "peer"]
    assert {"without-gru", "without-attention", "gru-one-direction", "plain-convolutions", "elus"} < {
        c.name for c in ours
    }
    for contestant in ours:
        network = contestant.build()
        assert isinstance(network, CnnGru)
        assert contestant.n_parameters == n_parameters(network.config)


def test_no_other_name_is_taken():
    with pytest.raises(NetworkError, match="'resnet': the study has single, dual"):
        contestants(["resnet"])
    with pytest.raises(NetworkError, match="network '': the study has"):
        contestants([])


def test_one_cycle_is_that_of_fastai():
    steps = [at_step(step, 1000, ONE_CYCLE) for step in range(1000)]
    rates, momenta = [step["lr"] for step in steps], [step["betas"][0] for step in steps]
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert np.argmax(rates) == np.argmin(momenta) == 300
    assert rates[300] == pytest.approx(1e-2)
    assert momenta[300] == pytest.approx(0.85)
    assert rates[-1] < 1e-6
    assert momenta[0] == pytest.approx(0.95) == pytest.approx(momenta[-1], abs=1e-4)


def outcome(network, records, noise, seed=0, fold="1"):
    random = np.random.default_rng(seed)
    truth = truth_of(records)
    chances = 1 / (1 + np.exp(-(4 * truth - 2 + noise * random.standard_normal(truth.shape))))
    return Outcome(
        network=network,
        fold=fold,
        fingerprint="f",
        parameters=30_000 if network != "resnet1d-wang" else 474_000,
        training=1,
        validation=1,
        epochs=1,
        best_epoch=1,
        seconds=1.0,
        validation_scores={"loss": noise},
        thresholds=(0.5,) * 9,
        probabilities={r.key: tuple(map(float, row)) for r, row in zip(records, chances, strict=True)},
    )


def test_a_difference_is_paired_and_knows_the_better_one():
    records = made_up(400, 200)
    outcomes = [outcome("single", records, 1.0), outcome("dual", records, 1.0), outcome("resnet1d-wang", records, 2.5)]
    networks = pool(outcomes, records)
    assert reference(networks) in {"single", "dual"}
    rows = {row["network"]: row for row in compare(networks, "single")}
    assert rows["dual"]["auroc_gain"] == rows["dual"]["auroc_gain_low"] == rows["dual"]["auroc_gain_high"] == 0
    assert 0 < rows["resnet1d-wang"]["auroc_gain_low"] < rows["resnet1d-wang"]["auroc_gain_high"] < 0.3
    assert rows["resnet1d-wang"]["balance_gain_low"] > 0
    assert "auroc_gain" not in rows["single"]


def test_the_reference_is_chosen_on_the_folds_that_all_light_networks_have():
    """`dual` has lost nothing by its second fold, which is harder and which `single` has not run yet."""
    records = made_up(200, 100)
    halves = records[:100], records[100:]
    outcomes = [outcome("single", halves[0], 1.0), outcome("dual", halves[0], 0.9)]
    outcomes.append(outcome("dual", halves[1], 3.0, fold="2"))
    assert reference(pool(outcomes, records)) == "dual"


def test_networks_with_other_folds_are_compared_on_the_recordings_of_both():
    records = made_up(300, 150)
    halves = records[:150], records[150:]
    outcomes = [outcome("single", half, 1.0, fold=str(i)) for i, half in enumerate(halves)]
    networks = pool([*outcomes, outcome("dual", halves[0], 1.0, fold="0")], records)
    rows = {row["network"]: row for row in compare(networks, "single")}
    assert (rows["single"]["recordings"], rows["dual"]["recordings"]) == (300, 150)
    assert rows["dual"]["auroc_gain"] == 0
    for order in (networks, networks[::-1]):
        cells = [line.strip("| ").split(" | ") for line in class_table(order).splitlines()[2:]]
        positives = truth_of(records).astype(int).sum(axis=0)
        assert [cell[1] for cell in cells] == [
            str(n) for n in positives
        ]  # of all that were tested, whoever comes first
    with pytest.raises(StudyError, match="150 recordings of single's runs are not at hand"):
        pool(outcomes, halves[0])


def test_an_outcome_is_read_as_it_was_written_and_a_damaged_one_refused(tmp_path):
    path = tmp_path / "single.1.json"
    written = outcome("single", made_up(5, 5), 1.0)
    save_outcome(written, path)
    assert load_outcome(path) == written
    for damage in ("", "[]", path.read_text()[:-20], path.read_text().replace('"AF"', '"XX"')):
        path.write_text(damage)
        with pytest.raises(StudyError, match="holds no run of a study"):
            load_outcome(path)


def arguments(home, out, *more):
    names = ["study", home, "--out", out, "--networks", "single,cpsc2018-winner", "--folds", 2, "--epochs", 3]
    return [*names, "--workers", 2, *more]


@pytest.fixture(scope="module")
def studied(home, twelvelead, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "out"
    done = twelvelead(*arguments(home, out, "--json"))
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_the_command_writes_tables_and_figures(studied):
    out, rows = studied
    assert [row["network"] for row in rows] == ["cpsc2018-winner", "single"]
    tested = {row["recordings"] for row in rows}
    assert tested == {
        len({key for fold in "12" for key in load_outcome(out / f"runs/single.{fold}.json").probabilities})
    }
    with (out / "study.csv").open() as file:
        assert [row["network"] for row in csv.DictReader(file)] == ["cpsc2018-winner", "single"]
    text = (out / "study.md").read_text()
    assert "| **single** | 44,217 |" in text
    assert "AUROC of single minus it" in text
    for name in ("parameters.svg", "time.svg"):
        assert (out / name).read_text().count("cpsc2018-winner") == 2
    assert not list(out.glob("runs/*.state"))


def test_databases_left_out_join_the_same_table(studied, home, twelvelead):
    out, rows = studied
    done = twelvelead(*arguments(home, out, "--leave-one-database-out", "--json", "--workers", 1))
    assert done.returncode == 0, done.stderr
    joined = json.loads(done.stdout)
    assert [row["auroc"] for row in joined] == [row["auroc"] for row in rows]
    assert all(0 <= row["left_out_auroc"] <= 1 for row in joined)
    assert all(row["left_out_auroc_low"] <= row["left_out_auroc"] <= row["left_out_auroc_high"] for row in joined)
    assert ["left_out_auroc_gain" in row for row in joined] == ["auroc_gain" in row for row in joined]
    here, there = (out / "study.md").read_text().split("\nOn databases left out:\n")
    cells = [f"{row['left_out_auroc']:.3f}".replace("0.", ".") for row in joined]
    for cell, row in zip(cells, joined, strict=True):
        lines = [
            part for part in (here, there) for line in part.splitlines() if row["network"] in line and cell in line
        ]
        assert {here, there} == set(lines), "each is in both tables"


def test_a_network_not_yet_tested_on_a_database_has_no_score_there(studied, home):
    out, _ = studied
    records = find([home]).records
    outcomes = [load_outcome(path) for path in sorted(out.glob("runs/*.[12].json"))]
    database = {record.key: record.database for record in records}
    partly = [
        replace(o, probabilities={key: row for key, row in o.probabilities.items() if database[key] != "ptb-xl"})
        if o.network == "single"
        else o
        for o in outcomes
    ]
    [line] = [line for line in database_table(pool(partly, records)).splitlines() if line.startswith("| ptb-xl ")]
    _, _, _, _, winner, single = line.strip("| ").split(" | ")
    assert " / " in winner
    assert single == "–"


def test_another_protocol_is_refused(studied, home, twelvelead):
    out, _ = studied
    done = twelvelead(*arguments(home, out), "--seed", 5)
    assert (done.returncode, "was begun with seed 0, now it is 5" in done.stderr) == (1, True)
    assert "reading" not in done.stderr
    done = twelvelead(*arguments(home / "ptb-xl", out, "--workers", 1))
    assert done.returncode == 1
    assert "was reached from other recordings or settings" in done.stderr


@pytest.mark.parametrize("damaged", ["", "[1]", '{"seed": 0'])
def test_a_damaged_protocol_is_refused_in_a_sentence(tmp_path, damaged):
    protocol = Protocol(recipe=Recipe(), epochs=1, patience=1, seed=0, n_folds=2)
    keep_protocol(protocol, tmp_path)
    keep_protocol(protocol, tmp_path)
    (tmp_path / "protocol.json").write_text(damaged)
    with pytest.raises(StudyError, match=r"protocol\.json holds no protocol of a study"):
        keep_protocol(protocol, tmp_path)


def test_a_killed_study_goes_on_to_the_same_outcomes(studied, home, twelvelead, tmp_path):
    out, _ = studied
    killed = tmp_path / "killed"
    command = arguments(home, killed, "--networks", "single")
    done = twelvelead(*command, killed_at=killed / "runs/single.1.state")
    assert done.returncode == -signal.SIGKILL, done.stderr
    time.sleep(2)  # its workers notice that they are alone
    command = [*map(str, command), "--workers", "1"]
    program = [sys.executable, "-m", "twelvelead", *command]
    with subprocess.Popen(program, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as other:
        again = twelvelead(*command)  # two at once do the work twice, and neither harm
        said = other.communicate()[1]
    assert (again.returncode, other.returncode) == (0, 0), (again.stderr, said)
    assert "ludb never states STD, STE: its recordings count as without" in " ".join(again.stderr.split())
    for path in out.glob("runs/single.[12].json"):
        whole, resumed = load_outcome(path), load_outcome(killed / "runs" / path.name)
        assert replace(whole, seconds=0) == replace(resumed, seconds=0)


@pytest.mark.corpus
def test_the_folds_of_the_real_recordings_divide_nobody(corpus):
    from twelvelead.databases import find

    records = find([corpus / "data"]).records
    samples = flat(records, [record.patient is not None or record.database != "ptb-xl" for record in records])
    for part in folds(samples, 3, seed=0):
        sides = [{r.key for r in map(records.__getitem__, side)} for side in (part.development, part.test)]
        patients = [
            {(r.database, r.patient) for r in map(records.__getitem__, side) if r.patient}
            for side in (part.development, part.test)
        ]
        assert not patients[0] & patients[1]
        assert not sides[0] & sides[1]
        assert 900 < len(part.test) < 1200


@pytest.mark.corpus
def test_the_study_on_cpsc2018_runs_on_the_recordings_at_hand(corpus, twelvelead, tmp_path):
    data = [corpus / "data/challenge/training/cpsc_2018", corpus / "data/cpsc2018-original"]
    few = ["--networks", "single", "--epochs", 2, "--json"]
    done = twelvelead("study", *data, "--out", tmp_path / "study", "--folds", 5, *few)
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert (row["recordings"], row["folds"]) == (60, 5)
