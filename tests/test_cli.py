"""The command line as a machine meets it: JSON, exit statuses, and errors of one sentence."""

import csv
import errno
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from rich.console import Console

import layouts
import simulator
from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.databases import LabelledRecord
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.classify import _opened
from twelvelead.doors.cli import _in_words
from twelvelead.doors.left_out import tell_left_out
from twelvelead.doors.options import listed
from twelvelead.doors.tried import Tried, as_csv
from twelvelead.network.zoo import NETWORKS
from twelvelead.record import LEADS
from twelvelead.scoring.scores import Predictions, class_scores, means

COMMANDS = [
    "classify",
    "archive",
    "archive-report",
    "show",
    "convert",
    "evaluate",
    "score",
    "train",
    "study",
    "networks",
    "download",
    "databases",
    "serve",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two good recordings, one cut short, one of 3 s, one without a header."""
    folder = tmp_path_factory.mktemp("recordings")
    for name, samples in (
        ("good", simulator.ecg()),
        ("long", simulator.ecg("AF", 60.0)),
        ("brief", simulator.ecg(duration_s=3.0)),
    ):
        simulator.Wfdb(name, simulator.digital(samples)).write(folder)
    simulator.Wfdb("short", simulator.digital(simulator.ecg())).write(folder)
    (folder / "short.mat").write_bytes(b"\0" * 100)
    simulator.Wfdb("orphan", simulator.digital(simulator.ecg())).write(folder).unlink()
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, twelvelead):
    done = twelvelead(command, "--help")
    assert done.returncode == 0
    assert f"Example: twelvelead {command}" in " ".join(done.stdout.split())


def test_the_command_line_starts_without_what_few_commands_need():
    few = {"torch", "urllib3", "h5py", "scipy", "fastapi", "uvicorn", "pebble", "pyarrow", "distributed"}
    program = f"import sys, twelvelead.doors.cli; print(*{few} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_missing_library_is_named_with_its_extra(tmp_path):
    layouts.write_code15(tmp_path)
    program = (
        "import sys; sys.modules['h5py'] = None; sys.argv = ['twelvelead', 'databases', sys.argv[1]]; "
        "from twelvelead.doors.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "twelvelead: this command needs h5py: install it with pip install 'twelvelead[hdf5]', or '.[hdf5]' in its folder"
    )


def test_classify_answers_a_line_each_and_goes_on_after_a_refusal(folder, bundle, twelvelead):
    done = twelvelead("classify", folder, get_testdata_file("waveform_ecg.dcm"), "--bundle", bundle, "--json")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {line["path"].rsplit("/", 1)[1]: line for line in lines}
    assert set(answers) == {"good.hea", "long.hea", "brief.hea", "short.hea", "orphan.mat", "waveform_ecg.dcm"}
    assert {name for name, line in answers.items() if "error" in line} == {"brief.hea", "short.hea", "orphan.mat"}
    assert set(answers["brief.hea"]) == {"path", "error"}
    assert answers["brief.hea"]["error"] == "3 s of signal: at least 5 s are needed"
    good = answers["good.hea"]
    assert set(good) == {"path", "record", "probabilities", "positive", "withheld", "quality", "warnings"}
    assert list(good["probabilities"]) == list(DIAGNOSES)
    assert set(good["positive"]) <= set(DIAGNOSES)
    assert good["record"] == "good"


def test_classify_exits_with_0_where_nothing_was_refused(folder, bundle, twelvelead):
    done = twelvelead("classify", folder / "good.hea", "--bundle", bundle)
    assert done.returncode == 0
    assert "atrial fibrillation (AF)" in done.stdout
    assert "no medical device" in done.stdout


def test_classify_tells_people_what_was_refused(folder, bundle, twelvelead):
    bad = folder / "brief.hea", folder / "nowhere.hea", "x" * 300
    done = twelvelead("classify", *bad, folder / "good.hea", "--bundle", bundle)
    assert done.returncode == 1
    assert "cannot be opened: File name too long" in done.stdout
    assert "atrial fibrillation (AF)" in done.stdout
    assert "refused: 3 s of signal: at least 5 s are needed" in done.stdout
    assert "nowhere.hea cannot be opened: No such file or directory" in done.stdout


def test_a_folder_that_cannot_be_looked_into_is_refused_as_such(tmp_path, monkeypatch):
    """As root one may look into everything, so the system is made to refuse."""

    def refusing(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refusing)
    assert str(_opened(tmp_path, whole=False, start_s=0.0)) == "cannot be looked into: Permission denied"


def test_an_empty_folder_is_refused(tmp_path, bundle, twelvelead):
    done = twelvelead("classify", tmp_path, "--bundle", bundle, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"].startswith("no recordings can be found in this folder")


def test_drawings_of_the_same_name_do_not_overwrite_each_other(folder, bundle, twelvelead, tmp_path):
    done = twelvelead("classify", folder / "good.hea", folder / "good.mat", "--bundle", bundle, "--paper", tmp_path)
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good-2.svg", "good.svg"]
    assert str(tmp_path / "good.svg") in done.stdout


def test_a_narrow_terminal_and_a_long_name_stop_no_batch(bundle, tmp_path):
    for name in ("Müller", "x" * 240, "z"):
        csv = "# rate_hz: 100\n# unit: mV\nI,II,V1,V2,V3,V4,V5,V6\n"
        rows = "\n".join(
            ",".join(f"{value:.3f}" for value in row) for row in simulator.ecg(rate_hz=100.0)[[0, 1, *range(6, 12)]].T
        )
        (tmp_path / f"{name}.csv").write_text(csv + rows)
    command = [sys.executable, "-m", "twelvelead", "classify", tmp_path, "--bundle", bundle, "--report", tmp_path / "r"]
    done = subprocess.run(
        [*map(str, command), "--paper", str(tmp_path / "p")], env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "M?ller" in done.stdout
    for folder in ("r", "p"):
        assert sorted(path.stem for path in (tmp_path / folder).iterdir()) == ["Müller", "x" * 200, "z"]


def test_evaluate_answers_what_is_promised(home, bundle, twelvelead):
    done = twelvelead("evaluate", home, "--bundle", bundle, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["records"] == 84
    assert result["records_with_a_diagnosis"] == 84
    assert result["patients"] < 84
    assert result["seen_in_training"] == 84
    assert result["repeated"] == 0
    assert set(result["scores"]) == set(result["intervals"]) == {"f2", "g2", "f1", "accuracy", "auroc", "auprc"}
    assert set(result["classes"]) == set(DIAGNOSES)
    assert {"positives", "auroc", "f2", "g2"} <= set(result["classes"]["AF"])
    assert set(result["databases"]) == {"cpsc2018", "ptb-xl", "ludb"}
    for parting in ("databases", "sexes", "ages"):
        assert sum(part["records"] for part in result[parting].values()) == 84
    assert {"F", "M"} <= set(result["sexes"])
    low, high = result["intervals"]["auroc"]
    assert low <= result["scores"]["auroc"] <= high


def test_evaluate_tells_people_that_training_data_are_no_test(home, bundle, twelvelead):
    done = twelvelead("evaluate", home / "ludb", "--bundle", bundle)
    assert done.returncode == 0
    assert "4 of them were seen in training: this is no test" in done.stdout
    assert "left out of the means, for want of a positive: LBBB" in done.stdout


def test_evaluate_tells_of_patients_of_whom_other_recordings_were_seen(bundle, twelvelead, tmp_path):
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=49)
    table = tmp_path / "ptb-xl" / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("\n49,48.0,", "\n49,0.0,"))  # a new recording of the first patient
    (tmp_path / "new.txt").write_text("ptb-xl/00049\n")
    done = twelvelead("evaluate", tmp_path, "--bundle", bundle, "--records", tmp_path / "new.txt")
    assert "other recordings of 1 patient were seen in training: this is no test" in done.stdout, done.stderr


def test_evaluate_does_not_say_that_no_patient_was_seen_where_it_cannot_know(bundle, twelvelead, tmp_path):
    simulator.write_ptbxl(tmp_path / "ptb-xl", n=49)
    table = tmp_path / "ptb-xl" / "ptbxl_database.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[-1]]) + "\n")  # what it was trained on is not there
    done = twelvelead("evaluate", tmp_path, "--bundle", bundle, "--json")
    assert json.loads(done.stdout)["patients_seen_in_training"] is None, done.stderr
    told = twelvelead("evaluate", tmp_path, "--bundle", bundle).stdout
    assert "nobody can say of whom they were" in " ".join(told.split())


def test_what_evaluate_scored_is_in_the_table_of_predictions(home, bundle, twelvelead, tmp_path):
    arguments = ["evaluate", home, "--bundle", bundle, "--predictions", tmp_path / "said.csv", "--json"]
    result = json.loads(twelvelead(*arguments).stdout)
    rows = list(csv.DictReader((tmp_path / "said.csv").read_text().splitlines()))
    assert len(rows) == result["records"]
    truth = np.array([name in row["labels"].split() for row in rows for name in DIAGNOSES]).reshape(-1, 9)
    said = np.array([name in row["positive"].split() for row in rows for name in DIAGNOSES]).reshape(-1, 9)
    chances = np.array([float(row[name]) for row in rows for name in DIAGNOSES]).reshape(-1, 9)
    scores = class_scores(Predictions(truth, said, chances, [row["patient"] for row in rows]))
    assert means(scores) == pytest.approx(result["scores"], abs=1e-12)
    assert (said == (chances >= load_bundle(bundle).thresholds)).all()
    done = twelvelead(*arguments)
    assert done.returncode == 1
    assert "said.csv is there already" in done.stderr
    done = twelvelead("evaluate", home, "--bundle", bundle, "--predictions", tmp_path / "none/said.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none is no folder: make it first" in done.stderr
    done = twelvelead("evaluate", home, "--bundle", bundle, "--predictions", "/proc/said.csv")  # not even for root
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing can be written to /proc" in done.stderr


def test_a_name_that_a_spreadsheet_would_compute_is_text_in_the_table_of_predictions():
    facts = {"path": Path("x"), "database": "=db", "recording": "1", "diagnoses": ("AF",)}
    records = [LabelledRecord(**facts, patient=patient) for patient in ("@SUM(A1)", None, "+1")]
    said = Predictions(np.zeros((3, 9), bool), np.zeros((3, 9), bool), np.full((3, 9), 1e-5), ["a", "b", "c"])
    rows = list(csv.reader(as_csv(Tried(records, said, [False] * 3, [], 0)).splitlines()))[1:]
    assert [row[:3] for row in rows] == [["'=db/1", patient, "AF"] for patient in ("'@SUM(A1)", "", "'+1")]
    assert rows[0][4:] == ["1e-05"] * 9


def test_evaluate_counts_a_copy_in_another_database_once_and_says_what_is_never_stated(bundle, twelvelead, tmp_path):
    signal = simulator.digital(simulator.ecg(seed=1))
    simulator.Wfdb("E00001", signal, comments=["#Dx: 164889003"]).write(tmp_path / "georgia")
    simulator.Wfdb("mine", signal, comments=["#Dx: 164889003"]).write(tmp_path / "ward")
    result = json.loads(twelvelead("evaluate", tmp_path, "--bundle", bundle, "--json").stdout)
    assert (result["records"], result["copies"], result["never_stated"]) == (1, 1, {"georgia": ["Normal"]})
    told = twelvelead("evaluate", tmp_path, "--bundle", bundle).stdout
    assert "left out 1 recording: another database has a copy by another name" in told
    assert "georgia never states Normal: its recordings count as without" in told


def test_ptbxl_in_the_challenges_form_never_states_who_is_normal(bundle, twelvelead, home, tmp_path):
    signal = simulator.digital(simulator.ecg(seed=1))
    simulator.Wfdb("HR00001", signal, comments=["#Dx: 426783006"]).write(tmp_path)
    result = json.loads(twelvelead("evaluate", tmp_path, "--bundle", bundle, "--json").stdout)
    assert result["never_stated"] == {"ptb-xl": ["Normal"]}
    of_table = json.loads(twelvelead("evaluate", home / "ptb-xl", "--bundle", bundle, "--json").stdout)
    assert of_table["never_stated"] == {}


@pytest.mark.parametrize("name", ["sheet.svg", "sheet.PDF"])
def test_a_drawing_named_as_a_file_is_refused(name, twelvelead, tmp_path):
    done = twelvelead("classify", get_testdata_file("waveform_ecg.dcm"), "--paper", tmp_path / name)
    assert done.returncode == 1
    assert "it must be a folder" in done.stderr
    assert not (tmp_path / name).exists()


def test_the_folder_itself_is_named_where_a_file_is_expected(twelvelead):
    assert "/ is not a plain file" in twelvelead("show", "/").stdout + twelvelead("show", "/").stderr


def test_what_databases_lists_is_a_list_for_evaluate(home, bundle, twelvelead, tmp_path):
    listed = twelvelead("databases", home, "--list").stdout.splitlines()
    rows = list(csv.DictReader(listed))
    assert len(rows) == 84
    chosen = [line for line in listed[1:] if line.startswith("ptb-xl/")][:3]
    (tmp_path / "some.csv").write_text("\n".join([listed[0], *chosen]) + "\n")
    done = twelvelead("evaluate", home, "--bundle", bundle, "--records", tmp_path / "some.csv", "--json")
    assert json.loads(done.stdout)["records"] == 3, done.stderr


def test_evaluate_takes_the_recordings_that_are_listed(home, bundle, twelvelead, tmp_path):
    (tmp_path / "list.txt").write_text("ptb-xl/00001\nptb-xl/00002\n")
    done = twelvelead("evaluate", home, "--bundle", bundle, "--records", tmp_path / "list.txt", "--json")
    assert json.loads(done.stdout)["records"] == 2


def test_score_answers_six_numbers(tmp_path, twelvelead):
    for name in ("labels", "outputs"):
        (tmp_path / name).mkdir()
    (tmp_path / "labels/A1.hea").write_text("A1 12 500 5000\n#Dx: AF\n")
    (tmp_path / "outputs/A1.csv").write_text("#A1\nAF,PVC\n1,0\n0.9,0.1\n")
    for phase in ("unofficial", "2020"):
        done = twelvelead("score", tmp_path / "labels", tmp_path / "outputs", "--phase", phase, "--json")
        assert set(json.loads(done.stdout)) == {"f2", "g2", "f1", "accuracy", "auroc", "auprc"}


def test_networks_lists_every_network(twelvelead):
    rows = json.loads(twelvelead("networks", "--json").stdout)
    assert [row["name"] for row in rows] == list(NETWORKS)
    assert all(set(row) == {"name", "parameters", "macs_per_10_s"} for row in rows)


def test_train_answers_in_its_last_line(trained):
    assert set(trained) == {"bundle", "parameters", "epochs", "validation"}
    assert 1 <= trained["epochs"] <= 12


@pytest.mark.parametrize("arguments, sentence", [
    (["classify", "x", "--bundle", "/nowhere"], "no bundle in /nowhere"),
    (["evaluate", "/nowhere"], "/nowhere is not a folder"),
    (["score", "/nowhere", "/nowhere"], "/nowhere is not there"),
    (["train", "/nowhere", "--out", "/nowhere/b"], "/nowhere is not a folder"),
    (["train", ".", "--out", "b", "--network", "huge"], "network 'huge': there are single, dual, triple"),
])  # fmt: skip
def test_an_error_is_one_sentence_on_standard_error(arguments, sentence, bundle, twelvelead, tmp_path):
    if arguments[0] == "evaluate":
        arguments = [*arguments, "--bundle", str(bundle)]
    done = twelvelead(*arguments, "--json" if arguments[0] != "score" else "--phase=2020", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [["classify"], ["nope"], ["train", "x"], ["train", "x", "--out", "b", "--epochs", "0"],
                                       ["score", "a", "b", "--phase", "3"], ["classify", "x", "--nope"]])  # fmt: skip
def test_a_wrong_call_is_one_sentence_too(arguments, twelvelead):
    done = twelvelead(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("twelvelead: ")
    assert "see twelvelead COMMAND --help" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_bundle_never_replaces_what_is_none(home, twelvelead, tmp_path):
    folder = shutil.copytree(home / "ludb", tmp_path / "ludb")
    (tmp_path / "precious").mkdir()
    for out, sentence in (
        (tmp_path / "precious", "is no bundle"),
        (folder, "is no bundle"),
        (tmp_path, "is no bundle"),
    ):
        done = twelvelead("train", folder, "--out", out)
        assert done.returncode == 1
        assert sentence in done.stderr
    assert (folder / "ludb.csv").is_file()


@pytest.mark.parametrize(("card", "sentence"), [('{"title": "my cards"}', "is no bundle"), (None, "holds thesis.txt")])
def test_train_removes_nothing_that_is_no_part_of_a_bundle(home, bundle, twelvelead, tmp_path, card, sentence):
    out = shutil.copytree(bundle, tmp_path / "out")
    (out / "thesis.txt").write_text("years")
    if card:
        (out / "card.json").write_text(card)
    for options in ((), ("--replace",)):
        done = twelvelead("train", home, "--out", out, "--epochs", 1, *options)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert (out / "thesis.txt").read_text() == "years"


def test_the_command_line_starts_where_unix_modules_are_missing():
    """On Windows; a command that needs one says so by itself."""
    without = "import sys; sys.modules.update(dict.fromkeys(['resource', 'fcntl', 'pwd']))"
    subprocess.run([sys.executable, "-c", f"{without}; import twelvelead.doors.cli"], check=True)


def test_what_was_trained_on_is_known_under_another_name(home, bundle, twelvelead, tmp_path):
    for number, suffix in itertools.product((1, 2, 3), (".hea", ".dat")):
        shutil.copy(home / f"ludb/data/{number}{suffix}", tmp_path)
    (tmp_path / "labels.csv").write_text("path,labels\n1.hea,AF\n2.hea,none\n3.hea,AF\n")
    done = twelvelead("evaluate", tmp_path, "--bundle", bundle)
    assert "3 of them were seen in training" in done.stdout


@pytest.fixture(scope="module")
def hospital(twelvelead, tmp_path_factory):
    """Recordings in a table of one's own, and a bundle that learned from them."""
    folder = tmp_path_factory.mktemp("hospital")
    write_ward(folder / "ward", seed=0)
    done = twelvelead("train", folder / "ward", "--out", folder / "bundle", "--epochs", 1)
    assert done.returncode == 0, done.stderr
    return folder


def write_ward(folder, seed):
    rows = ["path,labels,patient"]
    for number, kind in enumerate(simulator.kinds(40)):
        simulator.Wfdb(f"r{number}", simulator.digital(simulator.ecg(kind, seed=seed + number))).write(folder)
        rows.append(f"r{number}.hea,{kind},{number}")
    (folder / "labels.csv").write_text("\n".join(rows))


def seen(done):
    result = json.loads(done.stdout)
    return result["seen_in_training"], result["patients_seen_in_training"]


def test_other_samples_in_a_folder_of_the_same_name_were_not_seen(hospital, twelvelead, tmp_path):
    write_ward(tmp_path / "ward", seed=1000)
    arguments = "--bundle", hospital / "bundle", "--json"
    assert seen(twelvelead("evaluate", tmp_path / "ward", *arguments)) == (0, None)
    assert seen(twelvelead("evaluate", hospital / "ward", *arguments)) == (40, 40)


def test_a_published_recording_was_seen_at_any_rate(bundle, twelvelead, tmp_path):
    simulator.write_ptbxl(tmp_path / "ptb-xl", rates=(500,), n=8)
    assert seen(twelvelead("evaluate", tmp_path / "ptb-xl", "--bundle", bundle, "--json"))[0] == 8


def test_patients_of_another_folder_of_ones_own_may_have_been_seen(hospital, home, bundle, twelvelead, tmp_path):
    write_ward(tmp_path / "year", seed=5000)
    for folders in ([tmp_path / "year"], [tmp_path / "year", hospital / "ward"]):
        assert seen(twelvelead("evaluate", *folders, "--bundle", hospital / "bundle", "--json"))[1] is None
    assert seen(twelvelead("evaluate", tmp_path / "year", "--bundle", bundle, "--json")) == (0, 0)
    assert seen(twelvelead("evaluate", home / "ludb", "--bundle", hospital / "bundle", "--json")) == (0, 0)
    told = twelvelead("evaluate", tmp_path / "year", "--bundle", hospital / "bundle").stdout
    assert "names patients in its own way: nobody can say of whom they were" in " ".join(told.split())


def test_ctrl_c_says_how_to_go_on(home, tmp_path):
    command = [sys.executable, "-m", "twelvelead", "train", str(home), "--out", str(tmp_path / "b")]

    def as_at_a_terminal():  # a shell starts background jobs deaf to Ctrl-C, and they pass that on
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=as_at_a_terminal) as process:
        while not (tmp_path / ".b.training/network.state").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().endswith(
        "twelvelead: stopped; a training run goes on with --resume, a download or an archive when started again"
    )


