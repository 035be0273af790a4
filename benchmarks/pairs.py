"""Two things timed in turns, so that what else the machine does falls on both."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Pair(NamedTuple):
    """Ours against a peer: medians in seconds, and the median and the quartiles of the ratios of neighbouring turns."""

    what: str
    peer: str
    ours_s: float
    peer_s: float
    ratio: float
    low: float
    high: float


def pair(what: str, peer: str, ours: Callable[[], object], theirs: Callable[[], object], *, turns: int = 15) -> Pair:
    """Call both once to warm up, then in turns; each call is one measurement."""
    ours()
    theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    return from_times(what, peer, times)


def from_times(what: str, peer: str, times: list[tuple[float, float]]) -> Pair:
    """Of (ours, theirs) in seconds, a pair a turn."""
    ratios = [theirs / ours for ours, theirs in times]
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    middle = [statistics.median(column) for column in zip(*times, strict=True)]
    return Pair(what, peer, middle[0], middle[1], statistics.median(ratios), low, high)


def times_of(call: Callable[[], object], n: int) -> Callable[[], None]:
    """A call that is too short to be timed, `n` times."""

    def repeated() -> None:
        for _ in range(n):
            call()

    return repeated


def seconds(call: Callable[[], object]) -> float:
    """On the clock."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
