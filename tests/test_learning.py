"""The split divides no patient, training learns, and a killed run ends as one that was left alone."""

import csv
import itertools
import json
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

import simulator
from twelvelead.classifier import BundleError, classify, load_bundle
from twelvelead.classifier.writing import sealed_text
from twelvelead.databases import DatabaseError, LabelledRecord, find, groups_of, read_labelled
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.tried import predict
from twelvelead.doors.unfinished import left_of
from twelvelead.learning.fit import FitError, Settings, at_step, fit, window_logits
from twelvelead.learning.samples import Augmentation, batches, drawn, gathered, load, n_batches, truth_of
from twelvelead.learning.split import split
from twelvelead.learning.state import StateError
from twelvelead.learning.store import quantised
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.zoo import SINGLE
from twelvelead.scoring.probabilities import SPECIFICITIES
from twelvelead.scoring.scores import class_rates
from twelvelead.signals.recipe import Recipe

RECIPE = Recipe()


def made_up(n, n_patients, seed=0, database="georgia"):
    random = np.random.default_rng(seed)
    rates = np.array([0.1, 0.05, 0.03, 0.5, 0.03, 0.06, 0.03, 0.05, 0.01])
    return [
        LabelledRecord(
            path=Path(f"{i}.hea"),
            database=database,
            recording=str(i),
            diagnoses=tuple(name for name, has in zip(DIAGNOSES, random.random(9) < rates, strict=True) if has),
            patient=str(random.integers(n_patients)),
        )
        for i in range(n)
    ]


def halves(records, **options):
    return split(records, **({"held_out": frozenset(), "validation_share": 0.2, "seed": 0} | options))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_class_frequencies_are_equal_in_each_database(seed):
    records = made_up(2000, 1600) + made_up(1000, 1000, 1, "ptb-xl")
    parted = halves(records, seed=seed)
    for database in ("georgia", "ptb-xl"):
        training, validation = (
            truth_of([records[i] for i in side if records[i].database == database])
            for side in (parted.training, parted.validation)
        )
        assert len(validation) == pytest.approx(0.2 * (len(training) + len(validation)), rel=0.03)
        shares = validation.sum(axis=0) / (training.sum(axis=0) + validation.sum(axis=0))
        assert shares == pytest.approx(np.full(9, 0.2), abs=0.06)


def test_few_large_groups_are_divided_equally_too():
    random = np.random.default_rng(0)
    records = [
        replace(record, patient=None, fold=int(random.integers(1, 9)), sex="FM"[int(random.integers(2))])
        for record in made_up(3000, 3000, 1, "ptb-xl")
    ]
    parted = halves(records)
    training, validation = (truth_of([records[i] for i in side]) for side in (parted.training, parted.validation))
    shares = validation.sum(axis=0) / (training.sum(axis=0) + validation.sum(axis=0))
    assert shares == pytest.approx(np.full(9, 0.19), abs=0.08)
    women = sum(records[i].sex == "F" for i in parted.validation) / len(parted.validation)
    assert 0.3 < women < 0.7
    groups = groups_of(records)
    assert not {groups[i] for i in parted.training} & {groups[i] for i in parted.validation}


@settings(max_examples=40, deadline=None)
@given(n=st.integers(60, 200), n_patients=st.integers(20, 60), seed=st.integers(0, 50))
def test_no_patient_is_on_both_sides(n, n_patients, seed):
    records = made_up(n, n_patients, seed)
    parted = halves(records, seed=seed)
    training, validation = ({records[i].patient for i in side} for side in (parted.training, parted.validation))
    assert not training & validation
    assert sorted((*parted.training, *parted.validation)) == list(range(n))


def test_a_held_out_patient_is_nowhere_else():
    records = made_up(300, 100)
    held = frozenset({records[0].key, records[7].key})
    parted = halves(records, held_out=held)
    patients = {records[0].patient, records[7].patient}
    assert {records[i].patient for i in parted.held_out} == patients
    assert not {records[i].patient for i in (*parted.training, *parted.validation)} & patients
    with pytest.raises(DatabaseError, match="the first is georgia/nobody"):
        halves(records, held_out=frozenset({"georgia/nobody"}))


