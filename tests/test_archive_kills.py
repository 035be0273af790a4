"""Killed at any moment and started again, an archive ends with exactly the rows of an undisturbed run."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tarfile
import time

import pytest

from archiving import (
    children,
    command_line,
    large_recording,
    rows,
    run,
    start,
    under_way,
    write_mixture,
    write_recordings,
)
from serving import until
from twelvelead.archive import classifying, supervising
from twelvelead.archive.entries import recording_of
from twelvelead.archive.journal import new_journal, note_begun, note_rows, rows_done, take_under_way
from twelvelead.archive.manifest import Settings, alone_in, begin, read_manifest
from twelvelead.archive.running import run_here
from twelvelead.classifier import classify_together, load_bundle, shipped_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_mixture(tmp_path_factory.mktemp("archive") / "in")
    write_recordings(folder / "many", 180)
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = run(folder, "--out", out, "--shard-size", 10, "--workers", 2)
    assert done.returncode == 0, done.stderr
    return out


def test_fifty_kills_at_random_moments(folder, undisturbed, tmp_path):
    chance = random.Random(6)
    kills = ["parent"] * 15 + ["worker"] * 25 + ["disk"] * 10
    chance.shuffle(kills)
    n_ended = 0
    while kills:
        out = tmp_path / f"out-{n_ended}"
        while disturb(start(folder, "--out", out, "--shard-size", 10, "--workers", 2), chance, kills) != 0:
            pass
        assert rows(out) == rows(undisturbed)
        assert bytes_of_shards(out) == bytes_of_shards(undisturbed)
        n_ended += 1


def test_what_a_killed_worker_left_half_written_is_gone_at_the_end(folder, tmp_path):
    out = tmp_path / "out"
    process = start(folder, "--out", out, "--workers", 1)
    until(lambda: (out / "shards").is_dir() and children(process.pid))
    (out / "shards/.00000000.parquet.0123456789abcdef.part").write_bytes(b"PAR1")
    (out / ".manifest.json.0123456789abcdef.part").write_bytes(b"{")
    process.communicate(timeout=120)
    assert {path.suffix for path in (out / "shards").iterdir()} == {".parquet"}
    assert not list(out.glob(".*.part"))


def disturb(process: subprocess.Popen[str], chance: random.Random, kills: list[str]) -> int:
    """Kill the run, its workers, or give them a full disk, at random moments until it ends."""
    while kills:
        try:
            process.wait(chance.uniform(0.0, 1.0))
            break
        except subprocess.TimeoutExpired:
            pass
        workers = children(process.pid)
        if kills[-1] == "parent":
            process.kill()
        elif not workers:
            continue
        elif kills[-1] == "worker":
            end(chance.choice(workers), signal.SIGKILL)  # as the machine does when it is out of memory
        else:
            for pid in (process.pid, *workers):
                fill_disk(pid)
        kills.pop()
    _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors, errors
    if process.returncode not in (0, -signal.SIGKILL):
        assert process.returncode == 1
        assert "make room" in errors or "ended one after the other" in errors, errors
    return process.returncode


def end(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def fill_disk(pid: int) -> None:
    """From now on no file of the process can grow, as on a full disk."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))


def bytes_of_shards(out):
    return {path.name: path.read_bytes() for path in (out / "shards").iterdir()}


def test_a_recording_that_ends_its_process_is_named_and_costs_no_other(tmp_path):
    """Its worker is ended by SIGSEGV whenever it has the recording under way."""
    folder = write_recordings(tmp_path / "in", 6)
    large_recording(folder, "r0002x")
    process = start(folder, "--out", tmp_path / "out", "--workers", 1)
    hits: set[int] = set()
    while process.poll() is None:
        for pid in children(process.pid):
            if pid not in hits and under_way(pid) == 3:
                end(pid, signal.SIGSEGV)
                hits.add(pid)
        time.sleep(0.005)
    assert process.communicate()[0].startswith(f"{tmp_path / 'out'}: 7 recordings, 1 of them refused")
    assert len(hits) == 2
    found = rows(tmp_path / "out")
    assert [row["record"] for row in found if row["error"]] == ["r0002x"]
    assert "ended its process (SIGSEGV)" in found[3]["error"]


def test_a_recording_that_takes_too_long_is_named_and_costs_no_other(tmp_path, monkeypatch):
    """The worker that it ends in a group, one that it ends alone, and one for the rest, however many there are."""
    folder, out = write_recordings(tmp_path / "in", 6), tmp_path / "out"
    large_recording(folder, "r0001x")
    started = []
    start_one = supervising._start
    monkeypatch.setattr(supervising, "_start", lambda seat: started.append(seat) or start_one(seat))
    bundle = shipped_bundle().absolute()
    with alone_in(out):
        manifest = begin([folder], out, load_bundle(bundle), Settings(seconds=0.5))
        run_here(out, bundle, manifest, 1, lambda _: None)
    found = rows(out)
    assert "took more than 0.5 s" in found[2]["error"]
    assert [row["index"] for row in found if row["error"] is None] == [0, 1, 3, 4, 5, 6]
    assert len(started) == 3


