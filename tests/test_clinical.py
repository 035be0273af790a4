"""What each clinical format has of its own: what its reader takes, and what it refuses in a sentence."""

import base64
import copy
import io
import json
import re
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pydicom
import pytest

import binary_writers as binary
import xml_writers as xml
from twelvelead.formats import files, read, sierra
from twelvelead.formats.xli import unpack
from twelvelead.record import LEADS, RecordError
from writers import SIGNAL, write_dicom


def test_importing_the_formats_imports_no_library_of_a_format():
    code = "import sys, twelvelead.formats; print(sorted({'ecgdatakit', 'pydicom', 'defusedxml', 'soundfile'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_scp_samples_counted_from_zero_are_read_as_counted_from_one(tmp_path):
    record = read(binary.scp(tmp_path, first=0))
    assert record.signal.shape == (12, 5000)
    assert record.warnings == ()


def test_scp_with_a_changed_byte_is_refused(tmp_path):
    path = binary.scp(tmp_path)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    with pytest.raises(RecordError, match="SCP-ECG CRC mismatch in: record, Section 6: the file is damaged"):
        read(bytes(data))
    (data := bytearray(path.read_bytes()))[0] ^= 1  # the checksum of the whole alone
    assert read(bytes(data)).warnings == ("SCP-ECG CRC mismatch in: record",)


def test_scp_that_declares_more_samples_than_it_could_hold_is_refused_before_it_is_read(tmp_path):
    path = binary.scp(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<IIB", 1, 5000, 1))
    struct.pack_into("<I", data, at + 4, 4_000_000_000)
    with pytest.raises(RecordError, match=r"declares 4,000,055,000 samples: at most 524,288"):
        read(bytes(data))


def test_scp_whose_section_of_leads_ends_with_the_file_is_refused():
    body = binary.section(0, struct.pack("<HIIHII", 0, 36, 7, 3, 16, 43))
    data = bytes(2) + struct.pack("<I", 58) + body + binary.section(3, b"")
    assert len(data) == 58
    with pytest.raises(RecordError, match="cut short"):
        read(data)


def test_scp_without_an_amplitude_has_no_unit(tmp_path):
    with pytest.raises(RecordError, match="lead I states no unit"):
        read(binary.scp(tmp_path, nanovolts=0))


def test_nanovolts_are_carried(tmp_path):
    signal = SIGNAL / 2
    np.testing.assert_allclose(read(binary.scp(tmp_path, nanovolts=500)).signal, signal, atol=6e-4)
    np.testing.assert_allclose(read(binary.ishne(tmp_path, nanovolts=500)).signal, signal, atol=6e-4)
    np.testing.assert_allclose(read(xml.aecg(tmp_path, SIGNAL * 1000, unit="nV")).signal, SIGNAL, atol=6e-4)


@pytest.mark.parametrize("increment, rate_hz", [('value="2" unit="ms"', 500), ('value="0.0038910506" unit="s"', 257),
                                                ('value="0.004" unit="s"', 250), ('value="0.0078125" unit="s"', 128),
                                                ('value="0.00199" unit="s"', 502.512563)])  # fmt: skip
def test_aecg_rates_are_those_stated_and_not_rounded(increment, rate_hz, tmp_path):
    record = read(xml.aecg(tmp_path, increment=increment))
    assert (record.rate_hz, record.warnings) == (pytest.approx(rate_hz, abs=1e-5), ())


@pytest.mark.parametrize("first", ["short", "long", "one lead"])
def test_of_several_rhythms_of_an_aecg_the_longest_is_read_and_said(first, tmp_path):
    whole = xml.aecg(tmp_path).read_text()
    brief = xml.aecg(tmp_path, SIGNAL[:, :500]).read_text()
    strip = re.sub(r"<component><sequence><code code='MDC_ECG_LEAD_(?!II').*?</sequence></component>", "", whole)
    series = {name: re.search("<component><series>.*</series></component>", text)[0] for name, text in (
        ("long", whole), ("short", brief), ("one lead", strip))}  # fmt: skip
    others = "".join(series[name] for name in series if name != first)
    record = read(whole.replace(series["long"], series[first] + others).encode())
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)
    assert record.warnings == ("3 rhythm series found; only the longest is read",)
    np.testing.assert_array_equal(
        read(whole.replace(series["long"], series[first] + others).encode("utf-16")).signal, record.signal
    )


@pytest.mark.parametrize(
    "increment", ['value="0" unit="s"', 'value="-1" unit="s"', 'unit="s"', 'value="2"', 'value="2" unit="m"']
)
def test_aecg_without_a_rate_is_refused(increment, tmp_path):
    with pytest.raises(RecordError, match="time increment"):
        read(xml.aecg(tmp_path, increment=increment))


@pytest.mark.parametrize("unit", ["", "mmHg"])
def test_aecg_without_a_voltage_is_refused(unit, tmp_path):
    with pytest.raises(RecordError, match="states no unit"):
        read(xml.aecg(tmp_path, unit=unit))


@pytest.mark.parametrize("name", ["scale", "origin"])
@pytest.mark.parametrize("number", ["2,5", "2.5uV", "NaN", "1e999", "1_0", ""])
def test_aecg_whose_scale_or_origin_is_no_number_is_refused(name, number, tmp_path):
    text = xml.aecg(tmp_path).read_text()
    with pytest.raises(RecordError, match=f"{name} '{number}' of digits: it must be a number"):
        read(re.sub(f"<{name} value='[01]'", f"<{name} value='{number}'", text).encode())
    with pytest.raises(RecordError, match=f"{name} '' of digits: it must be a number"):
        read(re.sub(f"<{name} value='[01]'", f"<{name}", text).encode())


