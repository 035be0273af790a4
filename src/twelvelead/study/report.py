"""The study's tables as Markdown and CSV, and its two figures."""

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO, StringIO
from itertools import accumulate, product
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from twelvelead.databases import LabelledRecord
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats.files import write_whole
from twelvelead.scoring.scores import Predictions, class_scores
from twelvelead.signals.recipe import Recipe
from twelvelead.study.comparison import BALANCE, Pooled, compare, overall, pool, reference
from twelvelead.study.contestants import contestants
from twelvelead.study.folds import LEFT_OUT, home_of
from twelvelead.study.run import StudyError, load_outcome
from twelvelead.study.timing import milliseconds_per_recording

COLUMNS: Final = {"auroc": "AUROC", "auprc": "AUPRC", "f2": "F2", "g2": "G2", BALANCE: "√(F2·G2)"}
N_SAMPLES: Final = Recipe().window_samples
NONE: Final = "–"
COLOURS: Final = {"ours": "#0072b2", "peer": "#d55e00"}
APART: Final = 1.15


def write_report(folder: Path, records: Sequence[LabelledRecord]) -> list[dict[str, Any]]:
    """From all runs in `folder`: study.md, study.csv and two figures; returns the rows of the main table.

    Raises StudyError when no network has been tested on a fold or on a database left out.
    """
    outcomes = [load_outcome(path) for path in sorted((folder / "runs").glob("*.json"))]
    folds = pool([outcome for outcome in outcomes if not outcome.fold.startswith(LEFT_OUT)], records)
    left_out = pool([outcome for outcome in outcomes if outcome.fold.startswith(LEFT_OUT)], records)
    if not folds and not left_out:
        raise StudyError(f"{folder / 'runs'} holds no finished run: nothing to compare; let one end")
    milliseconds = _timing(folder, sorted({pooled.network for pooled in (*folds, *left_out)}))
    here, rows = _compared(folds, milliseconds)
    there, elsewhere = _compared(left_out, milliseconds)
    for row, other in product(rows, elsewhere):
        if other["network"] == row["network"]:
            row |= {f"left_out_{name}": other[name] for name in other if name.startswith(tuple(COLUMNS))}
    titled = {
        "Out of fold": main_table(rows, here),
        "AUROC by class": class_table(folds or left_out),
        "AUROC / √(F2·G2) out of fold": database_table(folds),
        "On databases left out": main_table(elsewhere, there),
        "AUROC / √(F2·G2) on databases left out": database_table(left_out),
    }
    rows = rows or elsewhere
    _write_csv(rows, folder / "study.csv")
    parts = [f"{title}:\n\n{table}" for title, table in titled.items() if table]
    write_whole(folder / "study.md", "\n".join(parts).encode())
    figure(rows, "parameters", "trainable parameters", folder / "parameters.svg")
    figure(rows, "ms", "ms a recording of 10 s (torch, one thread)", folder / "time.svg")
    return rows


def _compared(networks: Sequence[Pooled], milliseconds: dict[str, float]) -> tuple[str, list[dict[str, Any]]]:
    """The network that the others are compared with, and a row for each."""
    if not networks:
        return "", []
    against = reference(networks)
    return against, [row | {"ms": milliseconds[row["network"]]} for row in compare(networks, against)]


def _timing(folder: Path, names: Sequence[str]) -> dict[str, float]:
    """Measured once, side by side, and again only when a network has joined: tables do not change by themselves."""
    path = folder / "timing.json"
    known: dict[str, float] = {}
    with suppress(FileNotFoundError, ValueError, TypeError):  # a damaged one is measured again
        known = dict(json.loads(path.read_text(encoding="utf-8")))
    if set(names) <= set(known):
        return known
    measured = milliseconds_per_recording(contestants(names), N_SAMPLES)
    write_whole(path, f"{json.dumps(measured, indent=1)}\n".encode())
    return measured


def _write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows({name: _rounded(value) for name, value in row.items()} for row in rows)
    write_whole(path, text.getvalue().encode())


def _rounded(value: object) -> object:
    """The last bits of a score depend on the processor."""
    return f"{value:.6g}" if isinstance(value, float) else value


