"""Record and Paper -> Page: where every line of the drawing lies; docs/drawing.md holds the same in words.

Leads stand in columns that follow each other in time, so that one x is one moment all over the paper; only where a
whole recording is shorter than a sheet do they overlap. No lead is scaled by itself: each is only moved, so that its
median over the time that its cell shows lies on its row's line.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.drawing.page import Band, Box, Line, Page, Text, Tint
from twelvelead.drawing.paper import GAINS_MM_PER_MV, ORDERS, Paper, PaperError
from twelvelead.person import age_in_words
from twelvelead.record import LEADS, Record
from twelvelead.signals.filters import gaussian, low_pass, resample
from twelvelead.wording import printable

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
SPARE_S: Final = 0.5  # no sheet is begun for so little, and so little may lack at the end of a full one
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
    "3x4": Rows(3, 4, 20.0, 45.0, 17.0, has_rhythm=True),
    "6x2": Rows(6, 2, 15.0, 29.0, 12.0),
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
    """Draw a recording, as much of it from `start_s` on as 250 mm hold; from earlier on where less is left than that.

    caption: a line above the traces. bands: what to tint behind them, in seconds of the recording. signal: what
    `drawn_signal` says of it, where several sheets are drawn. whole_s: how long the recording is of which this is the
    beginning. Raises PaperError where `start_s` is not within the recording.
    """
    paper = paper or Paper()
    paper = replace(paper, start_s=sheet_starts(record.duration_s, paper)[0])
    signal = drawn_signal(record, paper) if signal is None else signal
    starts_s = _column_starts(paper, record.duration_s)
    cells = list(_cells(paper, starts_s))
    still = {cell for cell in cells if _is_still(record, cell)}
    traces = [(cell, line) for cell in cells if cell not in still for line in _trace(record, signal, paper, cell)]
    scale = _scale(record, paper, starts_s, whole_s)
    names = [_name(cell, is_still=cell in still) for cell in cells]
    return Page(
        width_mm=WIDTH_MM,
        height_mm=HEIGHT_MM,
        grid=GRID,
        tints=tuple(_tints(bands, _regions(paper, starts_s), paper.speed_mm_per_s)),
        lines=(*_separators(cells), *_pulses(paper), *(line for _, line in traces)),
        texts=(*names, *_words(_title(record, paper), caption, _note(record, paper, traces), scale)),
    )


def drawn_s(paper: Paper) -> float:
    """How many seconds one sheet holds."""
    return TRACES_MM / paper.speed_mm_per_s


def sheet_starts(duration_s: float, paper: Paper) -> list[float]:
    """Where in a recording its sheets begin: from `start_s` on one after the other, the last so early that it is full.

    Raises PaperError where `start_s` is not within the recording.
    """
    if paper.start_s >= duration_s:
        raise PaperError(
            f"start_s {paper.start_s:g}: the recording is {duration_s:g} s long; allowed is from 0 to less than that, "
            f"choose an earlier one"
        )
    span_s = drawn_s(paper)
    n_sheets = max(1, math.ceil((duration_s - paper.start_s - SPARE_S) / span_s))
    latest_s = max(0.0, duration_s - span_s)
    return [min(paper.start_s + number * span_s, latest_s) for number in range(n_sheets)]


@dataclass(frozen=True)
class _Cell:
    """One lead's place: its name, its span in time, and where its line begins."""

    lead: str
    start_s: float
    length_s: float
    x_mm: float
    y_mm: float
    name_above_mm: float

    @property
    def row_of_signal(self) -> int:
        """The lead's row, of -aVR that of aVR."""
        return LEADS.index(self.lead.removeprefix("-"))


def _column_starts(paper: Paper, duration_s: float) -> list[float]:
    """Each where the one before ends; of a recording shorter than the sheet evenly from its beginning to its end."""
    n_columns, sheet_s = LAYOUTS[paper.layout].n_columns, drawn_s(paper)
    step_s = length_s = sheet_s / n_columns
    if n_columns > 1 and duration_s < sheet_s - SPARE_S:
        step_s = max(0.0, duration_s - length_s) / (n_columns - 1)
    return [paper.start_s + column * step_s for column in range(n_columns)]


def _overlap(paper: Paper, starts_s: Sequence[float]) -> bool:
    return len(starts_s) > 1 and starts_s[1] - starts_s[0] < drawn_s(paper) / len(starts_s) - SAMPLE_TOLERANCE


def _cells(paper: Paper, starts_s: Sequence[float]) -> Iterator[_Cell]:
    rows, order = LAYOUTS[paper.layout], ORDERS[paper.order]
    length_s = drawn_s(paper) / rows.n_columns
    for index, lead in enumerate(order):
        column, row = divmod(index, rows.n_rows)
        x_mm = TRACE_LEFT_MM + column * TRACES_MM / rows.n_columns
        yield _Cell(lead, starts_s[column], length_s, x_mm, _line_mm(rows, row), rows.name_above_mm)
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


