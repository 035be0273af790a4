"""The drawing: one geometry, and its SVG, PDF and PNG in true millimetres."""

import io
import itertools
import json
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import simulator
from programs import pdf_to_png
from twelvelead.doors.drawing import write_new
from twelvelead.drawing import FORMATS, Band, Paper, PaperError, lay_out, write
from twelvelead.drawing.geometry import drawn_s, sheet_starts
from twelvelead.drawing.paper import CABRERA, GAINS_MM_PER_MV, SPEEDS_MM_PER_S
from twelvelead.record import LEADS, Record

SVG = "{http://www.w3.org/2000/svg}"
POINTS_PER_MM = 72 / 25.4
HOSTILE = "<script>alert(1)</script>&\"'(\\)"


def made(kind="Normal", duration_s=10.0, rate_hz=500.0, name="simulated", **fields):
    signal = simulator.ecg(kind, duration_s, rate_hz, seed=77).astype(np.float32)
    return Record(name=name, signal=signal, rate_hz=rate_hz, **fields)


def traces(page):
    return [line for line in page.lines if line.kind == "trace"]


def words(page):
    return {text.kind: text.text for text in page.texts}


def svg_points(path):
    return np.array([[float(number) for number in pair.split()] for pair in re.split("[ML]", path.get("d"))[1:]])


def pdf_strokes(data):
    """Every polyline of the traces' and pulses' width in the PDF's own content, in points of the page."""
    streams = []
    for part in re.split(rb"\bstream\r?\n", data)[1:]:
        with suppress(zlib.error):
            streams.append(zlib.decompressobj().decompress(part))
    (content,) = [stream.decode("latin-1") for stream in streams if b" l S" in stream]
    scale = float(re.search(r"([\d.]+) 0 0 -([\d.]+) 0 ([\d.]+) cm", content)[1])
    lines = [
        np.array([[float(x), float(y)] for x, y in re.findall(r"([-\d.]+) ([-\d.]+) [ml]", stroke)])
        for stroke in re.findall(r"(?:[-\d.]+ [-\d.]+ [ml] )+S", content)
    ]
    return [line * scale for line in lines if len(line) != 2]


@pytest.mark.parametrize("layout, first_column, n_traces", [("3x4", 3, 13), ("6x2", 6, 12), ("12x1", 12, 12)])
def test_layouts_fill_columns_downwards(layout, first_column, n_traces):
    drawn = traces(lay_out(made(), Paper(layout=layout)))
    assert [line.lead for line in drawn[:12]] == list(LEADS)
    assert len(drawn) == n_traces
    assert [line.lead for line in drawn if line.start_s == 0][:first_column] == list(LEADS[:first_column])


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_cabreras_order_turns_avr_round(layout):
    plain = {line.lead: line for line in traces(lay_out(made(), Paper(layout=layout)))[:12]}
    page = lay_out(made(), Paper(layout=layout, order="cabrera"))
    drawn = traces(page)[:12]
    assert tuple(line.lead for line in drawn) == CABRERA
    assert [text.text for text in page.texts if text.kind == "lead"][:12] == list(CABRERA)
    if layout == "12x1":
        extents = [
            np.sort([line.points_mm[:, 1].max(), line.points_mm[:, 1].min()]) for line in (plain["aVR"], drawn[2])
        ]
        assert np.ptp(extents[0]) == pytest.approx(np.ptp(extents[1]))


