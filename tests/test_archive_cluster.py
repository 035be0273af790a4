"""On a Dask cluster the same rows, bit for bit, with its workers killed too: scheduler and workers as their users start them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from archiving import children, rows, run, start, write_mixture, write_recordings
from serving import parent_of, until
from twelvelead.archive.listing import ArchiveError
from twelvelead.archive.manifest import Settings, alone_in, begin
from twelvelead.classifier import load_bundle, shipped_bundle

cluster_room = pytest.importorskip("twelvelead.archive.cluster")
run_on_cluster, shard_on_worker = cluster_room.run_on_cluster, cluster_room.shard_on_worker


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def dask(command: str, folder: Path, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """`dask scheduler` or `dask worker` on the loopback."""
    program = [sys.executable, "-m", "dask", command, "--host", "127.0.0.1", "--no-dashboard", *map(str, arguments)]
    variables = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with (
        (folder / f"{command}.log").open("ab") as log,
        subprocess.Popen(program, stdout=log, stderr=log, cwd=folder, env=variables) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Its address, and the process of two workers of two threads."""
    folder, port = tmp_path_factory.mktemp("dask"), free_port()
    address = f"tcp://127.0.0.1:{port}"
    workers = (address, "--nworkers", 2, "--nthreads", 1, "--local-directory", folder)
    with dask("scheduler", folder, "--port", port), dask("worker", folder, *workers) as process:
        until(lambda: (folder / "scheduler.log").read_bytes().count(b"Register worker") == 2)
        yield address, process.pid


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_mixture(tmp_path_factory.mktemp("cluster") / "in")
    write_recordings(folder / "many", 200)
    return folder


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone") / "out"
    assert run(folder, "--out", out, "--shard-size", 10).returncode == 0
    return shards(out)


def shards(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "shards").iterdir()}


def below(process: int) -> list[int]:
    """All processes that a process started, and those that they started."""
    parents = {int(path.name): parent_of(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = {process}
    for _ in range(4):
        found |= {pid for pid, parent in parents.items() if parent in found}
    return sorted(found - {process})


def dask_workers(nanny: int) -> list[int]:
    """Those that watch a worker of ours."""
    return [pid for pid in below(nanny) if children(pid)]


def test_a_cluster_writes_the_same_files(folder, alone, cluster, tmp_path):
    done = run(folder, "--out", tmp_path / "out", "--shard-size", 10, "--cluster", cluster[0])
    assert done.returncode == 0, done.stderr
    assert shards(tmp_path / "out") == alone


def test_workers_killed_on_the_way_change_nothing(folder, alone, cluster, tmp_path):
    process = start(folder, "--out", tmp_path / "out", "--shard-size", 10, "--cluster", cluster[0])
    kills = 0
    until(lambda: (tmp_path / "out" / "manifest.json").exists())
    while process.poll() is None:
        mine = dask_workers(cluster[1])
        n_done = len(list((tmp_path / "out" / "shards").glob("0*")))
        if kills < 3 and mine and n_done > 4 * kills:
            victim = mine[0] if kills % 2 == 0 else children(mine[0])[0]
            os.kill(victim, signal.SIGKILL)
            kills += 1
        time.sleep(0.01)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert kills == 3
    assert shards(tmp_path / "out") == alone


@pytest.mark.parametrize("listens", [False, True])
def test_a_cluster_that_does_not_answer_or_has_no_workers_is_said_so(listens, tmp_path, monkeypatch):
    monkeypatch.setattr("twelvelead.archive.cluster.CONNECT_S", 1)
    port, bundle, out = free_port(), shipped_bundle().absolute(), tmp_path / "out"
    address = f"tcp://127.0.0.1:{port}"
    said = f"no workers at {address}: start some" if listens else f"the cluster at {address} cannot be reached"
    with alone_in(out):
        manifest = begin([write_recordings(tmp_path / "in", 1)], out, load_bundle(bundle), Settings())
        with dask("scheduler", tmp_path, "--port", port) if listens else nullcontext():
            until(lambda: not listens or b"Scheduler at" in (tmp_path / "scheduler.log").read_bytes())
            with pytest.raises(ArchiveError, match=said):
                run_on_cluster(address, out, bundle, manifest, lambda _: None)


def test_a_scheduler_that_is_lost_is_said_and_what_is_done_stays(folder, alone, tmp_path):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    worker = (address, "--nthreads", 1, "--local-directory", tmp_path)
    with dask("scheduler", tmp_path, "--port", port) as scheduler, dask("worker", tmp_path, *worker):
        until(lambda: b"Register worker" in (tmp_path / "scheduler.log").read_bytes())
        process = start(folder, "--out", tmp_path / "out", "--shard-size", 10, "--cluster", address)
        until(lambda: list((tmp_path / "out" / "shards").glob("0*")))
        scheduler.kill()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "was lost" in errors.splitlines()[-1]
    assert ("Traceback" in errors, "- distributed." in errors) == (False, False), errors  # Dask told it in most runs
    assert run(folder, "--out", tmp_path / "out", "--shard-size", 10).returncode == 0
    assert shards(tmp_path / "out") == alone


def test_a_process_of_ours_is_ended_once_its_archive_is_done_and_started_for_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("twelvelead.archive.cluster.IDLE_S", 1.5)
    bundle, out = shipped_bundle().absolute(), tmp_path / "out"
    folder = write_recordings(tmp_path / "in", 3)
    with alone_in(out):
        begin([folder], out, load_bundle(bundle), Settings(shard_size=1))
    shard_on_worker(str(out), str(bundle), 0)
    [process] = children(os.getpid())
    shard_on_worker(str(out), str(bundle), 1)
    assert children(os.getpid()) == [process]
    until(lambda: children(os.getpid()) == [])
    shard_on_worker(str(out), str(bundle), 2)
    assert [row["error"] for row in rows(out)] == [None] * 3
    until(lambda: children(os.getpid()) == [])
