"""`twelvelead study`: networks under one protocol, compared on what they say of recordings that they never saw."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from twelvelead.databases import DatabaseError, Found, find
from twelvelead.databases.survey import never_stated
from twelvelead.doors.left_out import tell_found, tell_left_out, tell_never_stated
from twelvelead.doors.options import PTBXL_RATES, FoldersOrStores, Json, PtbXlRate, listed
from twelvelead.scoring.evaluation import or_null
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import counted

if TYPE_CHECKING:
    from twelvelead.learning.samples import Samples
    from twelvelead.study.folds import Fold
    from twelvelead.study.workers import Told


def study_command(
    folders: FoldersOrStores,
    out: Annotated[Path, typer.Option(help="Folder for the runs, the tables and the figures.", show_default=False)],
    networks: Annotated[
        str | None, typer.Option(help="Names with commas between them; default: all of the study.", show_default=False)
    ] = None,
    n_folds: Annotated[int, typer.Option("--folds", help="Number of folds.", min=2, max=10)] = 3,
    leave_one_database_out: Annotated[
        bool, typer.Option("--leave-one-database-out", help="Test on each database after training on all others.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Most epochs; a network with teachers has twice as many.", min=1)] = 30,
    patience: Annotated[int, typer.Option(help="Epochs without a better loss before a run stops.", min=1)] = 15,
    seed: Annotated[int, typer.Option(help="Random seed of folds, first weights and training.", min=0, max=99_999)] = 0,
    workers: Annotated[int, typer.Option(help="Runs at the same time, one thread each.", min=1, max=64)] = 1,
    ptbxl_rate: PtbXlRate = "100",
    as_json: Json = False,
) -> None:
    """Compare networks: patient-wise folds, one protocol, paired intervals; killed, the same command goes on.

    Example: twelvelead study data/ --out my-study --networks single,resnet1d-wang --workers 2
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # or threads beside a busy process fall to a tenth
    from twelvelead.study.contestants import CONTESTANTS, contestants
    from twelvelead.study.folds import databases_left_out, folds
    from twelvelead.study.report import write_report
    from twelvelead.study.run import Protocol, keep_protocol
    from twelvelead.study.workers import Task, run_all

    console = Console(emoji=False, stderr=True)
    chosen = list(CONTESTANTS) if networks is None else contestants(listed(networks))
    protocol = Protocol(recipe=Recipe(), epochs=epochs, patience=patience, seed=seed, n_folds=n_folds)
    found = find(folders, rate_hz=PTBXL_RATES[ptbxl_rate])
    keep_protocol(protocol, out)
    samples = _samples(found, protocol.recipe, console)
    parts = databases_left_out(samples) if leave_one_database_out else folds(samples, n_folds, seed)
    _tell_unused(found, samples, parts, console)
    teachers = {name for contestant in chosen for name in contestant.teachers}
    first = [contestant.name for contestant in chosen if not contestant.teachers]
    waves = [[*first, *sorted(teachers - {*first})], [contestant.name for contestant in chosen if contestant.teachers]]
    with _bar(console, sum(map(len, waves)) * len(parts)) as hear:
        for names in waves:  # who is taught comes after the teachers
            todo = [Task(name, fold, name in teachers) for name in names for fold in parts]
            run_all(todo, samples, protocol, out, n_workers=workers, hear=hear)
    rows = write_report(out, samples.records)
    print(json.dumps([*map(_without_nan, rows)]) if as_json else (out / "study.md").read_text(encoding="utf-8"))


def _tell_unused(found: Found, samples: "Samples", parts: Sequence["Fold"], console: Console) -> None:
    tell_found(console, found)
    tell_never_stated(console, never_stated(found.records))
    used = {index for fold in parts for index in (*fold.development, *fold.test)}
    if n_unplaced := len(samples) - len(used):
        console.print(f"left out {counted(n_unplaced, 'recording')}: of an unknown person, so no fold is safe")


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    """Null where there is no score."""
    return {name: or_null(value) if isinstance(value, float) else value for name, value in row.items()}


def _samples(found: Found, recipe: Recipe, console: Console) -> "Samples":
    from twelvelead.learning.samples import load

    with Progress(console=console) as bar:
        task = bar.add_task("reading", total=len(found.records))
        samples, unread = load(found.records, recipe, lambda: bar.advance(task))
    tell_left_out(console, (*found.passed_over, *unread))
    if not len(samples):
        raise DatabaseError("no recording could be read: the reasons stand above")
    return samples


@contextmanager
def _bar(console: Console, n_runs: int) -> Iterator[Callable[["Told"], None]]:
    """A bar over all epochs of all runs; a run that stops early is full at once."""
    columns = (
        TextColumn("{task.fields[runs]} runs"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[now]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    done: dict[tuple[str, str], float] = {}
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("study", total=n_runs, runs=f"0/{n_runs}", now="")
        ended = 0

        def hear(told: "Told") -> None:
            nonlocal ended
            ended += told.progress is None
            name = f"{told.network}, fold {told.fold}"
            if told.progress is None:
                done[told.network, told.fold] = 1
                console.print(f"{name}: done", highlight=False)
            else:
                step = told.progress
                done[told.network, told.fold] = (step.epoch + step.step / step.n_steps) / step.n_epochs
                if step.validation is not None:
                    scores = "  ".join(f"{name} {value:.4f}" for name, value in step.validation.items())
                    console.print(f"{name}, epoch {step.epoch + 1}: {scores}", highlight=False)
            bar.update(task, completed=sum(done.values()), runs=f"{ended}/{n_runs}", now=name)

        yield hear
