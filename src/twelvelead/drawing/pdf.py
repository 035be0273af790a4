"""Page -> PDF in true millimetres, with its type embedded, through reportlab."""

import io
from collections.abc import Sequence
from typing import Any, Final

from twelvelead.drawing.page import Box, Page, Text
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
from twelvelead.drawing.svg import page_title

POINTS_PER_MM: Final = 72 / 25.4
PLAIN_TYPE: Final = "Vera"
BOLD_TYPE: Final = "VeraBd"
ASCENT, DESCENT = 0.78, 0.24  # of these types, in their size
PLATE_OPACITY: Final = 0.8


def pdf(pages: Sequence[Page]) -> bytes:
    """A PDF of one sheet a page."""
    written = io.BytesIO()
    sheet = new_pdf(written, page_title(pages[0]))
    for page in pages:
        put_page(sheet, page)
    sheet.save()
    return written.getvalue()


def new_pdf(written: io.BytesIO, title: str) -> Any:
    """A reportlab canvas on A4, without the time and place of its making, its fonts registered."""
    from reportlab import rl_config
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    rl_config.useA85 = 0  # streams as bytes: text would be longer and slower
    for name in {PLAIN_TYPE, BOLD_TYPE} - {*getRegisteredFontNames()}:
        registerFont(TTFont(name, f"{name}.ttf"))
    sheet = Canvas(written, invariant=1, pageCompression=1, lang="en")
    sheet.setTitle(title)
    sheet.setCreator("twelvelead")
    return sheet


def put_page(sheet: Any, page: Page) -> None:
    """Draw a sheet as a page of its own."""
    start_page(sheet, page.width_mm, page.height_mm)
    for tint in page.tints:
        sheet.setFillColorRGB(*_unit(TINT_RGB), alpha=TINT_OPACITY * tint.weight)
        sheet.rect(tint.box.x_mm, tint.box.y_mm, tint.box.width_mm, tint.box.height_mm, stroke=0, fill=1)
    _put_grid(sheet, page.grid)
    _put_lines(sheet, page)
    for text in page.texts:
        _put_plate(sheet, text)
        put_text(sheet, text)
    sheet.showPage()


def start_page(sheet: Any, width_mm: float, height_mm: float) -> None:
    """Begin a page whose unit is the millimetre, y downwards."""
    sheet.setPageSize((width_mm * POINTS_PER_MM, height_mm * POINTS_PER_MM))
    sheet.transform(POINTS_PER_MM, 0, 0, -POINTS_PER_MM, 0, height_mm * POINTS_PER_MM)


def put_text(sheet: Any, text: Text) -> None:
    """Text at its place; what the font lacks, it shows as a box."""
    sheet.setFillColorRGB(*_unit(TYPE_RGB), alpha=1)
    sheet.saveState()
    sheet.transform(1, 0, 0, -1, text.x_mm, text.y_mm)
    sheet.setFont(_type_of(text), text.size_mm)
    sheet.drawString(0, 0, text.text)
    sheet.restoreState()


def _put_plate(sheet: Any, text: Text) -> None:
    """Under a text, so that traces pale there: a halo, as SVG and PNG have it, would be a text again to a reader."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    width_mm = stringWidth(text.text, _type_of(text), text.size_mm)
    sheet.setFillColorRGB(*_unit(HALO_RGB), alpha=PLATE_OPACITY)
    top_mm, height_mm = text.y_mm - ASCENT * text.size_mm, (ASCENT + DESCENT) * text.size_mm
    sheet.rect(text.x_mm - HALO_MM / 2, top_mm, width_mm + HALO_MM, height_mm, stroke=0, fill=1)


def _type_of(text: Text) -> str:
    return BOLD_TYPE if text.kind in BOLD else PLAIN_TYPE


def _put_grid(sheet: Any, box: Box) -> None:
    for step_mm, colour, width_mm in GRID_STROKES:
        sheet.setStrokeColorRGB(*_unit(colour))
        sheet.setLineWidth(width_mm)
        right, bottom = box.x_mm + box.width_mm, box.y_mm + box.height_mm
        down = [box.x_mm + x for x in range(0, int(box.width_mm) + 1, step_mm)]
        across = [box.y_mm + y for y in range(0, int(box.height_mm) + 1, step_mm)]
        sheet.lines([(x, box.y_mm, x, bottom) for x in down] + [(box.x_mm, y, right, y) for y in across])


def _put_lines(sheet: Any, page: Page) -> None:
    sheet.setStrokeColorRGB(*_unit(LINE_RGB))
    sheet.setLineJoin(1)
    for line in page.lines:
        sheet.setLineWidth(LINE_MM[line.kind])
        (x, y), *others = line.points_mm.tolist()  # literally, for reportlab's own path takes four times as long
        sheet.addLiteral(f"{x:.3f} {y:.3f} m " + " ".join(f"{x:.3f} {y:.3f} l" for x, y in others) + " S")


def _unit(colour: Rgb) -> tuple[float, float, float]:
    red, green, blue = (part / 255 for part in colour)
    return red, green, blue
