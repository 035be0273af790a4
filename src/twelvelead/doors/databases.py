"""`twelvelead databases`: what folders hold, before anybody trains on it."""

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from twelvelead.databases import LISTED, Found, find
from twelvelead.databases.survey import Contents, Holding, contents, holdings
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.left_out import doubts, tell_found
from twelvelead.doors.options import PTBXL_RATES, Folders, Json, PtbXlRate
from twelvelead.wording import printable

SHOWN = 10
TABLE_CHARACTERS = 110


def databases_command(
    folders: Folders,
    ptbxl_rate: PtbXlRate = "100",
    read: Annotated[
        bool, typer.Option("--read/--no-read", help="Read every signal, to find duplicates and damage; or do not.")
    ] = True,
    listing: Annotated[
        bool,
        typer.Option(
            "--list", help="Print each recording's name, patient, fold and diagnoses as CSV, and nothing else."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which databases folders hold: recordings, patients, positives per diagnosis, duplicates, what is unreadable.

    A duplicate has the same samples as another recording; one that is there in two files of its name counts once.
    Exit status 1 when a recording could not be read. What --list prints, or some lines of it below its titles, is a
    list for `train --hold-out` and `evaluate --records`.

    Example: twelvelead databases data/ --no-read
    """
    with Console(emoji=False, stderr=True).status("looking for databases"):
        found = find(folders, rate_hz=PTBXL_RATES[ptbxl_rate])
    if listing:
        _print_list(found)
        return
    held = holdings(found.records)
    inside = _contents(found) if read else None
    if as_json:
        print(json.dumps(_as_json(found, held, inside)))
    else:
        console = Console(emoji=False)
        console.width = max(console.width, TABLE_CHARACTERS)
        _print(found, held, inside, console)
    raise typer.Exit(1 if inside and inside.unreadable else 0)


def _print_list(found: Found) -> None:
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(LISTED)
    for record in found.records:
        table.writerow((record.key, record.patient, record.fold, " ".join(record.diagnoses)))


def _contents(found: Found) -> Contents:
    with Progress(console=Console(emoji=False, stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=len(found.records))
        return contents(found.records, lambda: bar.advance(task))


def _as_json(found: Found, held: dict[str, Holding], inside: Contents | None) -> dict[str, object]:
    def listed(paths: tuple[tuple[Path, str], ...]) -> list[dict[str, str]]:
        return [{"path": str(path), "reason": reason} for path, reason in paths]

    return {
        "databases": {name: asdict(holding) for name, holding in held.items()},
        "repeated": found.repeated,
        **doubts(found),
        "passed_over": listed(found.passed_over),
        "duplicates": None if inside is None else inside.duplicates,
        "unreadable": None if inside is None else listed(inside.unreadable),
    }


def _print(found: Found, held: dict[str, Holding], inside: Contents | None, console: Console) -> None:
    table = Table("database", box=box.SIMPLE)
    for title in ("records", "patients", *DIAGNOSES):
        table.add_column(title, justify="right")
    for name, holding in held.items():
        patients = "–" if holding.patients is None else f"{holding.patients:,}"
        cells = ("–" if n is None else f"{n:,}" for n in holding.positives.values())
        table.add_row(escape(printable(name)), f"{holding.records:,}", patients, *cells)
    console.print(table)
    tell_found(console, found)
    _list(console, "left out", [f"{path}: {reason}" for path, reason in found.passed_over])
    if inside is not None:
        _list(console, "the same samples", [" = ".join(keys) for keys in inside.duplicates])
        _list(console, "unreadable", [f"{path}: {reason}" for path, reason in inside.unreadable])


def _list(console: Console, title: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(f"{title}: {len(lines):,}")
    for line in lines[:SHOWN]:
        console.print(f"  {printable(line)}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > SHOWN:
        console.print(f"  and {len(lines) - SHOWN:,} more: --json lists all")