def test_a_file_name_of_any_bytes_is_classified_and_drawn(bundle, twelvelead, tmp_path):
    path = simulator.Wfdb("plain", simulator.digital(simulator.ecg())).write(tmp_path / "in")
    odd = path.with_name(os.fsdecode(b"a\x01\xff.hea"))
    path.rename(odd)
    done = twelvelead("classify", odd, "--bundle", bundle, "--paper", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (drawing,) = (tmp_path / "out").iterdir()
    ElementTree.parse(drawing)


def test_a_name_with_colons_is_no_emoji(twelvelead, tmp_path):
    named = shutil.copy(get_testdata_file("waveform_ecg.dcm"), tmp_path / ":heart:.dcm")
    assert ":heart:" in twelvelead("classify", named).stdout


def test_evaluate_names_what_was_passed_over(home, bundle, twelvelead, tmp_path):
    folder = shutil.copytree(home / "training", tmp_path / "training")
    header = folder / "cpsc_2018/g1/A0002.hea"
    header.write_text(header.read_text().replace("#Dx", "#No"))
    result = json.loads(twelvelead("evaluate", folder, "--bundle", bundle, "--json").stdout)
    assert result["records"] == 23
    assert [refusal["path"] for refusal in result["refused"]] == [str(header)]


def test_ptbxl_is_read_at_the_rate_that_is_asked_for(bundle, twelvelead, tmp_path):
    simulator.write_ptbxl(tmp_path, n=4, rates=(100, 500))
    for path in (tmp_path / "records100/00000").glob("*.dat"):
        path.write_bytes(b"")
    assert twelvelead("evaluate", tmp_path, "--bundle", bundle, "--json").returncode == 1
    done = twelvelead("evaluate", tmp_path, "--bundle", bundle, "--ptbxl-rate", "500", "--json")
    assert json.loads(done.stdout)["records"] == 4


def test_a_missing_file_of_a_list_is_an_error_of_one_sentence(home, bundle, twelvelead):
    done = twelvelead("evaluate", home, "--bundle", bundle, "--records", "/nowhere.txt")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "twelvelead: /nowhere.txt cannot be read (No such file or directory): name a file that lists"
    )