def test_a_recording_that_may_be_of_anybody_is_left_out():
    placed = [replace(record, fold=int(record.patient) % 10, sex="F") for record in made_up(200, 200)]
    parted = halves([*placed, replace(placed[0], recording="new", patient=None, fold=None)])
    assert parted.unplaceable == (200,)


def test_the_same_seed_gives_the_same_split():
    records = made_up(400, 300)
    assert halves(records, seed=1) == halves(records, seed=1) != halves(records, seed=2)


def test_a_side_without_recordings_is_refused():
    with pytest.raises(DatabaseError, match="give at least one for each"):
        halves(made_up(1, 1))


def simulated(n, seed=0):
    kinds = simulator.kinds(n)
    records = tuple(
        LabelledRecord(path=Path(f"{i}"), database="x", recording=str(i), diagnoses=(kind,))
        for i, kind in enumerate(kinds)
    )
    signals = [simulator.ecg(kind, rate_hz=100, seed=seed + i).astype(np.float32) for i, kind in enumerate(kinds)]
    return gathered(zip(records, map(quantised, signals), strict=True))


def test_a_copy_by_another_name_is_not_on_both_sides(home, twelvelead, tmp_path):
    """The same recordings in two tables, of which nobody says that they are the same."""
    recordings = sorted((home / "ludb/data").glob("*.hea"))
    for folder in ("mine", "yours"):
        (tmp_path / folder).mkdir()
        rows = ["path,labels"]
        for number, path in enumerate(recordings):
            for part in (path, path.with_suffix(".dat")):
                shutil.copy(part, tmp_path / folder)
            rows.append(f"{path.name},{'AF' if number % 2 else 'none'}")
        (tmp_path / folder / "labels.csv").write_text("\n".join(rows))
    out = tmp_path / "bundle"
    done = twelvelead("train", tmp_path / "mine", tmp_path / "yours", "--out", out, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((out / "split.csv").read_text().splitlines()))
    training, validation = (
        {row["digest"] for row in rows if row["side"] == side} for side in ("training", "validation")
    )
    assert training
    assert validation
    assert not training & validation
    n_copies = int(
        re.search(r"left out (\d+) recordings: the validation, or what is held out, has copies", done.stderr)[1]
    )
    assert [row["side"] for row in rows].count("left out") == n_copies
    assert len(rows) == 2 * len(recordings)


def test_an_epoch_draws_every_recording_once_and_the_same_for_the_same_seed():
    samples = simulated(10)
    first, again = (list(batches(samples, RECIPE, Augmentation(), 4, np.random.default_rng(3))) for _ in range(2))
    assert [len(batch.windows) for batch in first] == [4, 4, 2]
    assert sum(batch.truth.sum() for batch in first) == pytest.approx(10)
    for batch, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(batch.windows, same.windows)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(500, 6500), seed=st.integers(0, 1000))
def test_any_drawn_window_is_whole_and_finite(n, seed):
    signal = np.random.default_rng(seed).standard_normal((12, n)).astype(np.float32)
    window = drawn(quantised(signal), RECIPE, Augmentation(shortened=0.5, stretch=0.1), np.random.default_rng(seed))
    assert window.shape == (12, 1000)
    assert window.dtype == np.float32
    assert np.isfinite(window).all()


def test_without_augmentation_a_ten_second_recording_is_drawn_as_it_is_classified():
    [sample] = simulated(1).samples
    plain = Augmentation(stretch=0, lead_dropout=0, shortened=0)
    window = drawn(sample, RECIPE, plain, np.random.default_rng(0))
    np.testing.assert_allclose(window, RECIPE.windows(sample.signal)[0], rtol=1e-5, atol=1e-5)


