"""Record and Paper -> Page: where every line of the drawing lies; docs/drawing.md holds the same in words.

Leads stand in columns that follow each other in time, so that one x is one moment all over the paper. No lead is
scaled by itself: each is only moved, so that its median over the whole recording lies on its row's line.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.drawing.page import Band, Box, Line, Page, Text, Tint
from twelvelead.drawing.paper import ORDERS, Paper
from twelvelead.record import LEADS, Record, age_in_words, printable
from twelvelead.signals.filters import gaussian, low_pass, resample

WIDTH_MM: Final = 297.0  # A4, landscape
HEIGHT_MM: Final = 210.0
GRID: Final = Box(13.5, 22.0, 270.0, 175.0)
TRACE_LEFT_MM: Final = GRID.x_mm + 15
TRACES_MM: Final = 250.0
PULSE_MV: Final = 1.0
PULSE_S: Final = 0.2
PULSE_FOOT_MM: Final = 1.0
RHYTHM_LEAD: Final = "II"
SEPARATOR_MM: Final = 3.0
SAMPLE_TOLERANCE: Final = 1e-6
MOST_CHARACTERS: Final = 130
MOST_OF_A_NAME: Final = 40  # in the larger letters of the title, before age and sex
LOW_HZ: Final = 0.5
HIGH_HZ: Final = 40.0


@dataclass(frozen=True)
class Rows:
    """Rows and columns of a layout, and where its lines lie below the grid's upper edge."""

    n_rows: int
    n_columns: int
    first_mm: float
    distance_mm: float
    name_above_mm: float
    has_rhythm: bool = False


LAYOUTS: Final = {
    "3x4": Rows(3, 4, 20.0, 45.0, 14.0, has_rhythm=True),
    "6x2": Rows(6, 2, 15.0, 29.0, 9.0),
    "12x1": Rows(12, 1, 14.0, 13.0, 4.5),
}


def lay_out(
    record: Record,
    paper: Paper | None = None,
    *,
    caption: str = "",
    bands: Sequence[Band] = (),
    signal: NDArray[np.float32] | None = None,
    whole_s: float | None = None,
) -> Page:
    """Draw a recording, as much of it from `start_s` on as 250 mm hold.

    caption: a line above the traces. bands: what to tint behind them, in seconds of the recording. signal: what
    `drawn_signal` says of it, where several sheets are drawn. whole_s: how long the recording is of which this is the
    beginning.
    """
    paper = paper or Paper()
    signal = drawn_signal(record, paper) if signal is None else signal
    cells = list(_cells(paper))
    traces = [line for cell in cells for line in _trace(signal, record.rate_hz, paper, cell)]
    names = [Text("lead", cell.x_mm + 1, cell.y_mm - cell.name_above_mm, cell.lead) for cell in cells]
    return Page(
        width_mm=WIDTH_MM,
        height_mm=HEIGHT_MM,
        grid=GRID,
        tints=tuple(_tints(bands, paper)),
        lines=(*_separators(cells), *_pulses(paper), *traces),
        texts=(*names, *_words(record, paper, caption, traces, whole_s or record.duration_s)),
    )


def drawn_s(paper: Paper) -> float:
    """How many seconds one sheet holds."""
    return TRACES_MM / paper.speed_mm_per_s


@dataclass(frozen=True)
class _Cell:
    """One lead's place: its name, its span in time, and where its line begins."""

    lead: str
    start_s: float
    length_s: float
    x_mm: float
    y_mm: float
    name_above_mm: float


def _cells(paper: Paper) -> Iterator[_Cell]:
    rows, order = LAYOUTS[paper.layout], ORDERS[paper.order]
    length_s = drawn_s(paper) / rows.n_columns
    for index, lead in enumerate(order):
        column, row = divmod(index, rows.n_rows)
        x_mm = TRACE_LEFT_MM + column * TRACES_MM / rows.n_columns
        start_s = paper.start_s + column * length_s
        yield _Cell(lead, start_s, length_s, x_mm, _line_mm(rows, row), rows.name_above_mm)
    if rows.has_rhythm:
        y_mm = _line_mm(rows, rows.n_rows)
        yield _Cell(RHYTHM_LEAD, paper.start_s, drawn_s(paper), TRACE_LEFT_MM, y_mm, rows.name_above_mm)


def _line_mm(rows: Rows, row: int) -> float:
    return GRID.y_mm + rows.first_mm + row * rows.distance_mm


def drawn_signal(record: Record, paper: Paper) -> NDArray[np.float32]:
    """(12, n) at the recording's own rate, as it was measured unless a filter is asked for."""
    if paper.filter == "none":
        return record.signal
    signal = resample(record.signal, record.rate_hz, record.rate_hz, low_pass(min(HIGH_HZ, 0.45 * record.rate_hz)))
    return signal - resample(signal, record.rate_hz, record.rate_hz, gaussian(LOW_HZ))


