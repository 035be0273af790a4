"""What is wrong with a recording is found, named per lead, and withholds what needs those leads."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import simulator
from conftest import ROOT
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.diagnoses import DIAGNOSES, LEADS_NEEDED
from twelvelead.record import LEADS, Record
from twelvelead.signals.measures import resting_shares
from twelvelead.signals.quality import Finding, assess

sys.path.insert(0, str(ROOT / "experiments"))
import quality as experiment

RATE_HZ = 500.0


@pytest.fixture
def sound() -> Record:
    return Record(name="sound", signal=simulator.ecg("Normal").astype(np.float32), rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def classifier():
    return load_bundle(shipped_bundle())


def changed(record, change):
    signal = record.signal.copy()
    change(signal)
    return replace(record, signal=signal)


def found(record, kind):
    return [finding for finding in assess(record) if finding.kind == kind]


def test_a_sound_recording_has_no_findings(sound):
    assert assess(sound) == ()


def test_a_flat_lead_is_named_with_its_electrode(sound):
    record = changed(sound, lambda signal: signal[LEADS.index("V3")].fill(0.2))
    [flat] = found(record, "flat")
    assert (flat.leads, flat.unusable, flat.value) == (("V3",), True, 1.0)
    [electrode] = found(record, "electrode")
    assert (electrode.leads, str(electrode)) == (("V3",), "electrode missing: C3 (V3 flat)")


def test_a_missing_arm_electrode_is_named(sound):
    def without_right_arm(signal):
        signal[[LEADS.index("I"), LEADS.index("II")]] = 0

    assert "right arm" in str(found(changed(sound, without_right_arm), "electrode")[0])


def test_without_v6_nobody_says_that_the_arms_are_swapped(sound):
    record = replace(sound, signal=experiment.swapped(sound.signal))
    assert found(changed(record, lambda signal: signal[LEADS.index("V6")].fill(0)), "swapped arms") == []


def test_a_lead_that_stops_halfway_is_flat_in_part(sound):
    record = changed(sound, lambda signal: signal[6, 3500:].fill(0))
    [flat] = found(record, "flat")
    assert (flat.leads, flat.unusable) == (("V1",), False)
    assert flat.value == pytest.approx(0.3, abs=0.01)


def test_a_clipped_lead_is_saturated(sound):
    def clip(signal):
        signal[7] = np.clip(signal[7], -0.1, 0.1)

    [saturated] = found(changed(sound, clip), "saturated")
    assert saturated.leads == ("V2",)


@pytest.mark.parametrize(
    "frequency_hz, amplitude_mv, kind",
    [(0.2, 1.0, "baseline wander"), (50, 0.2, "mains noise"), (60, 0.2, "mains noise")],
)
def test_a_sine_is_called_what_it_is(sound, frequency_hz, amplitude_mv, kind):
    time_s = np.arange(sound.n_samples) / RATE_HZ

    def disturb(signal):
        signal[10] += (amplitude_mv * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)

    [finding] = found(changed(sound, disturb), kind)
    assert finding.leads == ("V5",)
    if kind == "mains noise":
        assert f"{frequency_hz} Hz" in str(finding)
        assert finding.value == pytest.approx(amplitude_mv, rel=0.1)


def test_both_mains_at_once_are_told_apart(sound):
    time_s = np.arange(sound.n_samples) / RATE_HZ

    def disturb(signal):
        for row, hz in ((1, 60), (10, 50)):
            signal[row] += (0.2 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)

    findings = found(changed(sound, disturb), "mains noise")
    assert [(finding.leads, finding.unit) for finding in findings] == [
        (("V5",), "mV at 50 Hz"),
        (("II",), "mV at 60 Hz"),
    ]


def test_mains_are_not_looked_for_where_the_rate_cannot_hold_them(sound):
    slow = Record(name="slow", signal=sound.signal[:, ::5], rate_hz=100.0)
    assert found(slow, "mains noise") == []


def test_noise_and_a_burst_are_told_apart(sound):
    random = np.random.default_rng(0)
    noisy = changed(sound, lambda signal: signal.__setitem__(0, signal[0] + random.normal(0, 0.1, sound.n_samples)))
    assert found(noisy, "noise")[0].leads == ("I",)
    burst = changed(sound, lambda signal: signal[3, 1000:1500].__iadd__(random.normal(0, 2, 500).astype(np.float32)))
    assert found(burst, "burst")[0].leads == ("aVR",)
    assert found(burst, "noise") == []


@pytest.mark.parametrize("factor", [1e-3, 20.0])
def test_a_unit_error_withholds_everything(sound, classifier, factor):
    record = changed(sound, lambda signal: signal.__imul__(factor))
    report = classify(record, classifier)
    assert set(report.withheld) == set(DIAGNOSES)
    assert report.positive == ()


def test_swapped_arms_are_found_and_withhold_what_needs_the_limb_leads(sound, classifier):
    record = replace(sound, signal=experiment.swapped(sound.signal))
    [swapped] = found(record, "swapped arms")
    assert swapped.leads == ("I", "II", "III", "aVR", "aVL")
    assert set(classify(record, classifier).withheld) == {"Normal", "STD", "STE"}


LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")


@pytest.mark.parametrize("name", ["I turned over", "III a copy of I", "aVR and aVL exchanged"])
def test_a_limb_lead_that_is_none_is_found_and_withholds_what_needs_it(sound, classifier, name):
    [finding] = found(replace(sound, signal=experiment.MISNAMED[name](sound.signal)), "contradiction")
    assert (finding.leads, finding.unusable) == (LIMBS, True)
    assert "one is turned over or misnamed" in str(finding)
    report = classify(replace(sound, signal=experiment.MISNAMED[name](sound.signal)), classifier)
    assert {"Normal", "STD", "STE"} <= set(report.withheld)


def test_i_and_ii_as_one_lead_are_no_question_of_gains(sound):
    [finding] = found(changed(sound, lambda signal: signal.__setitem__(1, signal[0])), "contradiction")
    assert finding.unusable


def test_limb_leads_of_different_gains_are_named_and_stay_usable(sound, classifier):
    i, ii = sound.signal[0], simulator.ecg("Normal", seed=1)[1]  # another's: the simulator's own I and II are one wave
    record = changed(
        sound,
        lambda signal: signal[:6].__setitem__(slice(None), [2 * i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]),
    )
    [finding] = found(record, "contradiction")
    assert (finding.leads, finding.unusable, "their gains differ" in str(finding)) == (LIMBS, False, True)
    assert classify(record, classifier).withheld == {}


def test_a_dead_limb_lead_contradicts_nothing(sound):
    assert found(changed(sound, lambda signal: signal[2].fill(0)), "contradiction") == []


@pytest.mark.parametrize("duration_s", [5, 10, 60])
@pytest.mark.parametrize("kind", ["white noise", "brown noise", "sine of 2 Hz"])
def test_a_recording_without_beats_withholds_everything(classifier, kind, duration_s):
    random, n = np.random.default_rng(3), int(duration_s * RATE_HZ)
    signal = {
        "white noise": lambda: random.normal(0, 0.1, (12, n)),
        "brown noise": lambda: np.cumsum(random.normal(0, 0.02, (12, n)), axis=1),
        "sine of 2 Hz": lambda: random.uniform(0.3, 1, (12, 1)) * np.sin(4 * np.pi * np.arange(n) / RATE_HZ),
    }[kind]()
    record = Record(name="nobody", signal=signal.astype(np.float32), rate_hz=RATE_HZ)
    [finding] = found(record, "no beats")
    assert (finding.leads, finding.unusable) == (LEADS, True)
    assert found(record, "swapped arms") == []  # there are no QRS complexes to tell it by
    report = classify(record, classifier)
    assert (set(report.withheld), report.positive) == (set(DIAGNOSES), ())


@pytest.mark.parametrize("times_as_fast", [0.4, 1, 3])
@pytest.mark.parametrize("diagnosis", ["Normal", "AF", "LBBB", "PVC"])
def test_slow_and_fast_hearts_have_beats(diagnosis, times_as_fast):
    signal = simulator.ecg(diagnosis, duration_s=10 * times_as_fast).astype(np.float32)
    assert found(Record(name="x", signal=signal, rate_hz=RATE_HZ * times_as_fast), "no beats") == []


def test_three_leads_with_beats_are_enough(sound):
    random = np.random.default_rng(0)
    noisy = changed(sound, lambda signal: signal[:9].__setitem__(slice(None), random.normal(0, 0.3, (9, 5000))))
    assert found(noisy, "no beats") == []


def test_a_short_recording_is_said_to_be_short(sound):
    short = replace(sound, signal=sound.signal[:, :3000])
    assert found(short, "short") == [Finding("short", LEADS, 6.0, 10.0, "s")]


def test_ten_seconds_less_a_part_of_a_sample_are_no_short_recording(sound):
    assert found(replace(sound, signal=sound.signal[:, :3333], rate_hz=333.3333), "short") == []


def test_what_is_withheld_has_no_number_unless_anyway(sound, classifier):
    record = changed(sound, lambda signal: signal[LEADS.index("V6")].fill(0))
    answer = classify(record, classifier).as_json()
    assert set(answer["withheld"]) == {"Normal", "STD", "STE"}
    assert "flat in V6" in answer["withheld"]["STE"]
    assert [name for name, chance in answer["probabilities"].items() if chance is None] == ["Normal", "STD", "STE"]
    assert {
        "kind": "flat",
        "leads": ["V6"],
        "value": 1.0,
        "limit": 0.5,
        "unit": "of the time",
        "unusable": True,
    } in answer["quality"]
    anyway = classify(record, classifier, anyway=True).as_json()
    assert (anyway["withheld"], None in anyway["probabilities"].values()) == ({}, False)


def test_every_diagnosis_says_which_leads_it_needs():
    assert set(LEADS_NEEDED) == set(DIAGNOSES)
    assert all(set(group) <= set(LEADS) for groups in LEADS_NEEDED.values() for group in groups)


def test_the_command_withholds_and_tells_why(sound, tmp_path, twelvelead):
    digital = simulator.digital(changed(sound, lambda signal: signal[LEADS.index("V6")].fill(0)).signal)
    simulator.Wfdb("A0001", digital).write(tmp_path)
    done = twelvelead("classify", tmp_path, "--json")
    assert set(json.loads(done.stdout)["withheld"]) == {"Normal", "STD", "STE"}
    people = twelvelead("classify", tmp_path).stdout
    assert "withheld" in people
    assert "flat in V6" in people
    assert json.loads(twelvelead("classify", tmp_path, "--json", "--anyway").stdout)["withheld"] == {}


@pytest.mark.corpus
def test_real_recordings_made_worse_are_found_out(corpus):
    from twelvelead.formats import read

    table = experiment.rows(corpus / "data/ptb-xl", range(9, 10))[:120]
    records = [read(corpus / f"data/ptb-xl/{row['filename_lr']}.hea") for row in table]
    for kind, least in {"swapped arms": 0.9, "flat": 1.0, "noise": 1.0, "baseline wander": 0.95, "burst": 0.9}.items():
        worse = [replace(record, signal=experiment.WORSE[kind](record.signal)) for record in records]
        assert np.mean([kind in experiment.kinds(record) for record in worse]) >= least, kind
    assert np.mean(["swapped arms" in experiment.kinds(record) for record in records]) <= 0.02
    assert not [record.name for record in records if {"contradiction", "no beats"} & experiment.kinds(record)]
    for name, change in experiment.MISNAMED.items():
        worse = [found(replace(record, signal=change(record.signal)), "contradiction") for record in records]
        assert all(worse), name
        assert np.mean([finding.unusable for [finding] in worse]) >= (0.8 if name == "III is V1" else 1), name


@pytest.mark.parametrize("rate_hz", [500.0, 1000.0, 2000.0, 4000.0, 16000.0])
def test_a_slow_lead_is_no_flat_one_however_many_samples_it_has(sound, rate_hz):
    """1 mV in 2.5 s is slower than what lies between two heartbeats."""
    times = np.arange(int(6 * rate_hz)) / rate_hz
    slow = np.tile(0.5 * np.sin(2 * np.pi * 0.4 * times), (12, 1)).astype(np.float32)
    slow[11] = 0.1
    assert [finding.leads for finding in found(replace(sound, signal=slow, rate_hz=rate_hz), "flat")] == [("V6",)]


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0, 257.0, 500.0, 1500.0])
@pytest.mark.parametrize("begin_s", [0.0, 3.17, 8.9])
def test_a_second_of_rest_is_found_wherever_it_begins_and_less_is_not(rate_hz, begin_s):
    random = np.random.default_rng(0)
    for rest_s, is_flat in ((1.08, True), (0.9, False)):
        signal = random.standard_normal((12, round(10 * rate_hz))).astype(np.float32)
        begin = round(begin_s * rate_hz)
        signal[4, begin : begin + round(rest_s * rate_hz) + 1] = 0.3
        still, _ = resting_shares([Record(name="x", signal=signal, rate_hz=rate_hz)])
        assert (still[0] > 0).tolist() == [is_flat and row == 4 for row in range(12)]


def test_a_handful_of_samples_is_no_second():
    still, clipped = resting_shares([Record(name="x", signal=np.zeros((12, 2), np.float32), rate_hz=500.0)])
    assert still.max() == clipped.max() == 0


def test_a_value_just_beyond_its_limit_is_not_shown_as_the_limit():
    found = Finding("noise", ("I",), 0.011004, 0.011, "mV")
    assert str(found) == "noise in I: 0.011004 mV (limit 0.011)"
