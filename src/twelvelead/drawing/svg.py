"""Page -> SVG whose unit is the millimetre."""

from collections.abc import Sequence
from html import escape

import numpy as np

from twelvelead.drawing.page import Box, Line, Page, Text, Tint
from twelvelead.drawing.strokes import (
    BOLD,
    GRID_STROKES,
    HALO_MM,
    HALO_RGB,
    LINE_MM,
    LINE_RGB,
    TINT_OPACITY,
    TINT_RGB,
    TYPE_RGB,
    hex_of,
)


def svg(page: Page, behind: str = "") -> str:
    """A whole SVG document; whatever its texts hold comes out as text. behind: SVG to put under the grid."""
    size = f"{page.width_mm:g}", f"{page.height_mm:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}mm" height="{size[1]}mm" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="Verdana, DejaVu Sans, sans-serif" role="img" '
        f'aria-label="{escape(_label(page))}">\n'
        f"<title>{escape(page_title(page))}</title>\n"
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>\n'
        f"{behind}{tints_svg(page.tints)}{_grid(page.grid)}{_lines(page.lines)}{_texts(page.texts)}</svg>\n"
    )


def page_title(page: Page) -> str:
    """What the sheet is called."""
    return next((text.text for text in page.texts if text.kind == "title"), "12-lead ECG")


def _label(page: Page) -> str:
    """What a screen reader says of the sheet: all that is written on it but the names of the leads."""
    return "; ".join(" ".join(text.text.split()) for text in page.texts if text.kind != "lead" and text.text)


def tints_svg(tints: Sequence[Tint]) -> str:
    """The bands alone, as a group that a document can show or hide."""
    if not tints:
        return ""
    boxes = "".join(
        f'<rect x="{tint.box.x_mm:.2f}" y="{tint.box.y_mm:.2f}" width="{tint.box.width_mm:.2f}" '
        f'height="{tint.box.height_mm:.2f}" fill-opacity="{TINT_OPACITY * tint.weight:.3f}"/>'
        for tint in tints
    )
    return f'<g class="tints" fill="{hex_of(TINT_RGB)}">{boxes}</g>\n'


def _grid(box: Box) -> str:
    right, bottom = box.x_mm + box.width_mm, box.y_mm + box.height_mm

    def path(step_mm: int) -> str:
        across = [f"M{box.x_mm:g} {box.y_mm + y:g}H{right:g}" for y in range(0, int(box.height_mm) + 1, step_mm)]
        down = [f"M{box.x_mm + x:g} {box.y_mm:g}V{bottom:g}" for x in range(0, int(box.width_mm) + 1, step_mm)]
        return "".join(across + down)

    return "".join(
        f'<path class="grid-{step_mm}" d="{path(step_mm)}" stroke="{hex_of(colour)}" '
        f'stroke-width="{width_mm:g}" fill="none"/>\n'
        for step_mm, colour, width_mm in GRID_STROKES
    )


def _lines(lines: Sequence[Line]) -> str:
    paths = "".join(
        f'<path class="{line.kind}"{_which(line)} stroke-width="{LINE_MM[line.kind]:g}" d="{_path(line)}"/>\n'
        for line in lines
    )
    return f'<g fill="none" stroke="{hex_of(LINE_RGB)}" stroke-linejoin="round">\n{paths}</g>\n'


def _which(line: Line) -> str:
    return f' data-lead="{escape(line.lead)}" data-start-s="{line.start_s:g}"' if line.lead else ""


def _path(line: Line) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in np.asarray(line.points_mm).tolist())


def _texts(texts: Sequence[Text]) -> str:
    """Each twice, first as its halo; paint-order would save that, and is not known to everything that draws SVG."""
    shown = "".join(
        f'<text class="{text.kind}" x="{text.x_mm:g}" y="{text.y_mm:g}" font-size="{text.size_mm:g}" '
        f'font-weight="{_weight(text)}" xml:space="preserve">{escape(text.text)}</text>\n'
        for text in texts
        if text.text
    )
    colour = hex_of(HALO_RGB)
    halo = f'fill="{colour}" stroke="{colour}" stroke-width="{HALO_MM:g}" stroke-linejoin="round" aria-hidden="true"'
    return f'<g class="halo" {halo}>\n{shown}</g>\n<g fill="{hex_of(TYPE_RGB)}" stroke="none">\n{shown}</g>\n'


def _weight(text: Text) -> str:
    return "bold" if text.kind in BOLD else "normal"
