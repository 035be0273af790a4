"""How the page is used at the bedside, in a real browser: calipers, fingers, keys, long recordings and paper."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import simulator
from binary_writers import edf, scp
from browser import browsing, choose, opened
from test_page_paper import contrast
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.diagnoses import DIAGNOSES, IN_WORDS, NORMAL_TOO, about_normal, stated
from twelvelead.formats import FORMATS, read
from twelvelead.record import RecordError
from twelvelead.signals.quality import assess
from twelvelead.wording import two_digits
from xml_writers import aecg


@pytest.fixture(scope="module")
def url(page_file):
    return page_file.as_uri()


@pytest.fixture(scope="module")
def browser():
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, url):
    with opened(browser, url, offline=True) as page:
        yield page


@pytest.fixture(scope="module")
def phone(browser, url):
    with opened(
        browser, url, offline=True, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as page:
        yield page


@pytest.fixture
def two(page, tmp_path):
    """Two recordings of 30 s in the list."""
    paths = [simulator.Wfdb(name, simulator.digital(simulator.ecg("AF", 30.0, seed=k))).write(tmp_path)
             for k, name in enumerate(("first", "second"))]  # fmt: skip
    choose(page, [file for path in paths for file in (path, path.with_suffix(".mat"))])
    for name in ("second", "first"):
        page.locator("#recordings button", has_text=name).first.click()
    return page


@pytest.fixture(scope="module")
def long(page, tmp_path_factory):
    """6 minutes, with atrial fibrillation from 2:00 to 3:00."""
    parts = [
        simulator.ecg(kind, seconds, 100, seed=5) for kind, seconds in (("Normal", 120), ("AF", 60), ("Normal", 180))
    ]
    signal = simulator.digital(np.concatenate(parts, axis=1))
    path = simulator.Wfdb("long", signal, rate="100", suffix=".dat").write(tmp_path_factory.mktemp("long"))
    choose(page, [path, path.with_suffix(".dat")])
    return page


@pytest.fixture
def on_paper(long):
    long.locator("#recordings button", has_text="long").first.click()
    return long


def measure(page):
    """Drag the calipers with the mouse."""
    sheet = page.locator("#paper svg").bounding_box()
    page.mouse.move(sheet["x"] + 300, sheet["y"] + 150)
    page.mouse.down()
    page.mouse.move(sheet["x"] + 360, sheet["y"] + 100)
    page.mouse.up()
    assert " ms = " in page.inner_text("#calipers")


@pytest.mark.parametrize("change", [
    lambda page: page.locator("#recordings button", has_text="second").first.click(),
    lambda page: page.select_option("[name=speed]", "50"),
    lambda page: page.select_option("[name=gain]", "20"),
    lambda page: page.select_option("[name=layout]", "6x2"),
    lambda page: page.select_option("[name=order]", "cabrera"),
    lambda page: page.select_option("[name=filter]", "0.5-40 Hz"),
    lambda page: page.click("#later"),
], ids=["recording", "speed", "gain", "layout", "order", "filter", "later"])  # fmt: skip
def test_what_was_measured_goes_with_the_trace_that_it_was_measured_on(two, change):
    measure(two)
    change(two)
    assert " ms" not in two.inner_text("#calipers")
    assert two.locator("#paper .calipers").count() == 0
    for name, value in {"layout": "3x4", "order": "standard", "speed": "25", "gain": "10", "filter": "none"}.items():
        two.select_option(f"[name={name}]", value)


def test_what_was_measured_stays_while_the_traces_do(two):
    measure(two)
    said = two.inner_text("#calipers")
    two.check("[name=attention]")
    two.check("[name=identity]")
    assert two.inner_text("#calipers") == said
    assert two.locator("#paper .calipers").count() == 1
    two.uncheck("[name=attention]")
    two.uncheck("[name=identity]")
    two.focus("#paper")
    two.keyboard.press("Escape")


def swipe(page):
    """A finger from right to left over the paper."""
    page.evaluate("document.getElementById('paper').scrollIntoView()")
    y = page.locator("#paper").bounding_box()["y"] + 120
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 300, "y": y}]})
    for x in range(290, 100, -10):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)


def test_a_finger_moves_the_paper_and_measures_only_when_it_is_told_to(phone):
    swipe(phone)
    assert phone.evaluate("document.getElementById('paper').scrollLeft") > 50
    assert phone.locator("#paper .calipers").count() == 0
    assert phone.inner_text("#calipers") == (
        "Calipers: choose “Finger measures” below “How it is drawn”; else a finger moves the paper"
    )
    phone.click("summary")
    phone.check("[name=measure]")
    assert phone.inner_text("#calipers") == "Calipers: drag a finger on the paper"
    swipe(phone)
    assert phone.locator("#paper .calipers").count() == 1
    assert " ms = " in phone.inner_text("#calipers")


def part(page):
    """What the page says that it shows, and where its first trace begins."""
    return page.inner_text("#part"), page.locator("#paper svg .word.scale").text_content().split("   ")[3]


def test_an_episode_leads_to_its_onset(on_paper):
    assert part(on_paper)[0] == "0:00:00 to 0:00:10 of 0:06:00"
    (episode,) = on_paper.locator("#findings button").all()
    assert episode.inner_text().startswith("episode: AF 0:0")
    onset = episode.inner_text().split()[2].split("-")[0]
    episode.click()
    assert part(on_paper)[0].startswith(f"{onset} to ")
    minutes, seconds = map(int, onset.split(":")[1:])
    assert 110 <= 60 * minutes + seconds <= 125
    assert abs(float(part(on_paper)[1].split()[0]) - (60 * minutes + seconds)) < 1
    assert on_paper.evaluate("document.activeElement.id") == "paper"
    assert on_paper.locator("#paper-title").bounding_box()["y"] >= 0


@pytest.mark.parametrize("typed, shown", [
    ("0:02:30", "0:02:30 to 0:02:40 of 0:06:00"), ("2:30", "0:02:30 to 0:02:40 of 0:06:00"),
    ("65.5", "0:01:05 to 0:01:15 of 0:06:00"), ("9:00:00", "0:05:50 to 0:06:00 of 0:06:00"),
    ("0:06:00", "0:05:50 to 0:06:00 of 0:06:00"), ("355", "0:05:50 to 0:06:00 of 0:06:00"),
])  # fmt: skip
def test_the_paper_begins_at_the_moment_that_is_typed(on_paper, typed, shown):
    on_paper.fill("#start", typed)
    on_paper.keyboard.press("Enter")
    assert part(on_paper)[0] == shown
    assert on_paper.input_value("#start") == shown.split()[0]
    assert on_paper.locator("#paper svg .trace").count() >= 4


def test_what_is_no_moment_is_said_and_changes_nothing(on_paper):
    on_paper.fill("#start", "noon")
    on_paper.keyboard.press("Enter")
    assert on_paper.evaluate("document.getElementById('start').validationMessage") == "Write seconds, or h:mm:ss."
    assert part(on_paper)[0] == "0:00:00 to 0:00:10 of 0:06:00"
    on_paper.fill("#start", "20")
    on_paper.keyboard.press("Enter")
    assert on_paper.evaluate("document.getElementById('start').validationMessage") == ""
    assert part(on_paper)[0].startswith("0:00:20")


def test_the_moments_of_a_short_recording_are_seconds(two):
    two.click("#later")
    assert part(two) == ("10.0 to 20.0 s of 30.0 s", "10.0 to 20.0 s of 30.0 s, next sheet from 20.0 s")


@pytest.mark.parametrize("positive", [[], ["Normal"], ["AF"], ["AF", "Normal"], ["Normal", "PVC", "STD"]])
@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("chance", [0.5, 0.0024])
def test_normal_is_not_stated_beside_another_diagnosis_and_the_page_says_so_as_python_does(
    page, positive, is_long, chance
):
    report = {"positive": positive, "withheld": {}, "probabilities": dict.fromkeys(DIAGNOSES, chance)}
    said = page.evaluate("twelvelead.findingsInWords", report | ({"burden": {}} if is_long else {}))
    names = ", ".join(f"{IN_WORDS[name]} {'mean ' * is_long}{two_digits(chance)}" for name in stated(positive))
    doubt = "no all-clear" if positive == ["Normal"] else about_normal(positive, chance, is_long=is_long)
    assert said == "; ".join(filter(None, [names or "none of the nine diagnoses", doubt]))
    assert bool(doubt) == ("Normal" in positive)
    assert ("all-clear" in doubt) == (positive == ["Normal"])
    assert ("normal ECG" in names) == (positive == ["Normal"])


def test_a_recording_of_both_is_said_to_be_looked_at_wherever_its_findings_are(on_paper):
    doubt = about_normal(["AF", "Normal"], 0.5, is_long=True)
    assert on_paper.inner_text("#findings .summary") == f"atrial fibrillation; {doubt}"
    assert doubt in on_paper.inner_text("#says")
    assert on_paper.locator("#recordings [aria-current] .short").inner_text() == f"AF{NORMAL_TOO}"
    assert on_paper.locator("#findings tr.positive").count() == 2


def test_what_was_said_is_saved_as_a_table(page, tmp_path):
    path = simulator.Wfdb("=1+1", simulator.digital(simulator.ecg("PVC"))).write(tmp_path)
    (tmp_path / "refused, alas.csv").write_text("# rate_hz: 500\n# unit: mV\nI,II\n1,2\n")
    choose(page, [path, path.with_suffix(".mat"), tmp_path / "refused, alas.csv"])
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "twelvelead.csv"
    with Path(download.value.path()).open(newline="", encoding="utf-8") as file:
        of_file = {row["file"]: row for row in csv.DictReader(file)}
    said, refused = of_file["'=1+1.hea"], of_file["refused, alas.csv"]  # no formula for a spreadsheet
    report = classify(read(path), load_bundle(shipped_bundle()))
    assert report.withheld
    for name, probability in report.probabilities.items():
        shown = said[name]
        assert shown == "" if name in report.withheld else float(shown) == pytest.approx(probability, abs=2e-4), name
    assert said["withheld"].split() == [*report.withheld]
    assert said["positive"].split() == list(report.positive)
    assert (said["heart rate"].split()[1:4], said["refused"]) == (["beats", "a", "minute"], "")
    assert refused["refused"].startswith("2 leads (I, II)")
    assert refused["AF"] == refused["positive"] == ""


def test_arrow_keys_show_the_recording_and_tab_stops_at_the_list_once(two):
    two.locator("#recordings button", has_text="first").first.focus()
    two.keyboard.press("ArrowDown")
    assert two.inner_text("#paper-title") == two.evaluate("document.activeElement.querySelector('.name').textContent")
    assert two.inner_text("#paper-title") != "first.hea"
    assert two.locator("#recordings button[tabindex='0']").count() == 1
    two.keyboard.press("Tab")
    assert two.evaluate("document.activeElement.closest('#recordings')") is None


def test_on_a_phone_the_paper_comes_into_sight_when_a_recording_is_chosen(phone):
    phone.locator("#recordings button").click()
    top = phone.evaluate("document.getElementById('paper-title').getBoundingClientRect().top")
    assert -1 <= top < 30


WATCH = """() => {
  globalThis.said = {status: [], progress: []};
  globalThis.watches = Object.keys(said).map((id) => {
    const place = document.getElementById(id);
    const watch = new MutationObserver(() => said[id].push(place.textContent));
    watch.observe(place, {childList: true});
    return watch;
  });
  globalThis.beats = 0;
  globalThis.beat = setInterval(() => beats++, 20);
  const chooseAnother = () => document.querySelector('#recordings li:last-child button').click();
  document.getElementById('files').addEventListener('change', () => setTimeout(chooseAnother), {once: true});
}"""


def test_the_page_does_other_things_while_it_reads_a_long_recording(two, tmp_path):
    path = simulator.Wfdb("six", simulator.digital(simulator.ecg("AF", 360.0, 100)), rate="100").write(tmp_path)
    two.evaluate(WATCH)
    assert two.inner_text("#paper-title") == "first.hea"
    choose(two, [path, path.with_suffix(".mat")])
    assert two.evaluate("clearInterval(beat), watches.forEach((watch) => watch.disconnect()), beats") >= 3
    assert two.inner_text("#paper-title") == "Simulated example"  # what was chosen meanwhile
    said = two.evaluate("said")
    aloud = list(filter(None, said["status"]))
    quarters = [f"Reading 1 recording{share}" for share in ("", ": 25 %", ": 50 %", ": 75 %")]
    assert aloud == [each for each in [*quarters, "1 of 1 recording read."] if each in aloud]  # each once, in order
    assert aloud[0] == quarters[0]
    shares = [int(re.fullmatch(r"Recording 1 of 1: (\d+) %", each)[1]) for each in filter(None, said["progress"])]
    assert shares == sorted(shares)
    assert len(shares) >= 3
    assert two.get_attribute("#progress", "role") is two.get_attribute("#progress", "aria-live") is None
    assert two.inner_text("#progress") == ""


def seen(page, selector):
    """Whether an element lies within what is seen of the paper and, to a pixel, of the page."""
    return page.evaluate(
        """selector => {
          const [it, box] = [selector, '#paper'].map((each) => document.querySelector(each).getBoundingClientRect());
          return it.left >= box.left && it.right <= box.right && it.top > -1 && it.bottom < innerHeight + 1;
        }""",
        selector,
    )


def test_enlarged_paper_is_moved_by_keys_and_calipers_stay_in_sight(page):
    page.locator("#recordings button", has_text="simulated example").click()
    page.focus("#paper")
    for _ in range(3):
        page.keyboard.press("+")
    assert page.inner_text("#zoom") == "300 %"
    across = "Math.round(document.getElementById('paper').scrollLeft)"
    page.keyboard.press("End")
    right = page.evaluate(across)
    assert right == pytest.approx(page.evaluate("document.getElementById('paper').clientWidth / 2"), abs=1)
    page.keyboard.press("Home")
    assert page.evaluate(across) <= 1
    for _ in range(120):
        page.keyboard.press("ArrowRight")
    for _ in range(60):
        page.keyboard.press("ArrowDown")
    assert seen(page, "#paper .calipers circle:nth-of-type(2)")
    assert page.evaluate(across) > 100
    page.keyboard.press("Shift+ArrowLeft")
    assert seen(page, "#paper .calipers circle:nth-of-type(1)")
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("-")
    assert page.inner_text("#zoom") == "100 %"


def test_turning_to_the_end_keeps_the_focus_and_is_told(two):
    two.focus("#later")
    for _ in range(4):
        two.keyboard.press("Enter")
    assert two.evaluate("document.activeElement.id") == "later"
    assert two.get_attribute("#later", "aria-disabled") == "true"
    assert two.inner_text("#part") == "20.0 to 30.0 s of 30.0 s"
    assert two.get_attribute("#part", "aria-live") == "polite"
    assert two.get_attribute("#paper svg", "aria-label").startswith("12-lead ECG, 20.0 to 30.0 s of 30.0 s, 3x4, ")
    two.select_option("[name=speed]", "12.5")
    assert part(two) == ("10.0 to 30.0 s of 30.0 s", "10.0 to 30.0 s of 30.0 s")
    assert two.input_value("#start") == "10.0"
    assert two.get_attribute("#paper svg", "aria-label").startswith("12-lead ECG, 10.0 to 30.0 s of 30.0 s, ")
    two.select_option("[name=speed]", "25")
    two.focus("#earlier")
    for _ in range(4):
        two.keyboard.press("Enter")
    assert two.evaluate("document.activeElement.id") == "earlier"
    assert two.inner_text("#part") == "0.0 to 10.0 s of 30.0 s"


def test_the_chosen_recording_is_told_in_forced_colours(browser, url, tmp_path):
    with opened(browser, url, offline=True, forced_colors="active") as page:
        path = simulator.Wfdb("other", simulator.digital(simulator.ecg())).write(tmp_path)
        choose(page, [path, path.with_suffix(".mat")])
        colours = "(each) => { const s = getComputedStyle(each); return [s.backgroundColor, s.color]; }"
        chosen = page.locator("#recordings [aria-current]").evaluate(colours)
        other = page.locator("#recordings button:not([aria-current])").evaluate(colours)
        assert chosen[0] != other[0]
        assert chosen[0] != chosen[1]
        fill, meter = (page.locator(each).first.evaluate(colours)[0] for each in (".meter .fill", ".meter"))
        assert fill != meter
        before = page.locator("#theme").evaluate(colours)
        page.click("#theme")
        assert page.locator("#theme").evaluate(colours)[0] != before[0]


def test_the_size_of_letters_is_that_which_the_browser_is_set_to(page):
    size = (
        "(root) => { document.documentElement.style.fontSize = root; return getComputedStyle(document.body).fontSize; }"
    )
    assert page.evaluate(size, "") == "15px"
    assert page.evaluate(size, "32px") == "30px"
    page.evaluate(size, "")


def test_the_small_boxes_of_the_dark_paper_can_be_seen(page):
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        style = "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)"
        sheet, small, large = (page.evaluate(style, f"--{name}") for name in ("sheet", "grid-1", "grid-5"))
        assert 1.3 <= contrast(small, sheet) <= 2
        assert contrast(large, sheet) > 1.3 * contrast(small, sheet)
    page.evaluate("document.documentElement.dataset.theme = 'light'")


def test_nothing_lies_over_the_paper(page):
    page.locator("#recordings button", has_text="simulated example").click()
    for y in range(0, 900, 200):
        page.evaluate("y => scrollTo(0, y)", y)
        box, line = (page.locator(each).bounding_box() for each in ("#paper", ".calipers-line"))
        assert line["y"] + line["height"] <= box["y"] + 0.5
    page.evaluate("scrollTo(0, 0)")


def test_what_the_network_says_is_printed_under_the_paper(on_paper):
    on_paper.emulate_media(media="print")
    sheet, said = (on_paper.locator(each).bounding_box() for each in ("#paper svg", "#says"))
    mm = 96 / 25.4
    assert on_paper.locator("#says").is_visible()
    assert said["y"] - sheet["y"] > 202 * mm  # below the line of speed and gain
    assert said["y"] + said["height"] <= sheet["y"] + 210 * mm
    assert said["x"] >= sheet["x"] + 70 * mm  # to the right of what is written there
    assert on_paper.evaluate("(each) => each.scrollHeight <= each.clientHeight + 1", on_paper.query_selector("#says"))
    on_paper.emulate_media(media="null")
    assert len(re.findall(rb"/MediaBox", on_paper.pdf(prefer_css_page_size=True))) == 1


def test_of_a_refused_file_nothing_can_be_drawn_or_printed(page, tmp_path):
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    choose(page, [tmp_path / "noise.bin"])
    assert page.locator("#facts").inner_text().startswith("Refused: ")
    enabled = "[...document.getElementById('controls').elements].filter((each) => !each.disabled).length"
    assert page.evaluate(enabled) == 0
    assert page.inner_text("#part") == page.input_value("#start") == page.inner_text("#calipers") == ""
    page.emulate_media(media="print")
    assert page.locator("#paper-title").is_visible()
    assert page.locator("#facts").is_visible()
    page.emulate_media(media="null")
    page.locator("#recordings button", has_text="simulated example").click()
    assert page.evaluate(enabled) == page.evaluate("document.getElementById('controls').elements.length")


@pytest.mark.parametrize("write", [scp, edf, aecg])
def test_a_format_that_only_python_reads_is_refused_with_the_way_out(page, tmp_path, write):
    choose(page, [write(tmp_path, simulator.ecg())])
    facts = page.inner_text("#facts")
    assert "none of the formats that this page reads by itself: WFDB" in facts
    assert "`twelvelead serve`, which has the same page, and `twelvelead classify` also read SCP-ECG, HL7 aECG" in facts
    for form in FORMATS:  # each by a word of its name
        words = set(re.findall(r"[A-Z][\w-]{2,}", form.name)) - {"XML"}
        assert any(word in facts for word in words) or "refused" in form.name, form.name


def test_a_file_that_is_too_large_for_the_page_is_refused_with_the_way_out(page, tmp_path):
    with (tmp_path / "large.edf").open("wb") as file:
        file.truncate((1 << 26) + 1)
    choose(page, [tmp_path / "large.edf"])
    assert "at most 67108864 are read here; use `twelvelead classify`" in page.inner_text("#facts")


@pytest.mark.parametrize("data", [b"# Real recordings", b"\x89PNG\r\n\x1a\n\0", b'a "quote" b', b"<"])
def test_the_beginning_of_what_is_no_recording_is_shown_as_python_shows_it(page, tmp_path, data):
    (tmp_path / "some.bin").write_bytes(data)
    with pytest.raises(RecordError) as refused:
        read(tmp_path / "some.bin")
    beginning = str(refused.value).split(", which")[0]
    assert "b'" not in beginning
    choose(page, [tmp_path / "some.bin"])
    assert page.inner_text("#facts").startswith(f"Refused: {beginning}, which is none of the formats")


def test_what_stands_still_all_of_the_time_is_said_so_and_as_python_says_it(page, tmp_path):
    signal = simulator.ecg()
    signal[8] = 0
    path = simulator.Wfdb("flat", simulator.digital(signal)).write(tmp_path)
    choose(page, [path, path.with_suffix(".mat")])
    flat = next(str(one) for one in assess(read(path)) if one.kind == "flat")
    assert flat == "flat in V3: all of the time (limit 0.5)"
    assert flat in page.inner_text("#findings .notes")