def test_what_reading_takes_is_taken_from_classifying(tmp_path, monkeypatch):
    """Together they may take as long as their seconds are, and no recording for those before it."""
    folder, out = write_recordings(tmp_path / "in", 2), tmp_path / "out"
    classifier = load_bundle(shipped_bundle())
    with alone_in(out):
        manifest = begin([folder], out, classifier, Settings(seconds=100.0))
    left = []

    def slowly(entry):
        time.sleep(0.2)
        return recording_of(entry)

    def looking(*given, **settings):
        left.append(signal.getitimer(signal.ITIMER_REAL)[0])
        return classify_together(*given, **settings)

    monkeypatch.setattr(classifying, "recording_of", slowly)
    monkeypatch.setattr(classifying, "classify_together", looking)
    facts = {"out": out, "manifest": manifest, "classifier": classifier, "parent": os.getppid()}
    with new_journal() as journal:
        classifying.do_shard(classifying.Place(**facts, journal=journal.fileno()), 0)
    assert [180.0 < left_s < 199.6 for left_s in left] == [True]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_all_recordings_under_way_are_told_once_and_rows_stay():
    with new_journal() as file:
        journal = file.fileno()
        for index in (0, 1, 2):
            note_begun(journal, index)
        note_rows(journal, [{"index": 0}, {"index": 1}])
        for index in (3, 4):
            note_begun(journal, index)
        os.write(journal, b'{"ind')
        assert take_under_way(journal) == [2, 3, 4]
        assert take_under_way(journal) == []
        assert rows_done(journal) == {0: {"index": 0}, 1: {"index": 1}}


def test_a_recording_that_takes_too_much_memory_is_named_and_costs_no_other(tmp_path):
    folder = write_recordings(tmp_path / "in", 4)
    large_recording(tmp_path / "large", "long")
    with tarfile.open(folder / "r0001x.tar", "w") as tar:  # from a file of its own it would stream
        tar.add(tmp_path / "large", "large")
    done = run(folder, "--out", tmp_path / "out", "--workers", 1, "--memory", 512)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "out")
    assert "took more than 512 MB of memory" in found[2]["error"]
    assert [row["index"] for row in found if row["error"] is None] == [0, 1, 3, 4]


def test_one_killed_from_outside_again_and_again_is_named(tmp_path):
    folder = write_recordings(tmp_path / "in", 2)
    large_recording(folder, "r0001x", minutes=20)
    process = start(folder, "--out", tmp_path / "out", "--workers", 1)
    while process.poll() is None:
        for pid in children(process.pid):
            if under_way(pid) == 2:
                end(pid, signal.SIGKILL)
        time.sleep(0.005)
    assert "2 of them" not in process.communicate()[0]
    found = rows(tmp_path / "out")
    assert [row["error"] is None for row in found] == [True, True, False]
    assert "was killed 6 times from outside (SIGKILL)" in found[2]["error"]


def test_two_runs_never_write_to_one_folder(folder, tmp_path):
    first = start(folder, "--out", tmp_path / "out", "--workers", 1)
    until(lambda: (tmp_path / "out" / "manifest.json").exists())
    second = run(folder, "--out", tmp_path / "out")
    assert second.returncode == 1
    assert "another run is writing to" in second.stderr
    assert first.wait(timeout=120) == 0
    first.communicate()


def test_ctrl_c_ends_the_workers_and_says_how_to_go_on(folder, tmp_path):
    process = start(folder, "--out", tmp_path / "out", "--workers", 2)
    until(lambda: children(process.pid))
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "an archive when started again" in errors
    until(lambda: not any(under_way(pid) is not None for pid in workers))
    assert run(folder, "--out", tmp_path / "out", "--workers", 2).returncode == 0


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)])
def test_however_a_run_is_ended_no_worker_goes_on(number, status, tmp_path):
    folder, out = write_recordings(tmp_path / "in", 2), tmp_path / "out"
    large = large_recording(folder, "r0001x", minutes=70)
    for name in ("r0001y", "r0001z"):  # so that the run cannot end before it is looked at
        (folder / f"{name}.dat").hardlink_to(large.with_suffix(".dat"))
        (folder / f"{name}.hea").write_text(large.read_text().replace("r0001x", name))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the tests ignore it, and what they start with them
    process = start(folder, "--out", out, "--workers", 1)

    def is_at_a_large_one():
        assert process.poll() is None
        return any((under_way(pid) or 0) >= 2 for pid in children(process.pid))

    until(is_at_a_large_one)
    [worker] = children(process.pid)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert ("an archive when started again" in errors) == (number != signal.SIGKILL)
    until(lambda: command_line(worker) == b"", seconds=0 if number != signal.SIGKILL else 1)
    assert list((out / "shards").iterdir()) == []


def test_a_worker_whose_run_has_ended_writes_no_file(tmp_path, monkeypatch):
    """As on macOS, where the system does not end it."""
    folder, out = write_recordings(tmp_path / "in", 2), tmp_path / "out"
    assert run(folder, "--out", out).returncode == 0
    (out / "shards/00000000.parquet").unlink()

    def meanwhile(*_: object) -> bytes:
        monkeypatch.setattr(os, "getppid", lambda: -1)  # 1 is the parent of what nohup has left alone
        return b"rows"

    monkeypatch.setattr(os, "_exit", sys.exit)
    monkeypatch.setattr(classifying, "as_parquet", meanwhile)
    facts = {"out": out, "manifest": read_manifest(out), "classifier": load_bundle(shipped_bundle())}
    with new_journal() as journal, pytest.raises(SystemExit):
        classifying.do_shard(classifying.Place(**facts, journal=journal.fileno(), parent=os.getppid()), 0)
    assert list((out / "shards").iterdir()) == []


def test_a_disk_that_is_full_is_said_and_gone_on_from(folder, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only a machine's administrator can mount a small disk")
    try:
        done = run(folder, "--out", disk / "out", "--shard-size", 10, "--workers", 2)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "make room" in done.stderr
        there = bytes_of_shards(disk / "out")
        assert there
        assert all(name.startswith(".") or content for name, content in there.items())
        subprocess.run([*mount[:1], "-o", "remount,size=16m", str(disk)], check=True)
        assert run(folder, "--out", disk / "out", "--shard-size", 10, "--workers", 2).returncode == 0
        assert rows(disk / "out") == rows(undisturbed)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