@pytest.mark.parametrize("speed, gain", [*itertools.product(SPEEDS_MM_PER_S, GAINS_MM_PER_MV)])
def test_every_lead_is_drawn_at_the_printed_speed_and_gain(speed, gain):
    record = made(duration_s=21.0)
    page = lay_out(record, Paper(speed_mm_per_s=speed, gain_mm_per_mv=gain))
    column_s = 62.5 / speed
    for column, line in enumerate(traces(page)[:12]):
        first = round(column // 3 * column_s * 500)
        samples = record.signal[LEADS.index(line.lead)][first : first + len(line.points_mm)]
        assert np.ptp(line.points_mm[:, 0]) == pytest.approx(62.5, abs=speed / 500 + 1e-9)
        assert np.ptp(line.points_mm[:, 1]) == pytest.approx(gain * float(np.ptp(samples)), abs=1e-4)
    assert f"{speed:g} mm/s   {gain:g} mm/mV   filter: none" in words(page)["scale"]


def test_no_lead_is_scaled_by_itself():
    record = made()
    signal = record.signal.copy()
    signal[LEADS.index("V2")] *= 3
    before, after = traces(lay_out(record)), traces(lay_out(Record(name="x", signal=signal, rate_hz=500.0)))
    for a, b in zip(before, after, strict=True):
        factor = 3 if a.lead == "V2" else 1
        assert np.ptp(b.points_mm[:, 1]) == pytest.approx(factor * np.ptp(a.points_mm[:, 1]), rel=1e-5)


def test_columns_are_continuous_in_time():
    first_row = traces(lay_out(made()))[:12:3]
    for before, after in itertools.pairwise(first_row):
        assert after.points_mm[0, 0] == pytest.approx(before.points_mm[-1, 0])
        assert after.start_s == pytest.approx(before.start_s + 2.5)


@settings(max_examples=40, deadline=None)
@given(
    rate_hz=st.floats(50, 1000),
    start_s=st.floats(0, 6),
    layout=st.sampled_from(["3x4", "6x2", "12x1"]),
    speed=st.sampled_from(SPEEDS_MM_PER_S),
)
def test_one_x_is_one_moment_at_any_rate(rate_hz, start_s, layout, speed):
    time = np.arange(round(27 * rate_hz)) / rate_hz
    record = Record(name="ramp", signal=np.tile(time, (12, 1)).astype(np.float32), rate_hz=rate_hz)
    for line in traces(lay_out(record, Paper(layout=layout, speed_mm_per_s=speed, start_s=start_s, gain_mm_per_mv=5))):
        points = line.points_mm
        moments = start_s + (points[:, 0] - 28.5) / speed
        heights = (points[0, 1] - points[:, 1]) / 5
        np.testing.assert_allclose(heights, moments - moments[0], atol=1e-5)
        assert points[0, 0] >= 28.5 - 1e-6
        assert points[-1, 0] <= 278.5 + 1e-6


@pytest.mark.parametrize("layout, gain", [*itertools.product(["3x4", "6x2", "12x1"], GAINS_MM_PER_MV)])
def test_the_calibration_pulse_is_one_millivolt_and_200_ms(layout, gain):
    pulses = [
        line.points_mm
        for line in lay_out(made(), Paper(layout=layout, gain_mm_per_mv=gain)).lines
        if line.kind == "pulse"
    ]
    assert pulses
    assert len(pulses) == {("6x2", 20): 5, ("12x1", 20): 6}.get(
        (layout, gain), int(layout.split("x")[0]) + (layout == "3x4")
    )
    for points in pulses:
        assert points[:, 1].min() >= 22
        assert np.ptp(points[:, 1]) == pytest.approx(gain)
        assert points[3, 0] - points[2, 0] == pytest.approx(5.0)
    tops, feet = [points[:, 1].min() for points in pulses], [points[:, 1].max() for points in pulses]
    assert all(top > foot for top, foot in zip(tops[1:], feet, strict=False))


def test_the_filter_is_printed_and_removes_the_baseline():
    record = made()
    wandering = Record(name="x", signal=record.signal + np.linspace(0, 3, 5000, dtype=np.float32), rate_hz=500.0)
    page = lay_out(wandering, Paper(filter="0.5-40 Hz", layout="12x1"))
    assert "filter: 0.5-40 Hz" in words(page)["scale"]
    drawn = traces(page)[LEADS.index("aVL")].points_mm[500:-500, 1]
    assert np.ptp(drawn) < 0.6 * np.ptp(traces(lay_out(wandering, Paper(layout="12x1")))[4].points_mm[:, 1])


def test_nobody_is_named_unless_asked_for():
    record = made(name="Doe, Jane", age=71.0, sex="F")
    for form in FORMATS:
        assert b"Doe" not in write(lay_out(record), form)
    assert words(lay_out(record, Paper(identity=True)))["title"] == "12-lead ECG Doe, Jane, 71 years, F"


@pytest.mark.parametrize("duration_s", [5.0, 7.5, 9.4])
@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
@pytest.mark.parametrize("speed", SPEEDS_MM_PER_S)
def test_a_short_recording_shows_every_lead_and_all_of_its_time(duration_s, layout, speed):
    paper = Paper(layout=layout, speed_mm_per_s=speed)
    starts = sheet_starts(duration_s, paper)
    drawn = [traces(lay_out(made(duration_s=duration_s), replace(paper, start_s=start)))[:12] for start in starts]
    column_s = drawn_s(paper) / int(layout.split("x")[1])
    for sheet in drawn:
        assert [line.lead for line in sheet] == list(LEADS)
        for line in sheet:
            assert np.ptp(line.points_mm[:, 0]) / speed == pytest.approx(min(column_s, duration_s), abs=0.005)
    begun = [line.start_s for sheet in drawn for line in sheet]
    assert min(begun) == 0
    assert max(begun) + min(column_s, duration_s) == pytest.approx(duration_s)
    assert max(np.diff(sorted(begun))) <= column_s + 1e-9


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
@pytest.mark.parametrize("start_s", [0.0, 100.0])
def test_a_lead_that_drifts_stays_in_its_row(layout, start_s):
    signal = made(duration_s=120.0).signal.copy()
    signal[LEADS.index("V2")] += np.linspace(-12, 12, signal.shape[1], dtype=np.float32)
    page = lay_out(Record(name="drift", signal=signal, rate_hz=500.0), Paper(layout=layout, start_s=start_s))
    names = [text for text in page.texts if text.kind == "lead"]
    above = {"3x4": 17, "6x2": 12, "12x1": 4.5}[layout]
    for line, name in zip(traces(page), names, strict=True):
        assert np.median(line.points_mm[:, 1]) == pytest.approx(name.y_mm + above)


@pytest.mark.parametrize("form", ["none", "0.5-40 Hz"])
def test_a_lead_without_a_signal_is_not_drawn_as_a_line(form):
    signal = made().signal.copy()
    signal[LEADS.index("V2")] = -0.3
    signal[LEADS.index("II"), :2000] = 0.1
    page = lay_out(Record(name="x", signal=signal, rate_hz=500.0), Paper(filter=form))
    assert [line.lead for line in traces(page)] == [lead for lead in LEADS if lead not in {"II", "V2"}] + ["II"]
    names = [text.text for text in page.texts if text.kind == "lead"]
    assert (names[1], names[7], names[12]) == ("II: no signal", "V2: no signal", "II")
    assert sum("no signal" in name for name in names) == 2


def test_columns_that_overlap_in_time_are_where_the_scale_says():
    page = lay_out(made(duration_s=5.0), bands=[Band(1.0, 1.5, 1.0)])
    assert "0.0 to 5.0 s of 5.0 s, columns overlap: from 0.0, 0.8, 1.7, 2.5 s" in words(page)["scale"]
    assert [line.start_s for line in traces(page)[:12:3]] == pytest.approx([0, 2.5 / 3, 5 / 3, 2.5])
    boxes = [(t.box.x_mm, t.box.width_mm, t.box.y_mm, t.box.height_mm) for t in page.tints]
    assert boxes == [(53.5, 12.5, 22, 130), (pytest.approx(91 + 25 / 6), 12.5, 22, 130), (53.5, 12.5, 152, 45)]
    assert "columns" not in words(lay_out(made(duration_s=9.998)))["scale"]
    assert "to 5.0 s of 5.0 s, in every column   " in words(lay_out(made(duration_s=5.0), Paper(layout="6x2")))["scale"]


def test_the_last_sheet_is_moved_back_until_it_is_full():
    assert sheet_starts(115.2, Paper())[-2:] == [100.0, pytest.approx(105.2)]
    page = lay_out(made(duration_s=23.0), Paper(start_s=20.0), bands=[Band(22.0, 23.0, 1.0)])
    assert [line.start_s for line in traces(page)[:12:3]] == [13.0, 15.5, 18.0, 20.5]
    assert "13.0 to 23.0 s of 23.0 s   recorded" in words(page)["scale"]
    assert page.tints[0].box.x_mm == 28.5 + 9 * 25


@pytest.mark.parametrize("duration_s, start_s, starts", [
    (10.0, 0, [0]), (10.5, 0, [0]), (10.6, 0, [0, 0.6]), (4.0, 3, [0]), (20.0, 19.8, [10]), (24.0, 3, [3, 13, 14])
])  # fmt: skip
def test_sheets_follow_each_other(duration_s, start_s, starts):
    assert sheet_starts(duration_s, Paper(start_s=start_s)) == pytest.approx(starts)


def test_a_sheet_says_where_the_next_begins():
    assert "0.0 to 5.0 s of 10.0 s, next sheet from 5.0 s" in words(lay_out(made(), Paper(speed_mm_per_s=50)))["scale"]
    assert (
        "20.0 s of 23.0 s, next sheet from 13.0 s" in words(lay_out(made(duration_s=23.0), Paper(start_s=10)))["scale"]
    )
    assert "next" not in words(lay_out(made()))["scale"]
    assert (
        "0.0 to 5.2 s of 400.0 s, next sheet from 5.2 s" in words(lay_out(made(duration_s=5.2), whole_s=400))["scale"]
    )


def test_times_are_rounded_as_the_page_rounds_them():
    assert "0.0 to 2.3 s of 2.3 s" in words(lay_out(made(duration_s=2.25), Paper(layout="12x1")))["scale"]


@pytest.mark.parametrize("start_s", [10.0, 20.0])
def test_a_sheet_that_begins_after_the_recording_is_refused(start_s):
    with pytest.raises(PaperError, match=rf"start_s {start_s:g}: the recording is 10 s long; allowed is .* earlier"):
        lay_out(made(), Paper(start_s=start_s))


def test_a_later_part_of_a_long_recording_can_be_drawn():
    record = made(duration_s=30.0)
    page = lay_out(record, Paper(start_s=20.0, layout="12x1"), bands=[Band(19.0, 21.0, 1.0), Band(2.0, 3.0, 1.0)])
    lead = record.signal[0].astype(float)
    expected = -(lead[10_000:15_001] - np.median(lead)) * 10
    drawn = traces(page)[0].points_mm[:, 1]
    np.testing.assert_allclose(drawn - drawn[0], expected - expected[0], atol=1e-9)
    (tint,) = page.tints
    assert (tint.box.x_mm, tint.box.width_mm) == (28.5, 25.0)


def reaching(**reach_mv):
    """A recording in which each lead named reaches so high, or so low, once in every cell; the others barely move."""
    signal = np.tile(np.where(np.arange(5000) % 2, 0.01, 0).astype(np.float32), (12, 1))
    for lead, mv in reach_mv.items():
        signal[LEADS.index(lead), 600::1250] = mv
    return Record(name="x", signal=signal, rate_hz=500.0)


@pytest.mark.parametrize("paper, reach_mv, note", [
    ({}, {"V2": 4.4, "V3": -4.4}, None),
    ({}, {"V2": 4.6, "V3": -4.6}, "reaches into other rows: V2, V3; see 5 mm/mV"),
    ({}, {"V1": 1.9, "I": -4.4}, None),
    ({}, {"V1": 2.1}, "reaches beyond the grid: V1; see 5 mm/mV"),
    ({}, {"aVF": -4.6, "V4": 19}, "reaches into other rows: aVF; off the paper: V4; see 5 mm/mV"),
    ({}, {"II": -4.6}, "reaches into other rows: II; off the paper: II; see 5 mm/mV"),
    ({"gain_mm_per_mv": 20}, {"V2": 2.3}, "reaches into other rows: V2; see 10 mm/mV"),
    ({"gain_mm_per_mv": 5}, {"V2": 9.1}, "reaches into other rows: V2"),
    ({}, dict.fromkeys([*LEADS[:4], *LEADS[5:]], 19.0), "reaches into other rows: all but I, aVR, aVL, V1, V4; "
        "off the paper: all but aVL; see 5 mm/mV"),
    ({}, {"V1": 2.1, "V4": 4.3}, "reaches beyond the grid: V1; off the paper: V4; see 5 mm/mV"),
    ({}, dict.fromkeys(LEADS, 19.0), "reaches into other rows: all but I, aVR, V1, V4; off the paper: all leads; see 5 mm/mV"),
    ({"layout": "12x1"}, {"V2": 1.4}, "reaches into other rows: V2; see 5 mm/mV"),
    ({"layout": "6x2", "gain_mm_per_mv": 5}, {"V2": 5.9}, "reaches into other rows: V2; see layout 3x4"),
])  # fmt: skip
def test_what_leaves_its_row_is_named_with_the_way_out(paper, reach_mv, note):
    assert words(lay_out(reaching(**reach_mv), Paper(**paper))).get("note") == note


def test_what_is_no_millivolt_is_not_called_one():
    assert "10 mm/NU" in words(lay_out(made(rate_hz=100.0, unit="NU")))["scale"]


@pytest.mark.parametrize("change", [
    {"layout": "4x3"}, {"order": "x"}, {"speed_mm_per_s": 30}, {"gain_mm_per_mv": 0}, {"filter": "50 Hz"}, {"start_s": -1}, {"start_s": float("nan")}, {"start_s": None},
])  # fmt: skip
def test_a_paper_that_there_is_not_is_refused(change):
    with pytest.raises(PaperError, match=f"{next(iter(change))} .*(allowed are|must be 0 or more)"):
        Paper(**change)


def test_numbers_of_numpy_draw_the_same_and_an_unknown_form_is_refused():
    page = lay_out(made(), Paper(speed_mm_per_s=np.float32(12.5), gain_mm_per_mv=np.int64(5), start_s=np.float32(1)))
    same = lay_out(made(), Paper(speed_mm_per_s=12.5, gain_mm_per_mv=5.0, start_s=1.0))
    assert write(page, "svg") == write(same, "svg")
    with pytest.raises(PaperError, match="form 'jpg': a sheet is written as svg, pdf, png"):
        write(page, "jpg")


def test_the_geometry_is_plain_json():
    page = json.loads(json.dumps(lay_out(made(), bands=[Band(1, 2, 0.5)]).as_json()))
    assert (page["width_mm"], page["height_mm"]) == (297.0, 210.0)
    assert {line["kind"] for line in page["lines"]} == {"trace", "pulse", "separator"}
    assert page["tints"] == [{"x_mm": 53.5, "y_mm": 22.0, "width_mm": 25.0, "height_mm": 175.0, "weight": 0.5}]


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_the_svg_is_in_true_millimetres(layout):
    page = lay_out(made(), Paper(layout=layout))
    tree = ElementTree.fromstring(write(page, "svg"))
    assert (tree.get("width"), tree.get("height"), tree.get("viewBox")) == ("297mm", "210mm", "0 0 297 210")
    drawn = [path for path in tree.iter(f"{SVG}path") if path.get("class") in {"trace", "pulse", "separator"}]
    for path, line in zip(drawn, page.lines, strict=True):
        assert path.get("class") == line.kind
        np.testing.assert_allclose(svg_points(path), line.points_mm, atol=0.0051)


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_the_pdf_is_in_true_millimetres(layout):
    page = lay_out(made(), Paper(layout=layout))
    data = write(page, "pdf")
    box = [float(number) for number in re.search(rb"/MediaBox \[ (.*?) \]", data)[1].split()]
    assert box[2:] == pytest.approx([297 * POINTS_PER_MM, 210 * POINTS_PER_MM], abs=0.01)
    expected = [line.points_mm * POINTS_PER_MM for line in page.lines if line.kind != "separator"]
    for found, line in zip(pdf_strokes(data), expected, strict=True):
        np.testing.assert_allclose(found, line, atol=0.003)


def darkness(picture, dots_per_mm):
    """Where the black of a calibration pulse lies in a picture of the first row, in millimetres."""
    left, top, right, bottom = (round(mm * dots_per_mm) for mm in (18, 25, 28.0, 60))
    dark = np.asarray(picture.convert("L"))[top:bottom, left:right] < 100
    down, across = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.sum(axis=0) > 5 * dots_per_mm)
    return np.ptp(down) / dots_per_mm, np.ptp(across) / dots_per_mm