def _samples(record: Record, cell: _Cell) -> NDArray[np.int64]:
    """Numbers of the samples from `start_s` to the end of the cell, both included, as far as there are any."""
    first = math.ceil(cell.start_s * record.rate_hz - SAMPLE_TOLERANCE)
    last = math.floor((cell.start_s + cell.length_s) * record.rate_hz + SAMPLE_TOLERANCE)
    return np.arange(first, min(last, record.n_samples - 1) + 1)


def _is_still(record: Record, cell: _Cell) -> bool:
    """Whether a lead never moves in its cell: no heart, and no electrode, gives such a line."""
    measured = record.signal[cell.row_of_signal, _samples(record, cell)]
    return len(measured) >= 2 and bool((measured == measured[0]).all())


def _name(cell: _Cell, *, is_still: bool) -> Text:
    said = f"{cell.lead}: no signal" if is_still else cell.lead
    return Text("lead", cell.x_mm + 1, cell.y_mm - cell.name_above_mm, said)


def _trace(record: Record, signal: NDArray[np.float32], paper: Paper, cell: _Cell) -> Iterator[Line]:
    """A lead in its cell; nothing where fewer than two samples were recorded."""
    samples = _samples(record, cell)
    if len(samples) >= 2:
        lead = signal[cell.row_of_signal, samples].astype(np.float64)
        lead = -lead if cell.lead.startswith("-") else lead
        x_mm = cell.x_mm + (samples / record.rate_hz - cell.start_s) * paper.speed_mm_per_s
        y_mm = cell.y_mm - (lead - np.median(lead)) * paper.gain_mm_per_mv
        yield Line("trace", np.stack([x_mm, y_mm], axis=1), cell.lead, cell.start_s)


def _pulses(paper: Paper) -> Iterator[Line]:
    """A pulse a row before its traces, where it fits on the grid; every second row where rows are closer."""
    rows = LAYOUTS[paper.layout]
    height, width = PULSE_MV * paper.gain_mm_per_mv, PULSE_S * paper.speed_mm_per_s
    left = TRACE_LEFT_MM - width - 3 * PULSE_FOOT_MM
    x_mm = left + np.array([0, PULSE_FOOT_MM, PULSE_FOOT_MM, *[PULSE_FOOT_MM + width] * 2, 2 * PULSE_FOOT_MM + width])
    step = math.ceil((height + 2) / rows.distance_mm)
    for row in range(step - 1, rows.n_rows + rows.has_rhythm, step):
        y_mm = _line_mm(rows, row) - np.array([0, 0, height, height, 0, 0])
        if y_mm.min() >= GRID.y_mm:
            yield Line("pulse", np.stack([x_mm, y_mm], axis=1))


def _separators(cells: Iterable[_Cell]) -> Iterator[Line]:
    """A short stroke across the line wherever one lead gives way to the next."""
    for cell in cells:
        if cell.x_mm > TRACE_LEFT_MM:
            y_mm = cell.y_mm + np.array([-SEPARATOR_MM, SEPARATOR_MM])
            yield Line("separator", np.stack([np.full(2, cell.x_mm), y_mm], axis=1))


@dataclass(frozen=True)
class _Region:
    """A box of the paper in which x is time, from `start_s` at its left edge."""

    start_s: float
    box: Box


def _regions(paper: Paper, starts_s: Sequence[float]) -> list[_Region]:
    """The whole sheet, or where columns overlap in time each of them, and the rhythm strip."""
    if not _overlap(paper, starts_s):
        return [_Region(paper.start_s, Box(TRACE_LEFT_MM, GRID.y_mm, TRACES_MM, GRID.height_mm))]
    rows, width_mm = LAYOUTS[paper.layout], TRACES_MM / len(starts_s)
    strip_mm = rows.distance_mm if rows.has_rhythm else 0.0
    regions = [
        _Region(start_s, Box(TRACE_LEFT_MM + k * width_mm, GRID.y_mm, width_mm, GRID.height_mm - strip_mm))
        for k, start_s in enumerate(starts_s)
    ]
    strip = Box(TRACE_LEFT_MM, GRID.y_mm + GRID.height_mm - strip_mm, TRACES_MM, strip_mm)
    return [*regions, *([_Region(paper.start_s, strip)] if rows.has_rhythm else [])]


