"""`show` and `convert`: what was read is said, and what was written is read again as the same numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest
import wfdb as oracle

import binary_writers as binary
import simulator
import xml_writers as xml
from simulator import Wfdb, digital
from twelvelead.formats import read
from twelvelead.formats.files import write_whole
from twelvelead.formats.writing import gain_per_unit, write
from twelvelead.record import LEADS, Record, RecordError
from writers import SIGNAL, challenge, write_dicom


def record_of(signal=SIGNAL, **facts) -> Record:
    return Record(name="r", signal=signal.astype(np.float32), rate_hz=facts.pop("rate_hz", 500.0), **facts)


@pytest.mark.parametrize("scale", [0.1, 1, 3, 10, 30, 60])
@pytest.mark.parametrize("suffix", [".hea", ".csv"])
def test_converting_and_reading_again_gives_the_same_numbers_within_one_quantum(scale, suffix, tmp_path):
    record = record_of(SIGNAL * scale, rate_hz=257.0, age=74.0, sex="F")
    write(record, tmp_path / f"out{suffix}")
    again = read(tmp_path / f"out{suffix}")
    quantum = 1 / gain_per_unit(record) if suffix == ".hea" else 1e-5
    np.testing.assert_allclose(again.signal, record.signal, atol=quantum, rtol=0)
    assert (again.rate_hz, again.age, again.sex, again.unit) == (257.0, 74.0, "F", "mV")
    assert again.warnings == ()


def test_what_was_digital_at_a_usual_gain_stays_as_it_was(tmp_path):
    for number, gain in enumerate((200, 1000, 2000)):
        original = read(Wfdb(f"a{number}", digital(SIGNAL, gain), gain=f"{gain}/mV").write(tmp_path))
        write(original, tmp_path / f"b{number}.hea")
        np.testing.assert_array_equal(read(tmp_path / f"b{number}.hea").signal, original.signal)


def test_what_is_written_satisfies_the_reference_reader(tmp_path):
    write(record_of(rate_hz=360.0), tmp_path / "out.hea")
    expected = oracle.rdrecord(str(tmp_path / "out"), physical=False)
    assert (expected.fs, expected.sig_name, expected.units) == (360, list(LEADS), ["mV"] * 12)
    assert expected.calc_checksum() == [checksum % 65536 for checksum in expected.checksum]
    np.testing.assert_allclose(expected.dac().T, SIGNAL, atol=1e-4)


def test_standardised_recordings_keep_their_unit(tmp_path):
    for suffix in (".hea", ".csv"):
        write(record_of(unit="NU"), tmp_path / f"out{suffix}")
        assert read(tmp_path / f"out{suffix}").unit == "NU"


def test_what_16_bits_cannot_hold_is_not_written(tmp_path):
    record = record_of(unit="NU")
    record = replace(record, signal=record.signal * np.float32(400 / np.abs(record.signal).max()))
    with pytest.raises(RecordError, match="a sample of 400 NU: WFDB's 16 bits hold up to 327.67 here; write .csv"):
        write(record, tmp_path / "out.hea")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unless_forced(tmp_path):
    (tmp_path / "out.dat").write_bytes(b"precious")
    with pytest.raises(RecordError, match=r"out.dat is there already: name another file, or overwrite with --force"):
        write(record_of(), tmp_path / "out.hea")
    assert [path.name for path in tmp_path.iterdir()] == ["out.dat"]
    assert write(record_of(), tmp_path / "out.hea", force=True) == (tmp_path / "out.hea", tmp_path / "out.dat")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.dat", "out.hea"]


@pytest.mark.parametrize(
    "name, said",
    [("out.edf", "suffix '.edf': .hea and .csv can be written"), ("two words.hea", "record name 'two words'")],
)
def test_names_that_cannot_be_written(name, said, tmp_path):
    with pytest.raises(RecordError, match=said):
        write(record_of(), tmp_path / name)


@pytest.mark.parametrize("duration_s, size", [(340, "16,9..,... bytes"), (3600, "172,800,000 bytes or more")])
def test_a_table_too_long_to_be_read_again_is_not_written(duration_s, size, tmp_path):
    samples = np.tile(simulator.ecg(), (1, duration_s // 10))
    with pytest.raises(RecordError, match=f"a table of {size}: at most 16,777,216 can be read again; WFDB takes more"):
        write(record_of(samples), tmp_path / "long.csv")
    assert list(tmp_path.iterdir()) == []


def test_show_says_what_was_read(twelvelead, tmp_path):
    done = twelvelead("show", challenge(tmp_path), binary.scp_of_eight(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    wfdb, scp = map(json.loads, done.stdout.splitlines())
    assert (wfdb["format"], wfdb["rate_hz"], wfdb["n_samples"], wfdb["age"], wfdb["sex"]) == (
        "WFDB header (.hea)",
        500,
        5000,
        74,
        "M",
    )
    assert list(wfdb["leads"]) == list(LEADS)
    assert (scp["format"], scp["warnings"]) == ("SCP-ECG", ["leads III, aVR, aVL, aVF were derived from I and II"])


def test_show_says_what_is_in_a_recording_too_long_to_be_held(twelvelead, tmp_path):
    signal = np.tile(simulator.ecg(duration_s=60), 40)
    signal[4] = 0
    path = simulator.Wfdb("holter", simulator.digital(signal)).write(tmp_path)
    done = twelvelead("show", path, "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["duration_s"], shown["flat_leads"]) == (2400, ["aVL"])
    assert shown["leads"]["V2"] == {
        "low": pytest.approx(signal[7].min(), abs=1e-3),
        "high": pytest.approx(signal[7].max(), abs=1e-3),
    }
    path.with_suffix(".mat").write_bytes(path.with_suffix(".mat").read_bytes()[:-24])
    assert twelvelead("show", path).returncode == 1


def test_show_in_words_and_with_refusals(twelvelead, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"hello")
    done = twelvelead("show", write_dicom(tmp_path), tmp_path / "x.bin", tmp_path / "none")
    assert done.returncode == 1
    assert "length    10.00 s: 5,000 samples at 500 Hz" in done.stdout
    assert done.stdout.count("  refused: ") == 2
    assert "none of the formats that can be read" in done.stdout


def test_convert_from_the_command_line(twelvelead, tmp_path):
    done = twelvelead("convert", xml.muse(tmp_path), tmp_path / "out.hea")
    assert done.returncode == 0, done.stderr
    assert "warning: leads III, aVR, aVL, aVF were derived" in done.stdout
    np.testing.assert_allclose(read(tmp_path / "out.hea").signal, read(tmp_path / "muse.xml").signal, atol=1e-4)
    done = twelvelead("convert", tmp_path / "muse.xml", tmp_path / "out.hea")
    assert (done.returncode, "is there already" in done.stderr) == (1, True)
    done = twelvelead("convert", binary.npy(tmp_path), tmp_path / "b.csv", "--rate", 500, "--unit", "mV")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(read(tmp_path / "b.csv").signal, SIGNAL, atol=1e-5)


@pytest.mark.corpus
def test_real_files_convert_and_read_again(corpus, tmp_path):
    names = ("scp/raw-8-leads-1000hz.scp", "muse-xml/sinus.xml", "philips-sierra-xml/1_04.xml", "edf/contec-12lead-800hz.edf",
             "wfdb/s0010_re.hea", "dicom/240hz.dcm", "cardiosoft-xml/dummy_ecg.xml")  # fmt: skip
    for number, name in enumerate(names):
        record = read(corpus / "formats" / name)
        for suffix, quantum in ((".hea", 1 / gain_per_unit(record)), (".csv", 1e-5)):
            write(record, tmp_path / f"r{number}{suffix}")
            again = read(tmp_path / f"r{number}{suffix}")
            np.testing.assert_allclose(again.signal, record.signal, atol=quantum, rtol=0, err_msg=name)
            assert again.rate_hz == record.rate_hz


def test_what_cannot_be_written_leaves_nothing_beside(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"a file")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
