"""`twelvelead convert`: any recording that can be read, written as WFDB or CSV."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from twelvelead.doors.options import Rate, Unit
from twelvelead.formats import read
from twelvelead.formats.writing import write
from twelvelead.wording import printable


def convert_command(
    path: Annotated[Path, typer.Argument(help="A recording of any format that can be read.", show_default=False)],
    out: Annotated[
        Path, typer.Argument(help="OUT.hea writes WFDB, with OUT.dat beside it; OUT.csv a table.", show_default=False)
    ],
    rate: Rate = None,
    unit: Unit = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Write a recording as WFDB or CSV, in millivolts, its twelve leads in standard order.

    Read again, it is the same within one quantum of the gain that the header states.

    Example: twelvelead convert ward-7/ecg.xml ecg.hea
    """
    record = read(path, rate_hz=rate, unit=unit)
    console = Console(emoji=False, soft_wrap=True)
    for warning in record.warnings:
        console.print(f"warning: {escape(warning)}")
    written = write(record, out, force=force)
    console.print(f"written to {escape(printable(', '.join(map(str, written))))}")
