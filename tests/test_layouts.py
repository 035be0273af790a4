"""The further databases in their home layouts, and what sets traps in them, each under its name."""

import errno
import json
import shutil
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

import layouts
import simulator
from simulator import Wfdb, digital
from twelvelead.classifier import shipped_bundle
from twelvelead.databases import DatabaseError, find, groups_of, partings_of, people_of, read_labelled
from twelvelead.databases.codes import from_aha, from_statements, parts_of
from twelvelead.databases.published import PUBLISHED
from twelvelead.databases.survey import contents, fingerprint, holdings
from twelvelead.formats import read
from twelvelead.learning.samples import load
from twelvelead.record import LEADS, RecordError
from twelvelead.signals.recipe import Recipe

EVERY = {
    "ecg-arrhythmia": layouts.write_ecg_arrhythmia, "georgia": layouts.write_georgia, "ptb": layouts.write_ptb,
    "incart": layouts.write_incart, "sph": layouts.write_sph, "code-15": layouts.write_code15, "mimic": layouts.write_mimic,
}  # fmt: skip


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("houses")
    for name, write in EVERY.items():
        write(folder / name)
    return folder


def said(folder):
    return {record.recording: record.diagnoses for record in find([folder]).records}


def test_every_further_layout_is_found_below_one_folder_and_read(houses):
    found = find([houses])
    counts = Counter(record.database for record in found.records)
    assert counts == {"chapman-shaoxing": 2, "ningbo": 1, "georgia": 3, "ptb": 3, "incart": 4, "sph": 8, "code-15": 3,
                      "mimic-iv-ecg": 4}  # fmt: skip
    for record in found.records:
        if record.recording != "E04603":
            assert read_labelled(record).n_samples > 0
    assert sorted((path.name, reason) for path, reason in found.passed_over) == [
        ("exams_part1.zip", "it is packed: unpack it beside the table"),
        ("s0020are.hea", "its header names no reason for admission, so nobody knows its diagnoses"),
    ]


@pytest.mark.parametrize("name", EVERY)
def test_a_layout_is_found_whether_nested_or_itself_named(name, houses):
    inner = {record.key for record in find([houses / name]).records}
    assert inner
    assert inner == {record.key for record in find([houses]).records if record.key in inner}


def test_chapman_shaoxing_and_ningbo_in_the_layout_of_ecg_arrhythmia(houses):
    assert said(houses / "ecg-arrhythmia") == {"JS00001": ("AF", "RBBB"), "JS10646": (), "JS10647": ("I-AVB",)}


def test_georgias_headers_of_4880_and_1000_give_the_same_millivolts(houses):
    older, newer = (read(houses / f"georgia/g1/E0000{n}.hea") for n in (1, 2))
    np.testing.assert_array_equal(older.signal, newer.signal)
    assert np.abs(older.signal - layouts.SIGNAL).max() < 0.005
    assert older.warnings == ("gain 4880/mV: the samples are microvolts in steps of 4.88, so 1000/mV was taken",)
    assert newer.warnings == ()


def test_georgias_records_that_read_as_nan_are_refused_and_named(houses):
    found = find([houses / "georgia"])
    ((path, reason),) = contents(found.records).unreadable
    assert path.name == "E04603.hea"
    assert "samples are not numbers, the first in lead aVR" in reason


def test_mimics_avf_before_avl_is_read_by_name(houses):
    record = find([houses / "mimic"]).records[0]
    header = record.path.read_text().splitlines()
    assert [line.split()[-1] for line in header[5:7]] == ["aVF", "aVL"]
    for lead in ("aVL", "aVF"):
        at = LEADS.index(lead)
        assert np.abs(read(record.path).signal[at] - layouts.SIGNAL[at]).max() <= 0.5 / 200 + 1e-6


def test_mimics_statements_count_where_they_name_one_of_the_nine_for_sure(houses):
    assert said(houses / "mimic") == {
        "40689238": ("Normal",), "40689239": ("AF", "RBBB"), "40689240": ("PAC",), "40689241": (),
    }  # fmt: skip
    assert {record.patient for record in find([houses / "mimic"]).records} == {"10000032"}


def test_mimic_without_its_statements_says_what_to_fetch(houses, tmp_path):
    folder = shutil.copytree(houses / "mimic", tmp_path / "mimic")
    (folder / "machine_measurements.csv").unlink()
    with pytest.raises(DatabaseError, match=r"machine_measurements.csv is not beside it"):
        find([folder])


def test_a_recording_of_mimic_without_a_statement_is_passed_over_and_named(houses, tmp_path):
    folder = shutil.copytree(houses / "mimic", tmp_path / "mimic")
    table = folder / "machine_measurements.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    found = find([folder])
    assert len(found.records) == 3
    assert [(path.name, reason) for path, reason in found.passed_over] == [
        ("40689241.hea", "machine_measurements.csv says nothing of it, so nobody knows its diagnoses")
    ]


