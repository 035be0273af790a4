"""The forms in which a sheet can be written, in one table."""

from collections.abc import Callable
from typing import Final

from twelvelead.drawing.page import Page
from twelvelead.drawing.paper import PaperError
from twelvelead.drawing.pdf import pdf
from twelvelead.drawing.png import png
from twelvelead.drawing.svg import svg

FORMATS: Final[dict[str, Callable[[Page], bytes]]] = {
    "svg": lambda page: svg(page).encode(),
    "pdf": lambda page: pdf([page]),
    "png": png,
}


def write(page: Page, form: str) -> bytes:
    """A sheet as the bytes of an SVG, PDF or PNG file; raises PaperError on another form."""
    if form not in FORMATS:
        raise PaperError(f"form {form!r}: a sheet is written as {', '.join(FORMATS)}; choose one of them")
    return FORMATS[form](page)
