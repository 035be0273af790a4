"""Damage recordings and see that reading them gives a Record or a RecordError: `python tests/fuzz.py N SEED`.

Starts from the small simulated recordings of the writers, and from the real ones beside the project where they are.
Each damaged file is read under a watch: 2 s of computing, 500 MB more than at the start, no file opened elsewhere, no network.
Case K of a seed is always the same file: `python tests/fuzz.py 1 SEED K` repeats it.
"""

import collections
import itertools
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

import binary_writers as binary
import simulator
import writers
import xml_writers as xml
from twelvelead.formats import read
from twelvelead.record import Record, RecordError

LIMIT_S, LIMIT_MB = 2.0, 500
CORPUS = Path(__file__).parents[2] / "shared" / "formats"
HUGE = [
    b"\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\0\0\0\0",
    b"\xff\x7f",
    b"\0\x80",
    b"\x01\0",
]
TEXTS = [b"99999999999", b"-1", b"0", b"1e308", b"nan", b"inf", b"1e-310", b"", b"\xff", b"../../etc/passwd", b"http://a.b/c",
         b"<a>" * 100, b"&lt;", b"<![CDATA[", b"--", b"]]>", b" ", b"\n", b"\0", b"%", b"NU"]  # fmt: skip


class Source(NamedTuple):
    """Files that make one recording, the first of them the one to name; and what its reader must be told."""

    name: str
    files: dict[str, bytes]
    stated: dict[str, object]


def sources() -> list[Source]:
    """Half a second of a simulated ECG in every format; and the real files, where they are."""
    small = simulator.ecg(duration_s=1.0)
    writing = [xml.aecg, xml.muse, xml.cardiosoft, xml.sierra, xml.mortara, binary.scp, binary.edf, binary.ishne,
               binary.mfer, binary.npy, binary.csv, writers.write_dicom]  # fmt: skip
    found: list[Source] = []
    with tempfile.TemporaryDirectory() as folder:
        for write in writing:
            path = write(Path(folder), small)
            found.append(
                Source(
                    write.__name__,
                    {path.name: path.read_bytes()},
                    {"rate_hz": 500.0, "unit": "mV"} if write is binary.npy else {},
                )
            )
        path = binary.edf(Path(folder), small, width=3)
        found.append(Source("bdf", {path.name: path.read_bytes()}, {}))
        path = simulator.write_cpsc_mat(Path(folder) / "A2001.mat", small)
        found.append(Source("cpsc", {path.name: path.read_bytes()}, {}))
        for suffix in (".mat", ".dat"):
            path = simulator.Wfdb("A1", simulator.digital(small), suffix=suffix, comments=["#Age: 50"]).write(
                Path(folder)
            )
            beside = path.with_suffix(suffix)
            found.append(Source(f"wfdb {suffix}", {each.name: each.read_bytes() for each in (path, beside)}, {}))
        found.append(Source("wfdb flac", writers.flac_files(Path(folder), small), {}))
        found.append(Source("wfdb 212", writers.packed_files(Path(folder), small, "212"), {}))
        found.append(Source("wfdb 24", writers.packed_files(Path(folder), small, "24"), {}))
    real = [path for path in sorted(CORPUS.glob("*/*")) if path.suffix not in {".md", ".dat", ".xyz"}]
    for path in real:
        files = {path.name: path.read_bytes()}
        if path.suffix == ".hea":
            files |= {other.name: other.read_bytes() for other in path.parent.glob(path.stem + ".*")}
        found.append(Source(f"real {path.parent.name}/{path.name}", files, {}))
    return found


def damaged(data: bytes, random: np.random.Generator, other: bytes) -> bytes:
    """The bytes with one to four wounds, more often at the beginning, where the headers are."""
    wounded = bytearray(data)
    for _ in range(random.integers(1, 5)):
        reach = len(wounded) if random.random() < 0.5 else min(len(wounded), 3000)
        at = int(random.integers(0, max(1, reach)))
        size = int(2 ** random.uniform(0, 12))
        match int(random.integers(0, 10)):
            case 0 | 1:
                for where in random.integers(0, max(1, reach), random.integers(1, 9)):
                    wounded[where : where + 1] = (
                        bytes([int(wounded[where]) ^ 1 << int(random.integers(0, 8))]) if wounded else b""
                    )
            case 2:
                del wounded[at:]
            case 3:
                del wounded[at : at + size]
            case 4:
                wounded[at : at + size], wounded[-size:] = wounded[-size:], wounded[at : at + size]
            case 5:
                wounded[at:at] = wounded[at : at + size] * int(random.integers(1, 9))
            case 6:
                new = HUGE[random.integers(0, len(HUGE))]
                wounded[at : at + len(new)] = new
            case 7:
                begin = next(
                    (where for where in range(at, min(at + 400, len(wounded))) if 48 <= wounded[where] < 58), at
                )
                end = next(
                    (where for where in range(begin, min(begin + 20, len(wounded))) if not 48 <= wounded[where] < 58),
                    begin,
                )
                wounded[begin:end] = TEXTS[random.integers(0, len(TEXTS))]
            case 8:
                wounded[at : at + size] = other[at : at + size]
            case _:
                wounded[at : at + size] = random.bytes(size)
    return bytes(wounded)