def struck_through():
    """A sheet whose traces, from sample to sample between -2 and 2 mV, are solid black, with the names in them."""
    signal = np.tile(np.resize([-2, 0, 2, 0], 5000).astype(np.float32), (12, 1))
    return lay_out(Record(name="x", signal=signal, rate_hz=500.0))


def pale_beside_the_first_name(picture, dots_per_mm, above=245):
    """How much of a box around the name of lead I is nearly as white as paper, from 0 to 1."""
    left, top, right, bottom = (round(mm * dots_per_mm) for mm in (29.5, 22.0, 31.5, 25.5))
    return (np.asarray(picture.convert("L"))[top:bottom, left:right] > above).mean()


def test_a_lead_name_in_a_png_stands_clear_of_the_trace_behind_it():
    picture = Image.open(io.BytesIO(write(struck_through(), "png")))
    assert pale_beside_the_first_name(picture, picture.info["dpi"][0] / 25.4) > 0.25


def test_a_lead_name_in_a_pdf_stands_clear_of_the_trace_behind_it(tmp_path):
    (tmp_path / "x.pdf").write_bytes(write(struck_through(), "pdf"))
    assert pale_beside_the_first_name(Image.open(pdf_to_png(tmp_path / "x.pdf")), 10, above=200) > 0.25