def test_options_that_would_change_nothing_are_refused(folder, tmp_path, twelvelead):
    for options, sentence in (
        (["--layout", "6x2"], "nothing is drawn: give --paper FOLDER or --report OUT"),
        (["--identity"], "nothing is drawn"),
        (["--start", "3"], "nothing is drawn"),
        (["--paper-format", "pdf"], "--paper-format pdf, and nothing is drawn"),
        (["--report-format", "pdf"], "--report-format pdf, and no report is written"),
        (["--report", tmp_path / "a.html", "--report-format", "pdf"], "the name says another form"),
        (["--report", tmp_path / "a.fhir.json", "--report-format", "json"], "the name says another form"),
    ):
        done = twelvelead("classify", folder / "good.hea", *options)
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_passed_over_in_a_folder_is_counted(tmp_path, twelvelead):
    path = simulator.Wfdb("a", simulator.digital(simulator.ecg())).write(tmp_path)
    assert "passed over" not in twelvelead("classify", tmp_path, "--json").stderr
    (tmp_path / "export.xml").symlink_to(path)
    (tmp_path / "list.txt").write_text("a")
    (tmp_path / "more").symlink_to(tmp_path)
    done = twelvelead("classify", tmp_path, "--json")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert f"as no recordings or links: 3, such as {tmp_path / 'export.xml'}" in done.stderr