def reworded(text: bytes, random: np.random.Generator) -> bytes:
    """Text that is still well-formed, most often: other numbers and words, and whole elements or lines less or more."""
    for _ in range(random.integers(1, 4)):
        pattern = (
            rb"-?\d[\d.]*",
            rb"(?<=[>\"' ,])[^<>\"' ,]{1,40}(?=[<\"' ,])",
            rb"<(\w+)[^<>]*>[^<>]*</\1>|[^<>\n]*\n",
        )[random.integers(0, 3)]
        places = list(itertools.islice(re.finditer(pattern, text[: 1 << 16]), 5000))
        if not places:
            continue
        place, new = places[random.integers(0, len(places))], TEXTS[random.integers(0, len(TEXTS))]
        if pattern.startswith(b"<"):
            new = place[0] * int(random.integers(0, 3))
        elif random.random() < 0.5:
            new = places[random.integers(0, len(places))][0]
        text = text[: place.start()] + new + text[place.end() :]
    return text


def watch(folder: Path, opened: list[str]) -> None:
    """Note whatever is opened that no reader has business with, and any use of the network."""
    interpreter = (sys.prefix, sys.base_prefix, "<string>")  # the last: 3.12 looks for a damaged NPY header's source
    allowed = (str(folder), "/proc/self/fd", "/dev/shm/", *interpreter, str(Path(__file__).parents[1]))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith("socket.") or (
            event == "open" and isinstance(arguments[0], str | bytes) and not str(arguments[0]).startswith(allowed)
        ):
            opened.append(f"{event} {arguments[0]!r}")

    sys.addaudithook(hook)


def late(_signal: int, _frame: object) -> None:
    raise TimeoutError("no answer within 120 s")


def answer_to(source: Source, files: dict[str, bytes], folder: Path) -> str:
    """How reading ended: `read`, `refused`, or what went wrong."""
    try:
        if len(files) > 1:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            record = read(folder / next(iter(files)))
        else:
            record = read(*files.values(), **source.stated)
        return "read" if isinstance(record, Record) else f"a {type(record).__name__}"
    except RecordError as error:
        return "refused" if 10 < len(str(error)) < 4000 else f"a sentence of {len(str(error))} characters"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def main(n: int, seed: int, first: int = 0) -> int:
    """Read n damaged files; print each that went wrong, and a table; the number of those that did."""
    every, opened = sources(), []
    ends: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    slowest = (0.0, "")
    wrong = 0
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watch(folder, opened)
        signal.signal(signal.SIGALRM, late)
        for source in every:  # what is imported on the way is no file's doing
            answer_to(source, source.files, folder)
        opened.clear()
        peak_mb = start_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for case in range(first, first + n):
            random = np.random.default_rng((seed, case))
            source, other = (every[index] for index in random.integers(0, len(every), 2))
            hurt = list(source.files)[random.integers(0, len(source.files))]
            other_bytes = next(iter(other.files.values()))
            is_text = b"\0" not in source.files[hurt][:1000] and random.random() < 0.7
            wound = (
                reworded(source.files[hurt], random) if is_text else damaged(source.files[hurt], random, other_bytes)
            )
            files = source.files | {hurt: wound}
            began = time.process_time()  # of this process: a busy machine is no fault of a reader
            signal.alarm(120)
            end = answer_to(source, files, folder)
            signal.alarm(0)
            took_s = time.process_time() - began
            slowest = max(slowest, (took_s, f"case {case}, {source.name}"))
            now_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            faults = [end] * (end not in {"read", "refused"}) + [f"took {took_s:.1f} s"] * (took_s > LIMIT_S)
            faults += [f"took {now_mb - start_mb:.0f} MB"] * (
                now_mb - start_mb > LIMIT_MB and now_mb > peak_mb
            ) + opened
            opened.clear()
            peak_mb = max(peak_mb, now_mb)
            ends[source.name]["wrong" if faults else end] += 1
            for fault in faults:
                wrong += 1
                print(f"case {case} of seed {seed}, {source.name}: {fault}", flush=True)
            if n > 10_000 and case % 10_000 == 9_999:
                print(
                    f"{case + 1 - first:,} read, {wrong} wrong, slowest {slowest[0]:.2f} s, {peak_mb - start_mb:.0f} MB",
                    flush=True,
                )
    for source_name, counts in sorted(ends.items()):
        print(f"{source_name:50} {dict(counts)}")
    print(
        f"{n:,} damaged files, seed {seed}: {wrong} wrong; slowest {slowest[0]:.2f} s ({slowest[1]}); {peak_mb - start_mb:.0f} MB more than at the start"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(min(1, main(*map(int, sys.argv[1:]))))
