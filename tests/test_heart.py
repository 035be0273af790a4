"""R peaks and heart rate, against beats that are known."""

import re

import numpy as np
import pytest

import simulator
from twelvelead.record import LEADS, Record
from twelvelead.signals.heart import heart_rate, r_peaks_s


def beating(kind="Normal", duration_s=20.0, rate_hz=500.0, seed=5, change=lambda signal: signal):
    signal = change(simulator.ecg(kind, duration_s, rate_hz, seed)).astype(np.float32)
    random = np.random.default_rng(seed)
    random.standard_normal((len(LEADS), round(duration_s * rate_hz)))  # the simulator draws its noise first
    truth = simulator.beats_s(kind, duration_s, random)
    return Record(name="x", signal=signal, rate_hz=rate_hz), truth


@pytest.mark.parametrize("kind", ["Normal", "AF", "LBBB"])
@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 257.0, 1000.0])
def test_every_beat_is_found_and_none_invented(kind, rate_hz):
    record, truth = beating(kind, rate_hz=rate_hz)
    found, within_s = r_peaks_s(record), 0.05 if kind == "LBBB" else 0.015
    inside = truth[(truth > 0.1) & (truth < record.duration_s - 0.1)]
    assert all(np.abs(found - beat).min() < within_s for beat in inside)
    assert all(np.abs(truth - peak).min() < within_s for peak in found)


def test_premature_beats_count():
    record, truth = beating("PVC")
    assert len(r_peaks_s(record)) == pytest.approx(len(truth), abs=1)


def test_the_rate_is_that_of_the_intervals():
    record, truth = beating()
    rate = heart_rate(record)
    assert rate.mean_bpm == pytest.approx(60 / np.diff(truth).mean(), abs=1)
    assert rate.slowest_bpm <= rate.mean_bpm <= rate.fastest_bpm
    assert rate.as_json()["mean_bpm"] == round(rate.mean_bpm)


def disturbed(signal):
    noise = np.random.default_rng(0).standard_normal(signal.shape)
    signal = signal + 0.05 * noise + np.linspace(0, 2, signal.shape[1])
    signal[LEADS.index("V4")] = 0
    signal[LEADS.index("V5")] += 0.8 * noise[0]
    return signal


def test_noise_a_flat_lead_and_a_loose_one_do_not_lose_the_beats():
    record, truth = beating(change=disturbed)
    assert heart_rate(record).mean_bpm == pytest.approx(60 / np.diff(truth).mean(), abs=1)


@pytest.mark.parametrize("rate_hz", [100.0, 500.0])
def test_time_in_which_electrodes_were_off_does_not_count(rate_hz):
    whole, _ = beating(rate_hz=rate_hz)
    held = whole.signal.copy()
    held[:, round(5 * rate_hz) : round(11 * rate_hz)] = held[:, [round(5 * rate_hz)]]
    held[LEADS.index("V6"), round(8 * rate_hz)] += 0.1  # one lead moves
    rate, usual = heart_rate(Record(name="x", signal=held, rate_hz=rate_hz)), heart_rate(whole)
    assert rate.mean_bpm == pytest.approx(usual.mean_bpm, abs=1)
    assert rate.slowest_bpm == pytest.approx(usual.slowest_bpm, abs=2)
    assert 6 <= rate.lost_s < 6 + 2 * 60 / usual.slowest_bpm
    assert (usual.lost_s, usual.gap_s, rate.gap_s) == (0, 0, 0)


def test_a_pause_and_beats_lost_in_noise_are_said():
    record, truth = beating()
    noise = np.random.default_rng(0).standard_normal((12, 2000)) * 0.02
    hidden = record.signal.copy()
    hidden[:, 2500:4500] = noise
    rate = heart_rate(Record(name="x", signal=hidden, rate_hz=500.0))
    before, after = truth[truth < 5].max(), truth[truth > 9].min()
    assert rate.gap_s == pytest.approx(after - before, abs=0.1)
    assert rate.as_json()["gap_s"] == round(rate.gap_s, 1)
    assert rate.lost_s == 0


@pytest.mark.parametrize(("hidden_s", "gap_s"), [((14, 20), 6), ((0, 4), 4)])
def test_a_heart_that_stops_before_the_end_or_begins_late_has_a_gap(hidden_s, gap_s):
    record, _ = beating()
    usual, quiet = heart_rate(record), record.signal.copy()
    begin, end = (round(at * 500) for at in hidden_s)
    quiet[:, begin:end] = np.random.default_rng(0).standard_normal((12, end - begin)) * 0.01
    rate = heart_rate(Record(name="x", signal=quiet, rate_hz=500.0))
    assert gap_s <= rate.gap_s < gap_s + 60 / usual.slowest_bpm
    assert rate.mean_bpm == pytest.approx(usual.mean_bpm, abs=2)
    assert rate.slowest_bpm >= usual.slowest_bpm - 1


