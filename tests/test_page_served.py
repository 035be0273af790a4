"""The same page from a real `twelvelead serve`: it answers, and what only it can read is drawn from what it gives."""

import re

import numpy as np
import pytest

import simulator
from binary_writers import edf, scp
from browser import browsing, choose, opened
from serving import serving
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.formats import read
from twelvelead.reports import read_by, reading
from twelvelead.reports.words import rate_in_words
from writers import write_dicom
from xml_writers import aecg

TOKEN = "a-token-of-many-characters"
POINTS = "document.querySelector('#paper svg .trace').getAttribute('d')"


@pytest.fixture(scope="module")
def browser():
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser, server):
    with opened(browser, server.url, refusals=True) as page:
        yield page
        assert [url for url in page.requests if not url.startswith((server.url, "blob:"))] == []


@pytest.fixture
def files(tmp_path):
    """One simulated recording in formats that the page reads, and in some that only the server reads."""
    signal = simulator.ecg("PVC", seed=4)
    simulator.Wfdb("A0001", simulator.digital(signal), comments=["#Age: 74"]).write(tmp_path)
    for write in (write_dicom, scp, edf, aecg):
        write(tmp_path, signal)
    return tmp_path


def shown(page, name):
    """Choose one of the list; the probabilities in the table, but for those withheld."""
    page.locator("#recordings button", has_text=name).first.click()
    cells = page.locator("#findings .probability span:first-child").all_inner_texts()
    return [float(cell) for cell in cells if cell]


def said(report):
    return [probability for name, probability in report.probabilities.items() if name not in report.withheld]


def test_it_opens_with_the_example_and_says_who_answers(page):
    assert page.inner_text("#paper-title") == "Simulated example"
    assert page.locator("#paper svg .trace").count() == 13
    assert "by the server that sent this page" in page.inner_text("#readable")
    assert page.get_attribute("#docs", "href") == "docs"


def test_it_answers_and_draws_every_format(page, files):
    paths = sorted(path for path in files.iterdir() if path.is_file())
    mains = [path for path in paths if path.suffix != ".mat"]
    assert len(mains) == 5
    assert choose(page, paths) == "5 of 5 recordings read."
    listed = page.locator("#recordings .name").all_inner_texts()[:5]
    assert listed == [path.name for path in mains]
    classifier = load_bundle(shipped_bundle())
    for path in mains:
        np.testing.assert_allclose(shown(page, path.name), said(classify(read(path), classifier)), atol=5.1e-4)
        assert page.locator("#paper svg .trace").count() == 13
    page.check("[name=attention]")
    assert page.locator("#paper svg .tint").count() > 3
    page.uncheck("[name=attention]")


def test_what_only_the_server_reads_is_drawn_where_the_page_would_draw_it(page, files):
    choose(page, [next(files.glob("*.scp"))])
    shown(page, ".scp")
    theirs = np.array(re.findall(r"[-\d.]+", page.evaluate(POINTS)), float)
    choose(page, [files / "A0001.hea", files / "A0001.mat"])
    shown(page, "A0001")
    ours = np.array(re.findall(r"[-\d.]+", page.evaluate(POINTS)), float)
    np.testing.assert_allclose(theirs, ours, atol=0.011)  # a microvolt of rounding in each format is .01 mm


def test_a_long_recording_that_only_the_server_reads_is_drawn_to_its_end_and_measured(page, tmp_path):
    long = np.tile(simulator.ecg(), (1, 45))  # 450 s: as a table more than a server gives
    path = edf(tmp_path, long)
    assert choose(page, [path]) == "1 of 1 recording read."
    shown(page, path.name)
    assert page.inner_text("#facts").startswith("0:07:30 at 500 Hz")
    page.select_option("[name=gain]", "20")
    assert "20 mm/mV" in page.locator("#paper svg .word.scale").text_content()
    beginning = np.array(re.findall(r"[-\d.]+", page.evaluate(POINTS)), float)
    for _ in range(44):
        page.click("#later")
    last = np.array(re.findall(r"[-\d.]+", page.evaluate(POINTS)), float)
    np.testing.assert_allclose(last, beginning, atol=0.011)  # the same ten seconds once more
    page.select_option("[name=gain]", "10")
    page.focus("#paper")
    page.keyboard.press("ArrowRight")
    assert "200 ms" in page.inner_text("#calipers")
    page.keyboard.press("Escape")