def test_a_drawing_may_begin_later(tmp_path, twelvelead):
    path = simulator.Wfdb("a", simulator.digital(simulator.ecg(duration_s=400))).write(tmp_path)
    done = twelvelead("classify", path, "--paper", tmp_path / "drawn", "--start", 320)
    assert done.returncode == 0, done.stderr
    assert "320.0 to 330.0 s of 400.0 s" in (tmp_path / "drawn/a.svg").read_text()
    simulator.Wfdb("b", simulator.digital(simulator.ecg())).write(tmp_path)
    done = twelvelead("classify", tmp_path, "--paper", tmp_path / "again", "--start", 320, "--json")
    answers = {Path(line["path"]).stem: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert answers["b"]["error"] == "--start 320: the recording ends at 10 s; name less"
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["a.svg"]


def test_the_shipped_bundle_takes_no_test_into_its_card(home, twelvelead):
    before = (shipped_bundle() / "card.json").read_bytes()
    done = twelvelead("evaluate", home, "--card", "mine")
    assert (done.returncode, "name yours with --bundle" in done.stderr) == (1, True)
    assert (shipped_bundle() / "card.json").read_bytes() == before


def test_a_narrow_terminal_loses_no_name(home, bundle, monkeypatch, twelvelead):
    monkeypatch.setenv("COLUMNS", "60")
    done = twelvelead("evaluate", home, "--bundle", bundle)
    assert done.returncode == 0, done.stderr
    by_class = done.stdout.split("by class")[1].split("by database")[0]
    assert all(name in by_class for name in DIAGNOSES)
    assert "…" not in done.stdout
    assert "of 32 nobody knows" in done.stdout
    folder = next(path for path in home.rglob("A0001.hea"))
    said = twelvelead("classify", folder).stdout
    assert "…" not in said


def test_classifying_shows_how_far_it_is_where_the_answers_go_elsewhere(folder, tmp_path):
    """On a terminal of its own, which is what progress goes to."""
    leader, follower = os.openpty()
    with (tmp_path / "answers").open("w") as answers:
        command = [sys.executable, "-m", "twelvelead", "classify", str(folder), "--json"]
        with subprocess.Popen(command, stdout=answers, stderr=follower) as process:
            os.close(follower)
            shown = b""
            with suppress(OSError):  # the end of a terminal
                while part := os.read(leader, 4096):
                    shown += part
    os.close(leader)
    assert process.returncode == 1
    assert b"classifying" in shown
    assert len((tmp_path / "answers").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            ["classify", "good.hea", "--paper", "good.mat"],
            "good.mat is a file, or lies in one, where a folder is needed",
        ),
        (["page", "good.mat"], "good.mat is a file, or lies in one, where a folder is needed"),
        (["convert", "good.hea", "nowhere/a.csv"], "nowhere is not there: correct the path, or make the folder first"),
    ],
)
def test_a_wrong_place_is_named_with_the_way_out(arguments, sentence, folder, twelvelead):
    done = twelvelead(*arguments, cwd=folder)
    assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr


