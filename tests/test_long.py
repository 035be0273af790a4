"""Long recordings: the same windows and the same answers as at once, in memory that does not grow."""

import csv
import json
import math
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from binary_writers import edf, ishne
from simulator import Wfdb, digital
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.classifier.classify import conclude
from twelvelead.classifier.long import BRIDGED_S, Burden, burdens, clock, episodes, seldom_assessed
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.reporting import ReportError
from twelvelead.doors.windows import window_table
from twelvelead.formats import open_recording, read
from twelvelead.record import LEADS, Record, RecordError
from twelvelead.signals.prepared import prepare, summed
from twelvelead.signals.quality import Finding
from twelvelead.signals.recipe import Recipe
from twelvelead.stream import Stream, spans
from writers import packed_files

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import holter

RATE_HZ = 100.0
AF = DIAGNOSES.index("AF")


def minutes(kinds, rate_hz=RATE_HZ, seconds=60.0):
    return np.concatenate([simulator.ecg(kind, seconds, rate_hz, seed) for seed, kind in enumerate(kinds)], axis=1)


SIGNAL = minutes(["Normal", "AF", "AF", "Normal", "PVC", "Normal", "LBBB", "Normal", "AF", "Normal", "PVC"])


@pytest.fixture(scope="module")
def classifier(bundle):
    return load_bundle(bundle)


def written(folder, signal=SIGNAL, rate_hz=RATE_HZ, **fields):
    return Wfdb("holter", digital(signal), suffix=".dat", rate=f"{rate_hz:g}", **fields).write(folder)


def at_once(record, classifier):
    """(n_windows, 9) probabilities of a recording filtered, cut and heard as a whole."""
    windows = classifier.recipe.windows(classifier.recipe.filtered(record))
    return classifier.calibration.probabilities(classifier.run(windows)[0])


def sent(stream):
    """As another process gets it."""
    return pickle.loads(pickle.dumps(stream))


@pytest.mark.parametrize("rate_hz", [50, 100, 257, 333.3, 499.97, 500, 1000])
def test_every_window_is_the_one_of_the_whole(classifier, tmp_path, rate_hz):
    signal = minutes(["Normal", "AF", "PVC", "LBBB", "Normal", "AF"], rate_hz)[:, :-7]
    path = written(tmp_path, signal, rate_hz)
    stream, record = sent(open_recording(path)), read(path)
    assert isinstance(stream, Stream)
    report, expected = classify(stream, classifier, anyway=True), at_once(record, classifier)
    np.testing.assert_allclose(report.by_window, expected, atol=1e-4)
    np.testing.assert_allclose(list(report.probabilities.values()), expected.mean(axis=0), atol=1e-5)
    assert report.starts_s[-1] == pytest.approx(record.duration_s - 10, abs=2 / 100)
    assert math.ceil(record.duration_s / 5) - 1 == len(report.starts_s)


@pytest.mark.parametrize(
    "recipe", [Recipe(low_hz=0.05), Recipe(rate_hz=250, high_hz=100, hop_s=3), Recipe(window_s=60)]
)
def test_so_it_is_with_other_recipes(recipe, tmp_path):
    from twelvelead.signals.prepared import prepare_stream

    path = written(tmp_path, minutes(["Normal", "AF", "PVC"] * 3, 500), 500)
    parts = list(prepare_stream(open_recording(path), recipe))
    expected = recipe.windows(recipe.filtered(read(path)))
    np.testing.assert_allclose(np.concatenate([part.windows for part in parts]), expected, atol=2e-3)


def test_an_hour_streamed_is_the_hour_at_once(classifier, tmp_path):
    header = holter.write_repeated(tmp_path, holter.simulated(), 1.0)
    report, record = classify(open_recording(header), classifier, anyway=True), read(header)
    np.testing.assert_allclose(report.by_window, at_once(record, classifier), atol=1e-4)
    assert classify(record, classifier).as_json() == classify(open_recording(header), classifier).as_json()