def test_aecg_with_an_origin_in_another_unit(tmp_path):
    text = xml.aecg(tmp_path).read_text()
    in_millivolts = text.replace("<origin value='0' unit='uV'", "<origin value='0.5' unit='mV'")
    np.testing.assert_allclose(read(in_millivolts.encode()).signal, SIGNAL + 0.5, atol=6e-4)
    with pytest.raises(RecordError, match="unit 'kV'"):
        read(in_millivolts.replace("'0.5' unit='mV'", "'0.5' unit='kV'").encode())


def test_a_lead_turned_over_is_not_taken_for_the_lead(tmp_path):
    path = xml.aecg(tmp_path)
    turned = path.read_text().replace("LEAD_AVR'", "LEAD_AVRNEG'")
    record = read(turned.encode())
    assert record.warnings == (
        "leads aVR were derived from I and II",
        "leads -aVR are not among the twelve and were left out",
    )


def test_a_lead_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(RecordError, match="lead V1 is there twice"):
        read(xml.aecg(tmp_path).read_text().replace("LEAD_V2'", "LEAD_V1'").encode())


def test_muse_takes_the_rhythm_and_no_unit_but_its_own(tmp_path):
    assert read(xml.muse(tmp_path)).n_samples == 5000
    with pytest.raises(RecordError, match="lead I states no unit"):
        read(xml.muse(tmp_path, unit="FURLONGS"))


@pytest.mark.parametrize("base, exponent, rate_hz", [
    ("9765625", "-4", 976.5625), ("625", "-1", 62.5), ("2441", "-1", 244.1), ("500.5", "0", 500.5), ("5", "+2", 500),
    ("500", "", 500), ("500,5", "0", 500.5), ("500", "0.5", None),
])  # fmt: skip
def test_muse_rates_are_those_stated_and_not_rounded(base, exponent, rate_hz, tmp_path):
    text = xml.muse(tmp_path).read_text().replace("<SampleBase>500<", f"<SampleBase>{base}<")
    data = text.replace("<SampleExponent>0<", f"<SampleExponent>{exponent}<").encode()
    if rate_hz:
        assert read(data).rate_hz == rate_hz
        assert (
            read(data.replace(b"SampleBase>", b"samplebase>").replace(b">Rhythm", b"> <b>rhythm</b>")).rate_hz
            == rate_hz
        )
    else:
        with pytest.raises(RecordError, match=f"states SampleBase '{base}' and SampleExponent '{exponent}'"):
            read(data)


@pytest.mark.parametrize("rate_hz", ["976.5625", "250.5", "499.6", "62.5"])
def test_mortara_rates_are_those_stated_and_not_rounded(rate_hz, tmp_path):
    text = xml.mortara(tmp_path).read_text()
    assert read(text.replace('"500"', f'"{rate_hz}"').encode()).rate_hz == float(rate_hz)
    with pytest.raises(RecordError, match="leads sampled at"):
        read(text.replace('"500"', f'"{rate_hz}"', 11).encode())


def test_muse_in_latin_1_that_declares_nothing_is_read(tmp_path):
    text = xml.muse(
        tmp_path, patient="<PatientDemographics><PatientLastName>Müller</PatientLastName></PatientDemographics>"
    )
    assert read(text.read_text().encode("latin-1")).n_samples == 5000


def test_cardiosoft_that_contradicts_itself_or_states_no_resolution_is_refused(tmp_path):
    with pytest.raises(RecordError, match="has 5000 samples, the file declares 4999"):
        read(xml.cardiosoft(tmp_path, count=4999))
    for resolution in (">1", 'units="mVperLsb">1', 'units="uVperLsb">five', 'units="uVperLsb">-1'):
        with pytest.raises(RecordError, match="as Resolution"):
            read(xml.cardiosoft(tmp_path, resolution=resolution))


@pytest.mark.parametrize("write, tag", [(xml.cardiosoft, "StripData"), (xml.sierra, "parsedwaveforms")])
@pytest.mark.parametrize("is_first", [True, False])
def test_of_several_strips_the_one_of_most_seconds_is_read_and_said(write, tag, is_first, tmp_path):
    whole, brief = (write(tmp_path, signal).read_text() for signal in (SIGNAL, SIGNAL[:, :1000]))
    strips = [re.search(f"<{tag}.*</{tag}>", text, re.DOTALL)[0] for text in (whole, brief)]
    record = read(whole.replace(strips[0], "".join(strips if is_first else strips[::-1])).encode())
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)
    assert record.warnings == ("2 strips found; only the longest is read",)


def test_the_calibration_pulse_at_the_end_of_a_sierra_strip_is_no_beat(tmp_path):
    pulse = np.tile(np.repeat([0.0, 1.0, 0.0], [50, 100, 50]), (12, 1))
    record = read(xml.sierra(tmp_path, np.concatenate([SIGNAL, pulse], axis=1)))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)
    assert record.warnings == ("the last 0.40 s, a calibration pulse in all leads, were left out",)
    still = read(xml.sierra(tmp_path, np.concatenate([SIGNAL, np.zeros((12, 200))], axis=1)))
    assert (still.n_samples, still.warnings) == (5200, ())


