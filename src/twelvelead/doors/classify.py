"""`twelvelead classify`: what recordings show, for people as tables, for machines as a line of JSON each."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from twelvelead.classifier import Opened, Report, classify_many, load_bundle, shipped_bundle
from twelvelead.diagnoses import name_in_words
from twelvelead.doors.drawing import (
    Cabrera,
    FilterOption,
    Form,
    Gain,
    Identity,
    LayoutOption,
    Speed,
    Start,
    draw_into,
)
from twelvelead.doors.left_out import tell_passed_over
from twelvelead.doors.options import Bundle, Json, Precision, Specificity
from twelvelead.doors.progress import tracked
from twelvelead.doors.reporting import ReportFormat, ReportOption, refuse_unwritable, report_to
from twelvelead.doors.stopping import stopped_as_by_ctrl_c
from twelvelead.doors.windows import add_windows, window_table
from twelvelead.drawing import Paper
from twelvelead.drawing.paper import PaperError
from twelvelead.formats import PassedOver, files_below, is_folder, is_recording, open_recording, read
from twelvelead.record import Record, RecordError
from twelvelead.reports import read_by, reading
from twelvelead.reports.words import decision, doubt, probability, through_the_recording
from twelvelead.stream import Stream
from twelvelead.wording import printable


def classify_command(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.", show_default=False)],
    bundle: Bundle = None,
    precision: Precision = "float32",
    specificity: Specificity = None,
    paper: Annotated[
        Path | None,
        typer.Option(help="Folder to which each recording is drawn on ECG paper.", show_default=False),
    ] = None,
    paper_format: Form = "svg",
    report_out: ReportOption = None,
    report_format: ReportFormat = "html",
    layout: LayoutOption = "3x4",
    cabrera: Cabrera = False,
    speed: Speed = "25",
    gain: Gain = "10",
    paper_filter: FilterOption = "none",
    start: Start = 0.0,
    identity: Identity = False,
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

    Example: twelvelead classify A0001.hea ward-7/ --report reports/
    """
    classifier = load_bundle(bundle or shipped_bundle(), precision, specificity)
    sheet = Paper(
        layout=layout,
        order="cabrera" if cabrera else "standard",
        speed_mm_per_s=float(speed),
        gain_mm_per_mv=float(gain),
        filter=paper_filter,
        start_s=start,
        identity=identity,
    )
    _refuse_idle(sheet, paper, paper_format, report_out, report_format)
    console = Console(emoji=False, soft_wrap=True)
    refused, passed_over = 0, PassedOver()
    found = list(_recordings(paths, passed_over))
    if report_out:
        refuse_unwritable(report_out, len(found), report_format)
    with stopped_as_by_ctrl_c(), window_table(windows) as table, _bar() as bar:
        whole = report_out is not None
        opened = ((path, _opened(path, whole=whole, start_s=start)) for path in tracked(bar, found))
        for path, recording, report in classify_many(opened, classifier, anyway=anyway):
            if isinstance(recording, RecordError) or isinstance(report, RecordError):
                refused += 1
                _tell_refused(path, str(report), console, as_json)
                continue
            if table:
                add_windows(table, path, report, recording.duration_s, classifier.recipe.window_s)
            caption = report.in_words(classifier.name)
            written = [draw_into(paper, recording, caption, sheet, paper_format)] if paper else []
            if report_out and isinstance(recording, Record):
                read_so = reading(recording, report, read_by(classifier), sheet)
                written.append(report_to(report_out, read_so, report_format))
            if as_json:
                print(json.dumps({"path": str(path), **report.as_json()}), flush=True)
            else:
                told = [f"written to {escape(printable(str(place)))}" for place in written]
                console.print(_table(path, recording, report), *told, sep="\n")
    tell_passed_over(passed_over)
    if not as_json:
        console.print(f"[dim]{escape(classifier.name)}. Research software, no medical device.[/dim]")
    raise typer.Exit(1 if refused else 0)


def _bar() -> Progress:
    """On the terminal, where the answers go elsewhere: else they say how far it is."""
    hidden = sys.stdout.isatty() or not sys.stderr.isatty()
    console = Console(emoji=False, stderr=True)
    return Progress(console=console, disable=hidden, transient=True, redirect_stdout=False)  # it would take the answers


def _refuse_idle(sheet: Paper, paper: Path | None, paper_format: str, report: Path | None, report_format: str) -> None:
    """Raise PaperError on options that would change nothing, and on a folder that is named as a file."""
    if paper is None and report is None and sheet != Paper():
        raise PaperError("options of a drawing, and nothing is drawn: give --paper FOLDER or --report OUT with them")
    if paper is not None and paper.suffix.lower() in {".svg", ".pdf", ".png"} and not paper.is_dir():
        raise PaperError(
            f"--paper {paper}: it must be a folder, to which all recordings are drawn; --paper-format says as what"
        )
    if paper is None and paper_format != "svg":
        raise PaperError(f"--paper-format {paper_format}, and nothing is drawn: give --paper FOLDER with it")
    if report is None and report_format != "html":
        raise PaperError(f"--report-format {report_format}, and no report is written: give --report FOLDER with it")


def _recordings(paths: list[Path], passed_over: PassedOver) -> Iterator[Path]:
    """The recordings named and those in the folders named; an empty folder stands for itself, to be refused."""
    for path in paths:
        found = files_below(path, lambda file: is_recording(file, passed_over), passed_over) if is_folder(path) else ()
        yield from list(found) or [path]


def _opened(path: Path, *, whole: bool, start_s: float) -> Opened:
    """whole: in memory, however long, for a report needs the attention and the heart rate of all of it.

    So does a drawing that begins at `start_s`, before the end.
    """
    if is_folder(path):
        return RecordError(_why_none_in(path))
    try:
        recording = read(path) if whole or start_s else open_recording(path)
        if start_s >= recording.duration_s:
            return RecordError(f"--start {start_s:g}: the recording ends at {recording.duration_s:g} s; name less")
        return recording
    except RecordError as error:
        return error


def _why_none_in(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        return f"cannot be looked into: {error.strerror}"
    return "no recordings can be found in this folder: name one that holds some, or a file"


def _tell_refused(path: Path, reason: str, console: Console, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"path": str(path), "error": reason}), flush=True)
    else:
        console.print(f"[bold]{escape(printable(str(path)))}[/bold]  [red]refused[/red]: {escape(printable(reason))}\n")


def _table(path: Path, record: Record | Stream, report: Report) -> Table:
    table = Table(
        title=f"{escape(printable(str(path)))}  ({record.duration_s:.1f} s at {record.rate_hz:g} Hz)",
        title_justify="left",
        caption="\n".join(
            [*filter(None, [doubt(report)])]
            + through_the_recording(report)
            + [f"warning: {escape(warning)}" for warning in report.warnings]
            + [f"quality: {escape(str(finding))}" for finding in report.quality]
        )
        or None,
        caption_justify="left",
        box=box.SIMPLE,
    )
    table.add_column("diagnosis", overflow="fold")
    table.add_column(
        "mean probability" if report.burden else "probability", justify="right", overflow="fold", min_width=5
    )
    table.add_column("positive from", justify="right", overflow="fold", min_width=5)
    table.add_column("", overflow="fold")
    for name, threshold in report.thresholds.items():
        said = decision(report, name)
        cells = (name_in_words(name), probability(report, name), f"{threshold:.3f}", "" if said == "negative" else said)
        table.add_row(*cells, style="bold" if said == "positive" else None)
    return table
