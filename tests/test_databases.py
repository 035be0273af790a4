"""Every known layout, and the traps of the real databases, each under its name."""

import errno
import os
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

import simulator
from simulator import Wfdb, digital
from twelvelead.databases import DatabaseError, LabelledRecord, find, groups_of, only, people_of, read_keys
from twelvelead.databases.codes import from_challenge, from_cpsc_numbers, from_ludb, from_scp
from twelvelead.formats import read
from twelvelead.reports import fhir

SIGNAL = digital(simulator.ecg())


def labelled(folder: Path, comments: list[str], name: str = "E00001"):
    Wfdb(name, SIGNAL, comments=comments).write(folder)
    return find([folder]).records[0]


def test_all_layouts_are_found_below_one_folder(home):
    found = find([home])
    assert Counter(record.database for record in found.records) == {"cpsc2018": 32, "ptb-xl": 48, "ludb": 4}
    assert all(read(record.path).n_samples for record in found.records)


def test_a_flat_challenge_folder_is_found(tmp_path):
    assert labelled(tmp_path, ["#Dx: 164889003"]).diagnoses == ("AF",)


@pytest.mark.parametrize("comment", ["#Dx: 164889003,59118001", "# Dx: 164889003, 59118001", "#Dx:164889003,59118001"])
def test_dx_with_and_without_a_space(comment, tmp_path):
    assert labelled(tmp_path, [comment]).diagnoses == ("AF", "RBBB")


@pytest.mark.parametrize("age, expected", [("NaN", None), ("300", None), ("66", 66.0), ("89+", None)])
def test_ages(age, expected, tmp_path):
    assert read(labelled(tmp_path, [f"#Age: {age}", "#Dx: 164889003"]).path).age == expected


def test_the_codes_of_our_own_reports_are_labels():
    assert {code: from_challenge([code]) for code in fhir.SNOMED.values()} == {
        code: (name,) for name, code in fhir.SNOMED.items()
    }


