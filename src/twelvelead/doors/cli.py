"""The command line: `twelvelead COMMAND`; each command is a file of this folder."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from twelvelead.doors.archive import archive_command
from twelvelead.doors.archive_report import archive_report_command
from twelvelead.doors.classify import classify_command
from twelvelead.doors.convert import convert_command
from twelvelead.doors.databases import databases_command
from twelvelead.doors.download import download_command
from twelvelead.doors.evaluate import evaluate_command
from twelvelead.doors.networks import networks_command
from twelvelead.doors.page import page_command
from twelvelead.doors.score import score_command
from twelvelead.doors.serve import serve_command
from twelvelead.doors.show import show_command
from twelvelead.doors.store import store_command
from twelvelead.doors.study import study_command
from twelvelead.doors.train import train_command
from twelvelead.record import TwelveleadError
from twelvelead.release import version
from twelvelead.wording import printable

STOPPED = (129, 130, 143)  # by SIGHUP, Ctrl-C, SIGTERM
EXTRAS = {
    "h5py": "hdf5",
    "pyarrow": "archive",
    "dask": "cluster",
    "distributed": "cluster",
    "uvicorn": "serve",
    "fastapi": "serve",
    "pebble": "serve",
    "python_multipart": "serve",
    **dict.fromkeys(("matplotlib", "onnx", "safetensors", "torch"), "train"),
}

app = typer.Typer(
    name="twelvelead",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("classify")(classify_command)
app.command("archive")(archive_command)
app.command("archive-report")(archive_report_command)
app.command("show")(show_command)
app.command("convert")(convert_command)
app.command("serve")(serve_command)
app.command("evaluate")(evaluate_command)
app.command("page")(page_command)
app.command("score")(score_command)
app.command("store")(store_command)
app.command("train")(train_command)
app.command("study")(study_command)
app.command("networks")(networks_command)
app.command("download")(download_command)
app.command("databases")(databases_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"twelvelead {version()}")
        raise typer.Exit


@app.callback()
def top(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Read 12-lead ECGs with a network of under 50,000 parameters. Research software, no medical device."""


def main() -> None:
    """Run a command; an expected error is one sentence on standard error and exit status 1, never a traceback."""
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # else workers import what the folder has
    if sys.stdout is None:
        _stop("standard output is closed: nothing can be said; open it, to /dev/null if need be")
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # to the end
    if not os.environ.get("COLUMNS", "").strip("0"):
        os.environ.pop("COLUMNS", None)  # a terminal of no width: nothing would be printed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a narrow terminal shows ? where it cannot show a name
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except TwelveleadError as error:
        _stop(str(error))
    except TyperException as error:
        _stop(f"{error.format_message().splitlines()[0].rstrip('.')}: see twelvelead COMMAND --help", status=2)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("twelvelead"):
            raise
        if error.name in sys.stdlib_module_names:  # fcntl, resource
            _stop("this command needs Linux or macOS; classify, evaluate and train need neither")
        if (extra := EXTRAS.get(error.name)) is None:
            _stop(f"{error.name} is not installed, which twelvelead itself needs: install twelvelead again")
        _stop(
            f"this command needs {error.name}: "
            f"install it with pip install 'twelvelead[{extra}]', or '.[{extra}]' in its folder"
        )
    except ImportError as error:
        _stop(f"{error.name or 'a library'} is installed and cannot be loaded ({error}): install it again")
    except OSError as error:
        if error.errno is None:  # torch's, of its libraries
            _stop(f"a library cannot be loaded ({error}): install it again")
        _stop(_in_words(error))
    if status in STOPPED:
        _stop("stopped; a training run goes on with --resume, a download or an archive when started again", status)
    sys.exit(status)


def _in_words(error: OSError) -> str:
    """What the system refused, and the way out."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if (
        path is not None and path.suffix == ".part" and path.name.startswith(".")
    ):  # what was to be renamed into its place
        path = path.parent
    if path is not None and isinstance(error, FileExistsError | NotADirectoryError) and not path.is_dir():
        return f"{path} is a file, or lies in one, where a folder is needed: name a folder"
    if path is not None and isinstance(error, FileNotFoundError):
        return f"{path} is not there: correct the path, or make the folder first"
    where = f" ({path})" if path is not None else ""
    return f"{error.strerror or error}{where}: nothing written before is lost; make room or correct the path"


def _stop(sentence: str, status: int = 1) -> None:
    print(f"twelvelead: {printable(sentence)}", file=sys.stderr)
    sys.exit(status)
