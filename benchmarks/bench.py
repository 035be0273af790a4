"""`make bench`: everything that is promised about speed, measured here, into docs/performance.{json,md,svg}.

    python benchmarks/bench.py [--parts pairs,archives,long] [--turns 15] [--recordings 10000,100000] [--hours 1,24]

Ours and each peer take turns within one run; what counts is the median of the ratios of neighbouring turns, with its
quartiles. All on one thread, on simulated Challenge records (10 s, 500 Hz, 12 leads, 120 kB). About an hour, most of
it for the archives; a part that is not asked for stays as it was measured last, and so does what another kind of
processor gave: the document shows each.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import files
import matplotlib.pyplot as plt
import networks
import shell
import torch
from pairs import Pair

import simulator

ROOT = Path(__file__).parent.parent
N_RECORDS = 50
GOALS = {
    ("network, batch 1", "ResNet1d-Wang"): 15,
    ("network, batch 1", "xresnet1d50"): 10,
    ("training, a batch of 32", "ResNet1d-Wang"): 10,
    ("training, a batch of 32", "ResNet1d-Wang of torch's own layers"): 10,
    ("reading a Challenge record", "wfdb.rdsamp"): 10,
    ("file to probabilities", "wfdb + scipy + torch"): 10,
    ("classify of one file", 'python -c "import torch"'): 2,
}
TITLES = {"archives": "Archives", "long": "Long recordings"}


def main() -> None:
    """Measure, keep and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", default="pairs,archives,long", help="what to measure anew")
    options.add_argument("--turns", type=int, default=15)
    options.add_argument("--recordings", default="10000,100000", help="sizes of the archives")
    options.add_argument("--hours", default="1,24", help="lengths of the long recordings")
    given = options.parse_args()
    measures = {
        "pairs": lambda: pairs(given.turns),
        "archives": lambda: lines_of("archive.py", "--recordings", given.recordings),
        "long": lambda: lines_of("holter.py", "--hours", given.hours),
    }
    place = ROOT / "docs/performance.json"
    measured = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    here = measured.setdefault(processor(), {})
    for part in given.parts.split(","):
        here[part] = {"found": measures[part](), "when": when()}
        place.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    text = document(measured)
    (ROOT / "docs/performance.md").write_text(text, encoding="utf-8")
    if {"archives", "long"} <= here.keys():
        draw(here["archives"]["found"], here["long"]["found"], ROOT / "docs/performance.svg")
    print(text)


def pairs(turns: int) -> dict[str, Any]:
    """All that is measured against a peer."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        simulator.write_challenge(Path(folder), n=N_RECORDS)
        headers = sorted(Path(folder).rglob("*.hea"))
        first, memory_mb = shell.one_file(headers[0], turns)
        whole, rates_of_ours = files.to_probabilities(headers, turns), files.rates(headers, turns)
        timed = [whole, *files.reading(headers, turns), *networks.alone(turns), *networks.training(turns), first]
    return {
        "pairs": [one._asdict() for one in timed],
        **rates_of_ours,
        "memory_mb": memory_mb,
        **networks.share_of_peak(turns),
    }


def when() -> str:
    """Date, machine and versions, and what else it did."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{date.today():%-d %B %Y}: {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"onnxruntime {version('onnxruntime')}, torch {version('torch')}; load at the end {load}"
    )