def test_what_the_system_refuses_is_named_as_it_is(tmp_path):
    assert _in_words(FileNotFoundError(2, "No such file", "list.part")).startswith("list.part is not there")
    assert _in_words(FileNotFoundError(2, "No such file", "none/.a.csv.7.part")).startswith("none is not there")
    assert _in_words(FileExistsError(17, "File exists", str(tmp_path))).startswith(f"File exists ({tmp_path})")


def test_what_is_left_out_cannot_command_a_terminal():
    console = Console(file=io.StringIO(), width=200)
    tell_left_out(console, [(Path("bad\x1b[31mname.hea"), "empty\r")])
    assert console.file.getvalue() == "left out bad\ufffd[31mname.hea: empty\ufffd\n"


def test_the_folder_and_the_leads_of_an_evaluation_cannot_either(tmp_path, twelvelead):
    home = tmp_path / "d\x1b[31m[bold]"
    simulator.Wfdb("a", simulator.digital(simulator.ecg()), comments=["#Dx: AF"]).write(home)
    leads = ["I\x1b[31m", *LEADS[1:]]
    simulator.Wfdb("b", simulator.digital(simulator.ecg()), leads, comments=["#Dx: AF"], checksum_shift=1).write(home)
    for command in ("evaluate", "databases"):
        done = twelvelead(command, home)
        assert "\x1b" not in done.stdout + done.stderr
        assert "d\ufffd[31m[bold]" in done.stdout


