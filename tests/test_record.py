import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator
from twelvelead.person import age_between, age_in_words, plausible_age, sex_letter
from twelvelead.record import (
    INDEPENDENT_LEADS,
    LEADS,
    Record,
    RecordError,
    millivolts_per,
    record_from_leads,
    standard_lead,
)
from twelvelead.wording import counted


def named(signal=None, names=LEADS):
    signal = simulator.ecg() if signal is None else signal
    return dict(zip(names, signal, strict=True))


def test_signal_is_float32_and_read_only(record):
    assert record.signal.dtype == np.float32
    assert not record.signal.flags.writeable
    assert record.duration_s == 10.0


@pytest.mark.parametrize("rate_hz", [0.0, -500.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate_hz):
    with pytest.raises(RecordError, match="sampling rate"):
        Record(name="x", signal=np.zeros((12, 10), np.float32), rate_hz=rate_hz)


@pytest.mark.parametrize("shape", [(11, 10), (12, 0), (12,), (10, 12), (12, 5, 2)])
def test_another_shape_is_refused(shape):
    with pytest.raises(RecordError, match="12, n_samples"):
        Record(name="x", signal=np.zeros(shape, np.float32), rate_hz=500)


def test_nan_is_refused_with_lead_and_time():
    signal = simulator.ecg()
    signal[7, 1000] = np.nan
    with pytest.raises(RecordError, match=r"1 samples are not numbers, the first in lead V2 at 2.000 s"):
        record_from_leads("x", named(signal), 500)


def test_a_unit_error_of_a_thousand_is_refused():
    with pytest.raises(RecordError, match="check the unit"):
        record_from_leads("x", named(simulator.ecg() * 1000), 500)


def test_leads_are_matched_by_name_not_position():
    shuffled = list(reversed(LEADS))
    signal = simulator.ecg()
    record = record_from_leads("x", named(signal[::-1], shuffled), 500)
    np.testing.assert_array_equal(record.signal, signal.astype(np.float32))


@pytest.mark.parametrize(
    "given_name, standard",
    [("avr", "aVR"), ("Lead I", "I"), ("Lead I (Einthoven)", "I"), ("I (bipolar)", "I"), ("II [MDC_ECG_LEAD_II]", "II"), ("V1 (Lead C1)", "V1"), ("MDC_ECG_LEAD_V6", "V6"), ("c1", "V1"), (" v3 ", "V3"),
     ("AVF", "aVF"), ("vx", None), ("MLII", None), ("", None),
     ("V-1", "V1"), ("-aVR", None), ("aVR-", None), ("aVR(-)", None), ("I-II", None), ("I I", None), ("C4 -", None),
     ("Lead -aVR", None), ("ECG  -I", None), ("MDC_ECG_LEAD_-V1", None), ("aVR (inverted)", None), ("ECG Lead I", "I"),
     ("I (mV)", "I"), ("V1 (C1)", "V1"), ("C2 [V2] (µV)", "V2"), ("aVR (Goldberger)", "aVR"), ("V1(mV)", "V1"),
     *((name, None) for name in (
         "aVR (neg)", "aVR (inv)", "aVR [-]", "II (umgepolt)", "V3 (R)", "V4 (right)", "V3 (V3R)", "V5 (V8)", "V1 (V7)",
         "I (aVL)", "I (cal)", "V1 (x10)", "I-II (mV)", "aVR- (mV)", "I ((neg))", "I (mV) x (mV)", "(I)", "I (10uV)"))],
)  # fmt: skip
def test_lead_aliases(given_name, standard):
    assert standard_lead(given_name) == standard


def test_eight_leads_are_completed_by_einthoven_and_goldberger():
    signal = simulator.ecg()
    eight = {lead: samples for lead, samples in named(signal).items() if lead not in {"III", "aVR", "aVL", "aVF"}}
    record = record_from_leads("x", eight, 500)
    np.testing.assert_allclose(record.signal, signal, atol=1e-6)
    assert record.warnings == ("leads III, aVR, aVL, aVF were derived from I and II",)


@pytest.mark.parametrize("largest, reason", [(3e38, "stays within"), (np.inf, "are not numbers")])
def test_numbers_too_large_to_subtract_are_refused_without_another_word(largest, reason):
    extreme = np.tile(np.array([largest, -largest], np.float32), 2500)
    eight = {lead: -extreme if lead == "II" else extreme for lead in INDEPENDENT_LEADS}
    with pytest.raises(RecordError, match="are not numbers"):
        record_from_leads("x", eight, 500)
    with pytest.raises(RecordError, match=reason):
        Record(name="x", signal=np.tile(extreme, (12, 1)), rate_hz=500)


def test_fifteen_leads_lose_three_with_a_warning():
    leads = named() | {name: np.zeros(5000) for name in ("vx", "vy", "vz")}
    record = record_from_leads("x", leads, 500)
    assert record.warnings == ("leads vx, vy, vz are not among the twelve and were left out",)


def test_a_missing_lead_is_refused_and_named():
    with pytest.raises(RecordError, match="of which V4 is missing"):
        record_from_leads("x", {lead: samples for lead, samples in named().items() if lead != "V4"}, 500)


def test_a_lead_twice_is_refused():
    with pytest.raises(RecordError, match="lead V1 is there twice"):
        record_from_leads("x", named() | {"C1": np.zeros(5000)}, 500)


def test_leads_of_unequal_length_are_refused():
    with pytest.raises(RecordError, match="unequal length"):
        record_from_leads("x", named() | {"V1": np.zeros(4999)}, 500)


def test_limb_leads_are_not_derived_from_standardised_ones():
    eight = {lead: samples for lead, samples in named().items() if lead not in {"III", "aVR", "aVL", "aVF"}}
    with pytest.raises(RecordError, match="cannot be derived from unit NU"):
        record_from_leads("x", eight, 100, unit="NU")


def test_units():
    assert [millivolts_per(unit) for unit in ("mV", "mv", "uV", "µV", "nV", "V")] == [1, 1, 1e-3, 1e-3, 1e-6, 1e3]
    with pytest.raises(RecordError, match="unit 'mmHg': allowed are"):
        millivolts_per("mmHg")


def test_ages_that_say_nothing_are_none():
    assert [plausible_age(age) for age in ("NaN", "300", "-1", "89+", "Unknown", None)] == [None] * 6
    assert plausible_age("74") == 74.0
    assert [age_between(born, "2020-03-31", "%Y-%m-%d") for born in ("2020-04-01", "1899-03-31", "X", "", "None")] == [
        None
    ] * 5
    unsaid = ("missing", "fehlt", "M/F", "Mrs", "Meisje", "F\u00e9rfi", "Mädchen", "", float("nan"), 1)
    assert [sex_letter(sex) for sex in unsaid] == [None] * len(unsaid)
    said = ("female", "F ", "Frau", "weiblich", "Mulher", "Femenino", "male", "m", "Mann", "männlich", "Masculino")
    assert "".join(map(sex_letter, said)) == "FFFFFFMMMMM"
    assert [sex_letter(sex) for sex in ("Female", "mujer", "M", "muž", "Unknown", None)] == [
        "F",
        "F",
        "M",
        "M",
        None,
        None,
    ]


def test_age_between_birth_and_recording_is_that_of_the_calendar():
    ages = {"1953-03-31": "67 years", "1953-04-01": "66 years", "2019-07-31": "8 months", "2020-03-01": "30 days",
            "2020-03-31": "0 days"}  # fmt: skip
    for born, age in ages.items():
        assert age_in_words(age_between(born, "2020-03-31", "%Y-%m-%d")) == age


@given(st.text(max_size=40))
def test_any_lead_name_is_standard_or_none(name):
    assert standard_lead(name) in {*LEADS, None}


def test_equal_recordings_have_one_digest_whatever_number_their_rate_is():
    signal = np.random.default_rng(0).normal(0, 0.1, (12, 5000)).astype(np.float32)
    digests = {Record(name="x", signal=signal, rate_hz=rate).digest for rate in (500, 500.0, np.float32(500))}
    assert len(digests) == 1
    assert Record(name="y", signal=signal, rate_hz=250).digest not in digests


@pytest.mark.parametrize("unit", ["uV", "x", ""])
def test_a_record_is_in_millivolts_and_says_how_to_come_to_them(unit):
    with pytest.raises(RecordError, match="a Record holds mV, or NU .* of uV times 0.001"):
        record_from_leads("a", {lead: np.zeros(10) for lead in LEADS}, 500, unit=unit)


@pytest.mark.parametrize("rate_hz", [None, "fast"])
def test_a_rate_must_be_a_number(rate_hz):
    with pytest.raises(RecordError, match="it must be a positive number of Hz"):
        record_from_leads("a", {lead: np.arange(10.0) for lead in LEADS}, rate_hz)


def test_leads_may_be_lists_and_must_be_real():
    assert record_from_leads("a", {lead: [0, 1, 2] for lead in LEADS}, 500).n_samples == 3
    with pytest.raises(RecordError, match="lead I is of complex128: it must be of real numbers"):
        record_from_leads("a", {lead: np.zeros(10, complex) for lead in LEADS}, 500)


@pytest.mark.parametrize("wrong, said", [
    ({"sex": "Q"}, "sex 'Q'"), ({"age": -5}, "age -5"), ({"age": float("nan")}, "age nan"),
    ({"signal": np.zeros((12, 5), complex)}, "complex128"), ({"signal": [["a"]] * 12}, "<U1"), ({"signal": 3}, r"shape \(\)"),
])  # fmt: skip
def test_what_is_no_record_is_none(wrong, said):
    with pytest.raises(RecordError, match=said):
        Record(**{"name": "x", "signal": np.zeros((12, 5)), "rate_hz": 500} | wrong)


def test_numbers_in_lists_are_numbers():
    assert Record(name="x", signal=[[0, 1]] * 12, rate_hz=500).signal.dtype == np.float32


def test_a_record_is_its_own():
    given = np.zeros((12, 5), np.float32)
    given[:, 1] = 1
    record = Record(name="x", signal=given, rate_hz=500)
    given[:] = np.nan
    assert record.signal[0, 1] == 1
    view = given.view()
    view[:] = 0
    view[:, 1] = 1
    view.setflags(write=False)
    record = Record(name="x", signal=view, rate_hz=500)
    given[:] = np.nan
    assert record.signal[0, 1] == 1
    for other in (record, pickle.loads(pickle.dumps(record)), copy.deepcopy(record)):
        assert not other.signal.flags.writeable


def test_what_is_masked_is_no_number():
    signal = np.ma.masked_equal(np.tile([0.0, 5.0], (12, 4)), 5)
    with pytest.raises(RecordError, match="are not numbers"):
        Record(name="x", signal=signal, rate_hz=500)
    with pytest.raises(RecordError, match="are not numbers"):
        record_from_leads("x", dict(zip(LEADS, signal, strict=True)), 500)


def test_leads_of_small_integers_do_not_wrap_around():
    leads = {lead: np.full(5, 70, np.int8) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")}
    assert record_from_leads("x", leads, 500).signal[3, 0] == -70


def test_numbers_are_said_with_what_they_count():
    assert [counted(n, "recording") for n in (0, 1, 2000)] == ["0 recordings", "1 recording", "2,000 recordings"]


class Frame(dict):
    """As a DataFrame: pairs that may have the same name twice, and a length that is not their number."""

    def items(self):
        return self["pairs"]

    def __len__(self):
        return 5000


def test_leads_of_a_data_frame_are_taken_by_their_names_as_text():
    pairs = [(name, samples) for name, samples in named().items()]
    record = record_from_leads(7, Frame(pairs=pairs), 100, age=np.int64(70), sex=float("nan"))
    assert (record.name, record.age, type(record.age), record.sex) == ("7", 70.0, float, None)
    with pytest.raises(RecordError, match="lead 'I' is there twice"):
        record_from_leads("x", Frame(pairs=[*pairs, pairs[0]]), 100)
    with pytest.raises(RecordError, match=r"12 leads \(0, 1, "):
        record_from_leads("x", Frame(pairs=list(enumerate(samples for _, samples in pairs))), 100)
    with pytest.raises(RecordError, match="age 'seventy': it must be 0 to 120 years, or None"):
        replace(record, age="seventy")
