"""From the shell: one file, against what it takes to import torch; and its memory."""

import subprocess
import sys
from pathlib import Path

from pairs import Pair, from_times

WATCH = """
import os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - began, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def one_file(header: Path, turns: int) -> tuple[Pair, float]:
    """`twelvelead classify FILE` against `python -c "import torch"`, and the most memory of the first in MB."""
    ours = [sys.executable, "-m", "twelvelead", "classify", str(header), "--json"]
    theirs = [sys.executable, "-c", "import torch"]
    runs = [(measured(ours), measured(theirs)) for _ in range(turns + 1)][1:]
    times = [(first[0], second[0]) for first, second in runs]
    return from_times("classify of one file", 'python -c "import torch"', times), max(first[1] for first, _ in runs)


def measured(command: list[str]) -> tuple[float, float]:
    """(seconds, MB at most) of a process, begun by a small one: a child's memory counts from its parent's."""
    done = subprocess.run([sys.executable, "-c", WATCH, *command], capture_output=True, text=True, check=True)
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), float(kilobytes) / 1024
