"""`python benchmarks/archive.py [--recordings 10000,100000] [--workers 1,2] [--data FOLDER]`: what an archive costs.

The recordings are 500 simulated ones as the Challenge publishes them (WFDB, 10 s at 500 Hz, 120 kB), or those of a
folder; a list names them again and again until it has as many lines as asked for, so that the making of files is not
measured (they come from the system's cache). Each run is a `twelvelead archive` of its own, into a new folder; the
smallest number comes once more after the largest, since a machine's pace drifts. Prints a line of JSON for each:
recordings a second from the first worker's start to the end (the listing apart) and in all, computing time a recording,
the highest memory of all its processes together (pages that they share counted once, looked at ten times a second), and
bytes of results a recording. Then the ratios: rate and memory of the longest against the shortest, and the rate of most
workers against fewest. Results: docs/archive.md.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import simulator
from archiving import children, command
from twelvelead.formats import recordings_in

N_FILES = 500


def main() -> None:
    """Run every number of recordings with every number of workers and print what was measured."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recordings", default="10000,100000", help="numbers of recordings, the smallest first")
    options.add_argument("--workers", default="1,2", help="numbers of workers")
    options.add_argument("--data", type=Path, help="folder of real recordings to repeat instead of simulated ones")
    given = options.parse_args()
    sizes, workers = ([int(number) for number in text.split(",")] for text in (given.recordings, given.workers))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = recordings_in(given.data.absolute()) if given.data else simulated(folder / "in")
        rows = []
        for n_workers in workers:
            for turn, size in enumerate([*sizes, sizes[0]]):
                listing = folder / f"{size}.txt"
                listing.write_text("".join(f"{path}\n" for path in islice(cycle(files), size)))
                rows.append(measured(listing, folder / f"out-{n_workers}-{turn}", n_workers))
                print(json.dumps(rows[-1]), flush=True)
        print(json.dumps(ratios(rows, sizes, workers)))


def simulated(folder: Path) -> list[Path]:
    """Recordings as the Challenge's: WFDB, 10 s at 500 Hz."""
    kinds = simulator.kinds(N_FILES)
    return [
        simulator.Wfdb(f"A{index:04d}", simulator.digital(simulator.ecg(kind, seed=index))).write(folder)
        for index, kind in enumerate(kinds)
    ]


def measured(listing: Path, out: Path, n_workers: int) -> dict[str, Any]:
    """One run of `twelvelead archive` and what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, first_worker, peak_mb = time.monotonic(), 0.0, 0.0
    program = command(listing, "--out", out, "--workers", n_workers, "--json")
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            workers = children(process.pid)
            if workers and not first_worker:
                first_worker = time.monotonic()
            peak_mb = max(peak_mb, sum(map(memory_mb, [process.pid, *workers])))
            time.sleep(0.1)
        ended = time.monotonic()
        assert process.stdout
        said = json.loads(process.stdout.read())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    n_rows = said["recordings"]
    computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "recordings": n_rows,
        "refused": said["refused"],
        "workers": n_workers,
        "rate": round(n_rows / (ended - first_worker), 1),
        "rate_in_all": round(n_rows / (ended - began), 1),
        "listing_s": round(first_worker - began, 2),
        "computing_ms_a_recording": round(1e3 * computed / n_rows, 3),
        "peak_mb": round(peak_mb, 1),
        "bytes_a_row": round(sum(path.stat().st_size for path in (out / "shards").iterdir()) / n_rows, 1),
        "listing_bytes_a_row": round((out / "listing.jsonl").stat().st_size / n_rows, 1),
        "load": [round(value, 1) for value in os.getloadavg()],
    }


def memory_mb(process: int) -> float:
    """Proportional set size of a process; none once it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def ratios(rows: list[dict[str, Any]], sizes: list[int], workers: list[int]) -> dict[str, float]:
    """How the longest compares with the shortest, and the most workers with the fewest; of runs alike, their mean."""

    def mean(key: str, size: int, n_workers: int) -> float:
        return statistics.mean(row[key] for row in rows if (row["recordings"], row["workers"]) == (size, n_workers))

    long, short, most, fewest = sizes[-1], sizes[0], workers[-1], workers[0]
    return {
        f"rate_of_{long}_against_{short}": round(mean("rate", long, most) / mean("rate", short, most), 3),
        f"memory_of_{long}_against_{short}": round(mean("peak_mb", long, most) / mean("peak_mb", short, most), 3),
        f"rate_of_{most}_workers_against_{fewest}": round(mean("rate", long, most) / mean("rate", long, fewest), 3),
    }


if __name__ == "__main__":
    main()
