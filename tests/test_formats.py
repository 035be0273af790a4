"""One contract for every reader, and whatever bytes a file may hold."""

import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pydicom
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

import binary_writers as binary
import simulator
import xml_writers as xml
from twelvelead.formats import FORMATS, read, recordings_in
from twelvelead.record import LEADS, Record, RecordError
from writers import SIGNAL, challenge, cpsc, dat, write_dicom

WRITERS = {
    "WFDB header (.hea)": (challenge, dat),
    "DICOM waveform": (write_dicom,),
    "SCP-ECG": (binary.scp, binary.scp_of_eight),
    "HL7 aECG": (xml.aecg,),
    "GE MUSE XML": (xml.muse,),
    "GE CardioSoft XML": (xml.cardiosoft,),
    "Philips Sierra XML": (xml.sierra,),
    "Mortara ELI XML": (xml.mortara,),
    "EDF, EDF+ or BDF": (binary.edf, binary.bdf),
    "ISHNE": (binary.ishne,),
    "MFER": (binary.mfer,),
    "CPSC2018's own .mat": (cpsc,),
    "NPY": (binary.npy,),
    "CSV": (binary.csv,),
}
DERIVED = (binary.scp_of_eight, xml.muse)  # half a unit in I and one in II
STATED = {binary.npy: {"rate_hz": 500.0, "unit": "mV"}}
EVERY = [writer for writers in WRITERS.values() for writer in writers]


def test_no_format_is_without_a_contract_test():
    assert set(WRITERS) | {"AliveCor JSON (always refused)"} == {form.name for form in FORMATS}


@pytest.mark.parametrize("write", EVERY)
def test_every_format_gives_the_same_millivolts(write, tmp_path):
    record = read(write(tmp_path), **STATED.get(write, {}))
    assert record.rate_hz == 500
    assert record.unit == "mV"
    assert record.signal.shape == (12, 5000)
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, SIGNAL, atol=2.1e-3 if write in DERIVED else 6e-4)


@pytest.mark.parametrize("write", [write for write in EVERY if write not in (challenge, dat)])
def test_every_format_is_read_from_bytes_and_file_objects_too(write, tmp_path):
    path = write(tmp_path)
    from_path = read(path, **STATED.get(write, {}))
    from_bytes = read(path.read_bytes(), **STATED.get(write, {}))
    with path.open("rb") as file:
        from_file = read(file, **STATED.get(write, {}))
    np.testing.assert_array_equal(from_path.signal, from_bytes.signal)
    np.testing.assert_array_equal(from_path.signal, from_file.signal)
    assert (from_path.name, from_bytes.name, from_file.name) == (path.stem, "recording", path.stem)


def test_bytes_of_a_wfdb_header_are_refused_since_its_samples_are_elsewhere(tmp_path):
    with pytest.raises(RecordError, match="give the header's path"):
        read(challenge(tmp_path).read_bytes())


@pytest.mark.parametrize("write", EVERY)
def test_every_format_is_found_in_a_folder(write, tmp_path):
    path = write(tmp_path / "sub") if write in (challenge, dat) else write(tmp_path)
    assert recordings_in(tmp_path) == [path]


def test_a_link_that_leads_nowhere_hides_no_recording_beside_it(tmp_path):
    path = challenge(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert recordings_in(tmp_path) == [path]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("write", EVERY)
def test_damaged_bytes_give_a_record_or_a_record_error(write, tmp_path, data):
    path = write(tmp_path)
    original = path.read_bytes()
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(damaged), 4000) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged)
    try:
        with suppress(RecordError):
            assert isinstance(read(path), Record)
    finally:
        path.write_bytes(original)


def test_a_short_run_of_the_fuzzer_finds_nothing():
    command = [sys.executable, str(Path(__file__).with_name("fuzz.py")), "500", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("content", [b"\0" * 600, b"hello", b"%PDF-1.7", "Ä Ö Ü".encode()])
def test_a_file_that_is_no_ecg_is_refused_with_what_can_be_read(content, tmp_path):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(RecordError, match="none of the formats that can be read: WFDB"):
        read(tmp_path / "x.bin")


def test_dicom_units_are_carried(tmp_path):
    np.testing.assert_allclose(read(write_dicom(tmp_path, unit="mV", sensitivity="0.001")).signal, SIGNAL, atol=6e-4)
    with pytest.raises(RecordError, match="unit '%'"):
        read(write_dicom(tmp_path, unit="%"))
    with pytest.raises(RecordError, match="sensitivity of 0"):
        read(write_dicom(tmp_path, sensitivity="0"))


def test_dicom_elements_that_are_there_and_empty_say_nothing(tmp_path):
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    rhythm = dataset.WaveformSequence[0]
    rhythm.WaveformBitsAllocated, rhythm.WaveformSampleInterpretation = 32, "SL"
    rhythm.WaveformData = np.round(SIGNAL * 1000).astype("<i4").T.tobytes()
    rhythm.add_new("WaveformPaddingValue", "OW", b"\0\x80")  # of 16 bits
    for channel in rhythm.ChannelDefinitionSequence:
        channel.ChannelBaseline = channel.ChannelSensitivityCorrectionFactor = None
    dataset.save_as(path)
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)
    for channel in rhythm.ChannelDefinitionSequence:
        channel.ChannelSensitivityCorrectionFactor = 0
    dataset.save_as(path)
    with pytest.raises(RecordError, match="sensitivity of 0"):
        read(path)