def test_electrodes_taken_off_before_the_end_are_lost_time_and_no_gap():
    record, _ = beating()
    usual, held = heart_rate(record), record.signal.copy()
    held[:, 7000:] = held[:, [7000]]
    rate = heart_rate(Record(name="x", signal=held, rate_hz=500.0))
    assert rate.gap_s == 0
    assert 6 <= rate.lost_s < 6 + 60 / usual.slowest_bpm
    assert rate.mean_bpm == pytest.approx(usual.mean_bpm, abs=2)


@pytest.mark.parametrize("lead", ["II", "V6"])
@pytest.mark.parametrize("spike_mv", [0.0, 0.05, 1.0])
def test_a_lead_that_is_off_for_most_of_the_time_does_not_spoil_the_others(lead, spike_mv):
    record, _ = beating()
    usual, off = heart_rate(record), record.signal.copy()
    off[LEADS.index(lead), 3500:] = off[LEADS.index(lead), 3500]
    off[LEADS.index(lead), 6000:6010] += spike_mv
    rate = heart_rate(Record(name="x", signal=off, rate_hz=500.0))
    assert (rate.mean_bpm, rate.n_peaks) == (pytest.approx(usual.mean_bpm, abs=1), usual.n_peaks)
    assert rate.fastest_bpm == pytest.approx(usual.fastest_bpm, abs=3)


def test_the_noise_of_electrodes_that_are_off_does_not_beat():
    record, truth = beating(duration_s=100.0)
    usual, off = heart_rate(record), record.signal.copy()
    off[:, 20_000:] = np.random.default_rng(0).standard_normal((12, 30_000)) * 0.002
    rate = heart_rate(Record(name="x", signal=off, rate_hz=500.0))
    assert rate.n_peaks == pytest.approx(np.sum(truth < 40), abs=1)
    assert rate.mean_bpm == pytest.approx(usual.mean_bpm, abs=2)
    assert rate.gap_s == pytest.approx(60, abs=1.5)


def test_slow_and_irregular_hearts_have_no_gap():
    for kind in ("AF", "PVC", "PAC"):
        assert heart_rate(beating(kind)[0]).gap_s == 0
    slow = np.zeros((12, 10_000), np.float32) + np.random.default_rng(0).normal(0, 0.005, (12, 10_000))
    slow[:, 500::1250] += 1.0
    slow[:, 501::1250] += 0.8
    rate = heart_rate(Record(name="x", signal=slow.astype(np.float32), rate_hz=500.0))
    assert (round(rate.mean_bpm), rate.gap_s, rate.lost_s) == (24, 0, 0)


def test_where_nothing_beats_there_is_no_rate():
    assert heart_rate(Record(name="x", signal=np.zeros((12, 5000), np.float32), rate_hz=500.0)) is None
    one = np.zeros((12, 2500), np.float32)
    one[:, 1200:1210] = 1
    assert heart_rate(Record(name="x", signal=one, rate_hz=500.0)) is None


@pytest.mark.corpus
def test_the_error_on_ludb_is_what_the_document_says(corpus, capsys):
    import runpy
    from pathlib import Path

    root = Path(__file__).parent.parent
    runpy.run_path(str(root / "experiments/heart_rate.py"))["main"](corpus / "data/ludb")
    printed = capsys.readouterr().out
    said = (root / "docs/heart-rate.md").read_text(encoding="utf-8")
    (still_s,) = re.findall(r"most leads stand still together for ([\d.]+) s at most", printed)
    assert f"most leads stand still together for {still_s} s at most" in " ".join(said.split())
    assert "0 missed, 0 too many" in printed
    assert "| 0, 0 |" in said
    assert "off by 0.03 /min (mean), 0.07 (95 %), 0.71 (largest)" in printed
    assert "| 0.03, 0.07, 0.71 |" in said


@pytest.mark.parametrize("bpm", [30, 60, 180, 220, 230, 236, 240, 250, 265, 280])
def test_slow_and_very_fast_hearts_have_their_own_rate(bpm):
    times, beats = np.arange(5000) / 500, np.zeros(5000)
    for at in np.arange(0.1, 10, 60 / bpm):
        beats += 1.2 * np.exp(-(((times - at) / 0.012) ** 2)) - 0.25 * np.exp(-(((times - at - 0.03) / 0.012) ** 2))
        beats += 0.25 * np.exp(-(((times - at - 27 / bpm) / (7.2 / bpm)) ** 2))
    random = np.random.default_rng(bpm)
    signal = random.uniform(0.4, 1, (12, 1)) * beats + random.normal(0, 0.01, (12, 5000))
    found = heart_rate(Record(name="fast", signal=signal, rate_hz=500))
    assert found.mean_bpm == pytest.approx(bpm, abs=1)