def lines_of(script: str, *options: str) -> list[dict[str, Any]]:
    """The lines of JSON that another benchmark prints, the ratios last."""
    command = [sys.executable, str(Path(__file__).parent / script), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def document(measured: dict[str, dict[str, Any]]) -> str:
    """docs/performance.md, whole: by processor what was measured on it, by part."""
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`. Ours and each peer take turns in one run, on one thread; the ratio is the median",
            "of those of neighbouring turns, with its quartiles. How each is measured stands in `benchmarks/`. Ratios",
            "depend on the processor: wide vectors help the peers' wide layers more than our thin ones.",
            "",
            *against_peers({name: parts["pairs"] for name, parts in measured.items() if "pairs" in parts}),
            *(line for part, title in TITLES.items() for line in section(part, title, measured)),
            "![Time against length, and memory against the number of recordings, where measured last](performance.svg)",
            "",
        ]
    )


def against_peers(measured: dict[str, dict[str, Any]]) -> list[str]:
    """A column for each processor, and what else was found on it."""
    pairs_of = {
        name: {(one["what"], one["peer"]): Pair(**one) for one in parts["found"]["pairs"]}
        for name, parts in measured.items()
    }
    lines = [f"| what | against | goal | {' | '.join(measured)} |", f"| --- | --- | ---: |{' --- |' * len(measured)}"]
    for what, peer in max(pairs_of.values(), key=len):  # a machine that was measured long ago lacks some
        cells = [cell(of_machine.get((what, peer))) for of_machine in pairs_of.values()]
        lines.append(f"| {what} | {peer} | {GOALS.get((what, peer), '–')} | {' | '.join(cells)} |")
    for parts in measured.values():
        found = parts["found"]
        lines += [
            "",
            f"Measured on {parts['when']}.",
            "",
            *rates(found),
            f"- `twelvelead classify` of one file takes {found['memory_mb']:.0f} MB at most (goal: under 150).",
            f"- The network makes {found['network_macs_per_s'] / 1e9:.1f} billion multiply-adds a second,",
            f"  {found['share']:.0%} of what one large product of NumPy's makes. Thin layers hold the rest back:",
            "  depthwise kernels have little to reuse, and the GRU goes step by step.",
        ]
    return [*lines, ""]


def rates(found: dict[str, Any]) -> list[str]:
    """What a core does in a second."""
    ways = f"{found['records_per_s']:.0f} records a second on one core, 16 at a time (goal: 1,000)"
    if "bare_records_per_s" in found:
        ways += f";\n  {found['bare_records_per_s']:.0f} where nobody asks for their quality, as the peer does not"
    return [f"- From file to probabilities: {ways}."]


def cell(timed: Pair | None) -> str:
    """The ratio with its quartiles."""
    return "" if timed is None else f"**{timed.ratio:.1f}** ({timed.low:.1f} to {timed.high:.1f})"


def section(part: str, title: str, measured: dict[str, dict[str, Any]]) -> list[str]:
    """A table for each processor on which a part was measured, and its ratios."""
    lines = [f"## {title}", ""]
    for parts in measured.values():
        if part in parts:
            *rows, ratios = parts[part]["found"]
            said = [f"- {name.replace('_', ' ')}: {value}" for name, value in ratios.items()]
            lines += [f"Measured on {parts[part]['when']}.", "", *table(rows), "", *said, ""]
    return lines


def table(rows: list[dict[str, Any]]) -> list[str]:
    """A table of what another benchmark printed."""
    titles = list(rows[0])
    return [
        f"| {' | '.join(title.replace('_', ' ') for title in titles)} |",
        f"|{' ---: |' * len(titles)}",
        *(f"| {' | '.join(str(each.get(title, '')) for title in titles)} |" for each in rows),
    ]


def processor() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def draw(archives: list[dict[str, Any]], holters: list[dict[str, Any]], path: Path) -> None:
    """Time and memory of long recordings against their length, and of archives against the number of recordings."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    most = archives[-2]["workers"]
    of_most = list({each["recordings"]: each for each in archives[:-1] if each["workers"] == most}.values())
    for panel, rows, along, label in (
        (panels[0], holters[:-1], "hours", "hours of 12 leads at 500 Hz"),
        (panels[1], of_most, "recordings", f"recordings, {most} workers"),
    ):
        at = [each[along] for each in rows]
        took = [each["clock_s"] if "clock_s" in each else each["recordings"] / each["rate"] for each in rows]
        memory = [each.get("memory_mb") or each["peak_mb"] for each in rows]
        for values, line, name in ((took, "o-", "seconds"), (memory, "s--", "peak MB")):
            panel.loglog(at, values, line, label=name)
            for place, value in zip(at, values, strict=True):
                panel.annotate(f"{value:.3g}", (place, value), (0, 6), textcoords="offset points", ha="center")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter("{x:,g}")
            axis.set_minor_formatter("")
        panel.margins(0.1, 0.15)
        panel.set(xlabel=label, ylabel="seconds, and MB")
        panel.legend(frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    plt.rcParams["svg.hashsalt"] = "twelvelead"
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
