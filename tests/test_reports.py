"""Reports: every form of one reading, read back by its own format's library, a browser among them."""

import base64
import io
import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fhir.resources.bundle import Bundle
from pydicom.data import get_testdata_file

import simulator
from programs import chromium, pdf_to_png, program
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.drawing import Paper, geometry
from twelvelead.drawing.geometry import drawn_signal
from twelvelead.record import LEADS, Record
from twelvelead.reports import FORMS, read_by, reading
from twelvelead.reports.reading import LOOKED, bands, drawn_episodes, drawn_in_words, sheets
from twelvelead.reports.words import NOT_ASSESSED, RATE_ERROR, RESEARCH, conclusion, notes, probability

ROOT = Path(__file__).parent.parent
HOSTILE = "</style><script>alert(1)</script>&\"'"


@pytest.fixture(scope="module")
def classifier():
    return load_bundle(shipped_bundle())


@pytest.fixture(scope="module")
def said(classifier):
    """How a recording, as made here, is read."""

    def read(kind="PVC", duration_s=10.0, flat=(), identity=False, **fields):
        signal = simulator.ecg(kind, duration_s, 250.0, seed=4).astype(np.float32)
        for lead in flat:
            signal[LEADS.index(lead)] = 0
        record = Record(**{"name": "Doe, Jane", "age": 71.0, "sex": "F", **fields}, signal=signal, rate_hz=250.0)
        return reading(record, classify(record, classifier), read_by(classifier), Paper(identity=identity))

    return read


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def words(form, content):
    """All text of a report."""
    if form == "html":
        return " ".join(Tags(content.decode()).texts)
    if form == "dcm":
        form, content = "pdf", pydicom.dcmread(io.BytesIO(content)).EncapsulatedDocument
    if form == "pdf":
        command = [program("poppler-utils", "pdftotext"), "-layout", "-", "-"]
        done = subprocess.run(command, input=content, capture_output=True, check=True)
        return " ".join(done.stdout.decode().split())
    return content.decode()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_what_it_must(form, said):
    read = said(flat=["V6"])
    text = words(form, FORMS[form](read))
    for needed in (RESEARCH, NOT_ASSESSED, RATE_ERROR, read.by.bundle, read.by.sha256[:12], "flat in V6"):
        assert needed in text, needed
    assert str(read.heart.as_json()["mean_bpm"]) in text
    assert read.report.withheld.keys() >= {"STD", "STE", "Normal"}
    for name, chance in read.report.probabilities.items():
        shown = str(chance) if form.endswith("json") else f"{chance:.3f}"
        assert (shown in text) == (name not in read.report.withheld)
        assert f"{read.report.thresholds[name]:.3f}" in text or name in read.report.withheld


@pytest.mark.parametrize("form", FORMS)
def test_nobody_is_named_unless_asked_for(form, said):
    hidden, shown = FORMS[form](said()), FORMS[form](said(identity=True))
    for who in ("Doe, Jane", "71 years"):
        assert who not in words(form, hidden)
        assert (who if form != "json" else who.removesuffix(" years")) in words(form, shown)
    assert b"Doe, Jane" not in hidden


