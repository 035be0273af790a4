"""A recording drawn as on ECG paper, in true millimetres: SVG whose unit is the millimetre.

25 mm/s and 10 mm/mV, a grid of 1 and 5 mm, 3 x 4 leads over successive quarters of the first 10 s, lead II below as
the rhythm strip, and a calibration pulse of 1 mV and 200 ms. Nothing is filtered and no lead is scaled by itself;
each trace is only moved so that its median lies on its line.
"""

from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, Record

SPEED_MM_PER_S: Final = 25.0
GAIN_MM_PER_MV: Final = 10.0
COLUMN_S: Final = 2.5
RHYTHM_LEAD: Final = "II"
LAYOUT: Final = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
PAPER_MM: Final = (280.0, 170.0)
LEFT_MM: Final = 20.0
FIRST_LINE_MM: Final = 40.0
LINE_MM: Final = 35.0
PULSE_S: Final = 0.2
LEAD_IN_MM: Final = 10.0


def draw(record: Record, caption: str = "") -> str:
    """An SVG document; `caption` is written above the traces, whatever it contains."""
    width, height = PAPER_MM
    rows = [[(lead, column * COLUMN_S) for column, lead in enumerate(row)] for row in LAYOUT]
    traces = [
        _trace(record, lead, start_s, COLUMN_S, FIRST_LINE_MM + line * LINE_MM)
        for line, row in enumerate(rows)
        for lead, start_s in row
    ]
    rhythm_mm = FIRST_LINE_MM + len(rows) * LINE_MM
    traces.append(_trace(record, RHYTHM_LEAD, 0.0, COLUMN_S * len(LAYOUT[0]), rhythm_mm))
    pulses = "".join(_pulse(FIRST_LINE_MM + line * LINE_MM) for line in range(len(rows) + 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" font-size="3.5">\n'
        f"<title>12-lead ECG {escape(record.name)}</title>\n"
        f'<rect width="100%" height="100%" fill="#fff"/>\n{_grid(width, height)}'
        f'<g fill="none" stroke="#111" stroke-width="0.25" stroke-linejoin="round">\n{pulses}{"".join(traces)}</g>\n'
        f'<text x="{LEFT_MM:g}" y="8" font-weight="bold">{escape(record.name)}</text>\n'
        f'<text x="{LEFT_MM:g}" y="13.5">{escape(caption)}</text>\n'
        f'<text x="{LEFT_MM:g}" y="{height - 4:g}">{SPEED_MM_PER_S:g} mm/s, {GAIN_MM_PER_MV:g} mm/mV, no filter; '
        f"{record.rate_hz:g} Hz, {record.duration_s:.1f} s recorded; research software, no medical device</text>\n"
        "</svg>\n"
    )


def _grid(width: float, height: float) -> str:
    def lines(step: int, stroke: str, thickness: float) -> str:
        across = "".join(f"M0 {y}H{width:g}" for y in range(0, int(height) + 1, step))
        down = "".join(f"M{x} 0V{height:g}" for x in range(0, int(width) + 1, step))
        return f'<path d="{across}{down}" stroke="{stroke}" stroke-width="{thickness}" fill="none"/>\n'

    return lines(1, "#f6d5d5", 0.1) + lines(5, "#e9a3a3", 0.2)


def _pulse(line_mm: float) -> str:
    left = LEFT_MM - LEAD_IN_MM
    top = line_mm - GAIN_MM_PER_MV
    return f'<path d="M{left:g} {line_mm:g}h2V{top:g}h{PULSE_S * SPEED_MM_PER_S:g}V{line_mm:g}h2"/>\n'


def _trace(record: Record, lead: str, start_s: float, length_s: float, line_mm: float) -> str:
    """One lead from `start_s` on, at its place in time, and its name; only the name where nothing was recorded."""
    samples = record.signal[LEADS.index(lead)]
    first, last = round(start_s * record.rate_hz), round((start_s + length_s) * record.rate_hz) + 1
    part = samples[first:last]
    left = LEFT_MM + start_s * SPEED_MM_PER_S
    name = f'<text x="{left + 1:g}" y="{line_mm - 13:g}" fill="#111" stroke="none">{lead}</text>\n'
    if len(part) < 2:
        return name
    x = left + np.arange(len(part)) * SPEED_MM_PER_S / record.rate_hz
    y = line_mm - (part - np.median(samples)) * GAIN_MM_PER_MV
    return f'<path class="lead" id="{lead}-{start_s:g}" d="{_path(x, y)}"/>\n{name}'


def _path(x: NDArray[np.floating], y: NDArray[np.floating]) -> str:
    return "M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in zip(x, y, strict=True))