@pytest.mark.parametrize(
    ("age", "years"),
    [('<age defaultage="50"><dateofbirth>1953-05-08</dateofbirth></age>', 49), ("<age><years>46</years></age>", 46),
     ('<age defaultage="50"/>', None), ("", None), ("<age><years>0</years><dateofbirth>2002-03-22</dateofbirth></age>", 8 / 12)],
)  # fmt: skip
def test_sierra_states_years_or_a_date_of_birth(age, years, tmp_path):
    patient = f'<dataacquisition date="2002-11-22"/><generalpatientdata>{age}<sex>Male</sex></generalpatientdata>'
    record = read(xml.sierra(tmp_path, patient=patient))
    assert (record.age, record.sex) == (years, "M")


def test_sierra_versions_and_forms(tmp_path):
    plain = " ".join(xml.numbers_of(samples) for samples in SIGNAL)
    record = read(xml.sierra(tmp_path, how='dataencoding="Plain"', data=plain))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)
    with pytest.raises(RecordError, match="holds 60,012 samples and declares 12 leads of 5,000: it contradicts itself"):
        read(xml.sierra(tmp_path, how='dataencoding="Plain"', data=plain + " 0" * 12))
    with pytest.raises(RecordError, match=r"version '1.05': 1.03, 1.04"):
        read(xml.sierra(tmp_path, version="1.05"))
    with pytest.raises(RecordError, match="states '0' as resolution"):
        read(xml.sierra(tmp_path, resolution="0"))
    for offset in ("f", "nan", "1e300"):
        with pytest.raises(RecordError, match=f"states '{offset}' as signal offset"):
            read(xml.sierra(tmp_path, how=f'dataencoding="Base64" signaloffset="{offset}"'))
    shifted = read(xml.sierra(tmp_path, how='dataencoding="Base64" signaloffset="-100"'))
    np.testing.assert_allclose(shifted.signal, SIGNAL + 0.1, atol=6e-4)
    with pytest.raises(RecordError, match="compression 'LZMA'"):
        read(xml.sierra(tmp_path, how='dataencoding="Base64" compression="LZMA"'))
    with pytest.raises(RecordError, match="damaged in its samples"):
        read(xml.sierra(tmp_path, data="AAAA"))


def lzw(codes: list[int]) -> bytes:
    bits = "".join(f"{code:010b}" for code in codes)
    return bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))


@pytest.mark.parametrize("labels", [LEADS, [lead.upper() for lead in LEADS], [f"LEAD_{lead}" for lead in LEADS]])
def test_limb_leads_are_what_is_left_of_them_in_xli_however_they_are_spelt(labels, tmp_path, monkeypatch):
    stored = np.round(SIGNAL * 1000)
    stored[2:6] = 0
    monkeypatch.setattr(sierra, "unpack", lambda *_: stored)
    how = f'dataencoding="Base64" compression="XLI" leadlabels="{" ".join(labels)}"'
    record = read(xml.sierra(tmp_path, how=how, data="AAAA"))
    np.testing.assert_allclose(record.signal, SIGNAL, atol=3e-3)


def test_xli_that_would_inflate_without_end_is_refused():
    body = lzw([0, *range(256, 1023), *[1022] * 4000])
    with pytest.raises(ValueError, match="inflates to more than"):
        unpack(struct.pack("<IHh", len(body), 0, 0) + body, 1, 5500)


@pytest.mark.parametrize("change, said", [
    (lambda data: data[:20], "declares 500 bytes"),
    (lambda data: b"\0" * 8 + data[8:], "declares 0 bytes"),
    (lambda data: data[:8] + b"\xff" * 500, "0 samples"),
    (lambda data: data[:8] + lzw([300]) + data[10:], "before it is known"),
])  # fmt: skip
def test_damaged_xli_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        unpack(change(struct.pack("<IHh", 500, 0, 0) + b"\x10" * 500), 1, 5500)