def _tints(bands: Sequence[Band], regions: Sequence[_Region], speed_mm_per_s: float) -> Iterator[Tint]:
    """The part of each band that is in each region, as high as the region."""
    for band in bands:
        for region in regions:
            start_s = max(band.start_s - region.start_s, 0)
            end_s = min(band.end_s - region.start_s, region.box.width_mm / speed_mm_per_s)
            if end_s > start_s:
                x_mm = region.box.x_mm + start_s * speed_mm_per_s
                width_mm = (end_s - start_s) * speed_mm_per_s
                yield Tint(replace(region.box, x_mm=x_mm, width_mm=width_mm), band.weight)


def _words(title: str, caption: str, note: str, scale: str) -> Iterator[Text]:
    below_mm = GRID.y_mm + GRID.height_mm
    yield Text("title", GRID.x_mm, 8, _short(title), 4.2)
    yield Text("caption", GRID.x_mm, 14, _short(caption))
    if note:
        yield Text("note", GRID.x_mm, 19.5, _short(note))
    yield Text("scale", GRID.x_mm, below_mm + 4.5, scale)
    yield Text("about", GRID.x_mm, below_mm + 9.5, "research software, no medical device", 3.0)


def _note(record: Record, paper: Paper, traces: Iterable[tuple[_Cell, Line]]) -> str:
    """Which leads cross another row's line or leave grid or paper, and the way out; nothing where none does."""
    rows = LAYOUTS[paper.layout]
    lines_mm = [_line_mm(rows, row) for row in range(rows.n_rows + rows.has_rhythm)]
    kinds = ("into other rows", "beyond the grid", "off the paper")
    reaching: dict[str, dict[str, None]] = {kind: {} for kind in kinds}  # leads in their order
    for cell, line in traces:
        top_mm, bottom_mm = line.points_mm[:, 1].min(), line.points_mm[:, 1].max()
        if any(top_mm <= y_mm <= bottom_mm for y_mm in lines_mm if y_mm != cell.y_mm):
            reaching["into other rows"][cell.lead] = None
        if top_mm < 0 or bottom_mm > HEIGHT_MM:
            reaching["off the paper"][cell.lead] = None
        elif top_mm < GRID.y_mm or bottom_mm > GRID.y_mm + GRID.height_mm:
            reaching["beyond the grid"][cell.lead] = None
    order = ORDERS[paper.order]
    said = "; ".join(f"{where}: {_listed([*leads], order)}" for where, leads in reaching.items() if leads)
    return "; ".join([f"reaches {said}", *_way_out(record, paper)]) if said else ""


def _listed(leads: Sequence[str], order: Sequence[str]) -> str:
    """By their names, or by those of the others where these are fewer."""
    if len(leads) <= len(order) / 2:
        return ", ".join(leads)
    others = [lead for lead in order if lead not in leads]
    return f"all but {', '.join(others)}" if others else "all leads"


def _way_out(record: Record, paper: Paper) -> list[str]:
    """The next lower gain, and where there is none, the layout whose rows are farthest apart."""
    if lower := [gain for gain in GAINS_MM_PER_MV if gain < paper.gain_mm_per_mv]:
        return [f"see {lower[-1]:g} mm/{record.unit}"]
    return [] if paper.layout == "3x4" else ["see layout 3x4"]


def _title(record: Record, paper: Paper) -> str:
    if not paper.identity:
        return "12-lead ECG"
    name = f"12-lead ECG {_short(record.name, MOST_OF_A_NAME)}"
    age = [] if record.age is None else [age_in_words(record.age)]
    return ", ".join([name, *age, *([record.sex] if record.sex else [])])


def _scale(record: Record, paper: Paper, starts_s: Sequence[float], whole_s: float | None) -> str:
    """What the drawing is in: speed, gain and filter, always together, and what of the recording it shows."""
    whole_s = record.duration_s if whole_s is None else whole_s
    end_s = min(paper.start_s + drawn_s(paper), record.duration_s)
    shown = f"{_tenths(paper.start_s)} to {_tenths(end_s)} s of {_tenths(whole_s)} s"
    if whole_s - end_s > SPARE_S:
        shown += f", next sheet from {_tenths(sheet_starts(whole_s, replace(paper, start_s=end_s))[0])} s"
    if _overlap(paper, starts_s):
        overlap = f"columns overlap: from {', '.join(map(_tenths, starts_s))} s"
        shown += f", {overlap}" if starts_s[-1] > starts_s[0] else ", in every column"
    return (
        f"{paper.speed_mm_per_s:g} mm/s   {paper.gain_mm_per_mv:g} mm/{record.unit}   filter: {paper.filter}   "
        f"{shown}   recorded at {record.rate_hz:g} Hz"
    )


def _tenths(seconds: float) -> str:
    """A time to a tenth, halves upwards as JavaScript's toFixed, for the page prints the same."""
    return str(Decimal(seconds).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _short(text: str, at_most: int = MOST_CHARACTERS) -> str:
    text = printable(text)
    return text if len(text) <= at_most else text[: at_most - 1] + "…"
