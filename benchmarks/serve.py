"""`python benchmarks/serve.py [--clients 32] [--seconds 60]`: what a server on this machine holds out.

Starts `twelvelead serve` on a free port of 127.0.0.1 and uploads one simulated 10 s recording (WFDB, 500 Hz, 120 kB),
first from a single client, then from many at once, each on its own connection. Prints times per request on the clock,
computing time per request of the server's processes together, statuses, and their memory. Results: docs/serving.md.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import urllib3

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from serving import Server, recording, serving

TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run both parts and print what was measured."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--single", type=int, default=200, help="requests of the single client")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [("files", file) for file in recording(Path(folder))]
        body, kind = urllib3.encode_multipart_formdata(files)
        with serving(Path(folder)) as server:
            tell("single client", *timed(server, body, kind, 1, n_requests=given.single))
            tell(f"{given.clients} clients", *timed(server, body, kind, given.clients, seconds=given.seconds))


def timed(
    server: Server, body: bytes, kind: str, n_clients: int, seconds: float = 3600.0, n_requests: int | None = None
) -> tuple[list[float], Counter[int], float, list[float]]:
    """Milliseconds of each request, statuses, the server's computing milliseconds in all, and its memory in MB."""
    times_ms: list[float] = []
    statuses: Counter[int] = Counter()
    ended = threading.Event()
    end = time.monotonic() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection(*server.address, timeout=120)
        while time.monotonic() < end and (n_requests is None or len(times_ms) < n_requests):
            began = time.perf_counter()
            connection.request("POST", "/api/classify", body, {"Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
            times_ms.append(1e3 * (time.perf_counter() - began))
            statuses[answer.status] += 1
        connection.close()

    before_ms = computing_ms(server)
    clients = [threading.Thread(target=client) for _ in range(n_clients)]
    memory_mb: list[float] = []
    watcher = threading.Thread(target=watch, args=(server, memory_mb, ended))
    for thread in (*clients, watcher):
        thread.start()
    for thread in clients:
        thread.join()
    ended.set()
    watcher.join()
    return times_ms, statuses, computing_ms(server) - before_ms, memory_mb


def watch(server: Server, memory_mb: list[float], ended: threading.Event) -> None:
    """Note the server's memory ten times a minute, and at both ends."""
    memory_mb.append(memory(server))
    while not ended.wait(6):
        memory_mb.append(memory(server))
    memory_mb.append(memory(server))


def processes(server: Server) -> list[int]:
    """The server and its workers."""
    return [server.process.pid, *server.workers()]


def memory(server: Server) -> float:
    """Proportional set size of all processes in MB, so that shared pages count once."""
    total = 0
    for process in processes(server):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def computing_ms(server: Server) -> float:
    """User and system time of all processes so far."""
    fields = [Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split() for process in processes(server)]
    return 1e3 * sum(int(field[11]) + int(field[12]) for field in fields) / TICKS


def tell(name: str, times_ms: list[float], statuses: Counter[int], computed_ms: float, memory_mb: list[float]) -> None:
    """A line of JSON."""
    ordered = sorted(times_ms)
    facts = {
        "requests": len(ordered),
        "statuses": dict(statuses),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 1),
        "max_ms": round(ordered[-1], 1),
        "computing_ms_per_request": round(computed_ms / len(ordered), 1),
        "memory_mb": [round(value) for value in memory_mb],
        "load": [round(value, 1) for value in os.getloadavg()],
    }
    print(json.dumps({name: facts}), flush=True)


if __name__ == "__main__":
    main()
