"""The histograms of an archive's probabilities as SVG: a panel a diagnosis, counts in powers of ten."""

from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.archive.summary import N_BINS, Summary
from twelvelead.diagnoses import DIAGNOSES, IN_WORDS
from twelvelead.wording import counted

COLUMNS: Final = 3
PANEL: Final = (300, 150)
GAP: Final = (60, 62)
TOP: Final = 92


def histograms(summary: Summary, thresholds: dict[str, float], title: str) -> str:
    """An SVG document; a bar is a fiftieth of the range, darker from the diagnosis's threshold on."""
    (width, height), (across, down) = PANEL, GAP
    n_rows = -(-len(DIAGNOSES) // COLUMNS)
    decades = max(1, int(np.ceil(np.log10(max(1, summary.histograms.max()) + 1))))
    panels = [
        f'<g transform="translate({across + column * (width + across)} {TOP + row * (height + down)})">'
        f"{_panel(name, summary, counts, thresholds[name], decades)}</g>"
        for name, counts, (row, column) in zip(DIAGNOSES, summary.histograms, np.ndindex(n_rows, COLUMNS), strict=True)
    ]
    size = (across + COLUMNS * (width + across), TOP + n_rows * (height + down))
    n_classified = summary.n_rows - summary.n_refused
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="{across}" y="28" font-size="17" font-weight="bold">{escape(title)}</text>\n'
        f'<text x="{across}" y="48" fill="#444">{counted(n_classified, "recording")} classified, '
        f"{summary.n_refused:,} refused; recordings by probability, each line ten times the one below; "
        f"dark: from the threshold on (positive)</text>\n"
        f"{chr(10).join(panels)}\n</svg>\n"
    )


def _panel(name: str, summary: Summary, counts: NDArray[np.int64], threshold: float, decades: int) -> str:
    width, height = PANEL
    withheld = f", {summary.withheld[name]:,} withheld" if summary.withheld[name] else ""
    said = f"{summary.positive[name]:,} positive{withheld}"
    at = width * threshold
    return (
        f'<text y="-20" font-weight="bold">{escape(IN_WORDS[name])}</text><text y="-6" fill="#444">{said}</text>'
        f"{_grid(decades)}{''.join(_bar(bin_, int(count), threshold, decades) for bin_, count in enumerate(counts))}"
        f'<path d="M{at:.1f} 0V{height}" stroke="#b3261e" stroke-width="1.5" stroke-dasharray="4 3"/>'
        f'<path d="M0 {height}H{width}" stroke="#222"/>'
    )


def _grid(decades: int) -> str:
    width, height = PANEL
    lines = [
        f'<path d="M0 {y:.1f}H{width}" stroke="#ddd"/>'
        f'<text x="-6" y="{y + 4:.1f}" text-anchor="end" fill="#666">{10**decade:,}</text>'
        for decade in range(decades + 1)
        if (y := height - _height(10**decade, decades)) >= 0
    ]
    ticks = [
        f'<text x="{width * share:g}" y="{height + 15}" text-anchor="middle" fill="#666">{share:g}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    return "".join(lines + ticks)


def _bar(number: int, count: int, threshold: float, decades: int) -> str:
    """Nothing for no recording; one recording is a low bar."""
    if not count:
        return ""
    width, tall = PANEL[0] / N_BINS, _height(count, decades)
    colour = "#1f4e79" if (number + 0.5) / N_BINS >= threshold else "#9dbbd8"
    return (
        f'<rect x="{number * width:.1f}" y="{PANEL[1] - tall:.1f}" width="{width - 1:.1f}" height="{tall:.1f}" '
        f'fill="{colour}"><title>{count:,}</title></rect>'
    )


def _height(count: int, decades: int) -> float:
    """Height of a bar: a recording is a tenth of a decade, then every ten times one decade more."""
    return float(PANEL[1] * (0.1 + np.log10(count)) / (0.1 + decades))
