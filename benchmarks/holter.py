"""`python benchmarks/holter.py [--hours 1,24] [--recordings FOLDER]`: time and memory of long recordings.

Makes WFDB recordings of 500 Hz (format 16, checksums) by repeating those of a folder that are sampled so, or simulated
ones, and classifies each with `--json --windows` as a user would. Prints a line of JSON for each: seconds on the clock
and of computing, the highest memory of the process, and the machine's load; first for 10 s, which is what starting
takes; last, how the longest compares with the shortest. 24 h take 1.04 GB of the temporary folder while they are read.
Results: docs/long.md.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats import read, recordings_in
from twelvelead.record import LEADS, RecordError

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import simulator

RATE_HZ, GAIN = 500, 1000
MANY = 60  # recordings to repeat


def main() -> None:
    """Measure each length and print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hours", default="1,24")
    options.add_argument("--recordings", type=Path, help="folder of recordings to repeat; simulated ones without it")
    given = options.parse_args()
    hours = sorted(float(part) for part in given.hours.split(","))
    repeated = real(given.recordings) if given.recordings else simulated()
    start, *measured = [measure(repeated, length) for length in (10 / 3600, *hours)]
    first, last = measured[0], measured[-1]
    computing = [found["computing_s"] - start["computing_s"] for found in (first, last)]
    longer = last["hours"] / first["hours"]
    growth = {
        "times_longer": round(longer, 2),
        "times_computing_beyond_the_start": round(computing[1] / computing[0], 2),
        "times_memory": round(last["memory_mb"] / first["memory_mb"], 3),
    }
    print(json.dumps(growth))


def measure(repeated: NDArray[np.int16], hours: float) -> dict[str, float]:
    """Write a recording of that length, classify it, and print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"hours": round(hours, 4), **classified(write_repeated(Path(folder), repeated, hours))}
    print(json.dumps(found), flush=True)
    return found


def real(folder: Path) -> NDArray[np.int16]:
    """(n, 12) ADC values of recordings one behind the other, the first ones at 500 Hz that can be read."""
    found: list[NDArray[np.int16]] = []
    for path in recordings_in(folder):
        try:
            record = read(path)
        except RecordError:
            continue
        if record.rate_hz == RATE_HZ and record.unit == "mV":
            found.append(quantised(record.signal))
        if len(found) == MANY:
            break
    return np.concatenate(found)


def simulated() -> NDArray[np.int16]:
    """(n, 12) ADC values of eight minutes."""
    kinds = ("Normal", "AF", "PVC", "Normal") * 2
    return np.concatenate([quantised(simulator.ecg(kind, 60.0, seed=seed)) for seed, kind in enumerate(kinds)])


def quantised(signal: NDArray[np.floating]) -> NDArray[np.int16]:
    """(12, n) mV -> (n, 12)."""
    return np.clip(np.round(signal.T * GAIN), -32767, 32767).astype("<i2")


def write_repeated(folder: Path, minutes: NDArray[np.int16], hours: float) -> Path:
    """A record of that length, its signal file written part by part."""
    left = n_samples = round(hours * 3600 * RATE_HZ)
    sums = np.zeros(len(LEADS), np.int64)
    with (folder / "holter.dat").open("wb") as file:
        while left:
            part = minutes[:left]
            file.write(part.tobytes())
            sums += part.sum(axis=0, dtype=np.int64)
            left -= len(part)
    lines = [f"holter {len(LEADS)} {RATE_HZ} {n_samples}"]
    for lead, first, total in zip(LEADS, minutes[0], sums, strict=True):
        lines.append(f"holter.dat 16 {GAIN}(0)/mV 16 0 {first} {total % 65536} 0 {lead}")
    header = folder / "holter.hea"
    header.write_text("\n".join(lines) + "\n")
    return header


def classified(header: Path) -> dict[str, float]:
    """What `twelvelead classify` needs for a recording, as a process of its own."""
    out, table = header.with_name("answer.json"), header.with_name("windows.csv")
    command = [sys.executable, "-m", "twelvelead", "classify", header, "--json", "--windows", table]
    began = time.monotonic()
    with out.open("wb") as answer:
        process = os.posix_spawn(
            sys.executable,
            list(map(str, command)),
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, answer.fileno(), 1)],
        )
        _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(out.read_text())
    burden = json.loads(out.read_text()).get("burden", {})
    return {
        "windows": len(table.read_text().splitlines()) - 1,
        "clock_s": round(time.monotonic() - began, 1),
        "computing_s": round(used.ru_utime + used.ru_stime, 1),
        "memory_mb": round(used.ru_maxrss / 1024, 1),
        **{f"{name}_share": round(of["share"] or 0, 4) for name, of in burden.items()},
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
