"""`twelvelead score`: the Challenge's scores of any entry, to the digit."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from twelvelead.doors.options import Json
from twelvelead.scoring.challenge import Phase
from twelvelead.scoring.challenge_files import score_folders
from twelvelead.scoring.evaluation import or_null


def score_command(
    labels: Annotated[Path, typer.Argument(help="Folder of .hea files with Dx.", show_default=False)],
    outputs: Annotated[
        Path,
        typer.Argument(help="Folder of .csv files of four lines: #record, classes, 0/1, scores.", show_default=False),
    ],
    phase: Annotated[
        Phase, typer.Option(help="The script of the unofficial phase (February 2020), or the final one.")
    ] = "unofficial",
    as_json: Json = False,
) -> None:
    """Score the outputs of any Challenge entry, quirks of the organisers' script included.

    Example: twelvelead score labels/ outputs/ --phase 2020
    """
    scores = score_folders(labels, outputs, phase)
    if as_json:
        print(json.dumps({name: or_null(value) for name, value in scores.items()}))
        return
    table = Table("score", "value", title=f"phase: {phase}", title_justify="left")
    for name, value in scores.items():
        table.add_row(name.upper(), f"{value:.4f}")
    Console(emoji=False).print(table)
