"""`python benchmarks/archive_parts.py [--of OUT]`: what surrounds the classifying of an archive; see docs/archive.md.

10,000 small recordings (20 links to each of 500 files, WFDB): those listed a second in a folder, a tar and a zip; then
classified in shards of 10, so that there are 1,000 files of results: how many of them a second a run that goes on looks
at. Of results that are there already, with --of: bytes a row, and rows a second of archive-report. All by computing
time, not time on the clock.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from archiving import command, write_recordings
from twelvelead.archive.listing import listing_now
from twelvelead.archive.manifest import SHARDS, read_manifest
from twelvelead.archive.running import shards_left
from twelvelead.archive.summary import summarise

N_FILES = 500
N_LINKS = 20


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--of", type=Path, help="results of an archive to measure instead")
    given = options.parse_args()
    if given.of:
        print(json.dumps(a_row(given.of)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "in", Path(place) / "out"
        linked(write_recordings(Path(place) / "few", N_FILES), folder)
        n = N_FILES * N_LINKS
        found = {"folder": per_second(lambda: listing_now([folder], out), n)}
        with tarfile.open(Path(place) / "a.tar", "w", dereference=True) as tar:
            for path in sorted(folder.rglob("*.*")):
                info = tar.gettarinfo(path, str(path.relative_to(folder)))
                info.type, info.size = tarfile.REGTYPE, path.stat().st_size  # a link would be stored as one
                tar.addfile(info, path.open("rb"))
        with zipfile.ZipFile(Path(place) / "a.zip", "w") as packed:
            for path in sorted(folder.rglob("*.*")):
                packed.write(path, path.relative_to(folder))
        found |= {
            kind: per_second(lambda k=kind: listing_now([Path(place) / f"a.{k}"], out), n) for kind in ("tar", "zip")
        }
        subprocess.run(command(folder, "--out", out, "--shard-size", 10), check=True, capture_output=True)
        manifest = read_manifest(out)
        found["shards looked at"] = per_second(lambda: shards_left(out, manifest), manifest.n_shards)
        print(json.dumps(found))


def linked(files: Path, folder: Path) -> None:
    """Many names for each file."""
    for number in range(N_LINKS):
        (folder / str(number)).mkdir(parents=True)
        for path in files.iterdir():
            os.link(path, folder / str(number) / path.name)


def per_second(work: Callable[[], object], n: int) -> int:
    """Things a second of computing."""
    began = time.process_time()
    work()
    return round(n / (time.process_time() - began))


def a_row(out: Path) -> dict[str, float]:
    """What a row takes of an archive's results and their summary."""
    manifest = read_manifest(out)
    n_rows = manifest.listing.recordings
    size = sum(path.stat().st_size for path in (out / SHARDS).iterdir())
    return {
        "rows": n_rows,
        "bytes_a_row": round(size / n_rows, 1),
        "listing_bytes_a_row": round(manifest.listing.size / n_rows, 1),
        "reported_a_second": per_second(lambda: summarise(out, manifest), n_rows),
    }


if __name__ == "__main__":
    main()
