"""What the tests share: simulated databases, a bundle trained on them, and real recordings where they are at hand."""

import fcntl
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import simulator
import warm
from browser import write_page
from twelvelead.record import Record

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real recordings beside the project; tests that need it are skipped where it is missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no real recordings beside the project")
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one simulated database in each known layout."""
    folder = tmp_path_factory.mktemp("home")
    simulator.write_challenge(folder / "training" / "cpsc_2018")
    simulator.write_ptbxl(folder / "ptb-xl")
    simulator.write_ludb(folder / "ludb")
    simulator.write_cpsc2018(folder / "cpsc2018")
    return folder


@pytest.fixture(scope="session")
def twelvelead() -> Run:
    """The command line: each call a process of its own."""
    return warm.twelvelead


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[str, Callable[[Path], object]], Path]:
    """A file that the first test process to ask for it makes, and the others share: its name, and what writes it."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent

    def made(name: str, write: Callable[[Path], object]) -> Path:
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / name).exists():
                write(folder / name)
        return folder / name

    return made


@pytest.fixture(scope="session")
def trained(home: Path, twelvelead: Run, made_once: Callable[..., Path]) -> dict[str, object]:
    """What `train --json` answered for a bundle trained on the simulated databases."""

    def write(answer: Path) -> None:
        bundle = answer.with_name("bundle")
        done = twelvelead("train", home, "--out", bundle, "--epochs", 12, "--seed", 3, "--json")
        assert done.returncode == 0, done.stderr
        answer.write_text(done.stdout)

    said: dict[str, object] = json.loads(made_once("trained.json", write).read_text())
    return said


@pytest.fixture(scope="session")
def page_file(made_once: Callable[..., Path]) -> Path:
    """The page with the shipped bundle, in one file."""
    return made_once("index.html", write_page)


@pytest.fixture(scope="session")
def bundle(trained: dict[str, object]) -> Path:
    return Path(str(trained["bundle"]))


@pytest.fixture
def record() -> Record:
    return Record(name="simulated", signal=simulator.ecg().astype(np.float32), rate_hz=500.0)
