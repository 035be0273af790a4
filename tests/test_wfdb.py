"""WFDB as it is met: the traps of real headers, and what is never opened."""

import errno
import os
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import wfdb as oracle

import simulator
from simulator import Wfdb, digital
from twelvelead.archive.inside import recordings_inside
from twelvelead.formats import open_recording, read, recordings_in, wfdb_header
from twelvelead.formats.files import Given
from twelvelead.formats.wfdb import is_header, physical
from twelvelead.formats.wfdb_header import SignalLine, comments_of
from twelvelead.record import LEADS, RecordError
from writers import SIGNAL, challenge, flac_files, packed_files


def test_age_and_sex_are_read_whether_or_not_a_space_follows_the_mark(tmp_path):
    record = read(challenge(tmp_path))
    assert (record.age, record.sex) == (74.0, "M")
    record = read(replace_comments(tmp_path, ["#Age: 300", "#<sex>: F"]))
    assert (record.age, record.sex) == (None, "F")


def replace_comments(folder, comments):
    return Wfdb("A0002", digital(SIGNAL), comments=comments).write(folder)


@pytest.mark.parametrize("named", ["A0001.hea", "A0001.mat", "A0001"])
def test_a_wfdb_record_may_be_named_in_three_ways(named, tmp_path):
    challenge(tmp_path)
    assert read(tmp_path / named).name == "A0001"


@pytest.mark.parametrize("gain, per_mv", [("1000/mV", 1000), ("1000.0(0)/mV", 1000), ("1000.0(0)/mv", 1000),
                                          ("4880/mV", 4880), ("1(0)/uV", 1000), ("200/mV", 200)])  # fmt: skip
def test_gains_as_databases_write_them(gain, per_mv, tmp_path):
    record = read(Wfdb("E00001", digital(SIGNAL, per_mv), gain=gain).write(tmp_path))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=0.6 / per_mv + 1e-6)


@pytest.mark.parametrize("gain", [1000.0, 200.0, 4880.0, 204.8, 6553.6, 12345.678, 999_999.0])
@pytest.mark.parametrize("baseline", [0, -512, 100_000])
def test_every_sample_is_rounded_once(gain, baseline):
    """To the float32 nearest to what float64 makes of it, whichever of the two computes it: digests of samples stay."""
    digital = np.arange(-32_767, 32_768, dtype=np.int16)[None]
    signal = SignalLine("x.dat", 16, 0, gain, baseline, "mV", None, None, "I")
    expected = ((digital.astype(np.float64) - baseline) * (1 / gain)).astype(np.float32)
    np.testing.assert_array_equal(physical(digital, [signal], {"mV": 1.0}), expected)


def test_lines_of_comments_cost_no_time():
    assert not is_header(b"a 1\n" + b"    #\n" * 600 + b"!\n")
    assert is_header(b" # x\n\t#\n a 1 500 10\n  # y\n a.dat 16 1000/mV\n")


def test_samples_are_counted_over_all_files_of_a_record(tmp_path):
    lines = [
        f"{'ab'[number % 2]}.dat 80 100/mV 8 0 -128 {-128 * 2_300_000 % 65536} 0 {lead}"
        for number, lead in enumerate(LEADS)
    ]
    (tmp_path / "r.hea").write_text("\n".join(["r 12 500 2300000", *lines, ""]))
    for name in ("a.dat", "b.dat"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(2_300_000)
    with pytest.raises(RecordError, match="27,600,000 samples in all leads: at most 27,000,000"):
        read(tmp_path / "r.hea")


def test_a_baseline_is_subtracted(tmp_path):
    record = read(Wfdb("1", digital(SIGNAL) + np.int16(37), gain="1000(37)/mV").write(tmp_path))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)


@pytest.mark.parametrize("baseline", [61_562, -61_562, 80_000])
def test_a_baseline_may_lie_beyond_what_the_samples_can_hold(baseline, tmp_path):
    record = read(Wfdb("1", digital(SIGNAL), gain=f"1000({baseline})/mV").write(tmp_path))
    np.testing.assert_allclose(record.signal, SIGNAL - baseline / 1000, atol=6e-4)


def test_georgias_record_line_with_suffix_is_read(tmp_path):
    path = Wfdb("E07542", digital(SIGNAL), record_name="E07542.mat").write(tmp_path)
    assert read(path).n_samples == 5000


