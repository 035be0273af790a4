"""Colours and widths that SVG, PDF and PNG share."""

from typing import Final

Rgb = tuple[int, int, int]

GRID_STROKES: Final[tuple[tuple[int, Rgb, float], ...]] = ((1, (246, 213, 213), 0.1), (5, (233, 163, 163), 0.2))
LINE_RGB: Final[Rgb] = (17, 17, 17)
TYPE_RGB: Final[Rgb] = (17, 17, 17)
TINT_RGB: Final[Rgb] = (0, 114, 178)  # a blue that no common colour blindness confuses with the grid
TINT_OPACITY: Final = 0.35
HALO_RGB: Final[Rgb] = (255, 255, 255)  # the paper's
HALO_MM: Final = 0.8  # the width of the pen that goes round the letters: half of it is beside them
LINE_MM: Final = {"trace": 0.25, "pulse": 0.25, "separator": 0.2}
BOLD: Final = frozenset({"title", "lead"})


def hex_of(colour: Rgb) -> str:
    """As HTML writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
