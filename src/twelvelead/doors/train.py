"""`twelvelead train`: labelled recordings -> a bundle, with progress, resumable."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from twelvelead.classifier.bundle import CARD, BundleError
from twelvelead.classifier.writing import refuse_unsafe_place
from twelvelead.databases import DatabaseError, Found, LabelledRecord, find, read_keys
from twelvelead.databases.survey import never_stated
from twelvelead.doors.left_out import tell_found, tell_left_out, tell_never_stated
from twelvelead.doors.options import PTBXL_RATES, FoldersOrStores, Json, PtbXlRate, listed
from twelvelead.doors.unfinished import forget, left_of
from twelvelead.network.zoo import named
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import counted, printable

if TYPE_CHECKING:
    from twelvelead.learning.fit import Progress as Step
    from twelvelead.learning.samples import Samples
    from twelvelead.learning.split import Split


def train_command(
    folders: FoldersOrStores,
    out: Annotated[Path, typer.Option(help="Folder of the bundle to write.", show_default=False)],
    network: Annotated[str, typer.Option(help="A name that `twelvelead networks` lists.")] = "single",
    name: Annotated[
        str, typer.Option(help="What answers and reports call the bundle; default: its folder's.", show_default=False)
    ] = "",
    seed: Annotated[
        int, typer.Option(help="Random seed of the split, the first weights and the training.", min=0, max=99_999)
    ] = 0,
    epochs: Annotated[
        int,
        typer.Option(help="Most epochs, stopped early; with --teachers twice as many.", min=1),
    ] = 30,
    teachers: Annotated[
        str | None,
        typer.Option(
            help="Peers to train first and learn from, with commas, such as resnet1d-wang,xresnet1d101,single.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a killed run, with the same options.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a bundle, or what a killed run left.")] = False,
    hold_out: Annotated[
        list[Path] | None,
        typer.Option(
            help="File with recordings to keep for a test, one `database/recording` a line; their patients stay out.",
            show_default=False,
        ),
    ] = None,
    ptbxl_rate: PtbXlRate = "100",
    threads: Annotated[int, typer.Option(help="CPU threads; the weights' last bits depend on it.", min=1, max=256)] = 1,
    as_json: Json = False,
) -> None:
    """Train a network on labelled recordings: 80 % to train on, 20 % to stop early and to set thresholds on.

    torchrun --nproc-per-node 2 -m twelvelead train ... takes the steps of one process, within float error.

    Example: twelvelead train ptb-xl/ georgia/ --out my-bundle --network dual
    """
    config, recipe, out = named(network), Recipe(), out.resolve()
    refuse_unsafe_place(out, [folder.resolve() for folder in folders])
    _refuse_to_lose(out, resume=resume, replace=replace)
    found = find(folders, rate_hz=PTBXL_RATES[ptbxl_rate])
    _refuse_unwritable(out)
    held_out = frozenset().union(*map(read_keys, hold_out or []))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # or threads beside a busy process fall to a tenth
    import torch  # here, since it takes as long as all before

    from twelvelead.doors.bundling import Training, bundle_up
    from twelvelead.doors.teachers import fit_taught, refuse_taught
    from twelvelead.learning.fit import TAUGHT_LONGER, Settings
    from twelvelead.learning.split import VALIDATION_SHARE, split
    from twelvelead.learning.together import team
    from twelvelead.study.contestants import contestants

    torch.set_num_threads(threads)
    taught_by = [] if teachers is None else contestants(listed(teachers))
    settings = Settings(epochs=epochs * TAUGHT_LONGER if taught_by else epochs, seed=seed)
    refuse_taught(taught_by)
    with team() as together:
        console = Console(emoji=False, stderr=True, quiet=together.rank > 0)
        parted = split(found.records, held_out=held_out, validation_share=VALIDATION_SHARE, seed=seed)
        _tell_left_out(found, parted, console)
        sides = _load(found.records, parted, recipe, console)
        with _training_bar(console) as tell:
            fitted = fit_taught(
                config, taught_by, sides, recipe, settings, out, resume=resume, together=together, tell=tell
            )
    if together.rank > 0:
        return  # the first process writes
    ended = Training(
        name=printable(name or out.name),
        network=network,
        config=config,
        recipe=recipe,
        settings=settings,
        teachers=tuple(one.name for one in taught_by),
        training=sides[0],
        validation=sides[1],
        held_out=tuple(found.records[index].key for index in parted.held_out),
        left_out=_left_out(found, parted, sides),
        fitted=fitted,
    )
    card = bundle_up(out, ended)
    forget(out)
    _tell_result(out, card, as_json)


def _refuse_to_lose(out: Path, *, resume: bool, replace: bool) -> None:
    """Raise BundleError where a training from the beginning would take the place of one that ended, or was killed.

    Also where what is to be gone on with is not there, or is to be replaced at the same time.
    """
    begun = left_of(out)
    if resume and replace:
        raise BundleError("--resume and --replace: a killed run is gone on with, or begun anew; give one of them")
    if resume and not begun:
        raise BundleError(f"--resume, and nothing of a killed training lies beside {out}: begin it without")
    if resume or replace:
        return
    if (out / CARD).is_file():
        raise BundleError(f"{out} holds a bundle already: name another folder, or train it anew with --replace")
    if begun:
        raise BundleError(f"{begun} is of a training that was killed: go on with --resume, or anew with --replace")


def _refuse_unwritable(out: Path) -> None:
    """Raise BundleError where nothing can be written beside the bundle, before an hour was spent."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise BundleError(f"nothing can be written to {out.parent} ({error.strerror}): name another --out") from error


