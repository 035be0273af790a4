"""`twelvelead evaluate`: how good a bundle is on labelled recordings, by class and by parts, with intervals."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twelvelead.classifier import BundleError, load_bundle, shipped_bundle
from twelvelead.classifier.writing import add_test
from twelvelead.databases import DatabaseError, find, only, partings_of, read_keys
from twelvelead.databases.survey import never_stated
from twelvelead.doors.left_out import doubts, tell_found, tell_never_stated
from twelvelead.doors.options import PTBXL_RATES, Bundle, Folders, Json, Precision, PtbXlRate, Specificity
from twelvelead.doors.tried import as_csv, patients_seen, predict
from twelvelead.formats.files import write_whole
from twelvelead.scoring.evaluation import Result, evaluation
from twelvelead.scoring.scores import NAMES, RATES
from twelvelead.wording import counted, printable

WIDEST: Final = 1000
PARTINGS: Final = {"databases": "database", "sexes": "sex", "ages": "age"}


def evaluate_command(
    folders: Folders,
    bundle: Bundle = None,
    precision: Precision = "float32",
    specificity: Specificity = None,
    records: Annotated[
        Path | None,
        typer.Option(help="File with the recordings to take, one `database/recording` a line.", show_default=False),
    ] = None,
    card: Annotated[
        str | None,
        typer.Option(help="Enter the result into the bundle's card under this name.", show_default=False),
    ] = None,
    predictions_out: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            help="CSV to which each recording's labels, decisions and nine probabilities are written.",
            show_default=False,
        ),
    ] = None,
    ptbxl_rate: PtbXlRate = "100",
    as_json: Json = False,
) -> None:
    """Score a bundle on labelled recordings: by class, database, sex and age, with 95 % intervals over patients.

    F2, G2, F1 and accuracy count the recordings with at least one of the nine diagnoses, AUROC and AUPRC all.
    A class without a positive has no score and is left out of the means.

    Example: twelvelead evaluate ptb-xl/ --records fold-9.txt --json
    """
    if card is not None and bundle is None:
        raise BundleError("--card writes into a bundle, and the shipped one stays as it is: name yours with --bundle")
    classifier = load_bundle(bundle or shipped_bundle(), precision, specificity)
    if card is not None and (not card.strip() or card in classifier.card.get("tests", {})):
        raise BundleError(f"--card {card!r}: it must be a name that no test in the card has yet; choose another")
    if predictions_out is not None:
        _refuse_to_lose(predictions_out)
    found = find(folders, rate_hz=PTBXL_RATES[ptbxl_rate])
    labelled = found.records if records is None else only(found.records, read_keys(records))
    tried = predict(labelled, classifier)
    kept, predictions, refused = tried.kept, tried.predictions, tried.refused
    if not kept:
        raise DatabaseError(f"none of {len(labelled)} recordings can be classified, the first because: {refused[0][1]}")
    passed_over = found.passed_over if records is None else ()
    result = evaluation(predictions, partings_of(kept)) | {
        "bundle": classifier.name,
        "seen_in_training": sum(tried.seen),
        "patients_seen_in_training": patients_seen(tried, found.records, classifier),
        "patients_unknown": sum(record.patient is None for record in kept),
        "never_stated": never_stated(kept),
        "repeated": found.repeated,
        **doubts(found),
        "copies": tried.n_copies,
        "refused": [{"path": str(path), "error": reason} for path, reason in (*refused, *passed_over)],
    }
    if card is not None:
        counts = {name: len(result[name]) for name in ("contradicted", "namesakes", "refused")}
        add_test(classifier.folder, card, {**result, **counts})  # which travels, and names no file and no patient
    if predictions_out is not None:
        write_whole(predictions_out, as_csv(tried).encode())
    if as_json:
        print(json.dumps(result))
    else:
        console = Console(emoji=False)
        tell_found(console, found)
        print_evaluation(result, console)


def _refuse_to_lose(predictions: Path) -> None:
    """Raise DatabaseError where the predictions would replace a file, or have no folder when all is done."""
    if predictions.exists():
        raise DatabaseError(f"{predictions} is there already: name another file for the predictions")
    if not predictions.parent.is_dir():
        raise DatabaseError(f"{predictions.parent} is no folder: make it first, or name another for the predictions")
    try:
        with tempfile.TemporaryFile(dir=predictions.parent):
            pass
    except OSError as error:
        said = f"nothing can be written to {predictions.parent} ({error.strerror})"
        raise DatabaseError(f"{said}: name another folder for the predictions") from error


def print_evaluation(result: Result, console: Console) -> None:
    """The tables for people."""
    on = f"{counted(result['records'], 'recording')} of {counted(result['patients'], 'patient')}"
    console.print(
        f"[bold]{escape(result['bundle'])}[/bold] on {on}; "
        f"F2, G2, F1 and accuracy over the {result['records_with_a_diagnosis']} with at least one of the nine"
    )
    if result["patients_unknown"]:
        console.print(f"of {result['patients_unknown']} nobody knows the patient: each counts as one of its own")
    if result["seen_in_training"]:
        console.print(f"[red]{result['seen_in_training']} of them were seen in training: this is no test[/red]")
    elif result["patients_seen_in_training"]:
        those = counted(result["patients_seen_in_training"], "patient")
        console.print(f"[red]other recordings of {those} were seen in training: this is no test[/red]")
    elif result["patients_seen_in_training"] is None:
        console.print(
            "recordings that it was trained on are not in these folders, or in a folder that names patients in its own "
            "way: nobody can say of whom they were"
        )
    if result["copies"]:
        console.print(f"left out {counted(result['copies'], 'recording')}: another database has a copy by another name")
    tell_never_stated(console, result["never_stated"])
    if result["refused"]:
        console.print(
            f"{len(result['refused'])} refused, the first because: {escape(printable(result['refused'][0]['error']))}"
        )
    by_class = _score_table("by class (n positives)", "class")
    for name, row in result["classes"].items():
        by_class.add_row(name, str(row["positives"]), *_cells(row, row["intervals"]))
    by_class.add_section()
    by_class.add_row("mean", "", *_cells(result["scores"], result["intervals"]), style="bold")
    _print_whole(by_class, console)
    if result["without_positives"]:
        console.print(f"left out of the means, for want of a positive: {', '.join(result['without_positives'])}")
    decisions = _table("decisions by class, over all recordings", "class", ("n", "called", *RATES))
    for name, row in result["classes"].items():
        cells = _cells(row, row["intervals"], RATES)
        decisions.add_row(name, str(row["positives"]), str(row["called"]), *cells)
    _print_whole(decisions, console)
    for parting, part in PARTINGS.items():
        by_part = _score_table(f"by {part} (n recordings)", part)
        for name, row in result[parting].items():
            by_part.add_row(escape(printable(name)), str(row["records"]), *_cells(row["scores"], row["intervals"]))
        _print_whole(by_part, console)


def _print_whole(table: Table, console: Console) -> None:
    """With all its columns, wherever it breaks: a narrow terminal would be given a table without its names."""
    console.width = max(console.width, console.measure(table, options=console.options.update(width=WIDEST)).maximum)
    console.print(table)


def _score_table(title: str, subject: str) -> Table:
    return _table(title, subject, ("n", *(name.upper() if name != "accuracy" else "ACC" for name in NAMES)))


def _table(title: str, subject: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(subject)
    for name in columns:
        table.add_column(name.upper() if name == "ppv" else name, justify="right", no_wrap=True)
    return table


def _cells(
    scores: dict[str, float | None], bounds: dict[str, list[float | None]], names: Sequence[str] = NAMES
) -> list[str]:
    return [_cell(scores[name], *bounds[name]) for name in names]


def _cell(value: float | None, low: float | None, high: float | None) -> str:
    """A score above its interval, the zero before the point left out."""
    if value is None:
        return "–"
    lines = [f"{value:.3f}"] if low is None or high is None else [f"{value:.3f}", f"{low:.2f}–{high:.2f}"]
    return "\n".join(line.replace("0.", ".") for line in lines)