@pytest.mark.parametrize("statement, diagnoses", [
    ("Atrial fibrillation", ("AF",)), ("Atrial fibrillation/flutter", ()), ("Atrial fibrillation or flutter", ()),
    ("AFib/flut and V-paced complexes", ()), ("Possible atrial fibrillation", ()), ("Paroxysmal atrial fibrillation", ()),
    ("Sinus rhythm with 1st degree A-V block", ("I-AVB",)), ("Sinus rhythm with borderline 1st degree A-V block", ()),
    ("First degree AV block.", ("I-AVB",)), ("2nd degree A-V block", ()), ("Left bundle branch block", ("LBBB",)),
    ("Incomplete left bundle branch block", ()), ("LBBB", ("LBBB",)), ("RBBB with left anterior fascicular block", ("RBBB",)),
    ("Right bundle-branch block", ("RBBB",)), ("Sinus rhythm with PAC(s).", ("PAC",)), ("Sinus rhythm with PACs", ("PAC",)),
    ("Atrial premature complexes", ("PAC",)), ("Premature ventricular contractions", ("PVC",)), ("PVCs", ("PVC",)),
    ("Ventricular premature complex", ("PVC",)), ("Sinus rhythm with PVC(s) and PAC(s)", ("PAC", "PVC")), ("Pacemaker rhythm", ()),
    ("Anterior ST elevation, acute infarct", ("STE",)), ("ST elev, probable normal early repol pattern", ()),
    ("*** Consider acute ST elevation MI ***", ()), ("Inferior ST depression", ("STD",)), ("St segment depression", ("STD",)),
    ("ST junctional depression is nonspecific", ()), ("Normal ECG", ("Normal",)), ("Normal ECG.", ("Normal",)), ("Abnormal ECG", ()),
    ("Otherwise normal ECG", ()), ("Borderline normal ECG", ()), ("Sinus rhythm", ()), ("No evidence of atrial fibrillation", ()),
    ("ventricular couplets and R-on-T", ("PVC",)), ("supraventricular couplets", ()), ("SVEBs", ("PAC",)), ("blocked APCs", ("PAC",)),
    ("RBBB with RAD - possible left posterior fascicular block", ("RBBB",)), ("Inferior ST elevation, CONSIDER ACUTE INFARCT", ("STE",)),
    ("Atrial fibrillation with premature ventricular or aberrantly conducted complexes", ("AF",)), ("Prolonged PR interval", ("I-AVB",)),
    ("Possible sinus rhythm with atrial fibrillation", ()), ("Not consistent with atrial fibrillation", ()), ("AV block, 1st degree", ("I-AVB",)),
    ("AV block (1st degree)", ("I-AVB",)), ("First degree atrioventricular block", ("I-AVB",)), ("Borderline prolonged PR interval", ()),
    ("Sinus rhythm has replaced atrial fibrillation", ()), ("LBBB has replaced RBBB", ("LBBB",)), ("Atrial fibrillation has resolved", ()),
    ("Rhythm may be atrial fibrillation", ()), ("ST depression may be due to ischemia", ("STD",)), ("Inc RBBB", ()), ("Incompl. RBBB", ()),
    ("Negative for atrial fibrillation", ()), ("ventricular extrasystoles", ("PVC",)), ("supraventricular extrasystole", ("PAC",)),
    ("previous ECG with atrial fibrillation", ()), ("Atrial fibrillation with flutter", ()),
    ("AV nodal block 2 degree", ()), ("", ()), ("Demand pacing", ()), ("impact on  the\nAtrial   Fibrillation", ("AF",)),
])  # fmt: skip
def test_statements(statement, diagnoses):
    assert from_statements([statement]) == diagnoses


@pytest.mark.parametrize("line, diagnoses", [
    ("RBBB, incomplete", ()), ("RBBB, PVCs", ("PVC", "RBBB")), ("Atrial fibrillation; paroxysmal; LBBB", ("LBBB",)),
    ("atrial fibrillation, flutter", ()), ("possible AFIB, LBBB", ("LBBB",)), ("RBBB, possible LAFB", ("RBBB",)),
    ("LBBB; old infarction", ("LBBB",)), ("RBBB, probable.", ()),
])  # fmt: skip
def test_a_modifier_behind_a_comma_belongs_to_what_is_before_it(line, diagnoses):
    assert from_statements(parts_of(line)) == diagnoses


def test_a_statement_of_any_length_is_read_in_no_time():
    begun = time.monotonic()
    from_statements(["atrial fibrillation " * 20_000, "premature " * 50_000, "st " * 100_000])
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("codes, diagnoses", [
    ("1", ("Normal",)), ("1;1", ("Normal",)), ("50+346", ("AF",)), ("51", ()), ("82;83", ("I-AVB",)), ("104;105", ("LBBB",)),
    ("106", ("RBBB",)), ("30+310;60", ("PAC", "PVC")), ("145", ()), ("145+362", ("STD",)), ("146+363", ("STE",)),
    ("145+312+363", ()), ("147", ()), ("", ()), ("2", ()), ("3", ()), ("36", ()), ("62", ()),
])  # fmt: skip
def test_aha_codes(codes, diagnoses):
    assert from_aha(codes.split(";")) == diagnoses