def test_many_heard_together_are_heard_as_each_by_itself():
    random, lengths = np.random.default_rng(0), [1000, 640, 1000, 3700, 999, 640] * 8  # the longest in seven windows
    signals = [random.standard_normal((12, n), dtype=np.float32) for n in lengths]
    records = simulated(1).records * len(signals)
    network = CnnGru(SINGLE)
    together = window_logits(network, gathered(zip(records, map(quantised, signals), strict=True)), RECIPE)
    assert [len(logits) for logits in together] == [7 if n == 3700 else 1 for n in lengths]
    for logits, sample in zip(together, map(quantised, signals), strict=True):
        [alone] = window_logits(network, gathered([(records[0], sample)]), RECIPE)
        np.testing.assert_allclose(logits, alone, atol=1e-5)


@pytest.mark.parametrize("n, sizes", [(1, [1]), (8, [8]), (9, [9]), (10, [8, 2]), (17, [8, 9])])
def test_no_batch_is_of_one_recording_where_there_are_more(n, sizes):
    samples = simulated(1).subset([0] * n)
    drawn_sizes = [
        len(batch.windows) for batch in batches(samples, RECIPE, Augmentation(), 8, np.random.default_rng(0))
    ]
    assert drawn_sizes == sizes
    assert len(sizes) == n_batches(n, 8)


def test_the_learning_rate_rises_then_falls_to_nothing():
    straight = Settings(schedule="cosine", warm_up=0.1)
    rates = [at_step(step, 100, straight)["lr"] for step in range(100)]
    assert rates[0] < rates[9] == straight.learning_rate
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] < 1e-5


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


BUILD = partial(CnnGru, SINGLE)
QUICK = Settings(epochs=3, batch_size=8, patience=5)


def test_a_run_resumed_after_each_epoch_is_the_run_left_alone(tmp_path):
    training, validation = simulated(24), simulated(12, 500)

    def stop_after(epochs):
        def tell(progress):
            if progress.validation is not None and progress.epoch + 1 == epochs:
                raise KeyboardInterrupt

        return tell

    def run(path, **options):
        return fit(BUILD, training, validation, RECIPE, QUICK, state_path=path, **options)

    whole = run(tmp_path / "whole")
    for epochs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", resume=epochs > 1, tell=stop_after(epochs))
    resumed = run(tmp_path / "parts", resume=True)
    assert resumed.best_epoch == whole.best_epoch
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_it_stops_early_and_keeps_the_best_weights(tmp_path):
    training, validation = simulated(8), simulated(8, 900)
    validation = replace(validation, truth=1 - validation.truth)  # learning makes this worse
    seen = []
    many = replace(QUICK, epochs=40, patience=2, learning_rate=3e-2)
    fitted = fit(
        BUILD, training, validation, RECIPE, many, state_path=tmp_path / "s", tell=lambda p: seen.append(p.validation)
    )
    losses = [scores["loss"] for scores in seen if scores]
    assert len(losses) == fitted.epochs < 40
    assert fitted.best_epoch == int(np.argmin(losses)) == fitted.epochs - 3


