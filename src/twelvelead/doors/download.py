"""`twelvelead download`: an openly licensed database, file by file, verified, with progress."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from twelvelead.doors.options import Json
from twelvelead.downloads import SOURCES, download
from twelvelead.downloads.download import Told
from twelvelead.wording import counted, printable


def download_command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(SOURCES)}.", show_default=False)],
    folder: Annotated[Path, typer.Argument(metavar="DEST", help="Folder to fill; made if needed.", show_default=False)],
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Stands for https://physionet.org/files or https://zenodo.org; the checksums are then the mirror's.",
            show_default=False,
        ),
    ] = None,
    connections: Annotated[int, typer.Option(help="Files that are fetched at once.", min=1, max=16)] = 4,
    as_json: Json = False,
) -> None:
    """Download an openly licensed database from PhysioNet or Zenodo, each file verified by its published checksum.

    Started again, it goes on where it stopped; what is there and right stays, what is damaged is fetched anew.
    Exit status 1 when a file could not be had; the others are there.

    Example: twelvelead download ptb-xl-100 data/ptb-xl
    """
    console = Console(emoji=False, stderr=True)
    if name in SOURCES:
        source = SOURCES[name]
        console.print(f"{name}: about {source.gigabytes:g} GB, {source.licence}, {source.page}", highlight=False)
    with _bar(console) as tell:
        done = download(name, folder, mirror=mirror, n_connections=connections, tell=tell)
    for file, reason in done.failed:
        console.print(printable(f"not there: {file}: {reason}"), markup=False, highlight=False)
    if as_json:
        print(json.dumps({"folder": str(folder), **asdict(done)}))
    else:
        there = done.n_files - len(done.failed)
        verified = f"{there:,} of {counted(done.n_files, 'file')} verified"
        print(f"{printable(str(folder))}: {verified}, {done.n_fetched:,} fetched now")
    raise typer.Exit(1 if done.failed else 0)


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Told], None]]:
    """A bar over bytes where the list says how many there are, else over files."""
    columns = (
        TextColumn("{task.fields[files]}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[received]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("download", total=None, files="list of files", received="")

        def tell(told: Told) -> None:
            if told.n_files:
                bar.update(
                    task,
                    total=told.total_bytes or told.n_files,
                    completed=told.n_bytes if told.total_bytes else told.n_done,
                    files=f"{told.n_done:,} of {told.n_files:,} files",
                    received=decimal(max(0, told.n_bytes)),
                )

        yield tell
