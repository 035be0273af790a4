"""`twelvelead archive-report`: what the results of `twelvelead archive` say together."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from twelvelead.diagnoses import DIAGNOSES, name_in_words
from twelvelead.doors.left_out import tell_foreign
from twelvelead.doors.options import Json
from twelvelead.formats.files import write_whole
from twelvelead.wording import counted, printable

if TYPE_CHECKING:
    from twelvelead.archive.manifest import Manifest
    from twelvelead.archive.summary import Summary

MOST_REASONS = 20
PICTURE = "report.svg"


def archive_report_command(
    folder: Annotated[Path, typer.Argument(help="The OUT of twelvelead archive.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option(
            help="Where the histograms are drawn, as SVG. Default: report.svg in the folder.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Summarise an archive: recordings by diagnosis, refused ones by reason, and histograms of the probabilities.

    Of an archive that is not finished, what is there is summarised.

    Example: twelvelead archive-report results/
    """
    from twelvelead.archive.listing import ArchiveError
    from twelvelead.archive.manifest import read_manifest
    from twelvelead.archive.picture import histograms
    from twelvelead.archive.summary import summarise

    manifest = read_manifest(folder)
    summary = summarise(folder, manifest)
    title = f"{manifest.bundle_name} on {', '.join(Path(name).name for name in manifest.inputs)}"
    drawn = picture or folder / PICTURE
    if drawn.suffix.lower() != ".svg":
        raise ArchiveError(f"--picture {drawn}: it is drawn as SVG; name a file that ends in .svg")
    try:
        write_whole(drawn, histograms(summary, manifest.thresholds, printable(title)).encode())
    except OSError as error:
        raise ArchiveError(f"{drawn} cannot be written ({error.strerror}): name another with --picture") from error
    tell_foreign(summary.foreign)
    if as_json:
        print(json.dumps({"of": manifest.listing.recordings, **summary.as_json(), "picture": str(drawn)}))
        return
    console = Console(emoji=False, soft_wrap=True)
    console.print(_diagnoses(manifest, summary), _reasons(summary))
    console.print(f"drawn to {escape(printable(str(drawn)))}")
    if summary.n_shards < manifest.n_shards:
        n_left = manifest.n_shards - summary.n_shards
        console.print(
            f"[bold]not finished[/bold]: {n_left:,} of {counted(manifest.n_shards, 'file')} missing; go on with "
            f"twelvelead archive as it was begun"
        )


def _diagnoses(manifest: "Manifest", summary: "Summary") -> Table:
    n_classified = summary.n_rows - summary.n_refused
    listed = counted(manifest.listing.recordings, "recording")
    table = Table(
        title=f"{summary.n_rows:,} of {listed}, {n_classified:,} classified, "
        f"{summary.n_refused:,} refused  ({escape(printable(manifest.bundle_name))})",
        title_justify="left",
        caption="quality: " + ", ".join(f"{kind} {count:,}" for kind, count in summary.quality.most_common()),
        caption_justify="left",
        box=box.SIMPLE,
    )
    for column in ("diagnosis", "positive", "of assessed", "withheld", "positive from"):
        table.add_column(column, justify="left" if column == "diagnosis" else "right", overflow="fold")
    for name in DIAGNOSES:
        share = f"{100 * summary.positive[name] / max(1, n_classified - summary.withheld[name]):.1f} %"
        counts = (
            f"{summary.positive[name]:,}",
            share,
            f"{summary.withheld[name]:,}",
            f"{manifest.thresholds[name]:.3f}",
        )
        table.add_row(name_in_words(name), *counts)
    for words, count in (
        ("none of the nine", summary.none),
        ("none of those that could be assessed", summary.partly),
        ("nothing could be assessed", summary.nothing),
    ):
        table.add_row(words, f"{count:,}", "", "", "")
    return table


def _reasons(summary: "Summary") -> Table:
    table = Table(title="refused, by reason", title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for reason, count in summary.reasons.most_common(MOST_REASONS):
        table.add_row(f"{count:,}", escape(printable(reason)))
    if (n_left := len(summary.reasons) - MOST_REASONS) > 0:
        table.add_row("", f"and {counted(n_left, 'further reason')}: see --json")
    return table