def _trace(signal: NDArray[np.float32], rate_hz: float, paper: Paper, cell: _Cell) -> Iterator[Line]:
    """Every sample from `start_s` to the end of the cell, both included; nothing where fewer than two were recorded."""
    lead = signal[LEADS.index(cell.lead.removeprefix("-"))].astype(np.float64)
    lead = -lead if cell.lead.startswith("-") else lead
    first = math.ceil(cell.start_s * rate_hz - SAMPLE_TOLERANCE)
    last = math.floor((cell.start_s + cell.length_s) * rate_hz + SAMPLE_TOLERANCE)
    samples = np.arange(first, min(last, len(lead) - 1) + 1)
    if len(samples) >= 2:
        x_mm = cell.x_mm + (samples / rate_hz - cell.start_s) * paper.speed_mm_per_s
        y_mm = cell.y_mm - (lead[samples] - np.median(lead)) * paper.gain_mm_per_mv
        yield Line("trace", np.stack([x_mm, y_mm], axis=1), cell.lead, cell.start_s)


def _pulses(paper: Paper) -> Iterator[Line]:
    """One pulse a row before its traces; where rows are closer than a pulse is high, before every second."""
    rows = LAYOUTS[paper.layout]
    height, width = PULSE_MV * paper.gain_mm_per_mv, PULSE_S * paper.speed_mm_per_s
    left = TRACE_LEFT_MM - width - 3 * PULSE_FOOT_MM
    x_mm = left + np.array([0, PULSE_FOOT_MM, PULSE_FOOT_MM, *[PULSE_FOOT_MM + width] * 2, 2 * PULSE_FOOT_MM + width])
    step = math.ceil((height + 2) / rows.distance_mm)
    for row in range(step - 1, rows.n_rows + rows.has_rhythm, step):
        y_mm = _line_mm(rows, row) - np.array([0, 0, height, height, 0, 0])
        yield Line("pulse", np.stack([x_mm, y_mm], axis=1))


def _separators(cells: Iterable[_Cell]) -> Iterator[Line]:
    """A short stroke across the line wherever one lead gives way to the next."""
    for cell in cells:
        if cell.x_mm > TRACE_LEFT_MM:
            y_mm = cell.y_mm + np.array([-SEPARATOR_MM, SEPARATOR_MM])
            yield Line("separator", np.stack([np.full(2, cell.x_mm), y_mm], axis=1))


def _tints(bands: Sequence[Band], paper: Paper) -> Iterator[Tint]:
    """The part of each band that is on the sheet, as high as the grid."""
    for band in bands:
        start_s, end_s = max(band.start_s - paper.start_s, 0), min(band.end_s - paper.start_s, drawn_s(paper))
        if end_s > start_s:
            x_mm = TRACE_LEFT_MM + start_s * paper.speed_mm_per_s
            width_mm = (end_s - start_s) * paper.speed_mm_per_s
            yield Tint(Box(x_mm, GRID.y_mm, width_mm, GRID.height_mm), band.weight)


def _words(record: Record, paper: Paper, caption: str, traces: Iterable[Line], whole_s: float) -> Iterator[Text]:
    below_mm = GRID.y_mm + GRID.height_mm
    yield Text("title", GRID.x_mm, 8, _short(_title(record, paper)), 4.2)
    yield Text("caption", GRID.x_mm, 14, _short(caption))
    beyond = dict.fromkeys(line.lead for line in traces if _is_beyond(line))
    if beyond:
        yield Text("note", GRID.x_mm, 19.5, f"reaches beyond the paper: {', '.join(beyond)}")
    yield Text("scale", GRID.x_mm, below_mm + 4.5, _scale(record, paper, whole_s))
    yield Text("about", GRID.x_mm, below_mm + 9.5, "research software, no medical device", 3.0)


def _is_beyond(line: Line) -> bool:
    return bool(line.points_mm[:, 1].min() < 0 or line.points_mm[:, 1].max() > HEIGHT_MM)


def _title(record: Record, paper: Paper) -> str:
    if not paper.identity:
        return "12-lead ECG"
    name = f"12-lead ECG {_short(record.name, MOST_OF_A_NAME)}"
    age = [] if record.age is None else [age_in_words(record.age)]
    return ", ".join([name, *age, *([record.sex] if record.sex else [])])


def _scale(record: Record, paper: Paper, whole_s: float) -> str:
    """What the drawing is in: speed, gain and filter, always together, and what of the recording it shows."""
    end_s = min(paper.start_s + drawn_s(paper), whole_s)
    return (
        f"{paper.speed_mm_per_s:g} mm/s   {paper.gain_mm_per_mv:g} mm/{record.unit}   filter: {paper.filter}   "
        f"{paper.start_s:.1f} to {end_s:.1f} s of {whole_s:.1f} s   recorded at {record.rate_hz:g} Hz"
    )


def _short(text: str, at_most: int = MOST_CHARACTERS) -> str:
    text = printable(text)
    return text if len(text) <= at_most else text[: at_most - 1] + "…"