def main_table(rows: Sequence[dict[str, Any]], against: str) -> str:
    """Markdown: each network's scores, and how much better `against` is, with 95 % intervals over patients."""
    head = ["network", "parameters", "ms", "recordings", *COLUMNS.values(), f"AUROC of {against} minus it"]
    head += [f"√(F2·G2) of {against} minus it", "AUROC on databases left out", "√(F2·G2) there"]
    body = [
        [
            f"**{row['network']}**" if row["network"] == against else row["network"],
            f"{row['parameters']:,}",
            f"{row['ms']:.2f}",
            f"{row['recordings']:,}",
            *(_cell(row, name) for name in COLUMNS),
            *(_cell(row, f"{name}_gain", signed=True) for name in ("auroc", BALANCE)),
            *(_cell(row, f"left_out_{name}") for name in ("auroc", BALANCE)),
        ]
        for row in rows
    ]
    filled = [column for column in zip(head, *body, strict=True) if any(cell != NONE for cell in column[1:])]
    return _markdown(*zip(*filled, strict=True)) if filled else ""


def class_table(networks: Sequence[Pooled]) -> str:
    """Markdown: AUROC of each class."""
    scores = {pooled.network: class_scores(pooled.predictions)["auroc"] for pooled in networks}
    positives = max(networks, key=lambda pooled: len(pooled.keys)).predictions.truth.sum(axis=0)
    body = [
        [name, str(positives[k]), *(_number(scores[pooled.network][k]) for pooled in networks)]
        for k, name in enumerate(DIAGNOSES)
    ]
    return _markdown(["diagnosis", "positives", *(pooled.network for pooled in networks)], *body)


def database_table(networks: Sequence[Pooled]) -> str:
    """Markdown: AUROC and sqrt(F2 x G2) on the recordings of each publisher, over the classes that it has."""
    body = []
    for home in sorted({home_of(name) for pooled in networks for name in pooled.databases}):
        rows = [np.array([home_of(name) == home for name in pooled.databases]) for pooled in networks]
        cells = [_both(pooled.only(mask)) if mask.any() else NONE for pooled, mask in zip(networks, rows, strict=True)]
        largest = max(range(len(rows)), key=lambda k: rows[k].sum())
        positives = networks[largest].only(rows[largest]).truth.sum(axis=0)
        counts = [str(rows[largest].sum()), str(positives.sum()), str(np.count_nonzero(positives))]
        body.append([home, *counts, *cells])
    head = ["database", "recordings", "positives", "classes with any", *(pooled.network for pooled in networks)]
    return _markdown(head, *body) if body else ""


def _both(predictions: Predictions) -> str:
    scores = overall(predictions)
    return f"{_number(scores['auroc'])} / {_number(scores[BALANCE])}"


def figure(rows: Sequence[dict[str, Any]], x: str, label: str, path: Path) -> None:
    """SVG: AUROC and sqrt(F2 x G2), with their intervals, against what a network costs; ablations are not in it."""
    mpl.rcParams["svg.hashsalt"] = "twelvelead"
    shown = sorted((row for row in rows if row["kind"] != "ablation"), key=lambda row: float(row[x]))
    places = list(accumulate((float(row[x]) for row in shown), lambda before, here: max(here, APART * before)))
    drawing = Figure(figsize=(10, 5), layout="constrained")
    for axes, name in zip(drawing.subplots(1, 2), ("auroc", BALANCE), strict=True):
        for row, place in zip(shown, places, strict=True):
            axes.vlines(place, row[f"{name}_low"], row[f"{name}_high"], color=COLOURS[row["kind"]], lw=1)
            axes.plot(place, row[name], "o", color=COLOURS[row["kind"]])
            top = (place, row[f"{name}_high"])
            axes.annotate(row["network"], top, (0, 3), textcoords="offset points", fontsize=8, rotation=90, ha="center")
        axes.set(xscale="log", xlabel=label, ylabel=COLUMNS[name])
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.08)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.3 * (high - low))  # room for the names
        axes.grid(alpha=0.3)
    drawing.suptitle("Out of fold, 95 % intervals over patients; blue: ours, orange: peers; equals side by side")
    drawn = BytesIO()
    drawing.savefig(drawn, format="svg", metadata={"Date": None})
    write_whole(path, drawn.getvalue())


def _markdown(head: Sequence[str], *body: Sequence[str]) -> str:
    rules = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rules, *body)) + "\n"


def _cell(row: dict[str, Any], name: str, *, signed: bool = False) -> str:
    if name not in row:
        return NONE
    low, value, high = (_number(row[part], signed=signed) for part in (f"{name}_low", name, f"{name}_high"))
    return f"{value} ({low} to {high})"


def _number(value: float, *, signed: bool = False) -> str:
    if np.isnan(value):
        return NONE
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("0.", ".").replace("-", "−")
