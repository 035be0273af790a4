"""From the shell: one file, against what it takes to import torch; and its memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

from pairs import Pair, from_times


def one_file(header: Path, turns: int) -> tuple[Pair, float]:
    """`twelvelead classify FILE` against `python -c "import torch"`, and the most memory of the first in MB."""
    ours = [sys.executable, "-m", "twelvelead", "classify", str(header), "--json"]
    theirs = [sys.executable, "-c", "import torch"]
    runs = [(measured(ours), measured(theirs)) for _ in range(turns + 1)][1:]
    times = [(first[0], second[0]) for first, second in runs]
    return from_times("classify of one file", 'python -c "import torch"', times), max(first[1] for first, _ in runs)


def measured(command: list[str]) -> tuple[float, float]:
    """(seconds, MB at most) of a process."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024