def test_dicom_takes_the_rhythm_and_not_the_median_beat(tmp_path):
    assert read(get_testdata_file("waveform_ecg.dcm")).n_samples == 10000
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    del dataset.WaveformSequence[0]
    dataset.save_as(tmp_path / "median.dcm")
    with pytest.raises(RecordError, match="without a rhythm group"):
        read(tmp_path / "median.dcm")


@pytest.mark.parametrize("sop_class", ["1.1", "1.2", "1.3", "1.4"])
def test_dicom_of_every_class_of_ecg(sop_class, tmp_path):
    """12-lead, general, ambulatory and general 32-bit ECG."""
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = f"1.2.840.10008.5.1.4.1.1.9.{sop_class}"
    if sop_class == "1.4":
        rhythm = dataset.WaveformSequence[0]
        rhythm.WaveformBitsAllocated, rhythm.WaveformSampleInterpretation = 32, "SL"
        rhythm.WaveformData = np.round(SIGNAL * 1000).astype("<i4").T.tobytes()
        for channel in rhythm.ChannelDefinitionSequence:
            channel.WaveformBitsStored = 32
    dataset.save_as(path)
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)


def test_a_dicom_image_is_no_ecg():
    with pytest.raises(RecordError, match="DICOM file of modality CT without a waveform"):
        read(get_testdata_file("CT_small.dcm"))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", ["<f8", "<i2", "u1"])
def test_matlab5_against_scipy(compressed, kind, tmp_path):
    signal = np.abs(np.round(SIGNAL[:, :3000])).astype(kind)
    scipy.io.savemat(
        tmp_path / "a.mat",
        {"other": 1, "ECG": {"sex": "Female", "age": 300, "data": signal}},
        do_compression=compressed,
    )
    record = read(tmp_path / "a.mat")
    np.testing.assert_array_equal(record.signal, signal.astype(np.float32))
    assert (record.sex, record.age) == ("F", None)


def test_matlab_7_3_is_refused_with_the_way_out():
    with pytest.raises(RecordError, match="save it again with save -v7"):
        read(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + b"\x89HDF\r\n\x1a\n" * 60)


def test_a_matlab_file_that_inflates_without_end_is_refused(tmp_path):
    bomb = io.BytesIO()
    scipy.io.savemat(bomb, {"ECG": {"data": np.zeros((12, 4_000_000))}}, do_compression=True)
    (tmp_path / "bomb.mat").write_bytes(bomb.getvalue())
    with pytest.raises(RecordError, match="inflates to more than"):
        read(tmp_path / "bomb.mat")


def test_dicom_samples_marked_as_missing_are_refused(tmp_path):
    samples = SIGNAL.copy()
    samples[2, 40] = -32.768
    path = write_dicom(tmp_path, samples)
    assert read(path).n_samples == 5000
    dataset = pydicom.dcmread(path)
    dataset.WaveformSequence[0].add_new((0x5400, 0x100A), "OW", b"\x00\x80")
    dataset.save_as(path)
    with pytest.raises(RecordError, match="the first in lead III at 0.080 s"):
        read(path)


@pytest.mark.parametrize("mark", [-2048, -32000, 32767])
def test_a_mark_of_missing_samples_in_dicom_may_be_any_number_but_0(mark, tmp_path):
    samples = SIGNAL.copy()
    samples[2, 40] = mark / 1000
    dataset = pydicom.dcmread(write_dicom(tmp_path, samples))
    dataset.WaveformSequence[0].add_new((0x5400, 0x100A), "OW", mark.to_bytes(2, "little", signed=True))
    dataset.save_as(tmp_path / "ecg.dcm")
    with pytest.raises(RecordError, match="the first in lead III at 0.080 s"):
        read(tmp_path / "ecg.dcm")
    dataset.WaveformSequence[0].add_new((0x5400, 0x100A), "OW", bytes(2))
    dataset.save_as(tmp_path / "ecg.dcm")
    assert read(tmp_path / "ecg.dcm").n_samples == 5000