BOMBS = {
    "entities": '<!DOCTYPE RestingECG [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><RestingECG>&b;</RestingECG>',
    "a file elsewhere": '<!DOCTYPE RestingECG [<!ENTITY a SYSTEM "file:///etc/hostname">]><RestingECG>&a;</RestingECG>',
    "depth": "<RestingECG>" + "<a>" * 100_000,
    "elements": "<RestingECG>" + "<a/>" * 200_000,
    "attributes": "<RestingECG><a " + " ".join(f'b{n}="1"' for n in range(1000)) + "/></RestingECG>",
    "one attribute": f'<RestingECG a="{"x" * 8_000_000}"/>',
    "size": f"<RestingECG>{'x' * 9_000_000}</RestingECG>",
    "a document without an end": "<RestingECG>",
    "comments without an end": "<!---->" * 2000 + "<RestingECG",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("root", ["RestingECG", "AnnotatedECG", "CardiologyXML", "restingecgdata", "ECG"])
def test_xml_made_to_be_expensive_is_refused(name, root):
    with pytest.raises(RecordError):
        read(BOMBS[name].replace("RestingECG", root).encode())


def test_edf_leaves_out_other_signals_and_takes_open_ended_files(tmp_path):
    extra = [
        ("Resp", "", bytes(1000)),
        ("EDF Annotations", "", lambda n: f"+{n}\x14\x14\0".encode().ljust(1000, b"\0")),
    ]
    record = read(binary.edf(tmp_path, extra=extra, kind="EDF+C"))
    assert record.warnings == ("leads Resp are not among the twelve and were left out",)
    assert (record.age, record.sex) == (49, "F")
    unknown = read(binary.edf(tmp_path, extra=extra, kind="EDF+C", patient="X X X X", recording="Startdate X X X X"))
    assert (unknown.age, unknown.sex) == (None, None)
    assert "left the number of records open" in read(binary.edf(tmp_path, records=-1)).warnings[0]


def test_edf_with_gaps_is_refused(tmp_path):
    extra = [("EDF Annotations", "", lambda n: f"+{n + (n > 4)}\x14\x14\0".encode().ljust(1000, b"\0"))]
    with pytest.raises(RecordError, match="gaps between them"):
        read(binary.edf(tmp_path, extra=extra, kind="EDF+D"))


@pytest.mark.parametrize("gap_s, is_refused", [(0, False), (0.00009, False), (0.0005, True)])
def test_a_gap_of_more_than_half_a_sample_is_one(gap_s, is_refused, tmp_path):
    """Records of .1 s at 5,000 Hz."""
    extra = [
        ("EDF Annotations", "", lambda n: f"+{n / 10 + gap_s * (n > 4):.5f}\x14\x14\0".encode().ljust(1000, b"\0"))
    ]
    data = bytearray(binary.edf(tmp_path, extra=extra, kind="EDF+D").read_bytes())
    data[244:252] = b"0.1     "
    if is_refused:
        with pytest.raises(RecordError, match="gaps between them"):
            read(bytes(data))
    else:
        assert read(bytes(data)).rate_hz == 5000


@pytest.mark.parametrize("period_s, is_refused", [(0.1, False), (0.10009, False), (0.1009, True)])
def test_gaps_that_are_small_and_many_are_found(period_s, is_refused, tmp_path):
    """Records of .1 s at 500 Hz."""
    extra = [("EDF Annotations", "", lambda n: f"+{n * period_s:.5f}\x14\x14\0".encode().ljust(100, b"\0"))]
    path = binary.edf(tmp_path, extra=extra, kind="EDF+D", per_record=50)
    if is_refused:
        with pytest.raises(RecordError, match="gaps between them"):
            read(path)
    else:
        assert read(path).n_samples == 5000


@pytest.mark.parametrize(
    ("kind", "marks", "said"),
    [("EDF+D", "..........", "does not state its time"), ("EDF+D", ".123456789", "does not state its time"),
     ("EDF+C", ".123467890", "gaps between them"), ("EDF+C", ".12.456.89", None), ("EDF+C", "..........", None)],
)  # fmt: skip
def test_a_time_that_cannot_be_read_hides_no_gap(kind, marks, said, tmp_path):
    """marks: what each record's time ends with; a dot is a time that cannot be read."""
    extra = [("EDF Annotations", "", lambda n: f"+{marks[n]}\x14\x14\0".encode().ljust(1000, b"\0"))]
    path = binary.edf(tmp_path, extra=extra, kind=kind)
    if said is None:
        assert read(path).n_samples == 5000
    else:
        with pytest.raises(RecordError, match=said):
            read(path)


@pytest.mark.parametrize("change, said", [
    ({"unit": ""}, "unit ''"), ({"unit": "%"}, "unit '%'"), ({"records": 11}, "10 complete records of 11"),
    ({"records": "ten"}, "'ten' as number of records"), ({"records": 0}, "cut short"),
])  # fmt: skip
def test_edf_without_a_unit_or_cut_short_is_refused(change, said, tmp_path):
    with pytest.raises(RecordError, match=said):
        read(binary.edf(tmp_path, **change))


def test_ishne_samples_marked_as_a_lead_fault_are_refused(tmp_path):
    signal = SIGNAL.copy()
    signal[2, 40] = -32.767
    assert read(binary.ishne(tmp_path, signal)).n_samples == 5000
    signal[2, 40:60] = -32.768
    with pytest.raises(RecordError, match=r"20 samples are not numbers, the first in lead III at 0.080 s"):
        read(binary.ishne(tmp_path, signal))


def test_mfer_that_declares_a_million_channels_is_refused(tmp_path):
    with pytest.raises(RecordError, match="more than 64 channels"):
        read(binary.mfer(tmp_path, channels=1_000_000))


def test_mfer_channels_sampled_at_different_times_are_refused(tmp_path):
    assert read(binary.mfer(tmp_path, skew_ns=1_999_999)).n_samples == 5000
    with pytest.raises(RecordError, match="sampling skew of 2,000,000 ns: leads sampled at different times"):
        read(binary.mfer(tmp_path, skew_ns=2_000_000))


@pytest.mark.parametrize("pointers, said", [([0, 2500], None), ([100, 2600], None), ([0, 12_500], "12,500 where 2,500"),
                                            ([2500, 0], "0 where 5,000")])  # fmt: skip
def test_mfer_frames_that_do_not_follow_each_other_are_refused(pointers, said, tmp_path):
    path = binary.mfer(tmp_path, pointers=pointers)
    if said is None:
        np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)
    else:
        with pytest.raises(RecordError, match=f"a frame begins with sample {said} follows"):
            read(path)


def test_mfer_of_groups_in_groups_is_refused():
    body = b""
    for _ in range(2000):
        body = b"\x67\x84" + len(body).to_bytes(4, "big") + body
    with pytest.raises(RecordError, match="export the recording again"):
        read(b"\x40\x20MFR " + bytes(28) + body)


def test_a_refusal_names_no_file_of_this_machine(tmp_path):
    text = xml.aecg(tmp_path, SIGNAL * 1000).read_text()
    with pytest.raises(RecordError, match="the file") as refused:
        read(text.replace("<increment", "<decrement").encode())
    assert "/proc" not in str(refused.value)


