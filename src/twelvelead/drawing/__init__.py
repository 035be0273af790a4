"""A recording on ECG paper: where every line lies in millimetres, and its writing as SVG, PDF and PNG."""

from twelvelead.drawing.geometry import lay_out
from twelvelead.drawing.page import Band, Page
from twelvelead.drawing.paper import Paper, PaperError
from twelvelead.drawing.write import FORMATS, write

__all__ = ["FORMATS", "Band", "Page", "Paper", "PaperError", "lay_out", "write"]
