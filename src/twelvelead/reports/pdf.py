"""A reading as PDF: the sheets in true millimetres, a page of words, and last the sheets with the attention."""

import io
from collections.abc import Iterator
from typing import Any, Final

from twelvelead.diagnoses import name_in_words
from twelvelead.drawing.geometry import HEIGHT_MM, WIDTH_MM
from twelvelead.drawing.page import Text
from twelvelead.drawing.pdf import PLAIN_TYPE, new_pdf, put_page, put_text, start_page
from twelvelead.reports.reading import Reading, sheets
from twelvelead.reports.words import RESEARCH, doubt_in_words, facts, notes, probability, said_of
from twelvelead.wording import printable

LEFT_MM: Final = 20.0
TOP_MM: Final = 20.0
BOTTOM_MM: Final = 195.0
LINE_MM: Final = 5.6
SIZE_MM: Final = 3.5
HEADING_MM: Final = 4.6
COLUMNS_MM: Final = (0.0, 95.0, 135.0)
Words = tuple[float, str, bool]  # millimetres from the left margin, text, whether it is a heading


def pdf(read: Reading) -> bytes:
    """The whole report."""
    written = io.BytesIO()
    sheet = new_pdf(written, read.title)
    for page in sheets(read):
        put_page(sheet, page)
    _put_words(sheet, list(_lines(read)))
    for name in read.looked_for:
        for page in sheets(read, name):
            put_page(sheet, page)
    sheet.save()
    return written.getvalue()


def _lines(read: Reading) -> Iterator[list[Words]]:
    """Every line of the page of words, as pieces at their places."""
    yield [(0.0, "What the network says", True)]
    yield from _wrapped(RESEARCH)
    yield []
    if too := doubt_in_words(read):
        yield from [*_wrapped(too), []]
    titles = ("diagnosis", "mean probability" if read.report.burden else "probability", "decision")
    yield [(at, name, True) for at, name in zip(COLUMNS_MM, titles, strict=True)]
    for name in read.report.probabilities:
        said, *more = _wrapped(said_of(read, name), COLUMNS_MM[2])
        is_bold = name in read.report.positive
        first = [
            (COLUMNS_MM[0], name_in_words(name), is_bold),
            (COLUMNS_MM[1], probability(read.report, name), is_bold),
        ]
        yield [*first, *said]
        yield from more
    yield from [[], [(0.0, "Quality of the recording", True)]]
    for note in notes(read):
        yield from _wrapped(note)
    yield from [[], [(0.0, "Recording and reader", True)]]
    for name, value in facts(read):
        value_first, *more = _wrapped(value, 30.0)
        yield [(0.0, name, False), *value_first]
        yield from more


def _wrapped(text: str, indent_mm: float = 0.0) -> list[list[Words]]:
    """Lines as wide as the paper allows; what has no spaces is broken anywhere."""
    from reportlab.lib.utils import simpleSplit

    width_mm = WIDTH_MM - 2 * LEFT_MM - indent_mm
    pieces = " ".join(word[at : at + 60] for word in printable(text).split() for at in range(0, len(word), 60))
    return [[(indent_mm, line, False)] for line in simpleSplit(pieces, PLAIN_TYPE, SIZE_MM, width_mm)] or [[]]


def _put_words(sheet: Any, lines: list[list[Words]]) -> None:
    """As many pages as the lines need."""
    a_page = int((BOTTOM_MM - TOP_MM) / LINE_MM)
    for start in range(0, len(lines), a_page):
        start_page(sheet, WIDTH_MM, HEIGHT_MM)
        for row, line in enumerate(lines[start : start + a_page]):
            for indent_mm, text, is_heading in line:
                size_mm = HEADING_MM if is_heading and len(line) == 1 else SIZE_MM
                y_mm = TOP_MM + row * LINE_MM
                put_text(sheet, Text("title" if is_heading else "caption", LEFT_MM + indent_mm, y_mm, text, size_mm))
        sheet.showPage()
