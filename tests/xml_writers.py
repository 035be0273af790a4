"""The simulated recording in each maker's XML, as little of it as a reader needs."""

import base64
from pathlib import Path

import numpy as np

import simulator
from twelvelead.record import INDEPENDENT_LEADS, LEADS

SIGNAL = simulator.ecg()


def base64_of(samples) -> str:
    return base64.b64encode(np.round(samples * 1000).astype("<i2").tobytes()).decode()


def numbers_of(samples, separator=" ") -> str:
    return separator.join(str(int(value)) for value in np.round(samples * 1000))


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def aecg(folder: Path, signal=SIGNAL, increment='value="0.002" unit="s"', unit="uV", code="MDC_ECG_LEAD_{}") -> Path:
    sequence = "<component><sequence><code code='{}'/><value>{}</value></sequence></component>".format
    times = sequence("TIME_RELATIVE", f"<head value='0' unit='s'/><increment {increment}/>")
    scale = f"<origin value='0' unit='{unit}'/><scale value='1' unit='{unit}'/>"
    leads = [
        sequence(code.format(lead.upper()), f"{scale}<digits>{numbers_of(samples)}</digits>")
        for lead, samples in zip(LEADS, signal, strict=True)
    ]
    series = f"<series><code code='RHYTHM'/><component><sequenceSet>{times}{''.join(leads)}</sequenceSet></component></series>"
    return write(
        folder, "aecg.xml", f"<AnnotatedECG xmlns='urn:hl7-org:v3'><component>{series}</component></AnnotatedECG>"
    )


def muse(folder: Path, signal=SIGNAL, unit="MICROVOLTS", patient="") -> Path:
    leads = "".join(
        f"<LeadData><LeadID>{lead}</LeadID><LeadAmplitudeUnitsPerBit>1</LeadAmplitudeUnitsPerBit>"
        f"<LeadAmplitudeUnits>{unit}</LeadAmplitudeUnits>"
        f"<WaveFormData>{base64_of(signal[LEADS.index(lead)])}</WaveFormData></LeadData>"
        for lead in INDEPENDENT_LEADS
    )
    wave = "<Waveform><WaveformType>{}</WaveformType><SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>{}</Waveform>".format
    median = wave("Median", leads.replace(base64_of(signal[0]), base64_of(np.zeros(600))))
    head = f'<?xml version="1.0"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG>{patient}'
    return write(folder, "muse.xml", f"{head}{median}{wave('Rhythm', leads)}</RestingECG>")


def cardiosoft(folder: Path, signal=SIGNAL, resolution='units="uVperLsb">1', count=None) -> Path:
    leads = "".join(
        f'<WaveformData lead="{lead}">\t{numbers_of(samples, ",")},\n</WaveformData>'
        for lead, samples in zip(LEADS, signal, strict=True)
    )
    strip = (
        f'<StripData><NumberOfLeads>12</NumberOfLeads><SampleRate units="Hz">500</SampleRate>'
        f"<ChannelSampleCountTotal>{count or signal.shape[1]}</ChannelSampleCountTotal>"
        f"<Resolution {resolution}</Resolution>{leads}</StripData>"
    )
    return write(
        folder, "cardiosoft.xml", f'<?xml version="1.0" encoding="ISO8859-1" ?><CardiologyXML>{strip}</CardiologyXML>'
    )


def sierra(
    folder: Path, signal=SIGNAL, version="1.04", resolution="1", how='dataencoding="Base64"', data=None, patient=""
) -> Path:
    facts = (
        f"<samplingrate>500</samplingrate><signalresolution>{resolution}</signalresolution><leadset>STD-12</leadset>"
    )
    return write(
        folder,
        "sierra.xml",
        f'<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documentversion>{version}'
        f"</documentversion></documentinfo>{patient}<signalcharacteristics>{facts}</signalcharacteristics>"
        f'<waveforms><parsedwaveforms durationperchannel="{signal.shape[1] * 2}" {how}>'
        f"{data or base64_of(signal)}</parsedwaveforms></waveforms></restingecgdata>",
    )


def mortara(folder: Path, signal=SIGNAL, per_mv="1000") -> Path:
    channels = "".join(
        f'<CHANNEL OFFSET="0" BITS="16" FORMAT="SIGNED" UNITS_PER_MV="{per_mv}" DURATION="{len(samples)}" '
        f'SAMPLE_FREQ="500" NAME="{lead}" ENCODING="BASE64" DATA="{base64_of(samples)}"/>'
        for lead, samples in zip(LEADS, signal, strict=True)
    )
    return write(
        folder, "eli.xml", f'<ECG ACQUISITION_TIME="20200101000000" AGE="50" AGE_UNITS="YEARS">{channels}</ECG>'
    )