def test_no_unit_and_no_gain_take_the_formats_default_with_a_warning(tmp_path):
    signal = digital(SIGNAL, 200)
    record = read(Wfdb("1", signal, gain="200").write(tmp_path))
    assert record.warnings == ("header states no unit: mV, the format's default, was taken",)
    np.testing.assert_allclose(record.signal, SIGNAL, atol=3e-3)


def test_another_lead_order_gives_the_same_record(tmp_path):
    order = np.random.default_rng(0).permutation(12)
    shuffled = Wfdb("1", digital(SIGNAL)[order], [LEADS[i] for i in order]).write(tmp_path)
    np.testing.assert_allclose(read(shuffled).signal, SIGNAL, atol=6e-4)


def test_fifteen_leads_in_two_files_as_in_ptb(tmp_path):
    path = Wfdb("s0010_re", digital(SIGNAL), suffix=".dat").write(tmp_path)
    extra = Wfdb("vcg", digital(SIGNAL[:3]), ["vx", "vy", "vz"], suffix=".xyz")
    extra.write(tmp_path)
    lines = path.read_text().splitlines() + extra.header().splitlines()[1:]
    path.write_text("\n".join([lines[0].replace(" 12 ", " 15 "), *lines[1:]]))
    record = read(path)
    assert record.warnings == ("leads vx, vy, vz are not among the twelve and were left out",)
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)


@pytest.mark.parametrize("unit, duration_s", [("NU", 10.0), ("%", 10.0), ("bpm", 400.0)])
def test_what_is_no_lead_may_be_in_any_unit(unit, duration_s, tmp_path):
    """Respiration or oxygen beside the twelve, in a short record and in one that is read in blocks."""
    samples = digital(simulator.ecg(duration_s=duration_s))
    path = Wfdb("x", np.vstack([samples, samples[:1]]), [*LEADS, "RESP"], suffix=".dat").write(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:13], lines[13].replace("1000/mV", f"100/{unit}"), ""]))
    found = open_recording(path)
    assert "leads RESP are not among the twelve and were left out" in found.warnings
    record = read(path)
    assert record.unit == found.unit == "mV"
    np.testing.assert_allclose(record.signal, samples / 1000, atol=1e-6)


def test_standardised_recordings_are_marked(tmp_path):
    record = read(Wfdb("00001_lr", digital(SIGNAL), gain="1000.0(0)/NU", rate="100", suffix=".dat").write(tmp_path))
    assert record.unit == "NU"


def test_a_missing_signal_file(tmp_path):
    path = challenge(tmp_path)
    (tmp_path / "A0001.mat").unlink()
    with pytest.raises(RecordError, match=r"A0001.mat cannot be opened: No such file"):
        read(path)


def test_a_missing_header(tmp_path):
    challenge(tmp_path).unlink()
    (tmp_path / "A0001.mat").rename(tmp_path / "A0001.dat")
    with pytest.raises(RecordError, match=r"without its header A0001.hea"):
        read(tmp_path / "A0001.dat")
    with (tmp_path / "A0001.dat").open("rb") as file, pytest.raises(RecordError, match=r"without its header A0001.hea"):
        read(file)


def test_a_short_signal_file(tmp_path):
    path = challenge(tmp_path)
    (tmp_path / "A0001.mat").write_bytes((tmp_path / "A0001.mat").read_bytes()[:-100])
    with pytest.raises(RecordError, match="has 119,924 bytes, its header declares 120,024: the file is cut short"):
        read(path)


def test_an_over_long_signal_file_is_read_where_checksums_say_what_is_meant(tmp_path):
    path = challenge(tmp_path)
    with (tmp_path / "A0001.mat").open("ab") as file:
        file.write(b"\1" * 48)
    record = read(path)
    assert record.warnings == ("a signal file is 48 bytes longer than declared; they were left out",)
    path.write_text(
        "".join(" ".join(line.split()[:3]) + "\n" for line in path.read_text().splitlines()).replace(
            "500", "500 5000", 1
        )
    )
    with pytest.raises(RecordError, match="no checksum says which samples are meant"):
        read(path)


def test_a_changed_sample_is_found_by_the_checksum(tmp_path):
    path = challenge(tmp_path)
    data = bytearray((tmp_path / "A0001.mat").read_bytes())
    data[5000] ^= 1
    (tmp_path / "A0001.mat").write_bytes(data)
    with pytest.raises(RecordError, match="has checksum .* the file is damaged"):
        read(path)