def test_the_html_needs_nothing_and_runs_nothing(said):
    text = FORMS["html"](said(name=HOSTILE, identity=True, warnings=(HOSTILE,))).decode()
    page = Tags(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "a", "form"})
    assert not [
        name for _, attributes in page.tags for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert HOSTILE in " ".join(page.texts)


def test_the_attention_is_off_at_first_and_labelled(said):
    read = said()
    page = Tags(FORMS["html"](read).decode())
    buttons = [attributes for tag, attributes in page.tags if tag == "input"]
    assert [button["id"] for button in buttons if "checked" in button] == ["look-off"]
    assert len(buttons) == 1 + len(read.looked_for)
    assert LOOKED in " ".join(page.texts)


def test_without_a_positive_the_attention_is_that_of_the_diagnosis_nearest_to_its_threshold(said):
    thresholds = dict.fromkeys(DIAGNOSES, 0.5) | {"PVC": 0.1, "Normal": 0.9, "STE": 0.0}
    chances = dict.fromkeys(DIAGNOSES, 0.0) | {"PVC": 0.08, "Normal": 0.6}
    read = said()
    report = replace(read.report, positive=(), withheld={}, probabilities=chances, thresholds=thresholds)
    assert replace(read, report=report).looked_for == ("PVC",)
    assert replace(read, report=replace(report, withheld={"PVC": "flat"})).looked_for == ("Normal",)


def in_browser(content, folder, *options):
    (folder / "report.html").write_bytes(content)
    command = [
        chromium(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder}/home",
    ]
    subprocess.run([*command, *options, "report.html"], cwd=folder, check=True, capture_output=True, timeout=120)


def blue(path):
    """How many pixels are of the attention's blue."""
    from PIL import Image

    red, green, sky = np.moveaxis(np.asarray(Image.open(path).convert("RGB")).astype(int), 2, 0)
    return int(((sky - red > 25) & (green > 120)).sum())


def test_the_table_of_the_html_has_headers_of_rows_and_columns_and_a_long_name_is_broken(said):
    text = FORMS["html"](said(name="W" * 200, identity=True)).decode()
    tags = Tags(text).tags
    assert [attributes["scope"] for tag, attributes in tags if tag == "th"] == ["col"] * 3 + ["row"] * 9
    assert [tag for tag, _ in tags].count("main") == 1
    assert re.search(r"h1 \{[^}]*overflow-wrap: anywhere", text)


def test_a_browser_shows_the_attention_only_when_it_is_chosen(said, tmp_path):
    content = FORMS["html"](said())
    chosen = content.replace(b'id="look-off" checked', b'id="look-off"').replace(b'id="look-0"', b'id="look-0" checked')
    counts = []
    for page in (content, chosen):
        in_browser(page, tmp_path, "--window-size=1280,1100", "--screenshot=shot.png")
        counts.append(blue(tmp_path / "shot.png"))
    assert counts[1] > 20_000 > 10 * counts[0]


def test_a_browser_prints_it_in_true_millimetres(said, tmp_path):
    from test_drawing import darkness

    in_browser(FORMS["html"](said()), tmp_path, "--no-pdf-header-footer", "--print-to-pdf=printed.pdf")
    from PIL import Image

    high, wide = darkness(Image.open(pdf_to_png(tmp_path / "printed.pdf")), 10)
    assert high == pytest.approx(10, abs=0.35)
    assert wide == pytest.approx(5, abs=0.35)


def test_the_attention_is_the_networks_over_time(said):
    read = said()
    found = bands(read, "PVC")
    total = read.report.attention[0, DIAGNOSES.index("PVC")]
    strongest = max(found, key=lambda band: band.weight)
    assert strongest.weight == 1
    peak_s = (int(total.argmax()) + 0.5) / len(total) * read.by.window_s
    assert strongest.start_s - 0.2 <= peak_s <= strongest.end_s + 0.2
    assert found[0].start_s >= 0
    assert found[-1].end_s <= read.record.duration_s


def test_a_long_recording_is_drawn_on_six_sheets_and_says_so(said):
    text = FORMS["html"](said(duration_s=70.0)).decode()
    assert text.count("<svg") == 6
    before, _, after = text.partition("<svg")
    assert "only the first 60 s are drawn" in before
    assert "only the first 60 s are drawn" not in after.partition("Quality of the recording")[2]


@pytest.fixture(scope="module")
def with_episodes(classifier):
    """11 minutes with five episodes of atrial fibrillation, of which the second and the last are the shortest."""
    lengths = (("Normal", 60), ("AF", 60), ("Normal", 60), ("AF", 20), ("Normal", 60), ("AF", 80), ("Normal", 60),
               ("AF", 70), ("Normal", 60), ("AF", 20), ("Normal", 120))  # fmt: skip
    parts = [simulator.ecg(kind, seconds, 250.0, 5) for kind, seconds in lengths]
    record = Record(name="long", signal=np.concatenate(parts, axis=1).astype(np.float32), rate_hz=250.0)
    return reading(record, classify(record, classifier), read_by(classifier))


def test_of_a_long_recording_the_beginning_and_the_onsets_of_the_longest_episodes_are_drawn(with_episodes):
    read = with_episodes
    assert len(read.report.episodes) == 5
    first, _, third, fourth, _ = read.report.episodes
    pages = sheets(read)
    starts = [min(line.start_s for line in page.lines if line.kind == "trace") for page in pages]
    assert starts == [0, first.start_s, third.start_s, fourth.start_s]
    captions = [text.text for page in pages for text in page.texts if text.kind == "caption"]
    assert captions[0].startswith("of 0:11:10 the first 10 s and the onset of the 3 longest of 5 episodes are drawn; ")
    assert captions[1].startswith("episode: AF 0:01:00-0:02:0")
    assert captions[2].startswith(f"episode: {third}; {read.by.bundle}: ")
    assert [len(sheets(read, name)) for name in read.looked_for] == [4] * len(read.looked_for)


@pytest.mark.parametrize("form", ["html", "pdf", "fhir.json"])
def test_what_is_drawn_of_a_long_recording_is_said_before_it_and_not_as_its_quality(with_episodes, form):
    text = words(form, FORMS[form](with_episodes))
    said = "of 0:11:10 the first 10 s and the onset of the 3 longest of 5 episodes are drawn"
    assert said in text
    quality = text.partition("Quality of the recording")[2].partition("Recording and reader")[0]
    assert bool(quality) == (form != "fhir.json")
    assert "are drawn" not in quality


def test_episodes_that_begin_on_the_first_sheet_are_not_counted_among_the_onsets(with_episodes):
    report = with_episodes.report
    first, second, *others = report.episodes
    for episodes, said in (
        ([replace(first, start_s=0.0), second], "the first 10 s and the onset of 1 further episode are"),
        (
            [replace(first, start_s=0.0), second, *others],
            "the first 10 s and the onset of the 3 longest of 4 further ep",
        ),
    ):
        read = replace(with_episodes, report=replace(report, episodes=tuple(episodes)))
        assert drawn_in_words(read).startswith(f"of 0:11:10 {said}")


@pytest.mark.parametrize(
    ("chance", "shown"), [(0.0699761, "0.06998"), (0.07, "0.070"), (0.0702, "0.070"), (0.05, "0.050")]
)
def test_a_probability_is_never_shown_as_the_threshold_that_it_misses(said, chance, shown):
    read = said()
    positive = ("STD",) if chance >= 0.07 else ()
    report = replace(
        read.report,
        positive=positive,
        withheld={},
        probabilities={**read.report.probabilities, "STD": chance},
        thresholds={**read.report.thresholds, "STD": 0.07},
    )
    assert probability(report, "STD") == shown


def test_a_paper_that_begins_later_has_no_blank_sheet(said):
    assert [len(sheets(replace(said(duration_s=20.0), paper=Paper(start_s=start)))) for start in (0, 10, 19.8)] == [
        2,
        1,
        1,
    ]


@pytest.mark.parametrize("duration_s, start_s, words", [
    (20.0, 0.0, ""), (20.0, 10.0, "only 10 to 20 s of 20 s are drawn"), (20.0, 19.8, "only 10 to 20 s of 20 s are drawn"),
    (70.0, 0.0, "only the first 60 s are drawn"), (130.0, 40.0, "only 40 to 100 s of 130 s are drawn"),
])  # fmt: skip
def test_what_is_drawn_from_elsewhere_than_the_beginning_is_said(said, duration_s, start_s, words):
    assert drawn_in_words(replace(said(duration_s=duration_s), paper=Paper(start_s=start_s))) == words


def test_of_a_long_recording_drawn_from_later_on_what_was_before_competes_too(with_episodes):
    read = replace(with_episodes, paper=Paper(start_s=300.0))
    assert sorted(episode.start_s for episode in drawn_episodes(read)) == [
        episode.start_s for episode in drawn_episodes(with_episodes)
    ]
    assert drawn_in_words(read).startswith("of 0:11:10 10 s from 0:05:00 on and the onset of the 3 longest of 5")


@pytest.mark.parametrize("form", FORMS)
def test_normal_is_not_concluded_beside_another_diagnosis(form, said):
    read = said("PVC")
    both = replace(read, report=replace(read.report, positive=("AF", "Normal"), withheld={}))
    text = " ".join(words(form, FORMS[form](both)).split())
    doubt = "ormal ECG reaches its threshold too, and the two seldom go together: look at the recording"
    assert conclusion(both).startswith("atrial fibrillation (AF), probability ")
    assert conclusion(both).endswith(f". N{doubt}")
    assert both.report.in_words("b") == f"b: AF {read.report.probabilities['AF']:.2f} (Normal too: look at it)"
    assert both.report.as_json()["positive"] == ["AF", "Normal"]
    assert (doubt in text) == (form != "json")  # numbers, for programs


@pytest.mark.parametrize("chance", [0.49, 0.5])
def test_a_normal_ecg_is_no_all_clear_least_of_all_at_less_than_even_odds(chance, said):
    read = said()
    chances = read.report.probabilities | {"Normal": chance}
    alone = conclusion(
        replace(read, report=replace(read.report, positive=("Normal",), probabilities=chances, withheld={}))
    )
    assert f"normal ECG, probability {chance:.2f}. Normal ECG is " in alone
    assert ("is called at less than even odds, and is" in alone) == (chance < 0.5)
    assert alone.endswith(" is no all-clear: infarction, hypertrophy and much else are not assessed")


@pytest.mark.parametrize("form", FORMS)
def test_what_was_barely_learned_is_not_called_negative(form, said):
    read = said()
    read = replace(read, report=replace(read.report, positive=(), withheld={}))
    assert read.by.barely_learned == {"STE": 8}
    text = " ".join(words(form, FORMS[form](read)).split())
    below = "below its threshold of 0.090; learned from 8 recordings: it may be there"
    assert (below in text, f"negative: {below}" in text) == (True, False)
    assert "negative: below its threshold of 0.120" in text
    if form == "fhir.json":
        observed = {
            each["resource"]["code"]["text"]: each["resource"]
            for each in json.loads(text)["entry"]
            if each["resource"]["resourceType"] == "Observation"
        }
        assert "interpretation" not in observed["probability of ST-segment elevation (STE)"]
        assert "interpretation" in observed["probability of atrial fibrillation (AF)"]


@pytest.mark.parametrize(("age", "warns"), [(0.0, True), (17.9, True), (18.0, False), (None, False)])
def test_of_a_child_a_report_says_that_what_is_normal_was_not_tested(age, warns, said):
    read = said()
    told = notes(replace(read, record=replace(read.record, age=age)))
    assert (
        "warning: recorded before the age of 18: what is normal then is something else, and was not tested" in told
    ) == warns


def test_nothing_positive_is_shown_with_a_probability_of_nothing(said):
    read = said()
    chances = read.report.probabilities | {"RBBB": 0.0024}
    rare = replace(read.report, positive=("RBBB",), probabilities=chances, withheld={})
    assert "(RBBB), probability 0.002" in conclusion(replace(read, report=rare))
    assert rare.in_words("b") == "b: RBBB 0.002"


def test_the_doubt_about_normal_is_on_every_page_of_words_that_is_printed(with_episodes, tmp_path):
    in_browser(FORMS["html"](with_episodes), tmp_path, "--no-pdf-header-footer", "--print-to-pdf=printed.pdf")
    for document in ((tmp_path / "printed.pdf").read_bytes(), FORMS["pdf"](with_episodes)):
        page = words("pdf", document).partition("What the network says")[2].partition("Quality of the recording")[0]
        assert "Normal ECG reaches its threshold too: parts of the recording may be normal" in page


def test_the_command_line_says_that_normal_was_found_beside_another_diagnosis(with_episodes, twelvelead, tmp_path):
    assert {"AF", "Normal"} == {*with_episodes.report.positive}
    samples = simulator.digital(with_episodes.record.signal)
    path = simulator.Wfdb("both", samples, rate="250", suffix=".dat").write(tmp_path)
    said = " ".join(twelvelead("classify", path).stdout.split())
    assert "normal ECG reaches its threshold too: parts of the recording may be normal; look at the recording" in said


def test_what_could_not_be_assessed_is_not_none_of_the_nine(said):
    nothing = said(flat=("II", "V1", "V2", "V3", "V4", "V5", "V6"))
    assert len(nothing.report.withheld) == len(DIAGNOSES)
    assert conclusion(nothing).startswith("nothing could be assessed, which does not mean normal")
    assert nothing.report.in_words("b").startswith("b: nothing could be assessed; withheld: AF")
    some = said("RBBB", flat=("V3",))
    few = replace(some, report=replace(some.report, positive=()))
    assert conclusion(few).startswith(f"none of the {9 - len(some.report.withheld)} diagnoses that could be assessed")
    assert 0 < len(some.report.withheld) < 9


def test_nothing_on_the_page_of_words_is_printed_over_something_else(with_episodes):
    done = subprocess.run([program("poppler-utils", "pdftotext"), "-bbox", "-", "-"], input=FORMS["pdf"](with_episodes),
                          capture_output=True, check=True).stdout.decode()  # fmt: skip
    (words_page,) = [page for page in done.split("<page ")[1:] if ">decision<" in page]
    boxes = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<', words_page)
    assert len(boxes) > 100
    by_line = {}
    for left, top, right, _, word in boxes:
        by_line.setdefault(float(top), []).append((float(left), float(right), word))
    for line in by_line.values():
        for (_, right, one), (left, _, next_one) in itertools.pairwise(sorted(line)):
            assert left > right - 0.1, (one, next_one)


def test_the_probability_of_a_long_recording_is_called_a_mean(said):
    for form in ("pdf", "html"):
        assert "mean probability" in words(form, FORMS[form](said(duration_s=320.0)))
        assert "mean probability" not in words(form, FORMS[form](said()))


def test_the_sheets_of_a_recording_are_filtered_once(said, monkeypatch):
    filtered = []
    monkeypatch.setattr(
        sys.modules["twelvelead.reports.reading"],
        "drawn_signal",
        lambda *given: filtered.append(drawn_signal(*given)) or filtered[-1],
    )
    monkeypatch.setattr(geometry, "drawn_signal", None)
    assert len(sheets(replace(said(duration_s=30.0), paper=Paper(filter="0.5-40 Hz")))) == 3
    assert len(filtered) == 1


def test_a_long_name_leaves_room_for_age_and_sex(said):
    (page,) = sheets(said(identity=True, name="x" * 300))
    [title] = [text.text for text in page.texts if text.kind == "title"]
    assert title.endswith("…, 71 years, F")
    assert len(title) < 75


def test_the_json_is_the_report(said):
    read = said(flat=["V6"])
    answer = json.loads(FORMS["json"](read))
    assert list(answer["diagnoses"]) == list(DIAGNOSES)
    assert answer["diagnoses"]["PVC"]["probability"] == read.report.probabilities["PVC"]
    assert answer["diagnoses"]["STE"]["probability"] is None
    assert answer["diagnoses"]["STE"]["decision"] == "withheld"
    assert set(answer["attention"]["bands"]) == set(read.looked_for)
    assert set(answer["recording"]) == {"duration_s", "rate_hz"}
    named = json.loads(FORMS["json"](said(identity=True)))["recording"]
    assert (named["name"], named["age"], named["sex"]) == ("Doe, Jane", 71.0, "F")


@pytest.mark.parametrize("flat", [[], ["V6"], list(LEADS[:6])])
def test_the_fhir_bundle_is_valid_r5(flat, said):
    read = said(flat=flat, name=HOSTILE, identity=True)
    bundle = Bundle.model_validate_json(FORMS["fhir.json"](read))
    resources = {entry.fullUrl: entry.resource for entry in bundle.entry}
    (report,) = [each for each in resources.values() if each.get_resource_type() == "DiagnosticReport"]
    observations = [resources[result.reference] for result in report.result]
    assert len(observations) == len(bundle.entry) - 2 == 9 + (read.heart is not None)
    for name, observation in zip(DIAGNOSES, observations, strict=False):
        assert resources[observation.device.reference].get_resource_type() == "Device"
        if name in read.report.withheld:
            assert observation.valueQuantity is None
            assert observation.dataAbsentReason is not None
        else:
            assert float(observation.valueQuantity.value) == read.report.probabilities[name]
            expected = "POS" if name in read.report.positive else "NEG"
            assert observation.interpretation[0].coding[0].code == expected
    assert (report.status, {each.status for each in observations}) == ("partial", {"preliminary"})
    assert report.conclusionCode is None
    raw = json.loads(FORMS["fhir.json"](read))["entry"][0]["resource"]["presentedForm"][0]["data"]
    assert base64.b64decode(raw).startswith(b"%PDF")


def test_a_rate_that_may_miss_beats_is_in_words_only(classifier):
    signal = simulator.ecg("Normal", 20.0, 250.0, seed=4).astype(np.float32)
    signal[:, 1250:2500] = np.random.default_rng(0).normal(0, 0.02, (12, 1250))
    record = Record(name="x", signal=signal, rate_hz=250.0)
    read = reading(record, classify(record, classifier), read_by(classifier))
    (observed,) = [
        entry["resource"]
        for entry in json.loads(FORMS["fhir.json"](read))["entry"]
        if entry["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "8867-4"
    ]
    assert "valueQuantity" not in observed
    assert observed["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    gap_s = json.loads(FORMS["json"](read))["heart_rate"]["gap_s"]
    assert gap_s == pytest.approx(5.5, abs=0.7)
    said = f"{gap_s} s without a beat: a pause, or one that could not be seen"
    assert said in observed["note"][0]["text"]
    assert said in FORMS["html"](read).decode()
    Bundle.model_validate_json(FORMS["fhir.json"](read))


@pytest.mark.parametrize("form", FORMS)
def test_no_heart_rate_is_given_where_no_lead_can_be_used(form, said):
    read = said(flat=["II", "V1"])
    assert said(flat=["II"]).heart is not None
    assert read.heart is None
    assert RATE_ERROR.encode() not in FORMS[form](read)
    if form == "html":
        assert "<dt>heart rate</dt><dd>withheld: flat in II, V1" in FORMS[form](read).decode()


def test_the_dicom_file_holds_the_pdf(said):
    for identity, age, burned in ((False, None, "NO"), (True, "071Y", "YES")):
        file = pydicom.dcmread(io.BytesIO(FORMS["dcm"](said(identity=identity))))
        assert file.SOPClassUID == pydicom.uid.EncapsulatedPDFStorage
        assert file.SOPInstanceUID == file.file_meta.MediaStorageSOPInstanceUID
        document = file.EncapsulatedDocument[: file.EncapsulatedDocumentLength]
        assert document.startswith(b"%PDF")
        assert document.rstrip().endswith(b"%%EOF")
        assert (file.get("PatientAge"), file.BurnedInAnnotation, file.PatientName) == (age, burned, "")


@pytest.mark.parametrize("age, years, tag", [
    (71.0, "71 years", "071Y"), (2.0, "2 years", "002Y"), (1.5, "18 months", "018M"), (0.0833, "1 month", "001M"),
    (0.05, "18 days", "018D"), (0.0, "0 days", "000D"),
])  # fmt: skip
def test_the_age_of_a_child_is_in_months_or_days(age, years, tag, said):
    read = said(identity=True, age=age)
    assert f"{years}, sex F" in FORMS["html"](read).decode()
    assert pydicom.dcmread(io.BytesIO(FORMS["dcm"](read))).PatientAge == tag


def test_the_error_of_the_rate_is_the_documents():
    document = (ROOT / "docs/heart-rate.md").read_text(encoding="utf-8")
    mean, _, largest = re.search(r"largest \(beats a minute\) \| ([\d.]+), ([\d.]+), ([\d.]+)", document).groups()
    assert f"off by {mean} a minute on average and {largest} at most" in RATE_ERROR


@pytest.mark.parametrize("form", FORMS)
def test_the_suffix_decides_and_nothing_is_overwritten(form, twelvelead, tmp_path):
    out = tmp_path / f"new/out.{form}"
    command = ("classify", get_testdata_file("waveform_ecg.dcm"), "--report", out)
    done = twelvelead(*command)
    assert done.returncode == 0, done.stderr
    assert f"written to {out}" in done.stdout
    first = out.read_bytes()
    assert {"html": b"<!doc", "pdf": b"%PDF-", "fhir.json": b'{\n  "', "json": b'{\n  "', "dcm": bytes(5)}[
        form
    ] == first[:5]
    assert (b"DiagnosticReport" in first) == (form == "fhir.json")
    again = twelvelead(*command)
    assert again.returncode == 1
    assert "it is there already" in again.stderr
    assert out.read_bytes() == first


def test_several_recordings_go_into_a_folder(twelvelead, tmp_path):
    for name in ("a", "b"):
        simulator.Wfdb("same", simulator.digital(simulator.ecg())).write(tmp_path / "in" / name)
    refused = twelvelead("classify", tmp_path / "in/a", tmp_path / "in/b", "--report", tmp_path / "out.html")
    assert refused.returncode == 1
    assert "2 recordings need a folder" in refused.stderr
    paths = (tmp_path / "in/a", tmp_path / "in/b")
    done = twelvelead("classify", *paths, "--report", tmp_path / "out", "--report-format", "json")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["same-2.json", "same.json"]


@pytest.mark.parametrize("form", ["html", "json", "fhir.json"])
def test_a_long_recording_s_burdens_and_episodes_are_said(classifier, form):
    parts = [simulator.ecg(kind, seconds, 500.0, 5) for kind, seconds in (("AF", 60), ("Normal", 270))]
    record = Record(name="long", signal=np.concatenate(parts, axis=1).astype(np.float32), rate_hz=500.0)
    report = classify(record, classifier)
    assert report.episodes
    document = FORMS[form](reading(record, report, read_by(classifier))).decode()
    if form == "json":
        assert json.loads(document)["burden"] == json.loads(json.dumps(report.as_json()["burden"]))
        assert json.loads(document)["episodes"] == json.loads(json.dumps(report.as_json()["episodes"]))
    else:
        assert "on average over the recording" in document
        assert f"episode: {report.episodes[0]}" in document
