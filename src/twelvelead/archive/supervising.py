"""One worker and whoever watches it: what ends the worker costs at most the recording that ended it.

Recordings that were under way when their worker ended are tried again, each alone, in a new process. What ends that
by itself (a crash, its time, its memory) is refused; one killed from outside is not to blame at first, and tried again.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from twelvelead.archive.journal import clear, new_journal, note_rows, take_under_way
from twelvelead.archive.listing import ArchiveError, shard_entries
from twelvelead.archive.manifest import Manifest
from twelvelead.archive.rows import refused
from twelvelead.archive.worker import OUT_OF_MEMORY

FROM_OUTSIDE: Final = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)
KILLS: Final = 6
PAUSE_S: Final = 0.1


@dataclass(kw_only=True)
class Seat:
    """A place for one worker at a time: its journal, and its process once it has one."""

    out: Path
    bundle: Path
    manifest: Manifest
    journal: BinaryIO = field(default_factory=new_journal)
    process: subprocess.Popen[bytes] | None = None
    closed: threading.Event = field(default_factory=threading.Event)


class Closed(Exception):  # noqa: N818  # no error: whoever closes a seat knows it
    """The seat was closed while its worker was at work."""


def run_shard(seat: Seat, shard: int) -> None:
    """Bring a shard to its file, however often the worker dies.

    Raises ArchiveError or OSError where the worker says that it cannot go on, Closed where the seat was closed.
    """
    clear(seat.journal.fileno())
    idle_deaths = 0
    while (status := _ask(seat, shard=shard)) is not None:
        suspects = take_under_way(seat.journal.fileno())
        idle_deaths = 0 if suspects else idle_deaths + 1
        if not suspects:
            _pause(seat, idle_deaths, status)
        for suspect in suspects:
            _settle(seat, shard, suspect)


def _settle(seat: Seat, shard: int, suspect: int) -> None:
    """Bring one recording to its row in the journal: alone, or refused by what ended the process each time."""
    deaths = idle_deaths = 0
    while (status := _ask(seat, shard=shard, only=suspect)) is not None:
        if not take_under_way(seat.journal.fileno()):
            idle_deaths += 1
            _pause(seat, idle_deaths, status)
            continue
        deaths += 1
        if status not in FROM_OUTSIDE or deaths == KILLS:
            size = seat.manifest.settings.shard_size
            _, entry = next(islice(shard_entries(seat.out, shard, size), suspect - shard * size, None))
            note_rows(seat.journal.fileno(), [refused(suspect, entry, f"reading it {_cause(status, seat)}")])
            return
        _pause(seat, 1, status)


def _pause(seat: Seat, deaths: int, status: int) -> None:
    """Wait longer each time; raises ArchiveError where workers end without a recording under way again and again."""
    if deaths == KILLS:
        way_out = "free memory, or raise --memory" if status < 0 else "install twelvelead again"
        raise ArchiveError(
            f"{KILLS} workers ended one after the other without a recording under way ({_name(status)}): "
            f"{way_out}; what is done stays"
        )
    seat.closed.wait(PAUSE_S * 2**deaths)


def _cause(status: int, seat: Seat) -> str:
    """What ended a process, for a sentence."""
    settings = seat.manifest.settings
    if status == -signal.SIGALRM:
        return f"took more than {settings.seconds:g} s: it is damaged or too long; look at it with `twelvelead show`"
    if status == OUT_OF_MEMORY:
        return f"took more than {settings.memory_mb:,} MB of memory: it is damaged or too long; split it"
    if status in FROM_OUTSIDE:
        return (
            f"was killed {KILLS} times from outside ({_name(status)}): there was too little memory, or somebody did it"
        )
    return f"ended its process ({_name(status)}): it is damaged, or its reader has a defect"


def _name(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _ask(seat: Seat, **request: int) -> int | None:
    """Have the worker do something; None once it has, or the status with which its process ended."""
    if seat.process is None:
        seat.process = _start(seat)
    process = seat.process
    if seat.closed.is_set():  # perhaps while it was started
        process.kill()
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # what it said before it ended is still to be read
    answer = process.stdout.readline()
    if seat.closed.is_set():
        raise Closed
    if answer.endswith(b"\n"):
        _raise_what_was_said(json.loads(answer))
        return None
    seat.process = None
    _close_pipes(process)
    return process.wait()


def _start(seat: Seat) -> subprocess.Popen[bytes]:
    journal = seat.journal.fileno()
    arguments = [str(seat.out), str(seat.bundle), str(journal), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "twelvelead.archive.worker", *arguments],  # no module of the current folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[journal],
    )


def _raise_what_was_said(answer: dict[str, Any]) -> None:
    if "errno" in answer:
        raise OSError(answer["errno"], answer["strerror"], answer["filename"] or None)
    if "error" in answer:
        raise ArchiveError(answer["error"])


def close(seat: Seat) -> None:
    """End the worker, at work or not; whoever waits for it hears Closed."""
    seat.closed.set()
    if (process := seat.process) is not None:
        process.kill()
        process.wait()


def put_away(seat: Seat) -> None:
    """Close the files of a closed seat for which nobody waits any more."""
    if seat.process is not None:
        close(seat)  # once more: it may have begun while the seat was closed
        _close_pipes(seat.process)
    seat.journal.close()


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # what was never sent
                pipe.close()
