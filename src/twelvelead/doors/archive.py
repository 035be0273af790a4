"""`twelvelead archive`: a whole archive to Parquet, on this machine or on a cluster; killed, it goes on."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from twelvelead.doors.cores import n_cores
from twelvelead.doors.left_out import tell_foreign, tell_passed_over
from twelvelead.doors.options import Bundle, Json, Precision, Specificity
from twelvelead.doors.stopping import stopped_as_by_ctrl_c
from twelvelead.wording import counted, printable

if TYPE_CHECKING:
    from twelvelead.archive.running import Told


def archive_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN",
            help="Folders, lists of files (.txt, a path a line), tar and zip archives, or recordings.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results, new or begun before.", show_default=False)],
    bundle: Bundle = None,
    precision: Precision = "float32",
    specificity: Specificity = None,
    workers: Annotated[int, typer.Option(help="Processes that classify; 0: one per core.", min=0, max=1024)] = 0,
    cluster: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, whose workers classify instead.", show_default=False),
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="Seconds that one recording may take, read and classified.", min=0.05, max=86_400)
    ] = 300.0,
    memory: Annotated[
        int, typer.Option(help="MiB of memory that one recording may take.", min=512, max=1 << 20)
    ] = 3072,
    shard_size: Annotated[int, typer.Option(help="Recordings per file of results.", min=1, max=20_000)] = 1000,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Withhold no diagnosis, however bad a recording is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Classify whole archives: a row for every recording, refused ones included, in Parquet files below OUT/shards.

    Killed at any moment, the same command goes on and ends with the same rows.
    A recording that crashes, hangs or takes too much memory is refused by name, and costs no other.
    The exit status is 0 also where some were refused: their number is printed, and archive-report has the reasons.

    Example: twelvelead archive recordings/ old.tar list.txt --out results/
    """
    from twelvelead.archive.listing import named
    from twelvelead.archive.manifest import Settings, alone_in, begin, shards_there
    from twelvelead.archive.running import run_here
    from twelvelead.classifier import load_bundle, shipped_bundle
    from twelvelead.formats import PassedOver

    if cluster is not None:
        from twelvelead.archive.cluster import refuse_no_address, run_on_cluster  # its extra may be missing

        refuse_no_address(cluster)
    folder, place = (bundle or shipped_bundle()).absolute(), out.absolute()
    settings = Settings(
        shard_size=shard_size,
        seconds=seconds,
        memory_mb=memory,
        anyway=anyway,
        precision=precision,
        specificity=specificity,
    )
    paths, classifier = named(inputs), load_bundle(folder, precision, specificity)  # before anything is made
    console, passed_over = Console(emoji=False, stderr=True), PassedOver()
    began = time.monotonic()
    with stopped_as_by_ctrl_c(), alone_in(place):
        with console.status("listing"):
            manifest = begin(paths, place, classifier, settings, passed_over)
        with _bar(console, manifest.listing.recordings) as tell:
            if cluster is None:
                told = run_here(place, folder, manifest, workers or n_cores(), tell)
            else:
                told = run_on_cluster(cluster, place, folder, manifest, tell)
        _, foreign = shards_there(place, manifest)
    tell_passed_over(passed_over)
    tell_foreign(foreign)
    facts = {
        "folder": str(out),
        "recordings": told.n_rows,
        "refused": told.n_refused,
        "passed_over": passed_over.n,
        "foreign_files": len(foreign),
        "there_before": told.n_before,
        "seconds": round(time.monotonic() - began, 3),
    }
    if as_json:
        print(json.dumps(facts))
    else:
        said = f"{counted(told.n_rows, 'recording')}, {told.n_refused:,} of them refused, in {facts['seconds']:.1f} s"
        print(f"{printable(str(out))}: {said}; twelvelead archive-report says what they show")


@contextmanager
def _bar(console: Console, n_recordings: int) -> Iterator[Callable[["Told"], None]]:
    """Recordings done, of those to do, a second since this run began, and the time left."""
    columns = (
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} recordings"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(*columns, console=console, speed_estimate_period=600) as bar:
        began = time.monotonic()

        def tell(told: "Told") -> None:
            if not bar.tasks:  # what is there already says nothing of the time left
                bar.add_task("archive", total=n_recordings, completed=told.n_before, rate="")
            rate = (told.n_rows - told.n_before) / max(1e-3, time.monotonic() - began)
            bar.update(bar.tasks[0].id, completed=told.n_rows, rate=f"{rate:,.0f} a second")

        yield tell