@pytest.mark.corpus
def test_half_an_hour_of_real_recordings_as_incart_stores_them(corpus, tmp_path):
    repeated = holter.real(corpus / "data" / "challenge" / "training" / "chapman_shaoxing")
    header = holter.write_repeated(tmp_path, repeated, 462_600 / holter.RATE_HZ / 3600)
    header.write_text(header.read_text().replace("12 500 462600", "12 257 462600"))
    classifier, stream = load_bundle(shipped_bundle()), open_recording(header)
    assert (stream.rate_hz, stream.duration_s) == (257.0, 1800.0)
    report = classify(stream, classifier)
    expected = at_once(read(header), classifier)
    assessed = np.isfinite(report.by_window)
    assert assessed[:, AF].mean() > 0.3
    np.testing.assert_allclose(report.by_window[assessed], expected[assessed], atol=1e-4)


def test_the_servers_way_gives_the_same_report(classifier, tmp_path):
    record = read(written(tmp_path))
    prepared = prepare(record, classifier.recipe)
    report = conclude(prepared, *classifier.run(prepared.windows), classifier)
    assert report.as_json() == classify(record, classifier).as_json()
    assert len(report.attention) == len(report.starts_s) == len(prepared.windows)


def test_below_five_minutes_nothing_changes(classifier, tmp_path):
    path = written(tmp_path, SIGNAL[:, : round(299.9 * RATE_HZ)])
    record = open_recording(path)
    assert isinstance(record, Record)
    report = classify(record, classifier)
    assert set(report.as_json()) == {"record", "probabilities", "positive", "withheld", "quality", "warnings"}
    np.testing.assert_allclose(
        list(report.probabilities.values()), at_once(record, classifier).mean(axis=0), rtol=1e-12
    )
    assert all("windows" not in finding for finding in report.as_json()["quality"])


@pytest.mark.parametrize("code, gain", [("16", 1000), ("24", 100_000), ("32", 1_000_000), ("80", 50), ("212", 800)])
def test_each_packing_gives_the_samples_of_the_whole(code, gain, tmp_path):
    packed_files(tmp_path, 0.4 * np.tile(SIGNAL, 3)[:, :-1], code, gain)
    stream, record = open_recording(tmp_path / "packed.hea"), read(tmp_path / "packed.hea")
    blocks = list(stream.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), record.signal)
    assert (stream.name, stream.rate_hz, stream.n_samples) == (record.name, record.rate_hz, record.n_samples)


def test_georgias_microvolts_are_such_at_any_length(tmp_path):
    steps = np.rint(SIGNAL * 1000 / 4.88)
    path = Wfdb("E00001", np.trunc(steps * 4.88).astype(np.int16), suffix=".dat", rate="100", gain="4880(0)/mV").write(
        tmp_path
    )
    record = open_recording(path)
    assert isinstance(record, Record)
    assert record.warnings == read(path).warnings
    np.testing.assert_allclose(record.signal, SIGNAL, atol=5e-3)


def test_fifteen_leads_in_two_files_without_a_number_of_samples(tmp_path):
    path = written(tmp_path, comments=["#Age: 71", "#Sex: F"])
    extra = Wfdb("vcg", digital(SIGNAL[:3]), ["vx", "vy", "vz"], suffix=".xyz", rate="100")
    extra.write(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["holter 15 100", *lines[1:13], *extra.header().splitlines()[1:], *lines[13:]]))
    stream, record = open_recording(path), read(path)
    np.testing.assert_array_equal(np.concatenate(list(stream.blocks()), axis=1), record.signal)
    assert (stream.warnings, stream.age, stream.sex) == (record.warnings, 71.0, "F")


@pytest.mark.parametrize("width", [2, 3])
def test_edf_and_bdf_give_the_samples_of_the_whole(width, tmp_path):
    extra = [("Resp", "", bytes(500 * width)), ("EDF Annotations", "", lambda n: onset(n, width))]
    path = edf(tmp_path, np.tile(SIGNAL, 3), width=width, extra=extra, kind="EDF+C")
    stream, record = sent(open_recording(path)), read(path)
    blocks = list(stream.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), record.signal)
    assert (stream.rate_hz, stream.n_samples) == (record.rate_hz, record.n_samples)
    assert (
        (stream.warnings, stream.sex)
        == (record.warnings, record.sex)
        == (("leads Resp are not among the twelve and were left out",), "F")
    )


def onset(second, width):
    return f"+{second}\x14\x14\0".encode().ljust(500 * width, b"\0")


