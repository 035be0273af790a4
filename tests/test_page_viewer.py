"""How the page is used at the bedside, in a real browser: calipers, fingers, keys, long recordings and paper."""

import pytest

import simulator
from browser import browsing, choose, opened, write_page


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("page")).as_uri()


@pytest.fixture(scope="module")
def browser():
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, url):
    with opened(browser, url, offline=True) as page:
        yield page


@pytest.fixture
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
    assert phone.inner_text("#calipers") == "Calipers: choose “Finger measures”; else a finger moves the paper"
    phone.click("summary")
    phone.check("[name=measure]")
    assert phone.inner_text("#calipers") == "Calipers: drag a finger on the paper"
    swipe(phone)
    assert phone.locator("#paper .calipers").count() == 1
    assert " ms = " in phone.inner_text("#calipers")