def test_a_header_of_another_file_is_found_by_its_initial_value(tmp_path):
    path = challenge(tmp_path)
    first = path.read_text().splitlines()[1].split()
    path.write_text(path.read_text().replace(f" {first[5]} {first[6]} ", f" {int(first[5]) + 1} {first[6]} ", 1))
    with pytest.raises(RecordError, match="the header belongs to another file"):
        read(path)


@pytest.mark.parametrize("gain", ["-1000/mV", "nan/mV", "1e-310/mV", "inf", "mV"])
def test_a_gain_that_is_none_is_refused(gain, tmp_path):
    with pytest.raises(RecordError, match="gain .*: it must be a positive number"):
        read(Wfdb("1", digital(SIGNAL), gain=gain).write(tmp_path))


def test_an_unknown_unit_is_refused(tmp_path):
    with pytest.raises(RecordError, match="unit 'mmHg': allowed are V, mV, uV and nV"):
        read(Wfdb("1", digital(SIGNAL), gain="1000/mmHg").write(tmp_path))


@pytest.mark.parametrize("rate", ["0", "-500", "nan", "fast", "1e99"])
def test_a_rate_that_is_none_is_refused(rate, tmp_path):
    with pytest.raises(RecordError, match="sampling rate .*: it must be a positive number"):
        read(Wfdb("1", digital(SIGNAL), rate=rate).write(tmp_path))


def test_a_header_that_contradicts_itself(tmp_path):
    path = challenge(tmp_path)
    path.write_text(path.read_text().replace("A0001 12 ", "A0001 15 "))
    with pytest.raises(RecordError, match="declares 15 signals and describes 12"):
        read(path)


def test_the_formats_mark_for_no_sample_is_refused_as_nan(tmp_path):
    samples = digital(SIGNAL)
    samples[3, 10] = -32768
    with pytest.raises(RecordError, match="the first in lead aVR at 0.020 s"):
        read(Wfdb("1", samples).write(tmp_path))


def test_a_flat_lead_is_named(tmp_path):
    samples = digital(SIGNAL)
    samples[6:] = 0
    assert read(Wfdb("JS00001", samples).write(tmp_path)).flat_leads == ("V1", "V2", "V3", "V4", "V5", "V6")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "http://example.org/a.dat", "..", "sub/a.dat"])
def test_a_signal_file_elsewhere_is_never_opened(name, tmp_path, monkeypatch):
    path = challenge(tmp_path)
    path.write_text(path.read_text().replace("A0001.mat", name))
    opened = []
    really_open = os.open
    monkeypatch.setattr(os, "open", lambda file, *rest: opened.append(str(file)) or really_open(file, *rest))
    with pytest.raises(RecordError, match="only a plain name"):
        read(path)
    assert set(opened) == {str(path)}


def test_links_and_pipes_are_not_opened(tmp_path):
    path = challenge(tmp_path)
    (tmp_path / "A0001.mat").rename(tmp_path / "elsewhere")
    (tmp_path / "A0001.mat").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="it is a link"):
        read(path)
    (tmp_path / "A0001.mat").unlink()
    os.mkfifo(tmp_path / "A0001.mat")
    with pytest.raises(RecordError, match="not a plain file"):
        read(path)


def test_several_segments_are_refused(tmp_path):
    (tmp_path / "s.hea").write_text("s/2 12 500 5000\na 2500\nb 2500\n")
    with pytest.raises(RecordError, match="several segments"):
        read(tmp_path / "s.hea")


@pytest.mark.parametrize("code, kind", [("32", "<i4"), ("61", ">i2")])
def test_other_sample_formats_against_the_reference_reader(code, kind, tmp_path):
    path = Wfdb("1", digital(SIGNAL), suffix=".dat", format=code).write(tmp_path)
    (tmp_path / "1.dat").write_bytes(digital(SIGNAL).T.astype(kind).tobytes())
    np.testing.assert_array_equal(read(path).signal, oracle.rdrecord(str(tmp_path / "1")).p_signal.T.astype(np.float32))


@pytest.mark.parametrize("code, gain", [("16", 1000), ("24", 100_000), ("32", 1_000_000), ("80", 50), ("212", 800)])
def test_packed_formats_against_the_reference_reader(code, gain, tmp_path):
    signal = SIGNAL[:, :4999]  # an odd number of samples ends in the middle of format 212's three bytes
    packed_files(tmp_path, signal, code, gain)
    record = read(tmp_path / "packed.hea")
    np.testing.assert_array_equal(
        record.signal, oracle.rdrecord(str(tmp_path / "packed")).p_signal.T.astype(np.float32)
    )
    np.testing.assert_allclose(record.signal, signal, atol=0.51 / gain)