def test_a_training_that_diverges_is_ended_in_a_sentence(tmp_path):
    samples = simulated(8)
    broken = replace(samples, truth=np.full_like(samples.truth, np.inf))
    with pytest.raises(FitError, match="epoch 1, step 1: the loss is nan, so the training has diverged"):
        fit(BUILD, broken, samples, RECIPE, QUICK, state_path=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_another_run_is_not_resumed(tmp_path):
    samples = simulated(8)

    def run(**options):
        return fit(BUILD, samples, samples, RECIPE, replace(QUICK, epochs=1), state_path=tmp_path / "s", **options)

    run(fingerprint="a")
    with pytest.raises(StateError, match="was started with another network, .* or settings"):
        run(fingerprint="b", resume=True)
    torch.set_num_threads(2)
    with pytest.raises(StateError, match="was started with threads 1, now it is 2"):
        run(fingerprint="a", resume=True)
    torch.set_num_threads(1)
    (tmp_path / "s").write_bytes(b"damaged")
    with pytest.raises(StateError, match="holds no run to resume"):
        run(fingerprint="a", resume=True)


def test_what_cannot_be_read_is_left_out_and_named(home, tmp_path):
    simulator.write_challenge(tmp_path, n=4)
    (tmp_path / "g1/A0002.mat").write_bytes(b"")
    samples, refused = load(find([tmp_path]).records, RECIPE)
    assert [record.recording for record in samples.records] == ["A0001", "A0003", "A0004"]
    assert [(path.name, "cut short" in reason) for path, reason in refused] == [("A0002.hea", True)]
    del home


def test_the_command_learns_what_can_be_learned(trained):
    assert trained["parameters"] <= 50_000
    assert trained["validation"]["auroc"] > 0.9


def test_the_bundle_says_who_was_on_which_side(bundle, home):
    rows = list(csv.DictReader((bundle / "split.csv").read_text().splitlines()))
    sides = Counter(row["side"] for row in rows)
    assert sides["training"] + sides["validation"] == 84
    side_of = {row["recording"]: row["side"] for row in rows}
    records = find([home]).records
    groups = groups_of(records)
    for (a, group_a), (b, group_b) in itertools.combinations(zip(records, groups, strict=True), 2):
        assert group_a != group_b or side_of[a.key] == side_of[b.key]


def test_a_killed_training_resumes_to_the_same_bundle(home, twelvelead, tmp_path):
    def options(out):
        return [
            "train",
            home / "cpsc2018",
            home / "ludb",
            "--out",
            tmp_path / out,
            "--epochs",
            "5",
            "--network",
            "dual",
        ]

    assert twelvelead(*options("whole")).returncode == 0
    killed = twelvelead(*options("killed"), killed_at=tmp_path / ".killed.training/network.state")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "killed").exists()
    resumed = twelvelead(*options("killed"), "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert "ludb never states STD, STE: its recordings count as without" in " ".join(resumed.stderr.split())
    whole, again = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == again
    assert not (tmp_path / ".killed.training").exists()
    other = twelvelead(*options("killed"), "--resume")
    assert other.returncode == 1
    assert "nothing of a killed training lies beside" in other.stderr


def test_a_disk_that_fills_costs_no_epoch(home, bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "b")
    before = (tmp_path / "b/card.json").read_bytes()
    command = [sys.executable, "-m", "twelvelead", "train", str(home / "cpsc2018"), "--out", str(tmp_path / "b")]

    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [*command, "--epochs", "1", "--replace"], capture_output=True, text=True, preexec_fn=full_disk, check=False
    )
    assert done.returncode == 1
    assert "nothing written before is lost" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "b/card.json").read_bytes() == before


def test_the_weights_are_plain_tensors_and_the_card_readable(bundle):
    with safe_open(bundle / "weights.safetensors", framework="np") as file:
        assert "gru.weight_ih_l0" in file.keys()  # noqa: SIM118
    card = json.loads((bundle / "card.json").read_text())
    assert card["training"]["settings"]["seed"] == 3
    assert set(card["thresholds"]) == set(card["calibration"]) == set(DIAGNOSES)
    assert {source["name"] for source in card["data"]} == {"PTB-XL", "LUDB", "CPSC2018"}


def test_int8_is_in_the_bundle_and_the_card_says_what_it_changes(bundle, home):
    exact, rough = load_bundle(bundle), load_bundle(bundle, "int8")
    said = exact.card["precisions"]["int8"]
    assert 0 <= said["mean_difference"] <= said["largest_difference"] < 0.5
    assert said["validation_float32"] == exact.card["validation"]["scores"]
    by_key = {record.key: record for record in find([home]).records}
    sides = csv.DictReader((bundle / "split.csv").read_text().splitlines())
    differences = []
    for row in sides:
        if row["side"] == "validation":
            record = read_labelled(by_key[row["recording"]])
            pair = [classify(record, classifier).probabilities for classifier in (exact, rough)]
            differences += [abs(pair[0][name] - pair[1][name]) for name in DIAGNOSES]
    assert max(differences) == pytest.approx(said["largest_difference"], abs=1e-2)
    assert max(differences) > 0