def test_a_recording_without_labels_is_passed_over_and_named(tmp_path):
    Wfdb("E00001", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    unlabelled = Wfdb("E00002", SIGNAL, comments=["#Age: 3"]).write(tmp_path)
    found = find([tmp_path])
    assert [record.recording for record in found.records] == ["E00001"]
    assert found.passed_over == ((unlabelled, "its header has no Dx, so nobody knows its diagnoses"),)


def test_a_recording_whose_name_is_no_text_is_passed_over_and_named(tmp_path):
    Wfdb("E00001", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    path = Wfdb("mine", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    unnameable = path.rename(tmp_path / "mine\udcff.hea")
    found = find([tmp_path])
    assert [record.recording for record in found.records] == ["E00001"]
    assert found.passed_over == ((unnameable, "its name is not UTF-8: rename it"),)


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path, monkeypatch):
    """As root one may look into everything, so the system is made to refuse."""
    Wfdb("E00001", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    (closed := tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path):
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert find([tmp_path]).passed_over == ((closed, "cannot be looked into: Permission denied"),)


def test_sinus_rhythm_is_normal_in_cpsc2018_only(tmp_path):
    for name, expected in (
        ("A0001", ("Normal",)),
        ("Q0001", ("Normal",)),
        ("E00001", ()),
        ("JS00001", ()),
        ("HR00001", ()),
    ):
        assert labelled(tmp_path / name, ["#Dx: 426783006"], name).diagnoses == expected


@pytest.mark.parametrize("codes, diagnoses", [
    (["59118001", "713427006"], ("RBBB",)), (["284470004"], ("PAC",)), (["63593006"], ("PAC",)),
    (["427172004"], ("PVC",)), (["17338001"], ("PVC",)), (["164884008"], ("PVC",)), (["733534002"], ("LBBB",)),
    (["164909002"], ("LBBB",)), (["STE", "AF"], ("AF", "STE")), (["I-AVB"], ("I-AVB",)), (["164865005"], ()), (["Normal"], ("Normal",)),
])  # fmt: skip
def test_equivalent_codes_and_abbreviations(codes, diagnoses):
    assert from_challenge(codes) == diagnoses


def test_scp_codes_and_cpsc_numbers():
    assert from_scp({"SR": 0.0, "NORM": 100.0}) == ("Normal",)
    assert from_scp({"SR": 0.0, "CRBBB": 100.0, "1AVB": 0.0, "STD_": 0.0}) == ("I-AVB", "RBBB", "STD")
    assert from_scp(["IRBBB", "LAFB"]) == ()
    assert from_cpsc_numbers("123456789") == ("AF", "I-AVB", "LBBB", "Normal", "PAC", "PVC", "RBBB", "STD", "STE")


def test_ludb_statements(home):
    by_recording = {record.recording: record.diagnoses for record in find([home / "ludb"]).records}
    assert by_recording == {"1": ("Normal",), "2": ("AF",), "3": ("I-AVB", "PAC"), "4": ("PVC",)}
    assert from_ludb(["Sinus rhythm", "Left ventricular hypertrophy"]) == ()
    assert from_ludb(["Stemi: anterior wall"]) == ()


def test_cpsc2018_with_several_labels(home):
    records = find([home / "cpsc2018"]).records
    assert records[1].diagnoses == ("AF", "STD")
    assert records[1].key == "cpsc2018/A2002"


def test_ptbxl_at_both_rates_counts_each_recording_once(tmp_path):
    simulator.write_ptbxl(tmp_path, n=4, rates=(100, 500))
    assert [record.path.parent.parent.name for record in find([tmp_path]).records] == ["records100"] * 4
    assert [record.path.parent.parent.name for record in find([tmp_path], rate_hz=500).records] == ["records500"] * 4


def test_ptbxl_in_part_is_found_in_part(tmp_path):
    simulator.write_ptbxl(tmp_path, n=4)
    (tmp_path / "records100/00000/00003_lr.hea").unlink()
    assert [record.recording for record in find([tmp_path]).records] == ["00001", "00002", "00004"]


def test_a_file_name_outside_the_database_is_refused(tmp_path):
    simulator.write_ptbxl(tmp_path, n=1)
    table = tmp_path / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("records100/", "../../etc/"))
    with pytest.raises(DatabaseError, match="it must be relative to the table, and of a file below it"):
        find([tmp_path])


def test_a_recording_in_two_forms_counts_once_with_its_patient(tmp_path):
    Wfdb("HR00001", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path / "challenge")
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=1)
    for folders in ([tmp_path / "challenge", tmp_path / "ptb-xl"], [tmp_path / "ptb-xl", tmp_path / "challenge"]):
        (record,) = find(folders).records
        assert (record.key, record.patient) == ("ptb-xl/00001", "0")


def test_a_header_in_capitals_is_one(tmp_path):
    path = Wfdb("rec1", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    path.rename(tmp_path / "rec1.HEA")
    assert [record.diagnoses for record in find([tmp_path]).records] == [("AF",)]


def test_an_empty_folder_says_what_is_known(tmp_path):
    with pytest.raises(DatabaseError, match="no labelled recordings in .*: known are"):
        find([tmp_path])
    with pytest.raises(DatabaseError, match="is not a folder"):
        find([tmp_path / "nowhere"])


def test_a_damaged_header_is_passed_over_and_named(tmp_path):
    Wfdb("E00001", SIGNAL, comments=["#Dx: 164889003"]).write(tmp_path)
    bad = Wfdb("E00002", SIGNAL, gain="abc/mV", comments=["#Dx: 164889003"]).write(tmp_path)
    os.mkfifo(tmp_path / "E00003.hea")
    (tmp_path / "E00004.hea").mkdir()
    (tmp_path / "._E00001.hea").write_bytes(b"\0\5")
    found = find([tmp_path])
    assert [record.recording for record in found.records] == ["E00001"]
    assert [path.name for path, _ in found.passed_over] == ["E00002.hea", "E00003.hea", "E00004.hea"]
    assert found.passed_over[0][0] == bad


def test_recordings_of_ones_own_keep_their_path_as_identity(tmp_path):
    for ward in ("s1", "s2"):
        Wfdb("rec1", SIGNAL, comments=["#Dx: AF"]).write(tmp_path / "own" / ward / "data")
    assert [record.key for record in find([tmp_path / "own"]).records] == ["own/s1/data/rec1", "own/s2/data/rec1"]


@pytest.mark.parametrize(
    "layout, table", [("ptb-xl", "ptbxl_database.csv"), ("ludb", "ludb.csv"), ("cpsc2018", "REFERENCE.csv")]
)
@pytest.mark.parametrize("damage", [b"\xff\xfe", b"x" * 140_000, b"\n1,2\n", b"ecg_id,ID,Recording\n1e400,1e400,{\n"])
def test_a_damaged_table_is_refused_in_a_sentence_or_read_in_part(home, layout, table, damage, tmp_path):
    folder = shutil.copytree(home / layout, tmp_path / layout)
    whole = (folder / table).read_bytes()
    for content in (damage, whole[:300] + damage + whole[300:], damage + whole):
        (folder / table).write_bytes(content)
        with suppress(DatabaseError):
            find([folder])


def test_a_table_as_excel_saves_it_is_read(home, tmp_path):
    folder = shutil.copytree(home / "ludb", tmp_path / "ludb")
    (folder / "ludb.csv").write_bytes(b"\xef\xbb\xbf" + (folder / "ludb.csv").read_bytes())
    assert len(find([folder]).records) == 4


def one(recording, patient=None, fold=None, sex=None, database="ptb-xl"):
    return LabelledRecord(
        path=Path(recording), database=database, recording=recording, diagnoses=(), patient=patient, fold=fold, sex=sex
    )


def test_groups_are_patients_where_all_are_known():
    assert groups_of([one("1", "p", 1), one("2", "p", 1), one("3", "q", 1)]) == [
        "ptb-xl/patient p", "ptb-xl/patient p", "ptb-xl/patient q",
    ]  # fmt: skip


def test_groups_are_folds_and_sexes_where_some_patients_are_unknown():
    groups = groups_of([one("1", "p", 1, "F"), one("2", None, 1, "F"), one("3", None, 1, "M"), one("4")])
    assert groups == ["ptb-xl/fold 1 F", "ptb-xl/fold 1 F", "ptb-xl/fold 1 M", None]


def test_groups_are_whole_folds_where_a_sex_is_unknown():
    groups = groups_of([one("1", None, 1, "F"), one("2", None, 1, None), one("3", None, 2, "F")])
    assert groups == ["ptb-xl/fold 1", "ptb-xl/fold 1", "ptb-xl/fold 2 F"]


def test_groups_are_whole_folds_where_the_sex_of_a_patient_differs():
    groups = groups_of([one("1", "p", 1, "F"), one("2", "p", 1, "M"), one("3", None, 1, "F"), one("4", "q", 2, "M")])
    assert groups == ["ptb-xl/fold 1", "ptb-xl/fold 1", "ptb-xl/fold 1", "ptb-xl/fold 2 M"]


def test_groups_are_recordings_where_nothing_is_known():
    assert groups_of([one("A1", database="cpsc2018"), one("A2", database="cpsc2018")]) == ["cpsc2018/A1", "cpsc2018/A2"]


def test_a_recording_without_a_patient_costs_itself_only_where_there_are_no_folds():
    groups = groups_of([one("1", "p"), one("2", "q"), one("3")])
    assert groups == ["ptb-xl/patient p", "ptb-xl/patient q", None]


@pytest.mark.parametrize("second", [2, None])
def test_folds_that_divide_a_patient_are_refused(second):
    with pytest.raises(DatabaseError, match="patient p of ptb-xl is in folds 1, "):
        groups_of([one("1", "p", 1), one("2", "p", second), one("3", "q", 1)])


def test_two_folders_of_one_name_are_not_taken_for_one(tmp_path):
    for site, label in (("a", "AF"), ("b", "PVC")):
        folder = tmp_path / site / "ecg"
        folder.mkdir(parents=True)
        (folder / "0.dcm").write_bytes(b"DICM")
        (folder / "table.csv").write_text(f"path,labels\n0.dcm,{label}\n")
    with pytest.raises(DatabaseError, match="a/ecg and .*b/ecg both have a recording ecg/0, .*: rename one"):
        find([tmp_path / "a/ecg", tmp_path / "b/ecg"])
    assert len(find([tmp_path / "a/ecg", tmp_path / "a/ecg"]).records) == 1
    assert len(find([tmp_path]).records) == 2


def test_lists_of_recordings(tmp_path):
    (tmp_path / "list.txt").write_text("# a test\nptb-xl/1  # the first\n\n")
    keys = read_keys(tmp_path / "list.txt")
    assert only([one("1"), one("2")], keys) == (one("1"),)
    (tmp_path / "notepad.txt").write_text("ptb-xl/1", encoding="utf-8-sig")
    assert read_keys(tmp_path / "notepad.txt") == keys
    with pytest.raises(DatabaseError, match="1 listed recordings are in no folder, the first is ptb-xl/9"):
        only([one("1")], keys | {"ptb-xl/9"})


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe\x00"])
def test_a_list_of_nothing_is_refused(content, tmp_path):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DatabaseError, match="it must list one database/recording a line"):
        read_keys(tmp_path / "list.txt")


def test_people_are_patients_where_they_are_known():
    assert people_of([one("1", "p"), one("2", "p"), one("3")]) == ["ptb-xl/patient p", "ptb-xl/patient p", "ptb-xl/3"]


@pytest.mark.corpus
def test_the_real_databases(corpus):
    found = find([corpus / "data"])
    counts = Counter(record.database for record in found.records)
    assert counts == {"ptb-xl": 4099, "ludb": 200, "cpsc2018": 60, "chapman-shaoxing": 57, "ningbo": 36, "georgia": 32,
                      "cpsc2018-extra": 17, "ptb": 4}  # fmt: skip
    positives = Counter(diagnosis for record in found.records for diagnosis in record.diagnoses)
    assert positives["STE"] == 10
    assert found.passed_over == ()
    assert sum(group is None for group in groups_of(found.records)) == 15


@pytest.mark.corpus
def test_no_real_patient_changes_sex_so_that_sex_may_part_a_fold(corpus):
    sexes = {}
    for record in find([corpus / "data/ptb-xl"]).records:
        sexes.setdefault(record.patient, set()).add(record.sex)
    assert all(len(of_one) == 1 for of_one in sexes.values())
