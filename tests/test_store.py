"""The sample store: the same training as from the files, checked when opened, never half there."""

import json
import pickle
import shutil

import numpy as np
import pytest

import simulator
from twelvelead.databases import DatabaseError, find, read_labelled
from twelvelead.databases.stored import is_stored
from twelvelead.learning.samples import load
from twelvelead.learning.store import LARGEST_COUNT, quantised, write_store
from twelvelead.record import RecordError
from twelvelead.signals.recipe import Recipe
from twelvelead.study.workers import taken_over, to_hand_over
from twelvelead.wording import printable

RECIPE = Recipe()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    simulator.write_ptbxl(folder / "ptb-xl")
    simulator.write_challenge(folder / "challenge/training/georgia", n=6)
    (folder / "challenge/training/georgia/g1/A0002.mat").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def store(home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores") / "store"
    refused = write_store(folder, find([home]).records, RECIPE, n_workers=2)
    assert [path.name for path, _ in refused] == ["A0002.hea"]
    return folder


@pytest.fixture
def own_store(store, tmp_path):
    return shutil.copytree(store, tmp_path / "copy")


def facts_of(record):
    return (record.key, record.diagnoses, record.patient, record.fold, record.sex, record.age)


def test_a_store_trains_on_what_the_files_hold(home, store):
    from_files, _ = load(find([home]).records, RECIPE)
    from_store, refused = load(find([store]).records, RECIPE)
    assert refused == []
    assert list(map(facts_of, from_store.records)) == list(map(facts_of, from_files.records))
    assert (from_store.truth == from_files.truth).all()
    for stored, read in zip(from_store.samples, from_files.samples, strict=True):
        assert stored.step == read.step
        assert stored.digest == read.digest
        assert (stored.counts == read.counts).all()


def test_a_store_below_its_own_database_does_not_hide_it(tmp_path):
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=3)
    write_store(tmp_path / "a-store", find([tmp_path / "ptb-xl"]).records, RECIPE, n_workers=1)
    records = find([tmp_path]).records
    assert len(records) == 3
    assert not any(map(is_stored, records))


def test_the_samples_are_mapped_not_loaded(store):
    samples, _ = load(find([store]).records, RECIPE)
    assert not any(sample.counts.flags.writeable or sample.counts.flags.owndata for sample in samples.samples)


def test_a_study_s_workers_share_what_lies_in_a_store(store, tmp_path):
    simulator.write_challenge(tmp_path, n=2)
    samples, _ = load(find([store, tmp_path]).records, RECIPE)
    handed = pickle.dumps(to_hand_over(samples))
    of_files = sum(not is_stored(record) for record in samples.records)
    assert 0 < of_files < len(samples)
    assert len(handed) < (of_files + 1) * 50_000  # counts of 10 s are 24,000 bytes
    again = taken_over(pickle.loads(handed), RECIPE)
    assert again.records == samples.records
    assert (again.truth == samples.truth).all()
    for one, other in zip(again.samples, samples.samples, strict=True):
        np.testing.assert_array_equal(one.signal, other.signal)


def test_a_signal_comes_back_within_half_a_step():
    signal = np.random.default_rng(0).normal(size=(12, 900)).astype(np.float32)
    sample = quantised(signal)
    assert np.abs(sample.counts).max() == LARGEST_COUNT
    assert np.abs(sample.signal - signal).max() <= 0.51 * sample.step


def test_a_store_of_another_recipe_is_refused(store):
    with pytest.raises(DatabaseError, match="was made with .*make it again"):
        load(find([store]).records, Recipe(rate_hz=200))


@pytest.mark.parametrize("name", ["signals.i16", "recordings.csv"])
def test_one_changed_byte_is_found_on_opening(own_store, name):
    content = bytearray((own_store / name).read_bytes())
    content[-2] ^= 1
    (own_store / name).write_bytes(content)
    with pytest.raises(DatabaseError, match="checksum|damaged"):
        load(find([own_store]).records, RECIPE)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("diagnoses", "labels", "line 2 is damaged .it has no column 'diagnoses'"), (",1,", ",x,", "is damaged .invalid literal")],
)  # fmt: skip
def test_a_damaged_table_of_a_store_is_named(own_store, old, new, said):
    table = own_store / "recordings.csv"
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(DatabaseError, match=said):
        find([own_store])


def test_a_store_without_checksums_is_refused(own_store):
    facts = json.loads((own_store / "store.json").read_text())
    (own_store / "store.json").write_text(json.dumps(facts | {"sha256": {}}))
    with pytest.raises(DatabaseError, match=r"signals\.i16 is not what its checksum was made of"):
        load(find([own_store]).records, RECIPE)


@pytest.mark.parametrize("facts", ["[]", "{", '{"format": 9}'])
def test_a_store_of_another_kind_is_refused(own_store, facts):
    (own_store / "store.json").write_text(facts)
    with pytest.raises(DatabaseError, match=r"store"):
        load(find([own_store]).records, RECIPE)


def test_what_is_there_is_not_written_over(home, store):
    before = json.loads((store / "store.json").read_text())
    with pytest.raises(DatabaseError, match="is there already"):
        write_store(store, find([home]).records, RECIPE)
    assert json.loads((store / "store.json").read_text()) == before


def test_a_folder_called_as_a_half_written_store_might_be_is_left_alone(home, tmp_path):
    (tmp_path / "store.part").mkdir()
    (tmp_path / "store.part/keep.txt").write_text("mine")
    write_store(tmp_path / "store", find([home]).records[:1], RECIPE)
    assert (tmp_path / "store.part/keep.txt").read_text() == "mine"


def test_nothing_readable_leaves_nothing_behind(tmp_path):
    simulator.write_challenge(tmp_path / "data", n=1)
    (tmp_path / "data/g1/A0001.mat").write_bytes(b"")
    with pytest.raises(DatabaseError, match="no recording could be read"):
        write_store(tmp_path / "store", find([tmp_path / "data"]).records, RECIPE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_stored_recording_is_no_file_to_classify(store):
    with pytest.raises(RecordError, match="filtered for training"):
        read_labelled(find([store]).records[0])


def test_the_command_makes_one_that_trains(home, tmp_path, twelvelead):
    done = twelvelead("store", home, "--out", "store", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["left_out"] == 1
    assert "A0002.mat has 0 bytes" in done.stderr


def test_training_from_a_store_is_training_from_the_files(home, tmp_path, twelvelead):
    whole = home / "ptb-xl"
    done = twelvelead("store", whole, "--out", "store\a", cwd=tmp_path)
    assert done.stdout.startswith("store\ufffd: "), done.stderr
    bundles = []
    for name, folder in (("direct", whole), ("stored\a", "store\a")):
        done = twelvelead("train", folder, "--out", name, "--epochs", "1", cwd=tmp_path)
        assert done.stdout.startswith(f"{tmp_path / printable(name)}: "), done.stderr
        bundles.append((tmp_path / name / "weights.safetensors").read_bytes())
    assert bundles[0] == bundles[1]