def test_sph_is_read_with_patients_in_millivolts(houses):
    found = find([houses / "sph"])
    assert [record.diagnoses for record in found.records] == [
        ("Normal",), ("AF",), ("PAC", "RBBB"), ("STD",), (), ("I-AVB", "LBBB"), ("PAC",), (),
    ]  # fmt: skip
    assert (found.records[0].patient, found.records[0].age, found.records[0].sex) == ("S00000", 55.0, "M")
    record = read_labelled(found.records[0])
    assert (record.unit, record.rate_hz, record.n_samples) == ("mV", 500.0, 5000)
    assert np.abs(record.signal - layouts.SIGNAL).max() < 2e-3
    assert record.warnings == ("rate, unit and leads are those that SPH describes: its files do not state them",)


def test_code_15_is_read_without_its_zeros_and_without_a_unit(houses):
    records = find([houses / "code-15"]).records
    assert [(record.recording, record.diagnoses, record.row) for record in records] == [
        ("1001", ("Normal",), 0), ("1002", ("I-AVB", "RBBB"), 1), ("1003", ("AF",), 2),
    ]  # fmt: skip
    read_records = [read_labelled(record) for record in records]
    assert [record.n_samples for record in read_records] == [2800, 2800, 4000]
    assert {(record.unit, record.rate_hz) for record in read_records} == {("NU", 400.0)}
    assert [record.sex for record in records] == ["M", "F", "M"]


def test_what_code_15_does_not_label_is_not_counted_as_absent(houses):
    positives = holdings(find([houses / "code-15"]).records)["code-15"].positives
    assert {name for name, n in positives.items() if n is None} == {"PAC", "PVC", "STD", "STE"}


def test_incarts_findings_are_of_the_recording_not_of_the_patient(houses):
    found = find([houses / "incart"])
    assert said(houses / "incart") == {
        "I01": ("PVC",),
        "I02": (),
        "I03": ("AF", "PAC", "PVC"),
        "I04": ("I-AVB", "RBBB"),
    }
    assert [(record.patient, record.age, record.sex) for record in found.records] == [
        ("1", 65.0, "F"), ("1", 65.0, "F"), ("2", 65.0, "F"), ("3", 65.0, "F"),
    ]  # fmt: skip
    assert read_labelled(found.records[0]).rate_hz == 257.0


def test_incarts_half_hour_at_257_hz_is_read_whole(tmp_path):
    layouts.write_incart(tmp_path, duration_s=1800.0)
    assert read(tmp_path / "I01.hea").n_samples == 462_600


def test_ptbs_fifteen_leads_in_two_files(houses):
    found = find([houses / "ptb"])
    assert said(houses / "ptb") == {
        "patient001/s0010_re": (), "patient002/s0010_re": ("AF",), "patient003/s0010_re": (),
    }  # fmt: skip
    assert {(record.age, record.sex) for record in found.records} == {(81.0, "F")}
    assert [record.patient for record in found.records] == ["001", "002", "003"]
    assert "leads vx, vy, vz are not among the twelve and were left out" in read(found.records[0].path).warnings


def test_the_challenges_copies_of_a_database_with_patients_are_on_no_side(houses, tmp_path):
    Wfdb("S0001", digital(layouts.SIGNAL), comments=["#Dx: 164889003"]).write(tmp_path)
    records = find([houses / "ptb", tmp_path]).records
    assert [group for record, group in zip(records, groups_of(records), strict=True) if not record.patient] == [None]


@pytest.mark.parametrize(
    "age, expected", [("NaN", None), ("300", None), ("66", 66.0), ("89+", None), ("-1", None), ("", None)]
)
def test_ages_nan_300_and_89_plus_are_unknown_in_the_index(age, expected, tmp_path):
    Wfdb("E00001", digital(layouts.SIGNAL), comments=[f"#Age: {age}", "#Dx: 164889003"]).write(tmp_path / "c")
    path = Wfdb("x", digital(layouts.SIGNAL)).write(tmp_path / "own")
    layouts.write_table(path.with_name("t.csv"), [{"path": "x.hea", "labels": "AF", "age": age}])
    assert [record.age for record in find([tmp_path]).records] == [expected, expected]


def test_whoever_is_over_89_is_of_the_oldest(tmp_path):
    """PTB-XL writes 300 for them, LUDB >89."""
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=2)
    simulator.write_ludb(tmp_path / "ludb")
    table = tmp_path / "ludb/ludb.csv"
    table.write_text(table.read_text().replace("51", ">89"))
    records = find([tmp_path]).records
    assert {record.database for record in records} == {"ptb-xl", "ludb"}
    assert {record.age for record in records} == {90.0}
    assert {*partings_of(records)["ages"]} == {"80 to 120"}


