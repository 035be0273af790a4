"""Page -> PNG through Pillow, with its resolution written into the file."""

import io
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from twelvelead.drawing.page import Box, Page
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
    Rgb,
)

DOTS_PER_INCH: Final = 200
FINER: Final = 2  # drawn so many times finer and averaged, for Pillow's lines have hard edges


def png(page: Page) -> bytes:
    """A picture of a sheet."""
    from PIL import Image, ImageDraw

    scale = DOTS_PER_INCH / 25.4 * FINER
    size = tuple(round(length_mm * scale / FINER) * FINER for length_mm in (page.width_mm, page.height_mm))
    picture = Image.new("RGB", (size[0], size[1]), "white")
    pen = ImageDraw.Draw(picture)
    for tint in page.tints:
        pen.rectangle(_corners(tint.box, scale), fill=_on_white(TINT_RGB, TINT_OPACITY * tint.weight))
    _draw_grid(pen, page.grid, scale)
    for line in page.lines:
        width = round(LINE_MM[line.kind] * scale)
        pen.line((line.points_mm * scale).ravel().tolist(), fill=LINE_RGB, width=width, joint="curve")
    for text in page.texts:
        pen.text(
            (text.x_mm * scale, text.y_mm * scale),
            text.text,
            fill=TYPE_RGB,
            font=_font(text.kind in BOLD, text.size_mm * scale),
            anchor="ls",
            stroke_width=round(HALO_MM / 2 * scale),
            stroke_fill=HALO_RGB,
        )
    written = io.BytesIO()
    smooth = picture.resize((size[0] // FINER, size[1] // FINER), Image.Resampling.BOX)
    smooth.save(written, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return written.getvalue()


def _draw_grid(pen: Any, box: Box, scale: float) -> None:
    left, top, right, bottom = _corners(box, scale)
    for step_mm, colour, width_mm in GRID_STROKES:
        width = max(1, round(width_mm * scale))
        for x_mm in range(0, int(box.width_mm) + 1, step_mm):
            pen.line([left + x_mm * scale, top, left + x_mm * scale, bottom], fill=colour, width=width)
        for y_mm in range(0, int(box.height_mm) + 1, step_mm):
            pen.line([left, top + y_mm * scale, right, top + y_mm * scale], fill=colour, width=width)


def _corners(box: Box, scale: float) -> list[float]:
    return [v * scale for v in (box.x_mm, box.y_mm, box.x_mm + box.width_mm, box.y_mm + box.height_mm)]


def _on_white(colour: Rgb, opacity: float) -> Rgb:
    red, green, blue = (round(255 - (255 - part) * opacity) for part in colour)
    return red, green, blue


@lru_cache(maxsize=16)
def _font(is_bold: bool, size: float) -> Any:
    """The type of the PDF, which comes with reportlab."""
    import reportlab
    from PIL import ImageFont

    folder = Path(reportlab.__file__).parent / "fonts"
    return ImageFont.truetype(str(folder / ("VeraBd.ttf" if is_bold else "Vera.ttf")), size)