def test_as_many_samples_of_24_bits_are_read_as_of_16(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_VALUES", SIGNAL.size)
    assert read(binary.bdf(tmp_path)).signal.shape == SIGNAL.shape
    with pytest.raises(RecordError, match="samples in all leads"):
        read(binary.edf(tmp_path, np.tile(SIGNAL, 2)))


def test_scp_leads_one_after_another_are_no_twelve_at_once(tmp_path):
    data = bytearray(binary.scp(tmp_path).read_bytes())
    at = data.index(struct.pack("<IIB", 1, 5000, 1)) + 9
    struct.pack_into("<II", data, at, 5001, 10_000)
    with pytest.raises(RecordError, match="one after another"):
        read(bytes(data))


@pytest.mark.parametrize("first", [0, 1])
def test_scp_leads_that_begin_at_different_samples_are_refused(first, tmp_path):
    data = bytearray(binary.scp(tmp_path, first=first).read_bytes())
    at = data.index(struct.pack("<IIB", first, 5000, 1)) + 9
    struct.pack_into("<II", data, at, 501, 5500)
    with pytest.raises(RecordError, match="begin with samples 1 to 501: leads sampled at different times"):
        read(bytes(data))


def test_muse_leads_of_different_times_are_refused(tmp_path):
    text = xml.muse(tmp_path).read_text()
    late = re.sub(r"(<LeadID>V1</LeadID>)", r"\1<LeadTimeOffset>100</LeadTimeOffset>", text)
    with pytest.raises(RecordError, match=r"LeadTimeOffset of 0, 100: leads sampled at different times"):
        read(late.encode())
    alike = re.sub(r"(<LeadID>\w+</LeadID>)", r"\1<LeadTimeOffset>100</LeadTimeOffset>", text)
    np.testing.assert_allclose(read(alike.encode()).signal, read(text.encode()).signal)


def test_a_strip_of_one_lead_does_not_hide_the_twelve(tmp_path):
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    strip = copy.deepcopy(dataset.WaveformSequence[0])
    strip.NumberOfWaveformChannels, strip.NumberOfWaveformSamples = 1, 10_000
    strip.ChannelDefinitionSequence = strip.ChannelDefinitionSequence[:1]
    strip.WaveformData = bytes(20_000)
    dataset.WaveformSequence = [strip, dataset.WaveformSequence[0]]
    dataset.PatientBirthDate, dataset.AcquisitionDateTime, dataset.PatientAge = "19530508", "20021122101010", ""
    dataset.save_as(path)
    record = read(path)
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-4)
    assert record.age == 49


def test_the_longest_rhythm_is_that_of_most_seconds_not_of_most_samples(tmp_path):
    finer = xml.aecg(tmp_path, np.repeat(SIGNAL[:, :3000], 2, axis=1), increment='value="1" unit="ms"').read_text()
    whole = xml.aecg(tmp_path).read_text()
    series = re.search("<component><series>.*</series></component>", whole)[0]
    assert read(finer.replace("</AnnotatedECG>", f"{series}</AnnotatedECG>").encode()).duration_s == 10

    dataset = pydicom.dcmread(write_dicom(tmp_path))
    brief = copy.deepcopy(dataset.WaveformSequence[0])
    brief.SamplingFrequency, brief.NumberOfWaveformSamples, brief.WaveformData = 1000, 6000, bytes(2 * 12 * 6000)
    dataset.WaveformSequence = [brief, dataset.WaveformSequence[0]]
    dataset.save_as(tmp_path / "two.dcm")
    assert read(tmp_path / "two.dcm").duration_s == 10


def test_of_two_rhythms_the_longest_is_read_and_said(tmp_path):
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.WaveformSequence = [dataset.WaveformSequence[0], copy.deepcopy(dataset.WaveformSequence[0])]
    dataset.save_as(path)
    assert read(path).warnings == ("2 rhythm groups found; only the longest is read",)


def test_what_is_derived_from_a_rhythm_in_dicom_is_none_beside_it(tmp_path):
    dataset = pydicom.dcmread(write_dicom(tmp_path, label="RHYTHM"))
    beat, rhythm = copy.deepcopy(dataset.WaveformSequence[0]), dataset.WaveformSequence[0]
    beat.WaveformOriginality, beat.MultiplexGroupLabel = "DERIVED", "AVERAGE BEAT"
    dataset.WaveformSequence = [beat, rhythm]
    dataset.save_as(tmp_path / "ecg.dcm")
    assert read(tmp_path / "ecg.dcm").warnings == ()
    rhythm.NumberOfWaveformChannels, rhythm.WaveformData = 2, rhythm.WaveformData[: 2 * 2 * 5000]
    rhythm.ChannelDefinitionSequence = rhythm.ChannelDefinitionSequence[:2]
    dataset.save_as(tmp_path / "ecg.dcm")
    with pytest.raises(RecordError, match=r"2 leads \(Lead I \(Einthoven\), Lead II\)"):
        read(tmp_path / "ecg.dcm")


def test_dicom_leads_sampled_at_different_times_are_refused(tmp_path):
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    for name in ("ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset"):
        changed = copy.deepcopy(dataset)
        for number, channel in enumerate(changed.WaveformSequence[0].ChannelDefinitionSequence):
            setattr(channel, name, "7")
            if number == 11:
                setattr(channel, name, "2")
        changed.save_as(path)
        with pytest.raises(RecordError, match=f"{name} from 2 to 7: leads sampled at different times"):
            read(path)