def test_the_precision_is_chosen_at_the_door(bundle, home, twelvelead):
    done = twelvelead("classify", home, "--bundle", bundle, "--precision", "int8")
    assert done.returncode == 0, done.stderr
    assert "int8" in done.stdout


def test_thresholds_of_the_card_hold_its_specificity_on_the_validation(bundle, home):
    by_key = {record.key: record for record in find([home]).records}
    rows = csv.DictReader((bundle / "split.csv").read_text().splitlines())
    records = [by_key[row["recording"]] for row in rows if row["side"] == "validation"]
    for specificity in SPECIFICITIES:
        tried = predict(records, load_bundle(bundle, specificity=specificity))
        held = class_rates(tried.predictions)["specificity"]
        assert (held >= float(specificity)).all()


def test_a_bundle_without_thresholds_at_a_specificity_says_so(bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text())
    del card["thresholds_at_specificity"]
    (copy / "card.json").write_text(sealed_text(card))
    with pytest.raises(BundleError, match=r"no thresholds at a specificity of 0.95: it has none; train it anew"):
        load_bundle(copy, specificity="0.95")
    load_bundle(copy)


def test_a_bundle_without_integers_says_so(bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    card = json.loads((copy / "card.json").read_text())
    del card["sha256"]["model.int8.onnx"]
    (copy / "card.json").write_text(sealed_text(card))
    with pytest.raises(BundleError, match="no graph in int8: it has float32"):
        load_bundle(copy, "int8")
    load_bundle(copy)


def test_copies_of_what_is_held_out_are_on_no_side(twelvelead, tmp_path):
    simulator.write_challenge(tmp_path / "ward", n=16)
    kept = next((tmp_path / "ward").rglob("A0001.hea"))
    (tmp_path / "copies").mkdir()
    for suffix in (".hea", ".mat"):
        content = kept.with_suffix(suffix).read_bytes().replace(b"A0001", b"twin1")
        (tmp_path / "copies" / f"twin1{suffix}").write_bytes(content)
    (tmp_path / "held.txt").write_text("cpsc2018/A0001\n")
    out = tmp_path / "bundle"
    done = twelvelead(
        "train",
        tmp_path / "ward",
        tmp_path / "copies",
        "--out",
        out,
        "--hold-out",
        tmp_path / "held.txt",
        "--epochs",
        1,
    )
    assert done.returncode == 0, done.stderr
    assert "left out 1 recording: the validation, or what is held out, has copies by other names" in " ".join(
        done.stderr.split()
    )
    sides = {line.split(",")[0]: line.split(",")[1] for line in (out / "split.csv").read_text().splitlines()}
    assert sides["cpsc2018/A0001"] == "held out"
    card = json.loads((tmp_path / "bundle/card.json").read_text())
    assert card["training"]["left_out"] == list(sides.values()).count("left out") > 0
    assert sides["copies/twin1"] == "left out"


def test_what_was_trained_or_killed_is_not_lost_without_a_word(bundle, home, tmp_path, twelvelead):
    out = shutil.copytree(bundle, tmp_path / "mine")
    before = (out / "card.json").read_bytes()
    done = twelvelead("train", home, "--out", out, "--epochs", 1)
    assert (done.returncode, "holds a bundle already: name another folder" in done.stderr) == (1, True)
    assert (out / "card.json").read_bytes() == before
    (left := tmp_path / ".new.training/resnet1d-wang.safetensors").parent.mkdir()
    left.write_bytes(b"an epoch")
    done = twelvelead("train", home, "--out", tmp_path / "new", "--epochs", 1)
    assert (done.returncode, f"{left.parent} is of a training that was killed" in done.stderr) == (1, True)
    assert left.read_bytes() == b"an epoch"
    assert left_of(tmp_path / "ne") is left_of(tmp_path / "new.2") is left_of(out) is None
    done = twelvelead("train", home, "--out", out, "--epochs", 1, "--replace")
    assert done.returncode == 0, done.stderr
    assert (out / "card.json").read_bytes() != before
