"""`twelvelead store`: labelled recordings read and filtered once, for all trainings that follow."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from twelvelead.databases import find
from twelvelead.doors.left_out import tell_left_out
from twelvelead.doors.options import PTBXL_RATES, Folders, Json, PtbXlRate, Workers
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import counted, printable


def store_command(
    folders: Folders,
    out: Annotated[Path, typer.Option(help="New folder for the store.", show_default=False)],
    workers: Workers = 2,
    ptbxl_rate: PtbXlRate = "100",
    as_json: Json = False,
) -> None:
    """Read and filter labelled recordings once; `train` and `study` take the store like any other folder.

    A store holds 16-bit counts at the network's rate (24 kB for 10 s) in one file that is mapped, not loaded.

    Example: twelvelead store ptb-xl/ georgia/ --out my-store
    """
    from twelvelead.learning.store import write_store

    console = Console(emoji=False, stderr=True)
    found = find(folders, rate_hz=PTBXL_RATES[ptbxl_rate])
    columns = (TextColumn("reading"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=len(found.records))
        unread = write_store(out, found.records, Recipe(), n_workers=workers, advance=lambda: bar.advance(task))
    tell_left_out(console, (*found.passed_over, *unread))
    n_kept, n_bytes = len(found.records) - len(unread), sum(file.stat().st_size for file in out.iterdir())
    if as_json:
        print(json.dumps({"store": str(out), "recordings": n_kept, "left_out": len(unread), "bytes": n_bytes}))
    else:
        print(f"{printable(str(out))}: {counted(n_kept, 'recording')}, {n_bytes / 1e6:,.1f} MB")