@pytest.mark.parametrize("unknown", [None, 70])
@pytest.mark.parametrize("before", [30, 71, 142])  # 71 records are read together
def test_a_gap_in_a_long_edf_is_found(before, unknown, tmp_path, classifier):
    extra = [("EDF Annotations", "", lambda n: onset("?" if n == unknown else n + (n >= before), 2))]
    path = edf(tmp_path, np.tile(SIGNAL, 3), extra=[("Resp", "", bytes(1000)), *extra], kind="EDF+C")
    with pytest.raises(RecordError, match="gaps between them"):
        classify(open_recording(path), classifier)


@pytest.mark.parametrize("nanovolts", [500, 1000, 2441])
def test_ishne_gives_the_samples_of_the_whole(nanovolts, tmp_path):
    path = ishne(tmp_path, np.tile(SIGNAL, 3), nanovolts=nanovolts)
    path.write_bytes(path.read_bytes() + b"\1\2\3\4")
    stream, record = sent(open_recording(path)), read(path)
    blocks = list(stream.blocks())
    assert len(blocks) > 3
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), record.signal)
    assert (stream.rate_hz, stream.n_samples, stream.unit) == (record.rate_hz, record.n_samples, record.unit)
    assert stream.warnings == ("the file ends within a sample, which was left out",)
    assert ["incomplete final frame" in warning for warning in record.warnings] == [True]


def test_an_ishne_file_too_long_to_be_held_is_classified(tmp_path, classifier):
    """47 minutes are 34 MB, of which at most 32 are read at once."""
    path = ishne(tmp_path, np.tile(minutes(["Normal", "AF"], 500), 24))
    with pytest.raises(RecordError, match="at most 33,554,432"):
        read(path)
    report = classify(open_recording(path), classifier)
    assert (report.starts_s[-1], report.burden["AF"].assessed, report.warnings) == (2870, len(report.starts_s), ())


def test_a_fault_in_an_ishne_block_says_where(tmp_path, classifier):
    path = ishne(tmp_path, np.tile(SIGNAL, 3))
    data = path.read_bytes()
    path.write_bytes(data[:206] + struct.pack("<h", 32767) + data[208:-24] + b"\xff\x7f" * 12)  # lead I at 1 V
    with pytest.raises(RecordError, match=r"a lead spans .* \(in the part that begins at 333.328 s\)"):
        classify(open_recording(path), classifier)
    path.write_bytes(data[:-24] + b"\0\x80" * 12)  # the mark of a lead fault
    with pytest.raises(RecordError, match=r"12 samples are not numbers, the first in lead I at 395.998 s"):
        classify(open_recording(path), classifier)


def test_a_long_edf_is_classified_as_at_once(tmp_path, classifier):
    path = edf(tmp_path, minutes(["Normal", "AF", "PVC", "Normal", "AF", "Normal"], 500))
    assert isinstance(open_recording(path), Stream)
    assert classify(open_recording(path), classifier).as_json() == classify(read(path), classifier).as_json()
    os.truncate(path, path.stat().st_size - 1000)
    with pytest.raises(RecordError, match="complete records of 360 declared"):
        open_recording(path)


def test_damage_is_found_before_anything_is_said(classifier, tmp_path):
    path = written(tmp_path)
    data = bytearray((tmp_path / "holter.dat").read_bytes())
    data[-1000] ^= 1
    (tmp_path / "holter.dat").write_bytes(data)
    stream = open_recording(path)
    with pytest.raises(RecordError, match="has checksum .* the file is damaged"):
        classify(stream, classifier)


def test_a_file_cut_short_is_refused_before_it_is_read(tmp_path):
    path = written(tmp_path)
    os.truncate(tmp_path / "holter.dat", 1000)
    with pytest.raises(RecordError, match="is cut short"):
        open_recording(path)


def test_a_file_that_shrinks_while_it_is_read(classifier, tmp_path):
    stream = open_recording(written(tmp_path, np.tile(SIGNAL, 2)))
    os.truncate(tmp_path / "holter.dat", 24 * 100_000)
    with pytest.raises(RecordError, match="became shorter while it was read"):
        classify(stream, classifier)