@pytest.mark.parametrize(
    ("meaning", "code", "said"),
    [("Lead V2", "2:3", "a lead is V2 by its name and V1 by its code"), ("Lead V3R", "2:3", "of which V1 is missing"),
     ("Lead V1 (right)", "2:3", "of which V1 is missing"), ("V1-V2", "2:3", "of which V1 is missing"),
     ("Lead V1", "2:9", "a lead is V1 by its name and none of the twelve, 2:9, by its code"),
     ("V1", "5.6.3-9-120", "none of the twelve, 5.6.3-9-120, by its code"), ("Lead V1", "2:0", None),
     ("Ableitung", "2:3", None), ("Ableitung - V1", "2:3", None)],
)  # fmt: skip
def test_a_lead_s_name_and_code_in_dicom_may_not_contradict_each_other(meaning, code, said, tmp_path):
    path = with_lead(tmp_path, 6, meaning, code)
    if said is None:
        assert read(path).warnings == ()
    else:
        with pytest.raises(RecordError, match=said):
            read(path)


@pytest.mark.parametrize("code", ["2:62", "2:65", "5.6.3-9-62"])
@pytest.mark.parametrize(
    "meaning", ["Lead -aVR", "aVR (inverted)", "Lead aVR negative", "-aVR", "aVR-", "Ableitung aVR (-)"]
)
def test_a_lead_that_is_turned_over_by_its_name_in_dicom_is_not_that_of_its_code(meaning, code, tmp_path):
    assert read(with_lead(tmp_path, 3, meaning, code)).warnings == (
        "leads aVR were derived from I and II",
        f"leads {meaning} are not among the twelve and were left out",
    )


def with_lead(folder, number, meaning, code):
    dataset = pydicom.dcmread(write_dicom(folder))
    source = dataset.WaveformSequence[0].ChannelDefinitionSequence[number].ChannelSourceSequence[0]
    source.CodeMeaning, source.CodeValue = meaning, code
    dataset.save_as(folder / "ecg.dcm")
    return folder / "ecg.dcm"


def test_tables_with_decimal_commas_and_units_in_the_names(tmp_path):
    names = [f"{lead} [mV]" for lead in LEADS]
    text = binary.csv(tmp_path, names=names, head="# rate_hz: 500\n", separator=";").read_text()
    head, rest = text.split("\n", 1)
    for body in (rest, rest.replace(".", ",")):
        np.testing.assert_allclose(read(f"{head}\n{body}".encode()).signal, SIGNAL, atol=6e-5)


@pytest.mark.parametrize("numbers, is_refused", [
    ("1,296\t-1,006\t28", True),
    ('"1,296"\t-12,345,678\t28', True),
    ("0,296\t-1,006\t28", False),
    ("1,296\t-1,006\t28,000", False),
    ("1,29\t-1,006\t28", False),
])  # fmt: skip
def test_commas_and_points_that_may_part_thousands_are_refused(numbers, is_refused):
    table = f"# rate_hz: 500\n# unit: uV\nI\tII\tV1\n{numbers}\n"
    for text in (table, table.replace(",", "."), table.replace("\t", ";").replace(",", ".")):
        said = "parts thousands, or decimals" if is_refused else "V2, V3, V4, V5, V6 are"
        with pytest.raises(RecordError, match=said):
            read(text.encode())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_saved_again_is_read(separator, tmp_path):
    """Each line of it has as many cells as the longest."""
    head, rest = binary.csv(tmp_path, separator=separator).read_text().split("\nI", 1)
    padded = "".join(f"{line}{separator * 11}\n" for line in head.split("\n"))
    np.testing.assert_allclose(read(f"{padded}I{rest}".encode()).signal, SIGNAL, atol=6e-5)


def test_muse_samples_that_are_not_those_of_their_checksum_are_refused(tmp_path):
    text = xml.muse(tmp_path).read_text()
    payloads = re.findall(r"<WaveFormData>([^<]*)</WaveFormData>", text)
    for payload in dict.fromkeys(payloads):
        crc = zlib.crc32(base64.b64decode(payload))
        text = text.replace(
            f"<WaveFormData>{payload}<", f"<LeadDataCRC32>{crc}</LeadDataCRC32><WaveFormData>{payload}<"
        )
    assert read(text.encode()).warnings == read(xml.muse(tmp_path)).warnings
    with pytest.raises(RecordError, match=r"CRC32 mismatch in lead I \(median\): the file is damaged"):
        read(re.sub(r"<LeadDataCRC32>\d+", "<LeadDataCRC32>7", text).encode())


def test_alivecor_is_refused_with_the_reason():
    kardia = {"recordedAt": "2020-01-01", "data": {"raw": {"frequency": 300, "samples": {"leadI": [0, 1]}}}}
    for content in (json.dumps(kardia).encode(), b"ALIVE\0\0\0" + bytes(100)):
        with pytest.raises(RecordError, match="at most the six limb leads: V1 to V6 are missing"):
            read(content)


def test_a_table_states_its_rate_and_unit_or_whoever_reads_it_does(tmp_path):
    bare = binary.csv(tmp_path, head="")
    with pytest.raises(RecordError, match="no sampling rate is stated: say so to"):
        read(bare)
    with pytest.raises(RecordError, match="no unit is stated: say so to"):
        read(bare, rate_hz=500)
    np.testing.assert_allclose(read(bare, rate_hz=500, unit="mV").signal, SIGNAL, atol=6e-5)
    given = files.Given(name="x", held=bare.read_bytes(), unit="mV")
    assert read(given, rate_hz=250).rate_hz == 250
    assert read(binary.csv(tmp_path), rate_hz=500, unit="MV").rate_hz == 500
    with pytest.raises(RecordError, match="states 500.0 Hz, not the 250 Hz given"):
        read(binary.csv(tmp_path), rate_hz=250)
    with pytest.raises(RecordError, match="states 'mV', not the 'uV' given"):
        read(binary.csv(tmp_path), unit="uV")
    with pytest.raises(RecordError, match="states rate and unit itself"):
        read(binary.edf(tmp_path), rate_hz=500)


