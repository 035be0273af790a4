"""How a recording is to be drawn: layout, order of the leads, speed, gain and filter, each from a short list."""

from dataclasses import dataclass
from numbers import Real
from typing import Final, Literal, get_args

from twelvelead.record import LEADS, TwelveleadError

Layout = Literal["3x4", "6x2", "12x1"]
Order = Literal["standard", "cabrera"]
Filter = Literal["none", "0.5-40 Hz"]

CABRERA: Final = ("aVL", "I", "-aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6")
ORDERS: Final[dict[Order, tuple[str, ...]]] = {"standard": LEADS, "cabrera": CABRERA}
SPEEDS_MM_PER_S: Final = (12.5, 25.0, 50.0)
GAINS_MM_PER_MV: Final = (5.0, 10.0, 20.0)


class PaperError(TwelveleadError):
    """A drawing was asked for in a layout, order, speed, gain or filter that there is not, or from after the end."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """How a recording is to be drawn; every lead the same way.

    start_s: where in the recording the drawing begins, earlier where less than a sheet is left after it.
    identity: print the recording's name, age and sex.
    Raises PaperError on a value that is not among those allowed.
    """

    layout: Layout = "3x4"
    order: Order = "standard"
    speed_mm_per_s: float = 25.0
    gain_mm_per_mv: float = 10.0
    filter: Filter = "none"
    start_s: float = 0.0
    identity: bool = False

    def __post_init__(self) -> None:
        for name, allowed in {
            "layout": get_args(Layout),
            "order": get_args(Order),
            "speed_mm_per_s": SPEEDS_MM_PER_S,
            "gain_mm_per_mv": GAINS_MM_PER_MV,
            "filter": get_args(Filter),
        }.items():
            if (found := getattr(self, name)) not in allowed:
                shown = ", ".join(value if isinstance(value, str) else f"{value:g}" for value in allowed)
                raise PaperError(f"{name} {found!r}: allowed are {shown}; choose one of them")
        if not isinstance(self.start_s, Real) or not 0 <= self.start_s < float("inf"):
            raise PaperError(f"start_s {self.start_s!r}: it must be 0 or more; give the seconds where to begin")
        for name in ("speed_mm_per_s", "gain_mm_per_mv", "start_s"):
            object.__setattr__(self, name, float(getattr(self, name)))  # NumPy's numbers are no decimals
