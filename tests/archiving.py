"""Archives as their users make and run them: files on disk, and `twelvelead archive` as processes of their own."""

import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import simulator
import warm
import writers
from serving import parent_of


def write_recordings(folder: Path, n: int, prefix: str = "r", duration_s: float = 6.0) -> Path:
    """That many WFDB recordings at 100 Hz, small enough to be classified by the hundred."""
    for index, diagnosis in enumerate(simulator.kinds(n)):
        signal = simulator.ecg(diagnosis, duration_s, 100.0, seed=index)
        simulator.Wfdb(f"{prefix}{index:04d}", simulator.digital(signal), rate="100").write(folder)
    return folder


def write_mixture(folder: Path) -> Path:
    """Recordings of several formats, good and bad, in folders, a tar and a zip: 14 good, 8 refused."""
    write_recordings(folder / "ward 1", 4)
    writers.write_dicom(folder)
    writers.flac_files(folder)
    simulator.Wfdb("brief", simulator.digital(simulator.ecg(duration_s=3.0))).write(folder)
    simulator.Wfdb("orphan", simulator.digital(simulator.ecg())).write(folder).unlink()
    (folder / "claims.dcm").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("no recording")
    (folder / "link.hea").symlink_to(folder / "brief.hea")
    (folder / "ward 1" / "r0003.hea").rename(folder / "ward 1" / os.fsdecode(b"r0003\xff\x01.hea"))
    inner = write_recordings(folder.parent / f"{folder.name}-inner", 3, "t")
    writers.flac_files(inner)
    (inner / "orphan.mat").write_bytes(b"\0" * 100)
    (inner / "nested.zip").write_bytes(b"PK")
    (inner / "readme.md").write_text("no recording")
    with tarfile.open(folder / "inner.tar", "w") as tar:
        tar.add(inner, "a/b")
    with zipfile.ZipFile(folder / "inner.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(inner.iterdir()):
            packed.write(path, f"a/{path.name}")
    return folder


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "twelvelead", "archive", *map(str, arguments)]


def start(*arguments: object) -> subprocess.Popen[str]:
    """A run as at a terminal: a shell starts background jobs deaf to Ctrl-C, and they pass that on."""

    def hear() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command(*arguments), preexec_fn=hear, **pipes)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return warm.twelvelead("archive", *arguments)


def rows(out: Path) -> list[dict]:
    """All rows, in the order of the listing."""
    return pq.read_table(out / "shards").to_pylist()


def children(process: int) -> list[int]:
    """The worker processes of a run (or of a Dask worker)."""
    found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and parent_of(path) == process]
    return [pid for pid in found if b"twelvelead.archive.worker" in command_line(pid)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def under_way(worker: int) -> int | None:
    """The recording that a worker has begun and not ended, as its journal says."""
    try:
        journal = Path(f"/proc/{worker}/cmdline").read_bytes().split(b"\0")[-3].decode()
        lines = Path(f"/proc/{worker}/fd/{journal}").read_bytes().splitlines()
    except (OSError, IndexError):
        return None
    return int(lines[-1]) if lines and lines[-1].isdigit() else None


def large_recording(folder: Path, name: str, minutes: int = 70) -> Path:
    """A WFDB recording of so many minutes at 500 Hz: seconds of computing and hundreds of megabytes."""
    samples = np.tile(simulator.digital(simulator.ecg(duration_s=10.0)), (1, 6 * minutes))
    return simulator.Wfdb(name, samples, suffix=".dat").write(folder)
