"""What the page draws, in a real browser: millimetres, calipers, keyboard, print, dark colours."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from browser import browsing, opened
from twelvelead.drawing import Band, Paper, lay_out
from twelvelead.person import age_in_words


@pytest.fixture(scope="module")
def page(page_file):
    with browsing() as browser, opened(browser, page_file.as_uri(), offline=True) as page:
        yield page


def test_calipers_measure_the_calibration_pulse_as_10_mm_and_200_ms(page):
    page.locator("#recordings button", has_text="simulated example").click()
    box, sheet = page.locator("#paper svg .pulse").first, page.locator("#paper svg").bounding_box()
    mm = sheet["width"] / 297
    points = [float(number) for number in re.findall(r"[\d.]+", box.get_attribute("d"))]
    left, foot, top, right = points[2], points[3], points[5], points[6]
    at = [(sheet["x"] + x * mm, sheet["y"] + y * mm) for x, y in ((left, foot), (right, top))]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()
    said = page.inner_text("#calipers")
    ms, bpm, mv, across, up = (float(number) for number in re.findall(r"[\d.]+", said))
    assert ms == pytest.approx(200, abs=2)
    assert bpm == pytest.approx(300, abs=4)
    assert mv == pytest.approx(1, abs=0.01)
    assert page.locator("#paper .calipers text").text_content() == said.removeprefix("Calipers: ").split(" (")[0]
    assert (across, up) == (pytest.approx(5, abs=0.1), pytest.approx(10, abs=0.1))


def test_the_keyboard_moves_calipers_by_one_small_box(page):
    page.locator("#recordings button", has_text="simulated example").click()
    page.focus("#paper")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert "200 ms = 300 bpm, 0.50 mV (5.0 mm across, 5.0 mm up)" in page.inner_text("#calipers")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert "240 ms = 250 bpm, 0.60 mV (6.0 mm across, 6.0 mm up)" in page.inner_text("#calipers")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Alt+ArrowUp")
    assert "200 ms = 300 bpm, 0.62 mV (5.0 mm across, 6.2 mm up)" in page.inner_text("#calipers")
    page.keyboard.press("+")
    assert page.inner_text("#zoom") == "150 %"
    page.keyboard.press("-")
    page.keyboard.press("Escape")
    assert page.locator("#paper .calipers").count() == 0


def test_every_control_is_reached_by_the_tabulator_and_has_a_name(page):
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, select, input:not([hidden]):not(#held), [tabindex]')].filter((each) => "
        "!(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length)).map((each) => each.id)"
    )
    assert unnamed == []
    page.locator("#choose-files").focus()
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"choose-folder", "layout", "order", "speed", "gain", "filter", "attention", "print", "paper"} <= {*reached}


def test_layout_speed_gain_and_filter_are_printed_with_the_drawing(page):
    page.locator("#recordings button", has_text="simulated example").click()
    for name, value in {
        "layout": "12x1",
        "order": "cabrera",
        "speed": "50",
        "gain": "5",
        "filter": "0.5-40 Hz",
    }.items():
        page.select_option(f"[name={name}]", value)
    assert page.locator("#paper svg .trace").count() == 12
    leads = page.locator("#paper svg .word.lead").all_text_contents()
    assert leads[:3] == ["aVL", "I", "-aVR"]
    assert "50 mm/s   5 mm/mV   filter: 0.5-40 Hz" in page.locator("#paper svg .word.scale").text_content()
    page.click("#later")
    assert "5.0 to 10.0 s of 10.0 s" in page.locator("#paper svg .word.scale").text_content()
    for name, value in {"layout": "3x4", "order": "standard", "speed": "25", "gain": "10", "filter": "none"}.items():
        page.select_option(f"[name={name}]", value)


@pytest.mark.parametrize("layout, order, speed, gain, form, start_s, duration_s",
    [("3x4", "standard", 25.0, 10.0, "none", 0.0, 10), ("6x2", "cabrera", 50.0, 20.0, "none", 2.5, 10),
     ("12x1", "standard", 12.5, 5.0, "0.5-40 Hz", 0.0, 10), ("3x4", "standard", 25.0, 10.0, "none", 0.0, 5),
     ("6x2", "standard", 25.0, 10.0, "none", 0.0, 7.25), ("6x2", "standard", 25.0, 10.0, "none", 0.0, 5),
      ("3x4", "standard", 50.0, 10.0, "none", 5.0, 9)])  # fmt: skip
def test_it_draws_every_line_where_python_does(page, record, layout, order, speed, gain, form, start_s, duration_s):
    paper = Paper(layout=layout, order=order, speed_mm_per_s=speed, gain_mm_per_mv=gain, filter=form, start_s=start_s)
    held_as_python_does(page, replace(record, signal=record.signal[:, : round(duration_s * 500)]), paper)


def test_it_says_of_a_flat_lead_that_it_has_no_signal_as_python_does(page, record):
    signal = record.signal.copy()
    signal[3, :] = 0.2
    ours = held_as_python_does(page, replace(record, signal=signal), Paper(order="cabrera"))
    assert [text["text"] for text in ours["texts"]][2] == "-aVR: no signal"
    assert sum(line["kind"] == "trace" for line in ours["lines"]) == 12


@pytest.mark.parametrize("layout, gain", [("3x4", 20), ("6x2", 10), ("6x2", 5), ("3x4", 5)])
def test_it_names_what_leaves_its_row_as_python_does(page, record, layout, gain):
    paper = Paper(layout=layout, gain_mm_per_mv=gain)
    ours = held_as_python_does(page, replace(record, signal=record.signal * np.float32(8)), paper)
    assert next(text["text"] for text in ours["texts"] if text["kind"] == "note").startswith(
        "reaches into other rows: "
    )


LAY_OUT = """([record, paper]) => {
  const bytes = Uint8Array.from(atob(record.signal), (letter) => letter.charCodeAt(0));
  const n = bytes.length / 48;
  const signal = Array.from({length: 12}, (_, lead) => new Float32Array(bytes.buffer, 4 * n * lead, n));
  const said = {caption: 'said', bands: [{startS: 1, endS: 2.5, weight: 0.5}]};
  return JSON.stringify(twelvelead.layOut({...record, signal}, paper, said));
}"""  # numbers as text: Playwright takes seconds for 60,000 of its own


def held_as_python_does(page, record, paper):
    """The page's sheet of a recording, after each of its lines and texts was found where Python's lies."""
    theirs = lay_out(record, paper, caption="said", bands=[Band(1.0, 2.5, 0.5)]).as_json()
    drawn = page.evaluate(
        LAY_OUT,
        [
            {"name": record.name, "signal": base64.b64encode(record.signal.tobytes()).decode(), "unit": record.unit,
             "rateHz": record.rate_hz, "durationS": record.duration_s, "age": None, "sex": None},
            {"layout": paper.layout, "order": paper.order, "speed": paper.speed_mm_per_s, "gain": paper.gain_mm_per_mv,
             "filter": paper.filter, "startS": paper.start_s, "identity": False},
        ],
    )  # fmt: skip
    ours = json.loads(drawn)
    assert ours["texts"] == theirs["texts"]
    assert ours["tints"] == theirs["tints"]
    assert ours["grid"] == theirs["grid"]
    assert [(line["kind"], line["lead"], line["start_s"]) for line in ours["lines"]] == [
        (line["kind"], line["lead"], line["start_s"]) for line in theirs["lines"]
    ]
    for mine, other in zip(ours["lines"], theirs["lines"], strict=True):
        np.testing.assert_allclose(mine["points_mm"], other["points_mm"], atol=0.0021)
    return ours


@pytest.mark.parametrize("age", [71.0, 2.0, 1.5, 0.0833, 0.05, 0.0])
def test_it_says_an_age_as_python_does(page, age):
    aged = {"name": "x", "rateHz": 500, "durationS": 10, "unit": "mV", "age": age, "sex": "F"}
    drawn = page.evaluate(
        "(record) => twelvelead.layOut({...record, signal: Array(12).fill(new Float32Array(5000))}, "
        "{layout: '3x4', order: 'standard', speed: 25, gain: 10, filter: 'none', startS: 0, identity: true}, "
        "{caption: '', bands: []})",
        aged,
    )
    assert f"12-lead ECG x, {age_in_words(age)}, F" in str(drawn)


def test_attention_is_shown_when_asked_for_and_says_that_it_is_no_measurement(page):
    page.locator("#recordings button", has_text="simulated example").click()
    page.check("[name=attention]")
    assert page.locator("#paper svg .tint").count() > 3
    assert "not a measurement" in page.locator("#paper svg .word.caption").text_content()
    page.uncheck("[name=attention]")
    assert page.locator("#paper svg .tint").count() == 0


def test_it_prints_in_true_millimetres(page):
    page.emulate_media(media="print")
    box = page.locator("#paper svg").bounding_box()
    page.emulate_media(media="null")
    assert box["width"] == pytest.approx(297 * 96 / 25.4, abs=0.5)
    assert box["x"] == pytest.approx(0, abs=0.1)
    scale = page.evaluate("document.querySelector('#paper svg').viewBox.baseVal.width")
    assert scale == 297


def test_one_sheet_of_paper_is_printed(page):
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[([\d. ]+)\]", printed)
    assert len(boxes) == 1
    assert [float(each) * 25.4 / 72 for each in boxes[0].split()] == pytest.approx([0, 0, 297, 210], abs=0.2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_lead_name_stands_on_a_halo_of_the_papers_colour(page, theme):
    found = page.evaluate(
        """theme => {
          document.documentElement.dataset.theme = theme;
          const [name, paper] = ['.word.lead', '.ground'].map((each) => getComputedStyle(document.querySelector('#paper svg ' + each)));
          return { order: name.paintOrder, halo: name.stroke, width: name.strokeWidth, letters: name.fill, paper: paper.fill };
        }""",
        theme,
    )
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert (found["order"].split()[0], found["halo"], found["width"]) == ("stroke", found["paper"], "0.8px")
    assert found["letters"] != found["halo"]


def test_the_dark_page_keeps_the_grid(page):
    page.click("#theme")
    colours = page.evaluate(
        "['.ground', '.grid-1', '.grid-5', '.trace'].map((each) => { const style = getComputedStyle("
        "document.querySelector('#paper svg ' + each)); return each === '.ground' ? style.fill : style.stroke; })"
    )
    page.click("#theme")
    assert len(set(colours)) == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_stand_out_from_what_is_behind_them(page, theme):
    colours = page.evaluate(
        """theme => {
          document.documentElement.dataset.theme = theme;
          const style = getComputedStyle(document.documentElement);
          const names = ['ground', 'panel', 'ink', 'soft', 'accent', 'accent-ink', 'strong', 'sheet', 'grid-5', 'trace', 'caliper'];
          return Object.fromEntries(names.map((name) => [name, style.getPropertyValue('--' + name)]));
        }""",
        theme,
    )
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    for text, behind in [("ink", "panel"), ("ink", "ground"), ("soft", "panel"), ("soft", "ground"), ("strong", "panel"),
                         ("accent-ink", "accent"), ("trace", "sheet")]:  # fmt: skip
        assert contrast(colours[text], colours[behind]) >= 4.5, (text, behind)
    for line, behind in [("accent", "panel"), ("trace", "grid-5"), ("caliper", "sheet")]:
        assert contrast(colours[line], colours[behind]) >= 3, (line, behind)
    assert contrast(colours["grid-5"], colours["sheet"]) >= 1.5


def contrast(one, other):
    """Of two colours, as WCAG 2.2 defines it; 4.5 is its least for text, 3 for what must be seen."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    digits = colour.strip().removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_on_a_phone_the_paper_comes_before_the_controls_and_nothing_overflows(page):
    page.set_viewport_size({"width": 320, "height": 844})
    page.locator("#controls").wait_for(state="hidden")
    assert page.locator("#paper").bounding_box()["y"] < 500
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.click("summary")
    page.locator("#controls").wait_for()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("#controls").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
