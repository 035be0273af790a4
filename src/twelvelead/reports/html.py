"""A reading as one HTML file: no script, no outside address; the attention is shown by radio buttons, off at first."""

from html import escape
from typing import Final

from twelvelead.diagnoses import IN_WORDS
from twelvelead.drawing.svg import svg, tints_svg
from twelvelead.reports.reading import LOOKED, NOT_GIVEN, RESEARCH, Reading, facts, notes, said_of, sheets

STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.45 Verdana, "DejaVu Sans", sans-serif; color: #111; background: #fff; margin: 1.5rem auto;
  max-width: 297mm; padding: 0 .75rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .4rem; }
.research { border-left: .3rem solid #b35900; padding: .4rem .8rem; background: #fff6ea; }
.sheet { overflow-x: auto; } .sheet svg { display: block; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top;
  border-bottom: 1px solid #ccc; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.positive { font-weight: bold; } tr.withheld { color: #555; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; } dd { margin: 0;
  overflow-wrap: anywhere; } li { overflow-wrap: anywhere; }
.tints { display: none; } fieldset { border: 1px solid #ccc; margin: 0 0 .5rem; } fieldset label { margin-right: 1rem; }
@page { size: A4 landscape; margin: 0; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 11pt; } .words { padding: 12mm; }
  .sheet { overflow: hidden; break-after: page; break-inside: avoid; } fieldset { display: none; } }
"""


def html(read: Reading) -> bytes:
    """The whole report; whatever names and files hold comes out as text."""
    title = "12-lead ECG" + (f" {read.record.name}" if read.paper.identity else "")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_attention_style(read)}</style>\n</head>\n<body>\n"
        f'<div class="words">\n<h1>{escape(title)}</h1>\n<p class="research">{escape(RESEARCH)}</p>\n</div>\n'
        f"{_attention_choice(read)}{_sheets(read)}"
        f'<div class="words">\n{_table(read)}{_notes(read)}{_facts(read)}</div>\n</body>\n</html>\n'
    )
    return text.encode()


def _attention_style(read: Reading) -> str:
    """One rule a diagnosis: its radio button shows its bands."""
    return "".join(
        f"body:has(#look-{number}:checked) .look-{number} .tints {{ display: inline; }}\n"
        for number, _ in enumerate(read.looked_for)
    )


def _attention_choice(read: Reading) -> str:
    if not read.looked_for:
        return ""
    off = '<label><input type="radio" name="look" id="look-off" checked> off</label>\n'
    others = "".join(
        f'<label><input type="radio" name="look" id="look-{number}"> {escape(IN_WORDS[name])} ({name})</label>\n'
        for number, name in enumerate(read.looked_for)
    )
    return f"<fieldset>\n<legend>Tinted: {LOOKED}</legend>\n{off}{others}</fieldset>\n"


def _sheets(read: Reading) -> str:
    """Every sheet once, with the bands of each diagnosis in groups that are hidden at first."""
    looked = [sheets(read, name) for name in read.looked_for]
    drawn = []
    for index, page in enumerate(sheets(read)):
        groups = "".join(
            f'<g class="look-{number}">{tints_svg(pages[index].tints)}</g>\n' for number, pages in enumerate(looked)
        )
        drawn.append(f'<div class="sheet">\n{svg(page, behind=groups)}</div>\n')
    return "".join(drawn)


def _table(read: Reading) -> str:
    rows = []
    for name, probability in read.report.probabilities.items():
        kind = (
            "positive" if name in read.report.positive else "withheld" if name in read.report.withheld else "negative"
        )
        shown = "–" if name in read.report.withheld else f"{probability:.3f}"
        rows.append(
            f'<tr class="{kind}"><td>{escape(IN_WORDS[name])} ({name})</td><td class="number">{shown}</td>'
            f"<td>{escape(said_of(read, name))}</td></tr>\n"
        )
    head = "<tr><th>diagnosis</th><th>probability</th><th>decision</th></tr>\n"
    return f"<h2>What the network says</h2>\n<table>\n{head}{''.join(rows)}</table>\n<p>{escape(NOT_GIVEN)}</p>\n"


def _notes(read: Reading) -> str:
    items = "".join(f"<li>{escape(note)}</li>\n" for note in notes(read))
    return f"<h2>Quality of the recording</h2>\n<ul>\n{items or '<li>nothing found wrong</li>'}</ul>\n"


def _facts(read: Reading) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts(read))
    return f"<h2>Recording and reader</h2>\n<dl>\n{rows}</dl>\n"