@pytest.mark.parametrize("value, sentence", [
    (-32768, r"1 samples are not numbers, the first in lead V1 at 700.080 s: all must be finite"),
    (101 * 200, r"reaches 101 mV.*\(in the part that begins at 416.660 s\)"),
])  # fmt: skip
def test_impossible_samples_are_refused_with_their_time(classifier, tmp_path, value, sentence):
    samples = digital(np.tile(SIGNAL, 2), 200)
    samples[LEADS.index("V1"), 70_008] = value
    path = Wfdb("holter", samples, suffix=".dat", rate="100", gain="200/mV").write(tmp_path)
    with pytest.raises(RecordError, match=sentence):
        classify(open_recording(path), classifier)


def test_a_drift_beyond_100_mv_over_the_blocks_is_refused(classifier, tmp_path):
    drift = np.linspace(-60, 60, 2 * SIGNAL.shape[1])
    path = Wfdb("holter", digital(np.tile(SIGNAL, 2) + drift, 200), suffix=".dat", rate="100", gain="200/mV").write(
        tmp_path
    )
    with pytest.raises(RecordError, match=r"a lead spans 1[12]\d\.?\d* mV"):
        classify(open_recording(path), classifier)


def test_a_recording_of_nothing_is_refused(classifier, tmp_path):
    with pytest.raises(RecordError, match="none of the twelve leads ever changes"):
        classify(open_recording(written(tmp_path, np.zeros_like(SIGNAL))), classifier)


def test_standardised_samples_are_refused(classifier, tmp_path):
    with pytest.raises(RecordError, match="classify its original in millivolts"):
        classify(open_recording(written(tmp_path, gain="1000/NU")), classifier)


def test_minutes_without_electrodes_are_not_assessed(classifier, tmp_path):
    signal = SIGNAL.copy()
    off = slice(200 * 100, 400 * 100)
    signal[[LEADS.index("II"), LEADS.index("V1")], off] = 0.0
    report = classify(open_recording(written(tmp_path, signal)), classifier)
    starts = np.array(report.starts_s)
    missing = np.isnan(report.by_window[:, AF])
    assert missing[(starts >= 200) & (starts <= 390)].all()
    assert not missing[(starts <= 190) | (starts >= 400)].any()
    burden = report.as_json()["burden"]["AF"]
    assert burden["assessed_windows"] == len(starts) - missing.sum()
    assert "AF" not in report.withheld
    assert report.probabilities["AF"] == pytest.approx(np.nanmean(report.by_window[:, AF]))
    flat = next(finding for finding in report.quality if finding.kind == "flat" and finding.unusable)
    assert flat.leads == ("II", "V1")
    assert flat.windows >= missing.sum()
    every = signal.copy()
    every[[LEADS.index("II"), LEADS.index("V1")]] = 0.0
    withheld = classify(open_recording(written(tmp_path, every)), classifier)
    assert {"AF", "PAC", "PVC"} <= set(withheld.withheld)
    assert withheld.as_json()["probabilities"]["AF"] is None
    assert withheld.as_json()["burden"]["AF"] == {
        "windows": len(withheld.starts_s),
        "assessed_windows": 0,
        "positive_windows": 0,
        "share": None,
    }
    assert not withheld.episodes


def test_fibrillation_that_comes_and_goes_is_an_episode(tmp_path):
    signal = minutes(["Normal"] * 4 + ["AF"] * 3 + ["Normal"] * 4, 500)
    report = classify(open_recording(written(tmp_path, signal, 500)), load_bundle(shipped_bundle()))
    longest = max(report.episodes, key=lambda episode: episode.end_s - episode.start_s)
    assert longest.start_s == pytest.approx(240, abs=20)
    assert longest.end_s == pytest.approx(420, abs=20)
    assert report.as_json()["burden"]["AF"]["share"] == pytest.approx(3 / 11, abs=0.08)


def by_window(values):
    table = np.zeros((len(values), 9))
    table[:, AF] = values
    return table


def test_episodes_are_bridged_parted_and_closed_at_the_ends():
    values = [0.5, 0.9, 0, 0, 0, 0, 0, 0, 0, 0.6, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, np.nan, 0.7]
    starts_s = [5.0 * index for index in range(len(values))]
    found = episodes(by_window(values), np.full(9, 0.5), starts_s, 10.0)
    assert [(episode.start_s, episode.end_s, episode.peak, episode.windows) for episode in found] == [
        (0.0, 55.0, 0.9, 3),  # 15 to 45 s: exactly 30 s are bridged
        (90.0, 110.0, 0.7, 2),  # 55 to 90 s are not
    ]
    assert BRIDGED_S == 30
    assert found[1].as_json() == {
        "diagnosis": "AF", "start_s": 90.0, "end_s": 110.0, "duration_s": 20.0, "peak": 0.7, "positive_windows": 2
    }  # fmt: skip
    assert not episodes(by_window([0.1, np.nan]), np.full(9, 0.5), [0.0, 5.0], 10.0)