@pytest.mark.parametrize("code, subtype", [(508, "PCM_S8"), (516, "PCM_16"), (524, "PCM_24"), (524, "PCM_16")])
def test_flac_against_the_reference_reader(code, subtype, tmp_path):
    flac_files(tmp_path, SIGNAL / (20 if code == 508 else 1), code, subtype)
    record = read(tmp_path / "flac.hea")
    expected = oracle.rdrecord(str(tmp_path / "flac")).p_signal.T.astype(np.float32)
    np.testing.assert_array_equal(record.signal, expected)


def test_flac_that_is_not_what_its_header_says(tmp_path):
    flac_files(tmp_path)
    header = (tmp_path / "flac.hea").read_text()
    for old, new, said in ((" 516 ", " 508 ", "6 channels in PCM_16"), (" 5000\n", " 5001\n", "of 5,000 samples"),
                           ("flac_1", "flac_0", "12 of 16 bits")):  # fmt: skip
        (tmp_path / "flac.hea").write_text(header.replace(old, new))
        with pytest.raises(RecordError, match=said):
            read(tmp_path / "flac.hea")
    (tmp_path / "flac.hea").write_text(header)
    (tmp_path / "flac_1.dat").write_bytes((tmp_path / "flac_1.dat").read_bytes()[:3000])
    with pytest.raises(RecordError, match="FLAC stream"):
        read(tmp_path / "flac.hea")


def test_flac_without_its_library_is_refused_by_name(tmp_path, monkeypatch):
    flac_files(tmp_path)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(RecordError, match=r"signal format 516 is FLAC, which needs soundfile: pip install"):
        read(tmp_path / "flac.hea")


def test_incarts_rate_of_257_hz(tmp_path):
    record = read(Wfdb("I01", digital(SIGNAL, 306), suffix=".dat", rate="257", gain="306").write(tmp_path))
    assert (record.rate_hz, record.n_samples) == (257.0, 5000)


def test_mimics_order_avf_before_avl(tmp_path):
    order = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]
    shuffled = digital(SIGNAL)[[LEADS.index(lead) for lead in order]]
    np.testing.assert_allclose(read(Wfdb("40689238", shuffled, order).write(tmp_path)).signal, SIGNAL, atol=6e-4)


def test_dx_is_read_whether_or_not_a_space_follows_the_mark():
    assert comments_of(["#Dx: 164889003"]) == comments_of(["# Dx: 164889003"]) == {"dx": "164889003"}


def test_a_signal_beyond_100_mv_is_no_ecg(tmp_path):
    signal = SIGNAL.copy()
    signal[3, 7] = 101.0
    with pytest.raises(RecordError, match="reaches 101 mV: an ECG stays within 100 mV"):
        read(Wfdb("1", digital(signal, 200), gain="200/mV").write(tmp_path))


def test_a_recording_in_which_nothing_was_recorded_is_refused(tmp_path):
    with pytest.raises(RecordError, match="none of the twelve leads ever changes"):
        read(Wfdb("1", digital(np.zeros((12, 5000)))).write(tmp_path))


def test_a_record_of_more_samples_than_memory_holds_is_refused_before_it_is_read(tmp_path):
    path = challenge(tmp_path)
    path.write_text(path.read_text().replace(" 5000", " 9000000", 1))
    with (tmp_path / "A0001.mat").open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(RecordError, match=r"108,000,000 samples in all leads: at most 27,000,000 are read"):
        read(path)


def test_a_sample_format_that_is_not_read_names_those_that_are(tmp_path):
    with pytest.raises(RecordError, match="signal format 310: formats 16, 24, 32, 61, 80, 212, 508, 516, 524 are read"):
        read(Wfdb("1", digital(SIGNAL), suffix=".dat", format="310").write(tmp_path))


@pytest.mark.parametrize("baseline", ["99999999999999999999", "9223372036854775807"])
def test_a_baseline_beyond_any_converter_is_refused(baseline, tmp_path):
    with pytest.raises(RecordError, match="gain"):
        read(Wfdb("1", digital(SIGNAL), gain=f"1000({baseline})/mV").write(tmp_path))


def test_a_sparse_file_of_gigabytes_is_not_read_beyond_what_is_declared(tmp_path):
    path = challenge(tmp_path)
    with (tmp_path / "A0001.mat").open("r+b") as file:
        file.truncate(3 << 30)
    assert read(path).n_samples == 5000


