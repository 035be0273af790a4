import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from twelvelead.record import Record, RecordError
from twelvelead.signals.filters import gaussian, low_pass, ratio, resample
from twelvelead.signals.recipe import Recipe

RECIPE = Recipe()
RATES = [50, 100, 128, 240, 257, 360, 400, 500, 800, 1000, 499.97]


def wave(frequency_hz, rate_hz, duration_s=20.0):
    time = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.repeat(np.sin(2 * np.pi * frequency_hz * time)[None], 12, axis=0).astype(np.float32)


def filtered(signal, rate_hz):
    return RECIPE.filtered(Record(name="x", signal=signal, rate_hz=rate_hz))


@pytest.mark.parametrize("rate_hz", [100, 257, 500, 1000])
@pytest.mark.parametrize("frequency_hz, gain, tolerance", [(0.05, 0, 0.02), (0.5, 0.707, 0.01), (1, 1, 0.02), (5, 1, 0.01),
                                                           (20, 1, 0.01), (30, 1, 0.01), (40, 0.5, 0.02)])  # fmt: skip
def test_the_band_is_the_one_stated_and_has_no_phase(rate_hz, frequency_hz, gain, tolerance):
    middle = filtered(wave(frequency_hz, rate_hz), rate_hz)[0, 500:1500]
    expected = np.sin(2 * np.pi * frequency_hz * np.arange(500, 1500) / 100)
    in_phase = 2 * (middle * expected).mean()
    assert in_phase == pytest.approx(gain, abs=tolerance)
    assert np.abs(middle - in_phase * expected).max() < 0.02


@pytest.mark.parametrize("rate_hz", [240, 500, 1000])
@pytest.mark.parametrize("frequency_hz", [50, 60])
def test_mains_are_removed(rate_hz, frequency_hz):
    assert np.abs(filtered(wave(frequency_hz, rate_hz), rate_hz)[:, 500:1500]).max() < 0.01


@pytest.mark.parametrize("rate_hz", RATES)
def test_any_rate_gives_the_same_signal(rate_hz):
    reference = filtered(simulator.ecg(rate_hz=1000, seed=5).astype(np.float32), 1000)
    dense = simulator.ecg(rate_hz=1000, seed=5)
    time = np.arange(round(10 * rate_hz)) / rate_hz
    signal = np.stack([np.interp(time, np.arange(10000) / 1000, lead) for lead in dense]).astype(np.float32)
    other = filtered(signal, rate_hz)
    n = min(other.shape[1], reference.shape[1])
    correlation = np.corrcoef(other[:, 20 : n - 20].ravel(), reference[:, 20 : n - 20].ravel())[0, 1]
    assert correlation > (0.98 if rate_hz <= 100 else 0.995)


@settings(deadline=None, max_examples=60)
@given(rate_hz=st.floats(50, 2000), n=st.integers(1, 4000), level=st.floats(-5, 5))
def test_a_constant_stays_that_constant(rate_hz, n, level):
    made = resample(np.full((2, n), level, np.float32), rate_hz, 100.0, low_pass(40.0 if rate_hz > 90 else 20.0))
    assert made.shape == (2, math.ceil(n / ratio(rate_hz, 100.0)))
    np.testing.assert_allclose(made, level, atol=1e-4)


@pytest.mark.parametrize("from_hz", [100, 257, 500])
def test_the_banded_product_against_the_plain_sum(from_hz):
    signal = np.random.default_rng(0).standard_normal((3, 700)).astype(np.float32)
    kernel = gaussian(0.5)
    made = resample(signal, from_hz, 100.0, kernel)
    reach = int(np.ceil(kernel.half_width_s * from_hz))
    for k in (0, 1, 57, made.shape[1] - 1):
        distance = np.arange(700) - k * from_hz / 100
        weights = np.where(np.abs(distance) <= reach, kernel.weights(distance / from_hz, kernel.corner_hz), 0)
        np.testing.assert_allclose(made[:, k], signal @ weights / weights.sum(), atol=2e-3)


@settings(deadline=None, max_examples=50)
@given(seconds=st.floats(5, 65))
def test_windows_cover_the_whole_recording(seconds):
    n = round(seconds * 100)
    starts = RECIPE.starts(n)
    assert starts[0] == 0
    assert max(starts[-1] + 1000, 1000) >= n
    assert all(later - earlier <= 500 for earlier, later in zip(starts, starts[1:], strict=False))


def test_a_short_recording_is_one_window_as_long_as_it_is():
    signal = np.random.default_rng(0).standard_normal((12, 601)).astype(np.float32)
    windows = RECIPE.windows(signal)
    assert windows.shape == (1, 12, 601)
    padded = RECIPE.padded(windows[0])  # as training has it in a batch
    np.testing.assert_array_equal(padded[:, 199:800], windows[0])
    assert not padded[:, :199].any()
    assert not padded[:, 800:].any()


def test_each_lead_is_standardised_and_a_flat_one_is_silent():
    signal = np.random.default_rng(0).standard_normal((12, 1000)).astype(np.float32) * 3 + 7
    signal[4] = 2.0
    (window,) = RECIPE.windows(signal)
    assert not window[4].any()
    moving = np.delete(window, 4, axis=0)
    np.testing.assert_allclose(moving.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(moving.std(axis=1), 1, atol=1e-5)


def test_millivolts_stay_millivolts_where_the_recipe_says_so():
    signal = np.full((12, 1000), 0.7, np.float32)
    assert (Recipe(scaling="millivolts").windows(signal) == np.float32(0.7)).all()


def test_standardised_recordings_fit_a_standardising_recipe_only():
    record = Record(name="x", signal=wave(5, 100), rate_hz=100, unit="NU")
    assert RECIPE.filtered(record).shape == (12, 2000)
    with pytest.raises(RecordError, match="in NU"):
        Recipe(scaling="millivolts").filtered(record)


@pytest.mark.parametrize(
    "rate_hz, seconds, sentence",
    [(500, 3, "3 s of signal: at least 5 s"), (49, 10, "49 Hz: at least 50 Hz"), (16_001, 5, "at most 16000 Hz")],
)
def test_too_short_too_slow_and_too_fast_are_refused(rate_hz, seconds, sentence):
    with pytest.raises(RecordError, match=sentence):
        filtered(wave(5, rate_hz, seconds), rate_hz)


def test_a_recording_of_nothing_is_refused():
    with pytest.raises(RecordError, match="none of the twelve leads ever changes"):
        filtered(np.zeros((12, 5000), np.float32), 500)


def test_an_odd_rate_takes_no_more_memory_than_twice_its_matrix():
    tracemalloc.start()
    resample(np.zeros((12, 96_000), np.float32), 15_999.7, 100, low_pass(40))
    assert tracemalloc.get_traced_memory()[1] < 150e6
    tracemalloc.stop()


def test_filters_keep_nothing_of_long_recordings():
    tracemalloc.start()
    for n_samples in range(600_000, 600_004):
        resample(np.zeros((1, n_samples), np.float32), 100, 100, low_pass(30))
    assert tracemalloc.get_traced_memory()[0] < 2e6
    tracemalloc.stop()