def _tell_left_out(found: Found, parted: "Split", console: Console) -> None:
    tell_left_out(console, found.passed_over)
    tell_found(console, found)
    tell_never_stated(console, never_stated(found.records))
    with_patients = {record.database for record in found.records if record.patient}
    if unnamed := {record.database for record in found.records} - with_patients:
        names = printable(", ".join(sorted(unnamed)))
        console.print(f"{names}: no patients are named, so a person may be on both sides", markup=False)
    if parted.held_out:
        console.print(f"left out {counted(len(parted.held_out), 'recording')}: held out, or maybe of a person held out")
    if parted.unplaceable:
        n_left_out = counted(len(parted.unplaceable), "recording")
        console.print(f"left out {n_left_out}: of an unknown person, so no side is safe")


def _load(
    records: Sequence[LabelledRecord], parted: "Split", recipe: Recipe, console: Console
) -> tuple["Samples", "Samples"]:
    """Both sides in memory; a recording that cannot be read is named and left out, and so are copies of those apart."""
    from twelvelead.learning.samples import load, unlike

    parts = (parted.training, parted.validation, parted.held_out)
    with Progress(console=console) as bar:
        task = bar.add_task("reading", total=sum(map(len, parts)))
        sides = [load([records[index] for index in side], recipe, lambda: bar.advance(task)) for side in parts]
    for _, unread in sides:
        tell_left_out(console, unread)
    (every, _), (validating, _), (held_out, _) = sides
    validation = unlike(validating, held_out)
    training = unlike(unlike(every, held_out), validation)
    if n_copies := len(every) - len(training) + len(validating) - len(validation):
        n_left_out = counted(n_copies, "recording")
        console.print(f"left out {n_left_out}: the validation, or what is held out, has copies by other names")
    if not len(training) or not len(validation):
        raise DatabaseError("no recording of one side could be read: the reasons stand above")
    if not training.truth.any():
        raise DatabaseError(
            f"none of the {len(training)} recordings to train on has any of the nine diagnoses: "
            f"nothing can be learned; look at the labels with `twelvelead databases`"
        )
    return training, validation


def _left_out(found: Found, parted: "Split", sides: tuple["Samples", "Samples"]) -> tuple[str, ...]:
    """Keys of the recordings that are neither on a side nor held out."""
    placed = {record.key for side in sides for record in side.records}
    placed |= {found.records[index].key for index in parted.held_out}
    return tuple(record.key for record in found.records if record.key not in placed)


@contextmanager
def _training_bar(console: Console) -> Iterator[Callable[["Step"], None]]:
    """A bar over the epochs of a network with loss, last validation scores and the time left if none is saved."""
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(bar_width=20),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[validation]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=1, epoch="1", loss=float("nan"), validation="")

        def tell(step: "Step") -> None:
            done = step.epoch + step.step / step.n_steps
            place = f"{step.epoch + 1}/{step.n_epochs}"
            bar.update(task, total=step.n_epochs, completed=done, epoch=place, loss=step.loss)
            if step.validation is not None:
                scores = "  ".join(f"{name} {value:.3f}" for name, value in step.validation.items())
                bar.update(task, validation=f"validation AUROC {step.validation['auroc']:.3f}")
                console.print(f"epoch {step.epoch + 1}: {scores}", highlight=False)

        yield tell


def _tell_result(out: Path, card: dict[str, Any], as_json: bool) -> None:
    parameters, epochs, scores = card["network"]["parameters"], card["training"]["epochs"], card["validation"]["scores"]
    if as_json:
        print(json.dumps({"bundle": str(out), "parameters": parameters, "epochs": epochs, "validation": scores}))
        return
    said = "  ".join(f"{name.upper()} {_or_none(value)}" for name, value in scores.items())
    print(f"{printable(str(out))}: {parameters:,} parameters, {counted(epochs, 'epoch')}\nvalidation: {said}")


def _or_none(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