def test_a_comment_with_a_line_separator_of_unicode_is_one_comment(tmp_path):
    assert read(Wfdb("1", digital(SIGNAL), comments=["#Note: a\u2028b\x0cc", "#Age: 50"]).write(tmp_path)).age == 50


def test_a_name_with_a_dot_and_suffixes_in_capitals(tmp_path):
    Wfdb("rec.v1", digital(SIGNAL)).write(tmp_path)
    assert read(tmp_path / "rec.v1").name == "rec.v1"
    path = Wfdb("U", digital(SIGNAL), suffix=".MAT", format="16").write(tmp_path)
    path.rename(tmp_path / "U.HEA")
    assert read(tmp_path / "U.MAT").n_samples == 5000


def test_a_stray_link_in_a_folder_is_passed_over_and_a_claiming_one_refused(tmp_path):
    path = challenge(tmp_path)
    (tmp_path / "notes.txt").symlink_to("/etc/hostname")
    (tmp_path / "x.hea").symlink_to(path)
    assert recordings_in(tmp_path) == [path, tmp_path / "x.hea"]
    with pytest.raises(RecordError, match="it is a link"):
        read(tmp_path / "x.hea")


def test_names_from_files_cannot_steer_a_terminal(tmp_path):
    extra = Wfdb("1", np.vstack([digital(SIGNAL), digital(SIGNAL[:1])]), [*LEADS, "x\x1b]0;owned"]).write(tmp_path)
    assert read(extra).warnings == ("leads x\ufffd]0;owned are not among the twelve and were left out",)


@pytest.mark.corpus
def test_real_wfdb_records_against_the_reference_reader(corpus):
    folders = (
        "challenge/training/chapman_shaoxing/g1",
        "challenge/training/ptb/g1",
        "ludb/data",
        "ptb-xl/records500/00000",
    )
    for folder in folders:
        for path in sorted((corpus / "data" / folder).glob("*.hea"))[:8]:
            expected = oracle.rdrecord(str(path.with_suffix("")))
            np.testing.assert_allclose(read(path).signal, expected.p_signal.T[:12], atol=1e-5, err_msg=str(path))


@pytest.mark.parametrize("name", ["rec.edf", "rec.mat", "rec"])
def test_a_record_may_be_named_like_another_format(name, tmp_path):
    Wfdb(name, digital(SIGNAL), suffix=".dat").write(tmp_path)
    assert read(tmp_path / name).name == name


def test_a_gain_of_0_is_the_formats_default(tmp_path):
    record = read(Wfdb("a", digital(SIGNAL, 200), gain="0/mV").write(tmp_path))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=0.003)
    assert "a gain of 0, which is none: 200 per mV" in record.warnings[0]


def test_comments_may_stand_anywhere(tmp_path):
    path = Wfdb("a", digital(SIGNAL), comments=["  #<age>: 65 <sex>: F <diagnoses> angina"]).write(tmp_path)
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, "# by hand", "", *rest]))
    record = read(path)
    assert (record.age, record.sex) == (65, "F")


def test_zeros_stand_for_what_nobody_knows_where_the_samples_are_not_counted(tmp_path):
    path = Wfdb("a", digital(SIGNAL)).write(tmp_path)
    first, *rest = path.read_text().splitlines()
    lines = [re.sub(r"16 0 -?\d+ \d+ 0", "16 0 0 0 0", line) for line in rest]
    assert lines != rest
    path.write_text("\n".join([first.rsplit(" ", 1)[0], *lines]))
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)
    kept = [re.sub(r"16 0 -?\d+ (\d+) 0", r"16 0 0 \1 0", line) for line in rest]
    path.write_text("\n".join([first, *kept]))
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)


@pytest.mark.parametrize(
    "said, years", [("45 years", 45), ("045Y", 45), ("7 months", 7 / 12), ("12D", 12 / 365), ("Unknown", None)]
)
def test_ages_with_their_unit(said, years, tmp_path):
    record = read(Wfdb("a", digital(SIGNAL), comments=[f"# Age: {said}", "# Gender: mujer"]).write(tmp_path))
    assert record.age == (None if years is None else pytest.approx(years))
    assert record.sex == "F"