def test_a_recording_of_which_little_could_be_assessed_says_how_little(classifier):
    alive = np.concatenate([np.zeros((12, 31_000)), SIGNAL[:, :600]], axis=1)
    report = classify(Record(name="r", signal=alive.astype(np.float32), rate_hz=100.0), classifier)
    n = len(report.starts_s)
    (said,) = report.warnings
    assert re.fullmatch(rf"only [12] of {n} windows could be assessed for {', '.join(DIAGNOSES)}", said)
    assert str(report.burden["AF"]).endswith(f" assessed of {n} windows")
    assert (
        classify(Record(name="r", signal=alive.astype(np.float32), rate_hz=100.0), classifier, anyway=True).warnings
        == ()
    )
    rows = np.full((5, 9), np.nan)
    rows[:2, 0], rows[:3, 1], rows[0, 2] = 0.5, 0.5, 0.5
    assert seldom_assessed(rows) == (
        "only 2 of 5 windows could be assessed for AF",
        "only 1 of 5 windows could be assessed for LBBB",
    )
    assert seldom_assessed(np.full((5, 9), np.nan)) == ()


def test_burdens_count_assessed_windows_only():
    assert burdens(by_window([0.5, 0.4, np.nan, 0.6]), np.full(9, 0.5))["AF"] == Burden(4, assessed=3, positive=2)
    assert str(Burden(4, 3, 2)) == "66.7% of 3 assessed of 4 windows"
    assert str(Burden(3, 3, 2)) == "66.7% of 3 windows"


def test_the_clock_goes_beyond_a_day():
    assert clock(90_061.9) == "25:01:01"


def test_findings_are_summed_by_kind():
    flat = Finding("flat", ("V2",), 0.6, 0.5, "of the time", True)
    found = summed(
        [(flat, Finding("noise", ("I",), 0.02, 0.011, "mV")), (), (replace(flat, leads=("I", "V2"), value=0.9),)]
    )
    assert [str(finding) for finding in found] == [
        "flat in I, V2: 0.9 of the time (limit 0.5), in 2 windows",
        "noise in I: 0.02 mV (limit 0.011), in 1 window",
    ]
    assert found[0].as_json()["windows"] == 2


@settings(deadline=None, max_examples=80)
@given(data=st.data(), n=st.integers(2, 300))
def test_spans_are_slices_whatever_the_blocks(data, n):
    signal = np.random.default_rng(n).standard_normal((12, n)).astype(np.float32)
    cuts = sorted(data.draw(st.sets(st.integers(1, n - 1), max_size=9)))
    points = sorted(data.draw(st.lists(st.integers(0, n), max_size=8)))
    bounds = [(start, max(start, stop)) for start, stop in zip(points, [*points[1:], n], strict=False)]
    stream = Stream(name="x", rate_hz=1.0, n_samples=n, blocks=lambda: iter(np.split(signal, cuts, axis=1)))
    found = list(spans(stream, bounds))
    assert len(found) == len(bounds)
    for (start, stop), span in zip(bounds, found, strict=True):
        np.testing.assert_array_equal(span, signal[:, start:stop])


