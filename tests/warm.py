"""The command line in processes of their own, forked from one that has imported what they would import.

Importing torch takes longer than most of what the tests ask for. Each call has its own arguments, folder, output and
exit status, and warnings are errors in it; what Python does at its end, freeing all that was imported, is left out.
`tests/test_documents.py` runs from nothing those of the README's commands that do without torch.
"""

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

LIMIT_S = 240


def twelvelead(
    *arguments: object, cwd: Path | None = None, killed_at: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `twelvelead ARGUMENTS...` to its end, or until there is a file, when it is killed."""
    with TemporaryDirectory() as folder:
        told, errors = Path(folder, "stdout"), Path(folder, "stderr")
        call = [list(map(str, arguments)), *map(str, (cwd or Path.cwd(), told, errors, killed_at or ""))]
        asked, answers = server().stdin, server().stdout
        assert asked
        assert answers
        print(json.dumps(call), file=asked, flush=True)
        status = int(answers.readline())
        return subprocess.CompletedProcess(call[0], status, told.read_text("utf-8"), errors.read_text("utf-8"))


@cache
def server() -> subprocess.Popen[str]:
    """The process that all calls of this test process are forked from; it ends when its standard input does."""
    command, pipes = [sys.executable, "-W", "error", __file__], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}  # for a process with threads must not be forked
    process = subprocess.Popen(command, **pipes, text=True, env=variables)
    atexit.register(process.communicate)
    return process


def serve() -> None:
    """Fork for each line of standard input; answer with the exit status of the process."""
    import matplotlib.pyplot  # noqa: F401
    import torch._dynamo  # noqa: F401

    import twelvelead.archive.running
    import twelvelead.study.run  # noqa: F401
    from twelvelead.doors.cli import main

    sys.argv[1:] = ["networks"]
    with suppress(SystemExit), redirect_stdout(StringIO()):
        main()  # imports what the first command of a process does

    gc.freeze()  # else each process copies all of it when it looks for garbage
    for line in sys.stdin:
        *call, killed_at = json.loads(line)
        child = os.fork()
        if child == 0:
            run(*call)
        while killed_at and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if Path(killed_at).exists():
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(arguments: list[str], folder: str, told: str, errors: str) -> None:
    """In the forked process: the command, as `python -m twelvelead` runs it."""
    from twelvelead.doors.cli import main

    signal.alarm(LIMIT_S)
    os.chdir(folder)
    for number, path in enumerate((os.devnull, told, errors)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["twelvelead", *arguments]
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))


if __name__ == "__main__":
    serve()