def test_each_text_is_in_a_pdf_once_and_its_language_is_said():
    page = lay_out(made(name="Ärztin é", age=71.0), Paper(identity=True), caption="said")
    data = write(page, "pdf")
    streams = [
        zlib.decompressobj().decompress(part) for part in re.split(rb"\bstream\r?\n", data)[1:] if part[:1] == b"x"
    ]
    (content,) = [stream for stream in streams if b" l S" in stream]
    assert content.count(b" Tj") == len([text for text in page.texts if text.text])
    assert b"/Lang (en)" in data


def test_the_sheets_of_a_long_recording_have_names_of_their_own():
    sheets = [lay_out(made(duration_s=30.0, name=HOSTILE), Paper(start_s=start_s, identity=True), caption=HOSTILE)
              for start_s in (0.0, 10.0, 20.0)]  # fmt: skip
    labels = [ElementTree.fromstring(write(sheet, "svg")).get("aria-label") for sheet in sheets]
    assert len({*labels}) == 3
    assert all(label.count(HOSTILE) == 2 for label in labels)
    assert "10.0 to 20.0 s of 30.0 s" in labels[1]


def test_a_lead_name_in_an_svg_stands_on_its_own_halo_over_the_traces():
    groups = ElementTree.fromstring(write(struck_through(), "svg")).findall(f"{SVG}g")
    lines, halo, texts = groups[-3:]
    assert lines.find(f"{SVG}path") is not None
    assert (halo.get("stroke"), halo.get("stroke-width"), halo.get("aria-hidden")) == ("#ffffff", "0.8", "true")
    assert [text.attrib | {"said": text.text} for text in halo] == [text.attrib | {"said": text.text} for text in texts]