@pytest.mark.parametrize("write", [binary.csv, binary.npy])
def test_standardised_numbers_are_taken_as_such(write, tmp_path):
    path = write(tmp_path, head="") if write is binary.csv else write(tmp_path)
    record = read(path, rate_hz=500, unit="NU")
    assert record.unit == "NU"
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-5)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_tables_of_any_line_end(end, tmp_path):
    text = binary.csv(tmp_path).read_text().replace("\n", end)
    np.testing.assert_allclose(read(text.encode()).signal, SIGNAL, atol=6e-5)


def test_a_table_with_too_many_comments_says_so(tmp_path):
    with pytest.raises(RecordError, match="no lead names after 64 lines of comments"):
        read(("# a note\n" * 70 + binary.csv(tmp_path).read_text()).encode())


@pytest.mark.parametrize(
    "separator, name", [(",", "Lead {}"), (";", "{}"), ("\t", "{}"), (",", '"{}"'), (";", '"Lead {}"')]
)
def test_tables_of_any_order_separator_and_quotation(separator, name, tmp_path):
    order = np.random.default_rng(0).permutation(12)
    path = binary.csv(tmp_path, SIGNAL[order], names=[name.format(LEADS[at]) for at in order], separator=separator)
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-5)


@pytest.mark.parametrize("mark", ["", '"'])
def test_row_numbers_that_pandas_and_r_write_are_no_lead(mark, tmp_path):
    lines = binary.csv(tmp_path).read_text().splitlines()
    comments, (names, *rows) = lines[:2], lines[2:]
    numbered = [f"{mark}{number}{mark},{row}" for number, row in enumerate(rows, start=1)]
    record = read("\n".join([*comments, f"{mark * 2},{names}", *numbered]).encode())
    np.testing.assert_allclose(record.signal, SIGNAL, atol=6e-5)
    assert record.warnings == ()


@pytest.mark.parametrize("change, said", [
    (lambda text: text.replace("I,II,III,", "I,II,II,", 1), "column 'II' is there twice"),
    (lambda text: text.replace("\n0", "\n,0", 1), "line 4 is no row of 12 numbers"),
    (lambda text: text[:-3] + "x\n", "line 5003 is no row"),
    (lambda text: text.replace("\n0", "\n\n0", 2), "line 4 is empty"),
    (lambda text: text.replace("500", "fast", 1), "rate_hz 'fast'"),
    (lambda text: text.replace("mV", "mmHg", 1), "unit 'mmHg'"),
    (lambda text: text[: text.index("V6") + 3], "without a line of numbers"),
    (lambda text: text + "nan,0,0,0,0,0,0,0,0,0,0,0\n", "not numbers"),
    (lambda text: text + "1e39,0,0,0,0,0,0,0,0,0,0,0\n", "not numbers"),
    (lambda text: "\n".join(text.splitlines()[3:]), "columns without lead names"),
])  # fmt: skip
def test_tables_that_are_none(change, said, tmp_path):
    with pytest.raises(RecordError, match=said):
        read(change(binary.csv(tmp_path, np.abs(SIGNAL)).read_text()).encode())


@pytest.mark.parametrize("array, said", [
    (np.zeros((5000, 12)), r"shape \(5000, 12\)"), (np.zeros((12, 5, 5)), "shape"), (np.zeros(12), "shape"),
    (np.array([["a"] * 5] * 12), "<U1"), (np.array([[{}] * 5] * 12), "damaged"), (np.zeros((12, 50), complex), "complex"),
])  # fmt: skip
def test_arrays_that_are_no_twelve_leads(array, said, tmp_path):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(RecordError, match=said):
        read(tmp_path / "a.npy", rate_hz=500, unit="mV")


def test_an_array_cut_short_is_refused(tmp_path):
    data = binary.npy(tmp_path).read_bytes()
    for part in (data[:20], data[:-8], data + b"\0" * 8, data.replace(b"5000", b"9999")):
        with pytest.raises(RecordError, match="damaged"):
            read(part, rate_hz=500, unit="mV")


def test_dicom_leads_named_in_another_language_go_by_their_code(tmp_path):
    path = write_dicom(tmp_path)
    dataset = pydicom.dcmread(path)
    for number, channel in enumerate(dataset.WaveformSequence[0].ChannelDefinitionSequence):
        channel.ChannelSourceSequence[0].CodeMeaning = f"Ableitung {number}"
    dataset.save_as(path)
    np.testing.assert_allclose(read(path).signal, SIGNAL, atol=6e-4)


