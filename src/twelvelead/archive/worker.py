"""The process that classifies: `python -m twelvelead.archive.worker OUT BUNDLE JOURNAL PARENT`.

It is asked by lines of JSON on its standard input and answers likewise; whatever a recording does to it, it does to
nothing else. It keeps its own time: the system ends it when a recording's seconds are over, whatever it is in.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

OUT_OF_MEMORY: Final = 77
PR_SET_PDEATHSIG: Final = 1  # of Linux's prctl
ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS")


def main() -> None:
    """Answer until nobody asks any more."""
    out, bundle, journal, parent = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _end_with(int(parent))
    try:
        work = _prepared(Path(out), Path(bundle), int(journal), int(parent))
    except Exception as error:
        answers.write(_said(error))
        return
    for line in sys.stdin:
        try:
            work(**json.loads(line))
            answers.write(b"{}\n")
        except Exception as error:
            answers.write(_said(error))


def _end_with(parent: int) -> None:
    """On Linux, have the system end this process with the thread that started it, in whatever it is then.

    Elsewhere, and where Python has no ctypes, the worker looks itself: before each recording and each file.
    """
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def _said(error: Exception) -> bytes:
    from twelvelead.record import TwelveleadError

    said: dict[str, Any] = {"error": str(error) if isinstance(error, TwelveleadError) else repr(error)}
    if isinstance(error, OSError) and error.errno:
        said |= {"errno": error.errno, "strerror": error.strerror, "filename": str(error.filename or "")}
    return json.dumps(said).encode() + b"\n"


def _prepared(out: Path, bundle: Path, journal: int, parent: int) -> Any:
    """What does one request; everything is imported and opened before memory is bounded."""
    for variable in ONE_THREAD:
        os.environ[variable] = "1"
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve more than they use
    from twelvelead.archive.classifying import Place, do_shard
    from twelvelead.archive.listing import ArchiveError
    from twelvelead.archive.manifest import read_manifest, seal_of, software_here
    from twelvelead.classifier import load_bundle
    from twelvelead.formats.confined import confine

    manifest = read_manifest(out)
    classifier = load_bundle(bundle, manifest.settings.precision, manifest.settings.specificity)
    if manifest.software != software_here():
        raise ArchiveError(f"begun with {manifest.software}, here is {software_here()}: install the same everywhere")
    if manifest.bundle != seal_of(classifier):
        raise ArchiveError(f"the bundle in {bundle} is not the one that the archive was begun with: put it back")
    confine(manifest.settings.memory_mb << 20)
    place = Place(out=out, manifest=manifest, classifier=classifier, journal=journal, parent=parent)
    return lambda **request: do_shard(place, **request)


if __name__ == "__main__":
    main()