def test_the_png_states_its_resolution_and_keeps_to_it():
    picture = Image.open(io.BytesIO(write(lay_out(made()), "png")))
    dots_per_mm = picture.info["dpi"][0] / 25.4
    assert picture.width / dots_per_mm == pytest.approx(297, abs=0.1)
    high, wide = darkness(picture, dots_per_mm)
    assert high == pytest.approx(10, abs=0.35)
    assert wide == pytest.approx(5, abs=0.35)


def test_a_printed_pdf_has_a_pulse_of_10_by_5_millimetres(tmp_path):
    (tmp_path / "x.pdf").write_bytes(write(lay_out(made()), "pdf"))
    high, wide = darkness(Image.open(pdf_to_png(tmp_path / "x.pdf")), 10)
    assert high == pytest.approx(10, abs=0.35)
    assert wide == pytest.approx(5, abs=0.35)


@pytest.mark.parametrize("name", [HOSTILE, "\u202egnp.exe", "心电图", "x" * 20_000, "]]>", "\ud800"])
def test_names_come_out_as_text(name):
    page = lay_out(made(name=name), Paper(identity=True), caption=name)
    for form in FORMATS:
        data = write(page, form)
        assert data
        if form == "svg":
            assert b"<script" not in data
            assert next(ElementTree.fromstring(data).iter(f"{SVG}text")).tag == f"{SVG}text"
    assert all(len(text.text) <= 130 for text in page.texts)


def test_no_two_writers_take_one_name(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: write_new(tmp_path, "ecg", "svg", b"%d" % n), range(40)))
    assert sorted(int(path.read_bytes()) for path in paths) == list(range(40))
    assert len(list(tmp_path.iterdir())) == 40