@pytest.mark.parametrize("command, missing", [("archive", "fcntl"), ("serve", "resource")])
def test_a_system_without_what_a_command_needs_is_told_so(command, missing, tmp_path):
    program = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['twelvelead', {command!r}, *sys.argv[1:]]"
    program += "; from twelvelead.doors.cli import main; main()"
    more = [tmp_path, "--out", tmp_path / "out"] if command == "archive" else ["--port", "0"]
    done = subprocess.run([sys.executable, "-c", program, *map(str, more)], capture_output=True, text=True)
    assert (done.returncode, "this command needs Linux or macOS" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(
    "error, sentence",
    [
        (
            "ImportError('DLL load failed', name='onnxruntime')",
            "onnxruntime is installed and cannot be loaded (DLL load",
        ),
        ("OSError('libcublas.so.12: cannot open shared object file')", "a library cannot be loaded (libcublas.so.12: "),
    ],
)
def test_a_library_that_is_broken_is_no_full_disk(error, sentence, folder):
    program = (
        "import sys; from twelvelead.doors import classify, cli\n"
        f"def broken(*_): raise {error}\n"
        "classify.load_bundle = broken; cli.main()"
    )
    command = [sys.executable, "-c", program, "classify", str(folder / "good.hea")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"twelvelead: {sentence}")
    assert done.stderr.endswith("install it again\n")


@pytest.mark.parametrize("columns", [20, 30, 40])
def test_no_number_and_no_decision_is_cut_in_a_narrow_terminal(columns, folder):
    command = [sys.executable, "-m", "twelvelead", "classify", str(folder / "good.hea")]
    wide, narrow = (
        subprocess.run(
            command, env={**os.environ, "COLUMNS": str(width)}, capture_output=True, text=True, check=True
        ).stdout
        for width in (120, columns)
    )
    assert "\u2026" not in wide
    assert "\u2026" not in narrow


def test_a_package_without_metadata_has_no_version():
    program = (
        "import twelvelead\nfrom importlib import metadata\n"
        "def none(name): raise metadata.PackageNotFoundError(name)\n"
        "metadata.version = none; print(getattr(twelvelead, '__version__', None))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_names_with_commas_may_have_spaces():
    assert listed(" single, dual,") == ["single", "dual"]
    assert listed("") == []


def test_a_closed_standard_error_stops_nothing(folder):
    command = ["bash", "-c", f"{sys.executable} -m twelvelead classify {folder / 'good.hea'} --json 2>&-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["record"]) == (0, "good")


def test_a_terminal_without_a_width_is_told_all_the_same():
    command = [sys.executable, "-m", "twelvelead", "networks"]
    done = subprocess.run(command, env={**os.environ, "COLUMNS": "0"}, capture_output=True, text=True, check=True)
    assert "single" in done.stdout


def test_standard_output_that_is_closed_is_said():
    command = f"{sys.executable} -m twelvelead networks --json >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.startswith("twelvelead: standard output is closed")) == (1, True), done.stderr


@pytest.mark.parametrize("command, said", [
    (["study", "mine", "--out", "mine"], "holds other things (a.hea)"),
    (["page", "web"], "is another page: name another folder"),
    (["train", "mine", "--out", "/proc/b"], "nothing can be written to /proc"),
    (["train", "mine", "--out", "b", "--resume"], "nothing of a killed training lies beside"),
    (["train", "mine", "--out", "b", "--resume", "--replace"], "--resume and --replace: a killed run is gone on with, or begun anew"),
])  # fmt: skip
def test_what_is_there_is_not_written_over(command, said, twelvelead, tmp_path):
    simulator.Wfdb("a", simulator.digital(simulator.ecg()), comments=["#Dx: 164889003"]).write(tmp_path / "mine")
    (tmp_path / "web").mkdir()
    (tmp_path / "web/index.html").write_text("<h1>mine</h1>")
    done = twelvelead(*command, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert (tmp_path / "web/index.html").read_text() == "<h1>mine</h1>"
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["a.hea", "a.mat"]


def test_a_drawing_of_a_long_recording_states_the_length_of_all_of_it(twelvelead, tmp_path):
    path = simulator.Wfdb("long", simulator.digital(np.tile(simulator.ecg(rate_hz=500), 32)), suffix=".dat").write(
        tmp_path
    )
    done = twelvelead("classify", path, "--paper", tmp_path / "drawn")
    assert done.returncode == 0, done.stderr
    assert "0.0 to 10.0 s of 320.0 s" in (tmp_path / "drawn/long.svg").read_text()
