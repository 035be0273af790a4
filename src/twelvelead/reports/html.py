"""A reading as one HTML file: no script, no outside address; the attention is shown by radio buttons, off at first."""

from html import escape
from typing import Final

from twelvelead.diagnoses import name_in_words
from twelvelead.drawing.page import Page
from twelvelead.drawing.strokes import TINT_RGB, hex_of
from twelvelead.drawing.svg import svg, tints_svg
from twelvelead.reports.reading import LOOKED, Reading, drawn_in_words, sheets
from twelvelead.reports.words import (
    RESEARCH,
    conclusion,
    decision,
    doubt_in_words,
    facts,
    notes,
    probability,
    rate_in_words,
    said_of,
)

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
STYLE: Final = """
:root { color-scheme: light; }
body { font: 100%/1.45 Verdana, "DejaVu Sans", sans-serif; color: #111; background: #fff; margin: 1.5rem auto;
  max-width: 297mm; padding: 0 .75rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .4rem; }
.research { border-left: .3rem solid #b35900; padding: .4rem .8rem; background: #fff6ea; }
.sheet { overflow-x: auto; } .sheet svg { display: block; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem 1rem .25rem 0;
  vertical-align: top; border-bottom: 1px solid #ccc; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
th[scope="row"] { font-weight: inherit; } tr.positive { font-weight: bold; } tr.withheld { color: #555; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; } dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; } li { overflow-wrap: anywhere; } ul { padding-left: 1.2rem; margin: 0; }
.looked { display: none; } fieldset { border: 1px solid #ccc; margin: 1rem 0; } fieldset label { margin-right: 1rem; }
.paper { display: none; }
@page { size: A4 landscape; margin: 0; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 9pt; } .words { padding: 10mm 20mm; }
  th, td { padding-top: .1rem; padding-bottom: .1rem; } h2 { margin-top: .8rem; }
  .sheet { overflow: hidden; height: 210mm; break-after: page; break-inside: avoid; }
  .screen, fieldset { display: none; } .paper { display: block; } h2 { break-after: avoid; } }
@media (max-width: 40rem) { body { margin: .75rem auto; } dl { display: block; } dd { margin-bottom: .4rem; }
  th, td { padding-right: .5rem; font-size: .9rem; } }
"""


def html(read: Reading) -> bytes:
    """The whole report; whatever names and files hold comes out as text."""
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(read.title)}</title>\n<style>{STYLE}{_attention_style(read)}</style>\n</head>\n<body>\n<main>\n"
        f'<div class="words screen">\n{_head(read)}{_drawn(read)}</div>\n{_attention_choice(read)}{_sheets(read)}'
        f'<div class="words">\n<p class="research paper">{escape(RESEARCH)}</p>\n'
        f"{_table(read)}{_notes(read)}{_facts(read)}</div>\n</main>\n</body>\n</html>\n"
    )
    return text.encode()


def _attention_style(read: Reading) -> str:
    """One rule a diagnosis: its radio button shows its bands."""
    return "".join(
        f"body:has(#look-{number}:checked) .look-{number} {{ display: inline; }}\n"
        for number, _ in enumerate(read.looked_for)
    )


def _attention_choice(read: Reading) -> str:
    if not read.looked_for:
        return ""
    off = '<label><input type="radio" name="look" id="look-off" checked> off</label>\n'
    others = "".join(
        f'<label><input type="radio" name="look" id="look-{number}"> {escape(name_in_words(name))}</label>\n'
        for number, name in enumerate(read.looked_for)
    )
    return f"<fieldset>\n<legend>Blue: {LOOKED}</legend>\n{off}{others}</fieldset>\n"


def _sheets(read: Reading) -> str:
    """Every sheet once, with the bands of each diagnosis in groups that are hidden at first."""
    looked = {name: sheets(read, name) for name in read.looked_for}
    drawn = []
    for index, page in enumerate(sheets(read)):
        groups = "".join(_looked(number, name, pages[index]) for number, (name, pages) in enumerate(looked.items()))
        drawn.append(f'<div class="sheet">\n{svg(page, behind=groups)}</div>\n')
    return "".join(drawn)


def _looked(number: int, name: str, page: Page) -> str:
    """The bands for a diagnosis, and what they are, so that it stands on the paper too when it is printed."""
    right_mm, below_mm = page.grid.x_mm + page.grid.width_mm, page.grid.y_mm + page.grid.height_mm
    place = f'x="{right_mm:g}" y="{below_mm + 9.5:g}" font-size="3.5" text-anchor="end"'
    return (
        f'<g class="looked look-{number}">{tints_svg(page.tints)}<text {place} fill="{hex_of(TINT_RGB)}">'
        f"blue, {escape(name)}: {LOOKED}</text></g>\n"
    )


def _head(read: Reading) -> str:
    """What matters most, before the paper; on paper the drawing's own caption says it."""
    return (
        f'<h1>{escape(read.title)}</h1>\n<p class="research">{escape(RESEARCH)}</p>\n'
        f"<dl>\n<dt>network</dt><dd><strong>{escape(conclusion(read))}</strong></dd>\n"
        f"<dt>heart rate</dt><dd>{escape(rate_in_words(read))}</dd>\n</dl>\n"
    )


def _drawn(read: Reading) -> str:
    """Above the paper, and on it in its first caption."""
    said = drawn_in_words(read)
    return f"<p>Paper: {escape(said)}.</p>\n" if said else ""


def _table(read: Reading) -> str:
    rows = "".join(
        f'<tr class="{decision(read.report, name)}"><th scope="row">{escape(name_in_words(name))}</th>'
        f'<td class="number">{probability(read.report, name)}</td><td>{escape(said_of(read, name))}</td></tr>\n'
        for name in read.report.probabilities
    )
    mean = "mean " if read.report.burden else ""
    head = (
        f'<tr><th scope="col">diagnosis</th><th scope="col" class="number">{mean}probability</th>'
        '<th scope="col">decision</th></tr>\n'
    )
    too = f'<p class="paper">{escape(said)}.</p>\n' if (said := doubt_in_words(read)) else ""
    return f"<h2>What the network says</h2>\n{too}<table>\n{head}{rows}</table>\n"


def _notes(read: Reading) -> str:
    items = "".join(f"<li>{escape(note)}</li>\n" for note in notes(read))
    return f"<h2>Quality of the recording</h2>\n<ul>\n{items}</ul>\n"


def _facts(read: Reading) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts(read))
    return f"<h2>Recording and reader</h2>\n<dl>\n{rows}</dl>\n"