def test_only_sphs_files_are_read_as_sphs(tmp_path):
    """An own HDF5 file states neither rate nor unit, whatever its data set is called."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["ecg"] = layouts.SIGNAL.astype(np.float32)
    layouts.write_table(tmp_path / "t.csv", [{"path": "x.h5", "labels": "AF"}])
    [record] = find([tmp_path]).records
    with pytest.raises(RecordError, match="none of the formats"):
        read_labelled(record)


def test_a_folder_named_beside_one_around_it_counts_once(own):
    assert [record.key for record in find([own, own.parent]).records] == [
        record.key for record in find([own.parent]).records
    ]


def test_another_databases_reference_is_not_taken_for_cpsc2018s(tmp_path):
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=2)
    (tmp_path / "cinc2017").mkdir()
    (tmp_path / "cinc2017/REFERENCE.csv").write_text("A00001,N\nA00002,A\n")
    assert len(find([tmp_path]).records) == 2


def test_a_folder_in_which_nothing_can_be_opened_is_named(tmp_path, monkeypatch):
    """As root one may look into everything, so the system is made to refuse."""
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=2)
    closed = tmp_path / "closed"
    closed.mkdir()
    is_file = Path.is_file

    def refusing(path):
        if path.parent == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refusing)
    found = find([tmp_path])
    assert len(found.records) == 2
    [(path, reason)] = found.passed_over
    assert path.parent == closed
    assert reason == "cannot be looked into: Permission denied"


OWN = [
    {"path": "ward/a.hea", "labels": "AF;PVC", "patient": "p1", "age": 70, "sex": "F", "fold": "1.0"},
    {"path": "ward/b.hea", "labels": "none", "patient": "p1", "age": "", "sex": "m", "fold": ""},
    {"path": "ward/c.hea", "labels": "270492004, rbbb", "patient": "", "age": "NaN", "sex": "", "fold": ""},
    {"path": "ward/d.hea", "labels": "", "patient": "", "age": "", "sex": "", "fold": ""},
    {"path": "ward/e.hea", "labels": "AF", "patient": "", "age": "", "sex": "", "fold": ""},
]


@pytest.fixture
def own(tmp_path):
    for name in "abcd":
        Wfdb(name, digital(simulator.ecg(seed=ord(name)))).write(tmp_path / "mine/ward")
    layouts.write_table(tmp_path / "mine/recordings.csv", OWN)
    return tmp_path / "mine"


def test_ones_own_table_of_path_labels_patient_age_and_sex(own):
    found = find([own])
    assert [(r.key, r.diagnoses, r.patient, r.age, r.sex, r.fold) for r in found.records] == [
        ("mine/ward/a", ("AF", "PVC"), "p1", 70.0, "F", 1),
        ("mine/ward/b", (), "p1", None, "M", None),
        ("mine/ward/c", ("I-AVB", "RBBB"), None, None, None, None),
    ]
    assert [(path.name, reason) for path, reason in found.passed_over if path.name == "e.hea"] == [
        ("e.hea", "the table names it and it is not there")
    ]
    assert ("d.hea", "the table gives it no labels: write `none` for none of the nine") in [
        (path.name, reason) for path, reason in found.passed_over
    ]
    assert not [path for path, _ in found.passed_over if path.name in {"a.hea", "b.hea", "c.hea"}]


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"labels": "AF;atrial"}, "allowed are AF, I-AVB"),
        ({"labels": "none AF"}, "`none` alone"),
        ({"path": "../../etc/passwd"}, "it must be relative to the table, and of a file below it"),
        ({"path": "/etc/passwd"}, "it must be relative to the table, and of a file below it"),
        ({"path": ""}, "it must be relative to the table, and of a file below it"),
        ({"fold": "train"}, "line 2 is damaged .fold 'train': it must be a whole number, or empty"),
        ({"fold": "nan"}, "fold 'nan': it must be a whole number, or empty where there is none"),
        ({"fold": "1.5"}, "it must be a whole number"),
    ],
)
def test_a_row_of_ones_own_table_that_is_wrong_is_refused_in_a_sentence(change, reason, own):
    layouts.write_table(own / "recordings.csv", [OWN[0] | change])
    with pytest.raises(DatabaseError, match=reason) as refusal:
        find([own])
    assert "Error" not in str(refusal.value)


def test_a_damaged_row_is_named_by_its_line_in_the_file(own):
    (own / "recordings.csv").write_text('path,labels,note\nward/a.hea,AF,"two\nlines"\n\n\nward/b.hea,XX,\n')
    with pytest.raises(DatabaseError, match="line 6 is damaged"):
        find([own])


def test_a_table_in_another_encoding_is_refused_and_not_quoted(own):
    (own / "recordings.csv").write_bytes("path,labels,patient\nward/a.hea,AF,Müller\n".encode("latin-1"))
    with pytest.raises(DatabaseError, match=r"recordings\.csv: not UTF-8 \(byte 0xfc\): save") as refusal:
        find([own])
    assert "ller" not in str(refusal.value)


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"path": "ward/a.hea", "labels": "STD"}, "a.hea has two rows that differ: write all its labels into one"),
        ({"path": "ward/a.mat", "labels": "STD"}, "a.hea has two rows that differ: write all its labels into one"),
        ({"path": "ward/a.npy", "labels": "AF"}, "a.npy and a.hea are both called mine/ward/a: rename one"),
    ],
)
def test_a_recording_that_is_twice_in_ones_own_table_is_refused(row, reason, own):
    (own / "ward/a.npy").touch()
    layouts.write_table(own / "recordings.csv", [OWN[0], OWN[1], {**OWN[0], **row}])
    with pytest.raises(DatabaseError, match=reason):
        find([own])


def test_a_signal_file_in_ones_own_table_is_its_header(tmp_path):
    for name in ("E00001", "E00002"):
        Wfdb(name, digital(simulator.ecg(seed=int(name[-1]))), comments=["#Dx: 59118001"]).write(
            tmp_path / "mine" / "r"
        )
    (tmp_path / "mine" / "labels.csv").write_text("path,labels\nr/E00001.mat,PVC\nr/E00002.mat,none\n")
    found = find([tmp_path / "mine"])
    assert [(record.key, record.diagnoses) for record in found.records] == [
        ("mine/r/E00001", ("PVC",)),
        ("mine/r/E00002", ()),
    ]


@pytest.mark.parametrize("labels", ["1", "AF 2", "1648890030", "164889004"])
def test_a_number_that_is_no_code_is_refused_in_ones_own_table(labels, own):
    layouts.write_table(own / "recordings.csv", [{**OWN[0], "labels": labels}])
    with pytest.raises(DatabaseError, match="SNOMED CT codes"):
        find([own])


def test_a_patient_whom_pandas_wrote_as_a_float_is_the_same(own):
    layouts.write_table(own / "recordings.csv", [{**OWN[0], "patient": "13619.0"}, {**OWN[1], "patient": "13619"}])
    assert {record.patient for record in find([own]).records} == {"13619"}


def test_patients_of_two_folders_of_ones_own_are_told(tmp_path, twelvelead):
    for year, seed in (("2019", 1), ("2020", 2)):
        Wfdb("a", digital(simulator.ecg(seed=seed))).write(tmp_path / year)
        (tmp_path / year / "labels.csv").write_text("path,labels,patient\na.hea,AF,7\na.hea,AF,7\n")
    apart, together = find([tmp_path / "2019", tmp_path / "2020"]), find([tmp_path])
    assert (apart.namesakes, together.namesakes) == (("7",), ())
    assert len(set(people_of(apart.records))) == 2 > len(set(people_of(together.records)))
    done = twelvelead("databases", tmp_path / "2019", tmp_path / "2020", "--no-read")
    assert "1 patient of several folders, such as 7, counted as different people" in " ".join(done.stdout.split())
    for command in (["databases", "--no-read"], ["evaluate"]):
        result = json.loads(twelvelead(*command, tmp_path / "2019", tmp_path / "2020", "--json").stdout)
        assert (result["namesakes"], result["contradicted"]) == (["7"], [])
    shutil.copytree(shipped_bundle(), tmp_path / "b")
    twelvelead("evaluate", tmp_path / "2019", tmp_path / "2020", "--bundle", tmp_path / "b", "--card", "mine")
    in_card = json.loads((tmp_path / "b/card.json").read_text())["tests"]["mine"]
    assert (in_card["namesakes"], in_card["contradicted"]) == (1, 0)  # whose names nobody else should read


def test_folders_in_any_order_give_the_same(houses):
    folders = sorted(folder for folder in houses.iterdir() if folder.is_dir())
    assert find(folders) == find(folders[::-1])


def test_the_same_row_twice_counts_once(own):
    layouts.write_table(own / "recordings.csv", [OWN[0], OWN[1], OWN[0]])
    assert [record.recording for record in find([own]).records] == ["ward/a", "ward/b"]


def test_a_space_in_the_title_line_is_no_part_of_a_name(own):
    (own / "recordings.csv").write_text("path, labels\nward/a.hea,AF\n")
    assert [record.diagnoses for record in find([own]).records] == [("AF",)]


def test_columns_may_be_named_in_capitals(own):
    (own / "recordings.csv").write_text("Path,LABELS,Patient\nward/a.hea,AF,7\n")
    assert [(record.diagnoses, record.patient) for record in find([own]).records] == [(("AF",), "7")]


def test_paths_may_be_parted_as_on_windows(own):
    (own / "recordings.csv").write_text("path,labels\nward\\a.hea,AF\n")
    assert [record.recording for record in find([own]).records] == ["ward/a"]


def test_names_that_only_look_like_suffixes_are_kept(tmp_path):
    """As exported from a PACS: named by their UID."""
    for last in range(3):
        (tmp_path / f"1.2.840.{last}").write_bytes(b"DICM")
    rows = [{"path": f"1.2.840.{last}", "labels": "AF"} for last in range(3)]
    layouts.write_table(tmp_path / "labels.csv", rows)
    assert [record.recording for record in find([tmp_path]).records] == ["1.2.840.0", "1.2.840.1", "1.2.840.2"]


def test_a_table_that_only_looks_like_ones_own_is_passed_over(own):
    (own / "noise.csv").write_bytes(b"\xff\xfe\x00path,labels\n")
    (own / "other.csv").write_text("path,name\nx,y\n")
    (own / "empty.csv").write_bytes(b"")
    assert len(find([own]).records) == 3


@pytest.mark.parametrize("folder, name", [("icu", "I01"), ("patient001", "s0010_re")])
def test_ones_own_table_comes_before_a_database_known_by_the_names_of_its_files(folder, name, tmp_path):
    comments = ["#Reason for admission: Myocardial infarction"]
    Wfdb(name, digital(simulator.ecg()), comments=comments).write(tmp_path / folder)
    layouts.write_table(tmp_path / folder / "labels.csv", [{"path": f"{name}.hea", "labels": "AF", "patient": "p1"}])
    [record] = find([tmp_path / folder]).records
    assert (record.database, record.diagnoses, record.patient) == (folder, ("AF",), "p1")


def test_ones_own_table_beside_that_of_a_published_database_is_named(tmp_path):
    simulator.write_ptbxl(tmp_path, n=2)
    layouts.write_table(tmp_path / "mine.csv", [{"path": "records100/00000/00001_lr.hea", "labels": "PVC"}])
    found = find([tmp_path])
    assert {record.database for record in found.records} == {"ptb-xl"}
    [(path, reason)] = found.passed_over
    assert path.name == "mine.csv"
    assert reason == (
        "the table of a published database beside it counts: move it, with its recordings, into a folder of its own"
    )


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_ones_own_table_in_a_folder_named_like_a_published_database_is_refused(name, own):
    folder = own.rename(own.with_name(name))
    with pytest.raises(DatabaseError, match=f"{name} is a published database's name: rename the folder {name}"):
        find([folder])
    assert len(find([folder.parent]).records) == 3


@pytest.mark.parametrize(
    "name, table, reason",
    [
        ("t.csv", "path,labels\na.hea,PVC\n".encode("utf-16"), "it is UTF-16: save it as CSV UTF-8"),
        ("t.csv", "path,labels,größe\na.hea,PVC,1\n".encode("latin-1"), "it is not UTF-8, or"),
        (
            "t.csv",
            b"path,labels\ra.hea,PVC\r",
            "it is not UTF-8, or its name does not end in .csv, or its lines end as",
        ),
        ("t.csv", b"path\tlabels\na.hea\tPVC\n", "its columns are not parted by commas: save it as CSV UTF-8"),
        ("t.tsv", b"path\tlabels\na.hea\tPVC\n", "its columns are not parted by commas: save it as CSV UTF-8"),
        ("t.csv", b"sep=,\r\npath,labels\r\na.hea,PVC\r\n", "its titles are not in its first line: take out what"),
        ("t.csv", b'# mine\n"Path";Labels\na.hea;PVC\n', "its titles are not in its first line: take out what"),
    ],
)
def test_ones_own_table_that_cannot_be_read_is_named(name, table, reason, tmp_path):
    Wfdb("a", digital(simulator.ecg()), comments=["#Dx: 164889003"]).write(tmp_path)
    (tmp_path / name).write_bytes(table)
    found = find([tmp_path])
    assert [record.diagnoses for record in found.records] == [("AF",)]
    [(path, why)] = found.passed_over
    assert path.name == name
    assert why.startswith(reason)


@pytest.mark.parametrize("table", [b"report_path,labels\n", b"x\ny\npath,labels\n", b"", b"path,name\nlabels,x\n"])
def test_another_table_is_not_taken_for_ones_own_that_cannot_be_read(table, tmp_path):
    Wfdb("a", digital(simulator.ecg()), comments=["#Dx: 164889003"]).write(tmp_path)
    (tmp_path / "t.csv").write_bytes(table)
    assert find([tmp_path]).passed_over == ()


def test_ones_own_table_may_end_in_capitals(own):
    (own / "recordings.csv").rename(own / "RECORDINGS.CSV")
    assert len(find([own]).records) == 3


def test_tables_of_ones_own_in_a_folder_and_below_it_may_not_differ(own):
    layouts.write_table(own / "ward/labels.csv", [{"path": "a.hea", "labels": "PVC"}])
    with pytest.raises(
        DatabaseError, match=r"a.hea has two rows that differ in .*recordings.csv and .*ward/labels.csv"
    ):
        find([own])
    assert [record.diagnoses for record in find([own / "ward"]).records] == [("PVC",)]
    layouts.write_table(own / "ward/labels.csv", [{**OWN[0], "path": "a.hea"}])
    assert (len(find([own]).records), find([own]).repeated) == (3, 0)


def test_ones_own_table_with_semicolons_is_named(own):
    (own / "german.csv").write_text("path;labels\nward/a.hea;AF\n")
    assert (own / "german.csv", "its columns are parted by semicolons: save it with commas") in find([own]).passed_over


def test_recordings_in_hdf5_may_train_and_those_without_a_unit_test_nothing(houses):
    records = [record for name in ("sph", "code-15") for record in find([houses / name]).records]
    samples, refused = load(records, Recipe())
    assert refused == []
    pairs = zip(samples.records, samples.samples, strict=True)
    assert {record.database: sample.in_mv for record, sample in pairs} == {
        "sph": True, "code-15": False,
    }  # fmt: skip


def damaged_hdf5(path, how):
    if how == "cut":
        path.write_bytes(path.read_bytes()[:500])
    elif how == "other":
        path.write_bytes(b"no HDF5 at all")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        with h5py.File(path, "r+") as file:
            del file["ecg"]
            if how == "external link":
                file["ecg"] = h5py.ExternalLink("/etc/passwd", "/ecg")
            elif how == "soft link":
                file["ecg"] = h5py.SoftLink("/elsewhere")
            elif how == "external storage":
                file.create_dataset("ecg", (12, 10), "f4", external=[("/etc/passwd", 0, 480)])
            elif how == "shape":
                file["ecg"] = np.zeros((5000, 12), np.float32)
            elif how == "huge":
                file.create_dataset("ecg", (12, 1 << 30), "f4", chunks=(1, 1 << 16))
            elif how == "text":
                file["ecg"] = ["a"] * 12
            elif how == "group":
                file.create_group("ecg")
            elif how == "nan":
                file["ecg"] = np.full((12, 5000), np.nan)


@pytest.mark.parametrize(
    "how",
    ["cut", "other", "empty", "missing", "external link", "soft link", "external storage", "shape", "huge", "text", "group", "nan"],
)  # fmt: skip
def test_damaged_hdf5_is_refused_in_a_sentence_and_never_leads_to_another_file(how, tmp_path):
    layouts.write_sph(tmp_path)
    record = find([tmp_path]).records[0]
    damaged_hdf5(record.path, how)
    with pytest.raises(RecordError):
        read_labelled(record)


def test_a_link_to_hdf5_is_not_followed(tmp_path):
    layouts.write_sph(tmp_path)
    record = find([tmp_path]).records[0]
    record.path.rename(tmp_path / "elsewhere.h5")
    record.path.symlink_to(tmp_path / "elsewhere.h5")
    with pytest.raises(RecordError, match="it is a link"):
        read_labelled(record)


def test_a_damaged_part_of_code_15_is_named_and_the_rest_found(tmp_path):
    layouts.write_code15(tmp_path)
    (tmp_path / "exams_part2.hdf5").write_bytes(b"damaged")
    found = find([tmp_path])
    assert len(found.records) == 3
    assert [path.name for path, _ in found.passed_over] == ["exams_part2.hdf5", "exams_part1.zip"]


@pytest.mark.parametrize("name, table", [
    ("sph", "metadata.csv"), ("code-15", "exams.csv"), ("mimic", "record_list.csv"), ("mimic", "machine_measurements.csv"),
])  # fmt: skip
@pytest.mark.parametrize("damage", [b"\xff\xfe", b"x" * 140_000, b"\n1,2\n", b"\0", b"\n1e400,../../x,{\n"])
def test_a_damaged_table_is_refused_in_a_sentence_or_read_in_part(name, table, damage, houses, tmp_path):
    folder = shutil.copytree(houses / name, tmp_path / name)
    whole = (folder / table).read_bytes()
    for content in (damage, whole[:150] + damage + whole[150:], damage + whole, whole + damage):
        (folder / table).write_bytes(content)
        with suppress(DatabaseError):
            find([folder])


def test_duplicates_are_told_by_content_whatever_their_files(tmp_path):
    signal = digital(layouts.SIGNAL)
    Wfdb("E00001", signal, comments=["#Dx: 164889003"]).write(tmp_path / "a")
    Wfdb("E00002", signal, suffix=".dat", comments=["#Dx: 164889003"]).write(tmp_path / "b")
    Wfdb("E00003", signal + np.int16(1), comments=["#Dx: 164889003"]).write(tmp_path / "b")
    Wfdb("E00004", signal, rate="400", comments=["#Dx: 164889003"]).write(tmp_path / "b")
    found = contents(find([tmp_path]).records)
    assert found.duplicates == (("georgia/E00001", "georgia/E00002"),)


def test_a_recording_in_two_files_is_counted_once_and_said(tmp_path):
    for folder in ("a", "b"):
        Wfdb("E00001", digital(layouts.SIGNAL), comments=["#Dx: 164889003"]).write(tmp_path / folder)
    found = find([tmp_path])
    assert (len(found.records), found.repeated, found.contradicted) == (1, 1, ())


def test_two_files_of_one_name_with_other_diagnoses_are_told(tmp_path, twelvelead):
    for folder, code in (("a", "164889003"), ("b", "59118001")):
        Wfdb("E00001", digital(layouts.SIGNAL), comments=[f"#Dx: {code}"]).write(tmp_path / folder)
    found = find([tmp_path])
    assert found.contradicted == ((tmp_path / "b/E00001.hea", tmp_path / "a/E00001.hea"),)
    done = twelvelead("databases", tmp_path, "--no-read")
    assert "in 1 file of them the diagnoses are others" in done.stdout.replace("\n", " ")


def test_a_fingerprint_knows_the_rate_and_a_microvolt(record):
    assert fingerprint(record) == fingerprint(record)
    assert len(fingerprint(record)) == 16


def test_the_command_says_what_it_found(houses, twelvelead):
    done = twelvelead("databases", houses, "--json")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["databases"]["sph"]["positives"]["PAC"] == 2
    assert (answer["databases"]["incart"]["patients"], answer["databases"]["georgia"]["patients"]) == (3, None)
    assert [item["path"].rsplit("/", 1)[1] for item in answer["unreadable"]] == ["E04603.hea"]
    assert any("sph/A00001" in group for group in answer["duplicates"])
    done = twelvelead("databases", houses)
    assert "unreadable: 1" in done.stdout
    assert "the same samples" in done.stdout
    assert "exams_part1.zip" in done.stdout


def test_the_command_without_reading_is_done_with_the_tables(houses, twelvelead):
    done = twelvelead("databases", houses, "--no-read", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["duplicates"] is None
    assert answer["databases"]["code-15"]["positives"]["STE"] is None


@pytest.mark.corpus
def test_the_real_databases_hold_no_unreadable_recording(corpus):
    assert contents(find([corpus / "data/challenge", corpus / "data/ludb"]).records).unreadable == ()


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["E00018", "E00793"])
def test_georgias_real_headers_of_4880_are_put_right(corpus, name):
    record = read(corpus / f"data/challenge/training/georgia/g1/{name}.hea")
    assert record.warnings == ("gain 4880/mV: the samples are microvolts in steps of 4.88, so 1000/mV was taken",)
    assert 1 < np.abs(record.signal).max() < 3


def test_a_label_after_a_comma_without_quotes_is_not_lost(own):
    (own / "recordings.csv").write_text("path,labels\nward/a.hea,AF,PVC\n")
    with pytest.raises(DatabaseError, match=r"line 2 is damaged \(more cells than columns"):
        find([own])


@pytest.mark.parametrize("fact, label", [("patient", "PVC"), ("patient", "i-avb"), ("patient", "164884008"),
                                         ("age", "PVC"), ("sex", "PVC"), ("fold", "PVC")])  # fmt: skip
def test_a_label_after_a_comma_without_quotes_is_not_taken_for_a_patient(fact, label, own):
    (own / "recordings.csv").write_text(f"path,labels,{fact}\nward/a.hea,AF,{label}\n")
    reason = rf"\({fact} '{label}' is a diagnosis: part several labels by semicolons, or quote them\)"
    with pytest.raises(DatabaseError, match=reason):
        find([own])


@pytest.mark.parametrize("titles, name", [("path,labels,labels", "labels"), ("path,Labels,labels ", "labels"),
                                          ("path,labels,patient,x,Patient,x", "patient")])  # fmt: skip
def test_a_column_that_is_twice_in_ones_own_table_is_refused(titles, name, own):
    (own / "recordings.csv").write_text(f"{titles}\nward/a.hea,AF,PVC\n")
    with pytest.raises(DatabaseError, match=rf"recordings\.csv has 2 columns {name}: leave one, or rename the others"):
        find([own])


def test_other_columns_of_ones_own_table_may_be_twice(own):
    (own / "recordings.csv").write_text("path,labels,,,note,note\nward/a.hea,AF,,,x,y\n")
    assert [record.diagnoses for record in find([own]).records] == [("AF",)]


def test_a_header_whose_dx_is_no_code_is_left_out(tmp_path):
    Wfdb("a", digital(simulator.ecg()), comments=["#Dx: banana"]).write(tmp_path)
    Wfdb("b", digital(simulator.ecg(seed=1)), comments=["#Dx: 164889003,AF"]).write(tmp_path)
    found = find([tmp_path])
    assert [record.diagnoses for record in found.records] == [("AF",)]
    assert found.passed_over[0][1] == "its Dx has 'banana': it must be SNOMED CT numbers, or names of the nine"


def test_a_table_of_ones_own_comes_before_the_headers_that_it_names(tmp_path):
    for name in "ab":
        Wfdb(name, digital(simulator.ecg(seed=ord(name))), comments=["#Dx: 59118001"]).write(tmp_path / "r")
    (tmp_path / "labels.csv").write_text("path,labels\nr/a.hea,PVC\n")
    found = find([tmp_path])
    assert sorted((record.path.stem, record.diagnoses) for record in found.records) == [
        ("a", ("PVC",)),
        ("b", ("RBBB",)),
    ]
    assert found.repeated == 0
