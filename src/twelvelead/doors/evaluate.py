"""`twelvelead evaluate`: how good a bundle is on labelled recordings, by class and by parts, with intervals."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from twelvelead.classifier import BundleError, Classifier, classify_many, load_bundle, shipped_bundle
from twelvelead.classifier.writing import add_test
from twelvelead.databases import (
    DatabaseError,
    LabelledRecord,
    find,
    only,
    partings_of,
    people_of,
    read_keys,
    read_labelled,
    truth_of,
)
from twelvelead.databases.published import PUBLISHED
from twelvelead.databases.survey import never_stated
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.left_out import doubts, tell_found, tell_never_stated
from twelvelead.doors.options import PTBXL_RATES, Bundle, Folders, Json, Precision, PtbXlRate, Specificity
from twelvelead.formats.files import write_whole
from twelvelead.record import Record, RecordError
from twelvelead.scoring.evaluation import Result, evaluation
from twelvelead.scoring.scores import NAMES, RATES, Predictions
from twelvelead.wording import counted, no_formula, printable

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
        "patients_seen_in_training": _patients_seen(tried, found.records, classifier),
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
        write_whole(predictions_out, _as_csv(tried).encode())
    if as_json:
        print(json.dumps(result))
    else:
        console = Console(emoji=False)
        tell_found(console, found)
        print_evaluation(result, console)


@dataclass(frozen=True, eq=False)
class Tried:
    """What a classifier said of labelled recordings, and of which; refused: (path, reason).

    seen: whether each was trained on, with its samples or, where those may differ, by its name. n_copies: how many were
    left out, for another database has them by another name.
    """

    kept: list[LabelledRecord]
    predictions: Predictions
    seen: list[bool]
    refused: list[tuple[Path, str]]
    n_copies: int


def predict(records: Sequence[LabelledRecord], classifier: Classifier) -> Tried:
    """Classify every record, copies in another database once."""
    kept, positive, chances, seen, refused = [], [], [], [], []
    home_of: dict[str, str] = {}
    n_copies = 0
    with Progress(console=Console(emoji=False, stderr=True), disable=not sys.stderr.isatty()) as bar:
        tracked = bar.track(records, description="classifying")
        readings = ((record, _reading(record)) for record in tracked)
        for record, recording, answer in classify_many(readings, classifier, anyway=True):
            if isinstance(recording, RecordError) or isinstance(answer, RecordError):
                refused.append((record.path, str(answer)))
                continue
            digest = recording.digest
            if home_of.setdefault(digest, record.database) != record.database:
                n_copies += 1
                continue
            positive.append(answer.positive)
            chances.append([*answer.probabilities.values()])  # the rest of an answer is far larger
            kept.append(record)
            seen.append(_was_seen(record, digest, classifier))
    predictions = Predictions(
        truth=truth_of(kept).astype(bool),
        decisions=np.array([[name in names for name in DIAGNOSES] for names in positive], bool),
        probabilities=np.array(chances),
        people=people_of(kept),
    )
    return Tried(kept, predictions, seen, refused, n_copies)


def _refuse_to_lose(predictions: Path) -> None:
    """Raise DatabaseError where the predictions would replace a file, or have no folder when all is done."""
    if predictions.exists():
        raise DatabaseError(f"{predictions} is there already: name another file for the predictions")
    if not predictions.parent.is_dir():
        raise DatabaseError(f"{predictions.parent} is no folder: make it first, or name another for the predictions")


def _as_csv(tried: Tried) -> str:
    """A row for each recording: whose it is, what it has, what is said, and the nine probabilities."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("recording", "patient", "labels", "positive", *DIAGNOSES))
    for record, said, chances in zip(
        tried.kept, tried.predictions.decisions, tried.predictions.probabilities.tolist(), strict=True
    ):
        positive = " ".join(name for name, yes in zip(DIAGNOSES, said, strict=True) if yes)
        names = map(no_formula, (record.key, record.patient or ""))
        table.writerow((*names, " ".join(record.diagnoses), positive, *map(repr, chances)))
    return text.getvalue()


def _was_seen(record: LabelledRecord, digest: str, classifier: Classifier) -> bool:
    """By its samples; and by its name, which a published recording has at each of its rates and in each of its forms.

    A folder of one's own may have the name of another and hold other samples.
    """
    by_name = record.key in classifier.seen and (record.database in PUBLISHED or not classifier.seen[record.key])
    return by_name or digest in classifier.seen_digests


def _patients_seen(tried: Tried, there: Sequence[LabelledRecord], classifier: Classifier) -> int | None:
    """Of how many patients a recording was trained on, whether it is among those tried or only in the folders given.

    None where nobody can say: a bundle keeps no patients, and recordings of these databases that it was trained on are
    not there; or it was trained on one's own in another folder, whose names of patients are that folder's.
    """
    others = {record.key for record, was_seen in zip(tried.kept, tried.seen, strict=True) if not was_seen}
    trained_on = {record.key for record in there if record.key in classifier.seen} - others
    databases = {record.database for record in tried.kept if record.patient}
    if any(key.partition("/")[0] in databases for key in classifier.seen.keys() - trained_on):
        return None
    own_trained_on = {key.partition("/")[0] for key in classifier.seen} - PUBLISHED.keys()
    if any(own_trained_on - {database} for database in databases - PUBLISHED.keys()):
        return None
    people = {*people_of(record for record in there if record.patient and record.key in trained_on)}
    own = zip(tried.kept, tried.predictions.people, tried.seen, strict=True)
    people |= {person for record, person, was_seen in own if record.patient and was_seen}
    return len(people.intersection(tried.predictions.people))


def _reading(record: LabelledRecord) -> Record | RecordError:
    try:
        return read_labelled(record)
    except RecordError as error:
        return error


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
