"""Documents cannot drift: their commands run, their numbers are the card's, their files are there."""

import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import simulator
from browser import runtime_archive
from publisher import Publisher, publishing
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.record import Record

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "experiments"))
import results  # noqa: E402

ENDLESS = ("twelvelead serve",)  # tests/test_server.py runs it


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def working_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    simulator.write_ptbxl(folder / "data/ptb-xl")
    simulator.write_challenge(folder / "data/challenge/training/cpsc_2018")
    (folder / "recordings").mkdir()
    simulator.Wfdb("A0001", simulator.digital(simulator.ecg())).write(folder / "recordings")
    shutil.copy(get_testdata_file("waveform_ecg.dcm"), folder / "recordings/ecg.dcm")
    (folder / "labels").mkdir()
    (folder / "outputs").mkdir()
    (folder / "labels/A0001.hea").write_text("A0001 12 500 5000\n#Dx: AF\n")
    (folder / "outputs/A0001.csv").write_text("#A0001\nAF, PVC\n1, 0\n0.9, 0.1\n")
    return folder


@pytest.fixture(scope="module")
def mirror():
    with publishing() as publisher:
        publish_all(publisher)
        yield publisher.url


def publish_all(publisher: Publisher) -> None:
    publisher.publish("ptb-xl/1.0.3", {"ptbxl_database.csv": b"ecg_id\n", "records100/00000/00001_lr.hea": b"1\n"})
    publisher.publish("challenge-2021/1.0.3", {"training/georgia/g1/E00001.hea": b"E\n"})


def test_the_readme_begins_with_the_two_commands():
    assert [line.split("#")[0].strip() for line in commands()[:2]] == ["make demo", "make test"]


@pytest.mark.parametrize(
    "command", [command for command in commands() if command.startswith("twelvelead") and command not in ENDLESS]
)
def test_the_readmes_commands_run(command, working_folder, mirror, twelvelead):
    arguments = shlex.split(command)[1:]
    if arguments[0] in ("train", "study"):  # two epochs are enough to run the command, not to learn
        done = twelvelead(*arguments, "--epochs", 2, cwd=working_folder)
    else:
        done = from_nothing(arguments, working_folder, mirror)
    assert done.returncode == 0, done.stderr


def from_nothing(arguments, folder, mirror):
    """As the README's reader runs it; those commands that import torch are forked, for it takes five seconds."""
    if arguments[0] == "download":
        arguments += ["--mirror", mirror]  # nothing is fetched from the internet by a test
    if arguments[0] == "page":
        arguments += ["--runtime", str(runtime_archive())]
    program = [sys.executable, "-W", "error", "-m", "twelvelead"]
    return subprocess.run([*program, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_readmes_python_runs(working_folder):
    program = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=working_folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_graph_by_itself_answers_as_classify_does(tmp_path):
    shutil.copytree(shipped_bundle(), tmp_path / "my-bundle")
    signal = simulator.ecg("LBBB").astype(np.float32)
    np.save(tmp_path / "ecg.npy", signal)
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/graph.md").read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = {
        name: (float(number), decision == "True") for name, number, decision in map(str.split, done.stdout.splitlines())
    }
    report = classify(Record(name="x", signal=signal, rate_hz=500.0), load_bundle(shipped_bundle()), anyway=True)
    for name, probability in report.probabilities.items():
        assert said[name][0] == pytest.approx(probability, abs=1e-3)
        assert said[name][1] == (name in report.positive)


def test_whoever_cites_this_version_cites_it_as_it_is():
    stated = dict(re.findall(r"^([a-z-]+): (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    assert stated["version"] == version("twelvelead")
    assert stated["license"] == "MIT"


@pytest.mark.parametrize("document", results.DOCUMENTS)
def test_the_numbers_are_those_of_the_card_and_of_the_study(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert "<!-- end of " in text
    assert results.renewed(text) == text


@pytest.mark.parametrize(
    "document", sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
)
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target


def test_every_error_is_in_the_readme():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    for name in re.findall(r"class (\w+Error)\(TwelveleadError\)", source):
        assert f"`{name}`" in README, name
