"""Simulated ST deviations are such as a heart could make, and training gets them beside the recordings, not instead."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from twelvelead.databases import LabelledRecord
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.learning import st_segments
from twelvelead.learning.fit import Settings, fingerprint
from twelvelead.learning.samples import Augmentation, batches, gathered
from twelvelead.learning.st_segments import CONTIGUOUS, SIZES_MV, deviated, may_deviate
from twelvelead.learning.store import quantised
from twelvelead.record import LEADS, Record
from twelvelead.signals.heart import r_peaks_s
from twelvelead.signals.recipe import Recipe

RECIPE = Recipe()
ROW = {lead: row for row, lead in enumerate(LEADS)}
OF = {name: number for number, name in enumerate(DIAGNOSES)}


@pytest.fixture(scope="module")
def normal():
    """A normal recording as it is trained on, (12, 1000) at 100 Hz."""
    signal = simulator.ecg()
    return RECIPE.filtered(Record(name="normal", signal=signal, rate_hz=500))


def truth_of(*names):
    return np.array([name in names for name in DIAGNOSES], np.float32)


def added(normal, seed):
    signal, truth, certain = deviated(normal, truth_of("Normal"), RECIPE, np.random.default_rng(seed))
    return signal - normal, truth, certain


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_leads_deviate_as_those_of_one_heart(normal, seed):
    shift, _, _ = added(normal, seed)
    one, two, three, avr, avl, avf = shift[:6]
    for lead, of_both in ((three, two - one), (avr, -(one + two) / 2), (avl, one - two / 2), (avf, two - one / 2)):
        np.testing.assert_allclose(lead, of_both, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["STE", "STD"]))
def test_two_contiguous_leads_show_as_much_as_is_called_a_deviation(seed, kind):
    heights = st_segments._heights_mv(kind, np.random.default_rng(seed))
    heights = heights if kind == "STE" else -heights
    shown = max(min(heights[ROW[one]], heights[ROW[other]]) for one, other in CONTIGUOUS)
    least, most = SIZES_MV[kind]
    assert least - 1e-6 <= shown <= most + 1e-6


def test_what_is_true_of_it_is_said_and_the_rest_left_as_it_was(normal):
    kinds = set()
    for seed in range(40):
        _, truth, certain = deviated(normal, truth_of("Normal", "PAC"), RECIPE, np.random.default_rng(seed))
        kind = "STE" if truth[OF["STE"]] else "STD"
        kinds.add(kind)
        assert truth[OF[kind]] == 1
        assert truth[OF["Normal"]] == 0
        assert truth[OF["PAC"]] == 1
        assert truth[OF["STD"]] in ((0, 0.5) if kind == "STE" else (1,))
        assert {name for name, known in zip(DIAGNOSES, certain, strict=True) if known} == {"STE", "STD", "Normal"}
    assert kinds == {"STE", "STD"}


def test_between_the_t_wave_and_the_next_beat_nothing_is_added(normal):
    peaks_s = r_peaks_s(Record(name="", signal=normal, rate_hz=100))
    course = st_segments._course(peaks_s, normal.shape[1], 100, np.random.default_rng(1))
    for peak_s, next_s in zip(peaks_s, peaks_s[1:], strict=False):
        first, following = round(peak_s * 100), round(next_s * 100)
        assert not course[first : first + 3].any()  # to the J point
        assert course[first + 12 : first + 18].min() > 0.3
        assert not course[following - 12 : following].any()  # the PR segment


def test_without_beats_and_with_labels_of_its_own_a_recording_stays_as_it_is():
    noise = np.zeros((12, 1000), np.float32)
    noise[:, 500] = 1
    signal, truth, certain = deviated(noise, truth_of(), RECIPE, np.random.default_rng(0))
    assert (signal == noise).all()
    assert not truth.any()
    assert not certain.any()
    assert may_deviate(True, truth_of("AF", "Normal"))
    assert not may_deviate(False, truth_of("Normal"))
    assert not any(may_deviate(True, truth_of(name)) for name in ("STE", "STD", "LBBB", "RBBB"))


def test_an_epoch_holds_every_recording_and_some_of_them_again(normal):
    samples = simulated(normal, 12)
    [plain] = batches(samples, RECIPE, Augmentation(), 12, np.random.default_rng(3))
    [more] = batches(samples, RECIPE, Augmentation(st_every=3), 12, np.random.default_rng(3))
    assert len(more.windows) == more.n == 12 + 4
    assert (more.windows[:12] == plain.windows).all()
    assert (more.truth[:12] == plain.truth).all()
    assert not more.certain[:12].any()
    assert more.certain[12:, OF["STE"]].all()
    assert (more.truth[12:, [OF["STE"], OF["STD"]]].max(axis=1) == 1).all()
    standardised = replace(samples, samples=tuple(sample._replace(in_mv=False) for sample in samples.samples))
    [same] = batches(standardised, RECIPE, Augmentation(st_every=3), 12, np.random.default_rng(3))
    assert len(same.windows) == 12


def test_runs_from_before_have_the_fingerprints_that_they_had(normal):
    samples = simulated(normal, 2)

    def of(augmentation):
        return fingerprint({}, RECIPE, Settings(augmentation=augmentation), samples, samples)

    assert of(Augmentation()) == "588e268eea2eac64"
    assert of(Augmentation(st_every=6)) != of(Augmentation())


def simulated(normal, n):
    """So many copies of a normal recording."""
    label = LabelledRecord(path=Path("a.hea"), database="georgia", recording="a", diagnoses=("Normal",))
    sample = quantised(normal, digest="d")
    return gathered([(replace(label, recording=str(number)), sample) for number in range(n)])
