"""A server as an operator starts it: a process of its own on a loopback socket."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import urllib3

import simulator

File = tuple[str, bytes]


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]
    folder: Path

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def post(self, *files: File, to: str = "/api/classify", **headers: str) -> urllib3.BaseHTTPResponse:
        fields = [("files", (name, content, "application/octet-stream")) for name, content in files]
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib3.request("POST", self.url + to, fields=fields, headers=given, timeout=120, retries=False)

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib3.request("GET", self.url + path, headers=given, timeout=60, retries=False)

    def wait_until_under_way(self, n: int = 1) -> None:
        until(lambda: self.get("/health").json()["under_way"] >= n)

    def workers(self) -> list[int]:
        """Process ids of the workers: what the server's forkserver has started."""
        parents = {int(path.name): parent_of(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
        children = [pid for pid, parent in parents.items() if parent == self.process.pid]
        return [pid for pid, parent in parents.items() if parent in children]

    def held_kb(self) -> int:
        """Memory of its own of the worker that has most."""
        return max(map(held_kb, self.workers()), default=0)

    def left_on_disk(self) -> list[str]:
        """What lies in its temporary folder beyond its errors and its processes' sockets."""
        return [path.name for path in self.folder.iterdir() if path.name != "stderr" and path.name[:4] != "pymp"]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=90)


def parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError):
        return 0


def held_kb(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("RssAnon:")[2].split()[0]) if "RssAnon:" in status else 0


def until(happened, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def serving(folder: Path, *options: object, **environment: str) -> Iterator[Server]:
    """A running server whose temporary files go to `folder`; it is told to stop at the end."""
    command = [sys.executable, "-m", "twelvelead", "serve", "--port", "0"]
    command += ["--request-seconds", "200", *map(str, options)]  # a busy machine is no failure
    variables = {**os.environ, "TMPDIR": str(folder), **environment}
    with (
        (folder / "stderr").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables) as process,
    ):
        try:
            line = process.stdout.readline()
            assert line.startswith("twelvelead listens on http://"), (line, (folder / "stderr").read_text())
            yield Server(line.split()[-1], process, folder)
        finally:
            process.terminate()
            try:
                process.wait(timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def recording(folder: Path, name: str = "A0001", duration_s: float = 10.0, seed: int = 0) -> list[File]:
    """A WFDB record as the files of an upload."""
    ten_seconds = simulator.digital(simulator.ecg(seed=seed))
    samples = np.tile(ten_seconds, (1, max(1, round(duration_s / 10))))
    path = simulator.Wfdb(name, samples).write(folder)
    return [(file.name, file.read_bytes()) for file in (path, path.with_suffix(".mat"))]