def test_a_dicom_file_of_too_many_elements_is_refused(tmp_path):
    data = write_dicom(tmp_path).read_bytes()
    element = struct.pack("<HH2sH", 0x0009, 0x1001, b"SH", 0)
    at = data.index(b"\x08\x00\x05\x00")
    with pytest.raises(RecordError, match="more than"):
        read(data[:at] + element * 500_000 + data[at:])


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
def test_a_million_elements_inside_a_sequence_of_declared_length_are_refused_at_once(tmp_path, syntax):
    implicit = syntax.endswith(".1.2")
    dataset = pydicom.dcmread(write_dicom(tmp_path))
    dataset.file_meta.TransferSyntaxUID = syntax
    del dataset.WaveformSequence
    hidden = tmp_path / "hidden.dcm"
    pydicom.dcmwrite(hidden, dataset, implicit_vr=implicit, little_endian=True)

    def sequence(group, element, items):
        kind = struct.pack("<I", len(items)) if implicit else struct.pack("<2sxxI", b"SQ", len(items))
        return struct.pack("<HH", group, element) + kind + items

    def item(content=b""):
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content

    with hidden.open("ab") as file:  # a waveform sequence, and in it one of the channels' definitions
        file.write(sequence(0x5400, 0x0100, item(sequence(0x003A, 0x0200, item() * 1_000_000))))
    begun = time.process_time()
    with pytest.raises(RecordError, match="more than 20,000 elements"):
        read(hidden)
    assert time.process_time() - begun < 2


def test_a_prefix_that_is_bound_to_nothing_is_damage():
    with pytest.raises(RecordError, match="XML is damaged .unbound prefix"):
        read(b"<RestingECG><a:b/></RestingECG>")


def test_a_file_object_of_text_is_refused():
    with pytest.raises(RecordError, match="must give bytes"):
        read(io.StringIO("I,II"))


@pytest.mark.corpus
@pytest.mark.parametrize("name, n_samples, rate_hz", [
    ("scp/ecgtoolkit-example.scp", 5000, 500), ("scp/cart-2008-anonymised.scp", 6000, 600),
    ("scp/raw-8-leads-1000hz.scp", 10000, 1000), ("hl7-aecg/fda-example.xml", 5000, 500),
    ("hl7-aecg/liryc-100hz.xml", 1000, 100), ("hl7-aecg/hopkins-1000hz.xml", 10000, 1000),
    ("muse-xml/introecg.xml", 5000, 500), ("muse-xml/braveheart1.xml", 5000, 500), ("muse-xml/sinus.xml", 5000, 500),
    ("cardiosoft-xml/dummy_ecg.xml", 5000, 500), ("philips-sierra-xml/1_03.xml", 5264, 500),
    ("philips-sierra-xml/1_04.xml", 5300, 500), ("philips-sierra-xml/1_04_01.xml", 5300, 500),
    ("edf/contec-12lead-800hz.edf", 37855, 800),
])  # fmt: skip
def test_real_files_of_carts(corpus, name, n_samples, rate_hz):
    record = read(corpus / "formats" / name)
    assert (record.signal.shape, record.rate_hz, record.unit) == ((12, n_samples), rate_hz, "mV")
    assert np.ptp(record.signal[:2], axis=1).min() > 0.3
    if "liryc" in name:
        return  # made up: its leads do not follow from each other
    i, ii, iii, avr, avl, avf = record.signal[:6]
    for measured, implied in ((iii, ii - i), (avr, -(i + ii) / 2), (avl, i - ii / 2), (avf, ii - i / 2)):
        np.testing.assert_allclose(measured, implied, atol=0.06)


@pytest.mark.corpus
def test_one_recording_in_three_formats_gives_the_same_millivolts(corpus):
    names = ("scp/ecgtoolkit-example.scp", "dicom/ecgtoolkit-500hz.dcm", "hl7-aecg/fda-example.xml")
    scp, dicom, aecg = (read(corpus / "formats" / name).signal for name in names)
    np.testing.assert_array_equal(scp, dicom)
    np.testing.assert_array_equal(scp, aecg)


@pytest.mark.corpus
@pytest.mark.parametrize("name, said", [
    ("hl7-aecg/minimum.xml", r"1 leads \(II\)"), ("malformed/empty.xml", "No rhythm series"),
    ("malformed/bad-ecg.hea", "none of the twelve leads ever changes"), ("malformed/not-an-ecg.scp", "cannot be read"),
    ("malformed/sierra-invalid-version.xml", "version '1.05'"), ("edf/contec-12lead-800hz.csv", "without lead names"),
    ("scp/cart-600hz-anonymised.scp", "V3, V5 are missing"), ("wfdb/s0010_re.xyz", "none of the formats"),
])  # fmt: skip
def test_real_files_that_are_refused(corpus, name, said):
    with pytest.raises(RecordError, match=said):
        read(corpus / "formats" / name)


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["1_03", "1_04", "1_04_01"])
def test_sierra_against_the_reference_reader(corpus, name):
    from ecgdatakit.parsing.parsers.sierra_xml import SierraXMLParser

    path = corpus / "formats/philips-sierra-xml" / f"{name}.xml"
    record = read(path)
    assert "a calibration pulse in all leads, were left out" in record.warnings[0]
    for samples, lead in zip(record.signal, SierraXMLParser().parse(path).leads, strict=True):
        np.testing.assert_allclose(samples, lead.to_physical().samples[: len(samples)] / 1000, atol=1e-5)


@pytest.mark.corpus
def test_edf_against_the_reference_reader(corpus):
    from ecgdatakit.parsing.parsers.edf import EDFParser

    path = corpus / "formats/edf/contec-12lead-800hz.edf"
    leads = {lead.label: lead.to_physical() for lead in EDFParser().parse(path).leads}
    for name, samples in zip(LEADS, read(path).signal, strict=True):
        factor = {"uV": 1e-3, "mV": 1.0}[leads[name].units]
        np.testing.assert_allclose(samples, leads[name].samples * factor, atol=1e-5)