def test_the_command_writes_windows_of_short_and_long_ones_and_of_no_refused_one(bundle, twelvelead, tmp_path):
    good = written(tmp_path / "a")
    brief = Wfdb("=1+1", digital(simulator.ecg(duration_s=7.3))).write(tmp_path / "a").name
    bad = written(tmp_path / "b", checksum_shift=1)
    table = tmp_path / "out.csv"
    options = ("--bundle", bundle, "--json", "--windows", table, "--paper", tmp_path / "p")
    done = twelvelead("classify", good, brief, bad, *options, cwd=tmp_path / "a")
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(answer) >= {"burden", "episodes"} for answer in answers] == [True, False, False]
    assert "the file is damaged" in answers[2]["error"]
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == [str(good)] * 131 + ["'=1+1.hea"]
    assert (rows[1]["start_s"], rows[1]["end_s"], rows[-1]["end_s"]) == ("5.000", "15.000", "7.300")
    assert rows[-1]["record"] == "'=1+1"
    positive = [row for row in rows[:-1] if "AF" in row["positive"].split()]
    assert len(positive) == answers[0]["burden"]["AF"]["positive_windows"] > 0
    assert all(0 <= float(row["AF"]) <= 1 for row in positive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "out.csv", "p"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["=1+1.svg", "holter.svg"]


def test_the_command_tells_people_of_burdens_and_episodes(bundle, twelvelead, tmp_path):
    done = twelvelead("classify", written(tmp_path), "--bundle", bundle)
    assert done.returncode == 0, done.stderr
    assert "burden of PVC: " in done.stdout
    assert "episode: AF 0:0" in done.stdout


def test_a_table_that_cannot_be_written_is_said_in_a_sentence(bundle, twelvelead, tmp_path):
    done = twelvelead("classify", written(tmp_path), "--bundle", bundle, "--windows", tmp_path / "no" / "out.csv")
    assert done.returncode == 1
    assert "out.csv cannot be written: No such file or directory" in done.stderr
    done = twelvelead("classify", written(tmp_path), "--bundle", bundle, "--windows", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")  # before a day's recording is read
    assert "is a folder: name a file" in done.stderr
    own = tmp_path / "in.csv"
    own.write_text("mine")
    done = twelvelead("classify", own, "--bundle", bundle, "--windows", own)
    assert (done.returncode, done.stdout, own.read_text()) == (1, "", "mine")
    assert "in.csv is there already: name another file" in done.stderr


def test_memory_does_not_grow_with_the_length():
    command = [sys.executable, holter.__file__, "--hours", "0.5,2.5"]  # of its own: a child's peak counts its parent's
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    short, long = (json.loads(line) for line in done.stdout.splitlines()[-3:-1])
    assert (short["windows"], long["windows"]) == (359, 1799)
    assert long["memory_mb"] < min(300, short["memory_mb"] + 25)  # two hours more: 86 MB on the disk, 345 as a Record


def test_no_episode_ends_after_its_recording():
    chances = np.ones((3, len(DIAGNOSES)))
    found = episodes(chances, np.full(len(DIAGNOSES), 0.5), (0.0, 5.0, 10.0), 10.0, 19.996)
    assert {episode.end_s for episode in found} == {19.996}


def test_a_table_of_windows_replaces_none_that_was_written_meanwhile(tmp_path):
    writing = window_table(tmp_path / "w.csv")
    writing.__enter__().write("mine\n")
    (tmp_path / "w.csv").write_text("theirs\n")
    with pytest.raises(ReportError, match="was written by somebody else meanwhile: this table is") as said:
        writing.__exit__(None, None, None)
    assert (tmp_path / "w.csv").read_text() == "theirs\n"
    assert Path(str(said.value).split()[-1]).read_text().endswith("mine\n")


def test_a_beginning_is_as_long_as_was_asked_for():
    signal = simulator.ecg(duration_s=9.0, rate_hz=500.0).astype(np.float32)
    stream = Stream(name="x", rate_hz=500.0, n_samples=4500, blocks=lambda: iter(np.split(signal, 6, axis=1)))
    assert [stream.beginning(seconds).duration_s for seconds in (1.0, 4.0, 100.0)] == [1.5, 4.5, 9.0]
    np.testing.assert_array_equal(stream.beginning(4.0).signal, signal[:, :2250])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_table_of_windows_that_is_stopped_leaves_nothing_behind(tmp_path, number, status):
    path = written(tmp_path / "in", np.tile(SIGNAL, 60))
    command = [
        sys.executable,
        "-m",
        "twelvelead",
        "classify",
        str(path),
        "--windows",
        str(tmp_path / "w.csv"),
        "--json",
    ]

    def heeding():  # under nohup the tests ignore it, and what they start with them
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=heeding) as process:
        while not [*tmp_path.glob(".w.csv*")]:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
    assert process.returncode == status
    assert [each.name for each in tmp_path.iterdir()] == ["in"]