def test_what_dicom_says_of_a_channel_is_told_and_one_turned_over_refused(tmp_path):
    dataset = pydicom.dcmread(write_dicom(tmp_path))
    channels = dataset.WaveformSequence[0].ChannelDefinitionSequence
    channels[0].ChannelStatus, channels[8].ChannelStatus = "OK", ["INVALID", "TEST DATA"]
    dataset.save_as(tmp_path / "ecg.dcm")
    assert read(tmp_path / "ecg.dcm").warnings == ("the recorder calls Lead V3 INVALID, TEST DATA",)
    modifier = pydicom.Dataset()
    modifier.CodeMeaning = "Inverted"
    channels[3].ChannelSourceModifiersSequence = [modifier]
    dataset.save_as(tmp_path / "ecg.dcm")
    with pytest.raises(RecordError, match="lead Lead aVR is modified as 'Inverted'"):
        read(tmp_path / "ecg.dcm")


def test_a_dicom_file_that_inflates_is_refused_before_it_does(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.save_as(tmp_path / "deflated.dcm")
    with pytest.raises(RecordError, match="deflated"):
        read(tmp_path / "deflated.dcm")


def test_what_comes_before_a_dicom_file_says_that_it_is_deflated_hides_nothing(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3"
    for n_bytes, sentence in ((5000, "deflated"), (70_000, "more than 65,536 bytes before its data")):
        dataset.file_meta.FileMetaInformationVersion = bytes(n_bytes)
        dataset.save_as(tmp_path / "deflated.dcm")
        with pytest.raises(RecordError, match=sentence):
            read(tmp_path / "deflated.dcm")


def test_a_damaged_element_that_pydicom_meets_late_is_refused(tmp_path):
    data = Path(get_testdata_file("waveform_ecg.dcm")).read_bytes()
    at = data.index(b"\x10\x00\x40\x00CS")
    (tmp_path / "vr.dcm").write_bytes(data[: at + 5] + b"\xff" + data[at + 6 :])
    with pytest.raises(RecordError, match="DICOM file is damaged"):
        read(tmp_path / "vr.dcm")


def test_a_lead_far_from_zero_is_refused(tmp_path):
    signal = SIGNAL.copy()
    signal[4] = 1e300
    with pytest.raises(RecordError, match="not numbers"):
        read(simulator.write_cpsc_mat(tmp_path / "a.mat", signal))
    signal[4] = 5000.0
    with pytest.raises(RecordError, match="check the unit"):
        read(simulator.write_cpsc_mat(tmp_path / "a.mat", signal))


@pytest.mark.corpus
def test_real_cpsc_records_against_scipy(corpus):
    for path in sorted((corpus / "data/cpsc2018-original/TrainingSet1").glob("*.mat")):
        np.testing.assert_array_equal(read(path).signal, scipy.io.loadmat(path)["ECG"][0, 0]["data"].astype(np.float32))


@pytest.mark.corpus
@pytest.mark.parametrize("name, shape, rate_hz", [
    ("dicom/ecgtoolkit-500hz.dcm", (12, 5000), 500), ("dicom/240hz.dcm", (12, 2400), 240),
    ("dicom/anonymous-1000hz.dcm", (12, 10000), 1000), ("wfdb/s0010_re.hea", (12, 38400), 1000),
    ("wfdb/muse-af.hea", (12, 5000), 500),
])  # fmt: skip
def test_real_files_of_other_makers(corpus, name, shape, rate_hz):
    record = read(corpus / "formats" / name)
    assert (record.signal.shape, record.rate_hz) == (shape, rate_hz)
    limb = record.signal[:6]
    np.testing.assert_allclose(limb[1] - limb[0], limb[2], atol=0.02)


@pytest.mark.corpus
def test_every_real_record_is_read(corpus):
    paths = recordings_in(corpus / "data")
    assert len(paths) == 4717
    assert all(read(path).n_samples for path in paths[::10])


def test_a_table_that_states_its_rate_twice_is_refused(tmp_path):
    rows = "\n".join(",".join(["0.1"] * 12) for _ in range(3000))
    path = tmp_path / "a.csv"
    path.write_text(f"# rate_hz: 500\n# unit: mV\n# rate_hz: 250\n{','.join(LEADS)}\n{rows}\n")
    with pytest.raises(RecordError, match="rate_hz is stated twice, as '500' and '250': leave the wrong one out"):
        read(path)


@pytest.mark.parametrize(
    "head, names, column, sentence",
    [
        ("# rate_hz: 500_0\n# unit: mV", LEADS, None, "rate_hz '500_0': it must be a number"),
        ("# rate_hz: 500\n# unit: mV", [f"{lead} (uV)" for lead in LEADS], None, r"column 'I \(uV\)' states uV, the header mV"),
        ("# rate_hz: 500\n# unit: mV", ["time", *LEADS], 0.004, "column 'time' goes in steps of 0.004, the header states 500 Hz"),
        ("# rate_hz: 500\n# unit: mV", ["t (s)", *LEADS], 2.0, r"column 't \(s\)' goes in steps of 2"),
        ("# rate_hz: 250\n# unit: mV", ["seconds", *LEADS], 0.002, "column 'seconds' goes in steps of 0.002"),
        ("# rate_hz: 250\n# unit: mV", ["Time [ms]", *LEADS], 2.0, r"column 'Time \[ms\]' goes in steps of 2"),
        ("# rate_hz: 500\n# unit: mV", [f"{lead}_uV" for lead in LEADS], None, "column 'I_uV' states uV, the header mV"),
        ("# rate_hz: 500\n# unit: mV", [f"ch{n}" for n in range(12)], None, "columns without lead names"),
        ("# rate_hz: 500\n# unit: mV", ["", "", *LEADS[:10]], None, "column '' is there twice"),
        ("# rate_hz: 500\n# unit: mV", [f"{lead} (microvolts)" for lead in LEADS], None, "columns without lead names"),
        ("# rate_hz: 500\n# unit: mV", ["I (0.1 mV)", "II (10uV)", *LEADS[2:11], "V6 (ADC)"], None, "I, II, V6 are missing"),
        ("# rate_hz: 500\n# unit: NU", [f"{lead}_uV" for lead in LEADS], None, "column 'I_uV' states uV, the header NU"),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused(head, names, column, sentence):
    with pytest.raises(RecordError, match=sentence):
        read(table_of(head, names, column))


@pytest.mark.parametrize(
    "names, column",
    [
        ([f"{lead} (mV)" for lead in LEADS], None),
        (["time", *LEADS], 0.002),
        (["time", *LEADS], 2.0),
        (["Time (ms)", *LEADS], 2.0),
        (["seconds", *LEADS], 0.002),
        ([f"{lead}_mV" for lead in LEADS], None),
        (["t", *LEADS], 1.0),  # numbers of samples
    ],
)
def test_a_table_that_says_the_same_twice_is_read(names, column):
    assert read(table_of("# rate_hz: 500\n# unit: mV", names, column)).rate_hz == 500


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (lambda k: k * 2 + 1000 * (k >= 1500), "goes from 2998 to 4000 after row 1500, and not in even steps"),
        (lambda k: k * 2 - 2 * min(max(k - 1000, 0), 500), "not in even steps"),  # 500 rows at one time
        (lambda k: round(k * 2.4), None),  # whole milliseconds
        (lambda k: 1_700_000_000_000 + round(k * 2.4), None),  # since 1970
    ],
)
def test_times_that_jump_are_refused_and_rounded_ones_are_not(times, said):
    rate = 500 if said else 1000 / 2.4
    rows = "\n".join(",".join([str(times(k)), *["0.1"] * 11, str(k % 9)]) for k in range(3000))
    table = f"# rate_hz: {rate}\n# unit: mV\ntime_ms,{','.join(LEADS)}\n{rows}\n".encode()
    if said is None:
        assert read(table).n_samples == 3000
    else:
        with pytest.raises(RecordError, match=said):
            read(table)


@pytest.mark.parametrize(("stated", "given"), [("NU", "mV"), ("mV", "NU"), ("uV", "mV")])
def test_a_table_in_another_unit_than_said_is_refused(stated, given):
    table = table_of(f"# rate_hz: 500\n# unit: {stated}", LEADS, None)
    with pytest.raises(RecordError, match=f"the file states '{stated}', not the '{given}' given"):
        read(table, unit=given)
    assert read(table, unit=stated).unit == ("NU" if stated == "NU" else "mV")


def test_a_table_of_one_endless_line_is_refused():
    table = table_of("# rate_hz: 500\n# unit: mV", LEADS, None, n=2) + b"1," * 5000 + b"1\n"
    with pytest.raises(RecordError, match="a line of 10,001 characters"):
        read(table)


def test_a_table_that_states_its_rate_claims_to_be_a_recording(tmp_path):
    (path := tmp_path / "a.csv").write_text("# rate_hz: 500\nch1,ch2\n1,2\n")
    (tmp_path / "b.csv").write_text("patient,age\n1,2\n")
    assert recordings_in(tmp_path) == [path]


def table_of(head, names, step, n=3000):
    signal = np.round(SIGNAL[:, :n], 3).T
    rows = signal if step is None else np.column_stack([np.round(step * np.arange(n), 6), signal])
    lines = [",".join(map(repr, map(float, row))) for row in rows]
    return "\n".join([head, ",".join(names), *lines, ""]).encode()


def test_an_empty_file_is_called_that(tmp_path):
    path = tmp_path / "a.dcm"
    path.touch()
    with pytest.raises(RecordError, match="it is empty"):
        read(path)
