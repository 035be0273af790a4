"""How a command is stopped from outside: as by Ctrl-C, so that what it wrote beside its place is put away."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer


@contextmanager
def stopped_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP, once, end a run and its workers as Ctrl-C does; the exit status says which it was."""
    told: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        told.append(number)
        if len(told) == 1:  # what is being put away is not disturbed
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):  # Windows has no SIGHUP
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    try:
        yield
    except (KeyboardInterrupt, RuntimeError):  # which threading makes of it where it comes amid a lock
        if told:
            raise typer.Exit(128 + told[0]) from None
        raise
