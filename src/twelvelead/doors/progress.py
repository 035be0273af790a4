"""How far a command is, on a bar."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from rich.progress import Progress

T = TypeVar("T")


def tracked(bar: Progress, things: Collection[T]) -> Iterator[T]:
    """Each thing, the bar one further after it.

    Rich's own way has a thread, and a stop that comes as it begins leaves that waiting for ever (Python 3.13).
    """
    task = bar.add_task("classifying", total=len(things))
    for thing in things:
        yield thing
        bar.advance(task)
