"""`twelvelead classify`: what recordings show, for people as tables, for machines as a line of JSON each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twelvelead.classifier import Classifier, Report, classify, load_bundle, shipped_bundle
from twelvelead.classifier.paper import draw
from twelvelead.diagnoses import IN_WORDS
from twelvelead.doors.options import Bundle, Json, Precision
from twelvelead.doors.windows import add_windows, window_table
from twelvelead.formats import open_recording, recordings_in
from twelvelead.record import Record, RecordError, printable
from twelvelead.stream import Stream

MAX_EPISODES: Final = 20


def classify_command(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.", show_default=False)],
    bundle: Bundle = None,
    precision: Precision = "float32",
    paper: Annotated[
        Path | None,
        typer.Option(help="Folder to which each recording is drawn on ECG paper, as SVG.", show_default=False),
    ] = None,
    windows: Annotated[
        Path | None,
        typer.Option(help="CSV to which each window's probabilities are written, with its times.", show_default=False),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Withhold no diagnosis, however bad the recording is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which of nine diagnoses each recording shows.

    Reads WFDB, DICOM, SCP-ECG, aECG, MUSE and other XML, EDF, and more; 5 s or more, 50 Hz or more.
    A diagnosis is withheld, with the reason, where no lead that it needs can be used.
    Of a recording of 5 minutes or more: means over its windows, burdens of AF, PAC and PVC, and episodes of AF.
    Exit status 1 when a recording was refused; the others are still classified.

    Example: twelvelead classify A0001.hea ward-7/ --paper drawings/
    """
    classifier = load_bundle(bundle or shipped_bundle(), precision)
    console = Console(soft_wrap=True)
    refused = 0
    with window_table(windows) as table:
        for path in _recordings(paths):
            try:
                recording = _open(path)
                report = classify(recording, classifier, anyway=anyway)
            except RecordError as error:
                refused += 1
                _tell_refused(path, error, console, as_json)
                continue
            if table:
                add_windows(table, path, report, recording.duration_s, classifier.recipe.window_s)
            drawing = _draw(recording, report, classifier, paper) if paper else None
            if as_json:
                print(json.dumps({"path": str(path), **report.as_json()}), flush=True)
            else:
                drawn = [f"drawn to {escape(printable(str(drawing)))}"] if drawing else []
                console.print(_table(path, recording, report), *drawn, sep="\n")
    if not as_json:
        console.print(f"[dim]{escape(classifier.name)}. Research software, no medical device.[/dim]")
    raise typer.Exit(1 if refused else 0)


def _recordings(paths: list[Path]) -> Iterator[Path]:
    """The recordings named and those in the folders named; an empty folder stands for itself, to be refused."""
    for path in paths:
        yield from (recordings_in(path) or [path]) if path.is_dir() else [path]


def _open(path: Path) -> Record | Stream:
    if path.is_dir():
        raise RecordError("no recordings can be found in this folder: name one that holds some, or a file")
    return open_recording(path)


def _tell_refused(path: Path, error: RecordError, console: Console, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"path": str(path), "error": str(error)}), flush=True)
    else:
        console.print(
            f"[bold]{escape(printable(str(path)))}[/bold]  [red]refused[/red]: {escape(printable(str(error)))}\n"
        )


def _table(path: Path, record: Record | Stream, report: Report) -> Table:
    table = Table(
        title=f"{escape(printable(str(path)))}  ({record.duration_s:.1f} s at {record.rate_hz:g} Hz)",
        title_justify="left",
        caption="\n".join(
            [f"burden of {name}: {burden}" for name, burden in report.burden.items()]
            + _episode_lines(report)
            + [f"warning: {escape(warning)}" for warning in report.warnings]
            + [f"quality: {escape(str(finding))}" for finding in report.quality]
        )
        or None,
        caption_justify="left",
        box=box.SIMPLE,
    )
    table.add_column("diagnosis")
    table.add_column("mean probability" if report.burden else "probability", justify="right")
    table.add_column("positive from", justify="right")
    table.add_column("")
    for name, probability in report.probabilities.items():
        said = "positive" if name in report.positive else "withheld" if name in report.withheld else ""
        shown = "–" if name in report.withheld else f"{probability:.3f}"
        cells = (f"{IN_WORDS[name]} ({name})", shown, f"{report.thresholds[name]:.2f}", said)
        table.add_row(*cells, style="bold" if said == "positive" else None)
    return table


def _episode_lines(report: Report) -> list[str]:
    """The longest episodes, in order of time, and how many there are in all."""
    longest = sorted(report.episodes, key=lambda episode: episode.start_s - episode.end_s)[:MAX_EPISODES]
    lines = [f"episode: {episode}" for episode in sorted(longest, key=lambda episode: episode.start_s)]
    shorter = len(report.episodes) - len(longest)
    return [*lines, f"{shorter} shorter episodes: see --json"] if shorter else lines


def _draw(recording: Record | Stream, report: Report, classifier: Classifier, folder: Path) -> Path:
    """Draw to a new file named after the recording; a second recording of the same name gets a number."""
    record = recording.beginning() if isinstance(recording, Stream) else recording
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"{record.name}.svg", 1
    while path.exists():
        number += 1
        path = folder / f"{record.name}-{number}.svg"
    path.write_text(draw(record, report.in_words(classifier.name)), encoding="utf-8")
    return path
