"""What a drawing consists of, in millimetres from the paper's upper left corner, x to the right and y downwards."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

DECIMALS: Final = 3


@dataclass(frozen=True)
class Box:
    """A rectangle in millimetres."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, eq=False)
class Line:
    """A polyline: a `trace` of one lead from `start_s` on, a calibration `pulse`, or a `separator` of columns.

    points_mm: (n, 2) float64, x and y.
    """

    kind: Literal["trace", "pulse", "separator"]
    points_mm: NDArray[np.float64]
    lead: str = ""
    start_s: float = 0.0


@dataclass(frozen=True)
class Text:
    """Text whose baseline begins at (x_mm, y_mm); size_mm is the size of the type."""

    kind: Literal["title", "caption", "note", "lead", "scale", "about"]
    x_mm: float
    y_mm: float
    text: str
    size_mm: float = 3.5


@dataclass(frozen=True)
class Band:
    """A span of the recording that is tinted behind the traces; weight: from 0, nothing, to 1, the full tint."""

    start_s: float
    end_s: float
    weight: float


@dataclass(frozen=True)
class Tint:
    """A band at its place on the paper."""

    box: Box
    weight: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """A sheet of ECG paper: its size, the box that the grid fills, and what is drawn on it, in drawing order."""

    width_mm: float
    height_mm: float
    grid: Box
    tints: tuple[Tint, ...]
    lines: tuple[Line, ...]
    texts: tuple[Text, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain numbers and strings, rounded to a micrometre; docs/drawing.md says what each means."""
        return {
            "width_mm": self.width_mm,
            "height_mm": self.height_mm,
            "grid": _box(self.grid),
            "tints": [{**_box(tint.box), "weight": round(tint.weight, DECIMALS)} for tint in self.tints],
            "lines": [
                {
                    "kind": line.kind,
                    "lead": line.lead,
                    "start_s": round(line.start_s, DECIMALS),
                    "points_mm": np.round(line.points_mm, DECIMALS).tolist(),
                }
                for line in self.lines
            ],
            "texts": [
                {
                    "kind": text.kind,
                    "x_mm": round(text.x_mm, DECIMALS),
                    "y_mm": round(text.y_mm, DECIMALS),
                    "size_mm": text.size_mm,
                    "text": text.text,
                }
                for text in self.texts
            ],
        }


def _box(box: Box) -> dict[str, float]:
    return {name: round(value, DECIMALS) for name, value in vars(box).items()}