def test_what_cannot_be_drawn_says_why_and_lets_nothing_look_enabled(page, tmp_path):
    page.route("**/api/report?format=wfdb", lambda route: route.fulfill(status=422, json={"detail": "too loud"}))
    choose(page, [scp(tmp_path, simulator.ecg())])
    page.unroute("**/api/report?format=wfdb")
    shown(page, ".scp")
    assert page.inner_text("#facts") == "Not drawn: too loud"
    assert page.locator("#findings tbody tr").count() == 9
    assert page.locator("#paper svg").count() == 0
    assert page.locator("#controls :is(button, select, input):enabled").count() == 0


def test_it_says_the_heart_rate_that_reports_say(page, tmp_path):
    classifier = load_bundle(shipped_bundle())
    for name, flat in (("whole", []), ("dead", [1, 6])):
        signal = simulator.ecg("PVC", seed=4)
        signal[flat] = 0
        path = simulator.Wfdb(name, simulator.digital(signal), suffix=".dat").write(tmp_path)
        choose(page, [path, path.with_suffix(".dat")])
        shown(page, name)
        record = read(path)
        rate = rate_in_words(reading(record, classify(record, classifier), read_by(classifier)))
        assert rate.startswith("withheld: " if flat else "7")
        assert page.inner_text("#says").endswith(f" Heart rate: {rate}.")


def test_a_header_goes_with_its_own_signal_files_only(page, tmp_path):
    simulator.write_challenge(tmp_path, n=4)
    asked = []
    page.on("requestfinished", lambda request: asked.append(request))
    assert choose(page, sorted((tmp_path / "g1").iterdir())) == "4 of 4 recordings read."
    uploads = [request.sizes()["requestBodySize"] for request in asked]
    assert len(uploads) == 4
    assert max(uploads) < 2 * 12 * 5000 + 4000


def test_a_file_that_the_server_refuses_and_a_server_that_stops_are_told_in_a_sentence(browser, files, tmp_path):
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    strict = load_bundle(shipped_bundle(), specificity="0.99")
    wrong = [f"{TOKEN}\u200b", TOKEN[:-1]]  # as copied from a text, and one that can be sent
    with (
        serving(tmp_path, "--workers", 1, "--specificity", "0.99", TWELVELEAD_TOKEN=TOKEN) as server,
        opened(browser, server.url, tokens=[*wrong, TOKEN], refusals=True) as page,
    ):
        assert page.locator("#token-form").is_hidden()
        assert strict.name in page.inner_text("#about")
        assert choose(page, [*files.glob("A0001.*")]) == "1 of 1 recording read."
        from_where = page.locator("#findings td:nth-child(3)").all_inner_texts()
        assert from_where == [f"{threshold:.3f}" for threshold in strict.thresholds]
        assert choose(page, [tmp_path / "noise.bin"]) == "0 of 1 recording read, 1 refused."
        assert "none of the formats" in page.inner_text("#facts")
        assert server.stop() in (0, -15)
        choose(page, [tmp_path / "noise.bin"])
        assert "the server does not answer" in page.inner_text("#facts")


@pytest.mark.corpus
@pytest.mark.parametrize("name", [
    "wfdb/muse-af.hea", "dicom/240hz.dcm", "scp/ecgtoolkit-example.scp", "edf/contec-12lead-800hz.edf",
    "hl7-aecg/fda-example.xml"])  # fmt: skip
def test_real_recordings_are_uploaded_answered_and_drawn(page, corpus, name):
    path = corpus / "formats" / name
    files = [path, path.with_suffix(".dat")] if path.suffix == ".hea" else [path]
    assert choose(page, files) == "1 of 1 recording read."
    expected = said(classify(read(path), load_bundle(shipped_bundle())))
    np.testing.assert_allclose(shown(page, path.name), expected, atol=5.1e-4)
    assert page.locator("#paper svg .trace").count() == 13 - len(read(path).flat_leads)
