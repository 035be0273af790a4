"""Programs that some tests look through, a browser and a PDF reader: found, or installed where this is Debian."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def program(package: str, *names: str) -> str:
    """The path of the first that is there; where none is, and root can, its Debian package is installed first.

    One test process at a time: apt-get ends at once where another runs. The test is skipped where there is no way.
    """
    if found := _first(names):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        with (Path(tempfile.gettempdir()) / "twelvelead-tests-apt.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _first(names):
                subprocess.run(["apt-get", "update"], **quiet)
                subprocess.run(["apt-get", "install", "-y", package], **quiet)
    if found := _first(names):
        return found
    pytest.skip(f"no {names[0]}: apt-get install {package}")


def chromium() -> str:
    """A Chromium."""
    return program("chromium", "chromium", "chromium-browser", "google-chrome")


def pdf_to_png(path: Path) -> Path:
    """The first page, drawn beside it at 10 dots a millimetre."""
    command = [program("poppler-utils", "pdftoppm"), "-r", "254", "-png", "-singlefile", path, path.with_suffix("")]
    subprocess.run(command, check=True)
    return path.with_suffix(".png")


def _first(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)
