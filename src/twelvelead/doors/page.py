"""`twelvelead page`: the whole flow as one HTML file, which needs no server and no network."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.doors.options import Bundle, Specificity
from twelvelead.doors.page_assembly import one_file
from twelvelead.doors.page_runtime import N_BYTES, VERSION, PageError, fetched, runtime_in
from twelvelead.formats.files import write_whole
from twelvelead.wording import printable

MARK: Final = b'id="bundle-card"'


def page_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if needed.", show_default=False)
    ],
    bundle: Bundle = None,
    specificity: Specificity = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tgz",
            help=f"What `npm pack onnxruntime-web@{VERSION}` gives, for a machine without network.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a page that reads, draws and classifies recordings in the browser: open DIR/index.html by double click.

    No byte leaves the machine that opens it. The first time, onnxruntime-web (33 MB) is fetched from the npm registry.

    Example: twelvelead page my-page
    """
    classifier = load_bundle(bundle or shipped_bundle(), specificity=specificity)
    path = folder / "index.html"
    if path.exists() and MARK not in path.read_bytes():
        raise PageError(f"{path} is another page: name another folder, so that it is not lost")
    html = one_file(runtime_in(runtime or _fetched()), classifier)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, html.encode())
    print(f"{printable(str(path))}: {len(html) / 1e6:.1f} MB with {classifier.name}; open it in a browser")


def _fetched() -> Path:
    columns = (TextColumn("onnxruntime-web"), BarColumn(bar_width=20), DownloadColumn())
    with Progress(*columns, console=Console(emoji=False, stderr=True), transient=True) as bar:
        task = bar.add_task("runtime", total=N_BYTES)
        return fetched(lambda n_bytes: bar.advance(task, n_bytes))