def test_32_bits_as_the_wfdb_package_scales_them_by_itself_are_read(tmp_path):
    oracle.wrsamp("x", 500, ["mV"] * 12, list(LEADS), SIGNAL.T.astype(float), fmt=["32"] * 12, write_dir=str(tmp_path))
    assert all(float(line.split()[2].split("(")[0]) > 1e9 for line in (tmp_path / "x.hea").read_text().splitlines()[1:])
    np.testing.assert_allclose(read(tmp_path / "x.hea").signal, SIGNAL, atol=1e-6)


def test_a_header_may_begin_with_a_byte_order_mark(tmp_path):
    path = Wfdb("1", digital(SIGNAL)).write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf# a comment first\n" + path.read_bytes())
    assert read(path).n_samples == SIGNAL.shape[1]


def test_a_signal_file_of_another_name_than_its_header_is_no_recording_of_its_own(tmp_path):
    path = Wfdb("1", digital(SIGNAL)).write(tmp_path / "in")
    path.write_text(path.read_text().replace("1.mat", "one-of-two.mat"))
    path.with_suffix(".mat").rename(path.with_name("one-of-two.mat"))
    Wfdb("orphan", digital(SIGNAL)).write(tmp_path / "in").unlink()
    assert [found.name for found in recordings_in(tmp_path)] == ["1.hea", "orphan.mat"]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for file in sorted((tmp_path / "in").iterdir()):
            packed.write(file, file.name)
    entries = {Path(entry.path).name: entry for entry in recordings_inside(tmp_path / "all.zip")}
    assert sorted(entries) == ["1.hea", "orphan.mat"]
    assert sorted(entries["1.hea"].parts) == ["1.hea", "one-of-two.mat"]


def test_what_lies_in_a_folder_that_may_be_listed_and_not_entered_is_refused_by_name(tmp_path, monkeypatch):
    """As root one may enter everything, so the system is made to refuse."""
    names = ["1.mat", "a.dat", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()

    def refusing(call):
        def called(path, *given, **settings):
            if not isinstance(path, int) and Path(os.fsdecode(path)).parent == tmp_path:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return call(path, *given, **settings)

        return called

    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "open"):
            patch.setattr(os, name, refusing(getattr(os, name)))
        found = recordings_in(tmp_path)
        for path in found:
            with pytest.raises(RecordError, match="cannot be opened: Permission denied"):
                read(path)
    assert [path.name for path in found] == names


def test_each_header_of_nested_folders_is_read_once_to_know_the_signal_files_of_others(tmp_path, monkeypatch):
    folder, n_folders = tmp_path, 12
    for depth in range(n_folders):
        (folder / "h.hea").write_text("h 2\na.dat\nz.dat\n")
        for name in ("a.dat", "z.dat"):  # before and behind the folder within
            (folder / name).touch()
        folder = folder / f"d{depth}"
        folder.mkdir()
    read_ones = []
    read_one = wfdb_header.read_bytes
    monkeypatch.setattr(
        wfdb_header, "read_bytes", lambda *given, **at: read_ones.append(given) or read_one(*given, **at)
    )
    assert {found.name for found in recordings_in(tmp_path)} == {"h.hea"}
    assert len(read_ones) == n_folders


def test_signal_files_with_names_of_any_bytes_are_read(tmp_path):
    path = Wfdb("Mx", digital(simulator.ecg()), suffix=".dat").write(tmp_path)
    expected, odd = read(path).signal, os.fsdecode(b"M\xfc")
    header = path.read_bytes().replace(b"Mx", b"M\xfc")
    (tmp_path / f"{odd}.hea").write_bytes(header)
    path.with_suffix(".dat").rename(tmp_path / f"{odd}.dat")
    record = read(tmp_path / f"{odd}.hea")
    assert record.name == "M\ufffd"
    np.testing.assert_array_equal(record.signal, expected)
    data = (tmp_path / f"{odd}.dat").read_bytes()
    for name in (odd, "M\ufffd"):  # as in an archive, and as a browser sends it
        given = Given(name="M", held=header, file="M.hea", beside={f"{name}.dat": data})
        np.testing.assert_array_equal(read(given).signal, expected)
    with pytest.raises(RecordError, match="^M\ufffd.dat, which the header names, is not there"):
        read(Given(name="M", held=header, file="M.hea", beside={}))
    leads = path.read_bytes().replace(b"0 V6", b"0 V6\xfc")
    (tmp_path / "odd.hea").write_bytes(leads.replace(b"Mx.dat", b"M\xfc.dat"))
    with pytest.raises(RecordError, match="V6 is missing"):
        read(tmp_path / "odd.hea")
