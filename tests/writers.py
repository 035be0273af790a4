"""The same simulated recording in each format."""

from pathlib import Path

import numpy as np
import pydicom
import soundfile
import wfdb
from pydicom.data import get_testdata_file

import simulator
from simulator import Wfdb, digital
from twelvelead.record import LEADS

SIGNAL = simulator.ecg()


def write_dicom(folder: Path, signal=SIGNAL, rate_hz=500, unit="uV", sensitivity="1", label="RHYTHM") -> Path:
    """The waveform that pydicom ships, with our own signal in it."""
    dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
    rhythm = dataset.WaveformSequence[0]
    samples = np.round(signal * 1000).astype("<i2")
    rhythm.MultiplexGroupLabel = label
    rhythm.SamplingFrequency = rate_hz
    rhythm.NumberOfWaveformSamples = samples.shape[1]
    rhythm.WaveformData = samples.T.tobytes()
    for channel in rhythm.ChannelDefinitionSequence:
        channel.ChannelSensitivity = sensitivity
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = unit
    dataset.save_as(folder / "ecg.dcm")
    return folder / "ecg.dcm"


def challenge(folder: Path) -> Path:
    return Wfdb("A0001", digital(SIGNAL), comments=["# Age: 74", "# Sex: Male"]).write(folder)


def dat(folder: Path) -> Path:
    return Wfdb("1", digital(SIGNAL), [lead.lower() for lead in LEADS], gain="1000.0(0)/mv", suffix=".dat").write(
        folder
    )


def cpsc(folder: Path) -> Path:
    return simulator.write_cpsc_mat(folder / "A2001.mat", SIGNAL)


def packed_files(folder: Path, signal=SIGNAL, code="212", gain=1000) -> dict[str, bytes]:
    """A WFDB record in a packed format, as the reference writer packs it."""
    samples = np.round(signal.T * gain).astype(np.int64)
    wfdb.wrsamp(
        "packed", 500, ["mV"] * 12, list(LEADS), d_signal=samples, fmt=[code] * 12, adc_gain=[gain] * 12,
        baseline=[0] * 12, write_dir=str(folder),
    )  # fmt: skip
    return {name: (folder / name).read_bytes() for name in ("packed.hea", "packed.dat")}


def flac_files(folder: Path, signal=SIGNAL, code=516, subtype="PCM_16") -> dict[str, bytes]:
    """A WFDB record in two FLAC streams of six leads each: a stream has eight channels at most."""
    samples = np.round(signal * 1000).astype(np.int64)
    lines = [f"flac 12 500 {signal.shape[1]}"]
    for part in (0, 1):
        name, leads = f"flac_{part}.dat", range(6 * part, 6 * part + 6)
        shift = {"PCM_S8": 24, "PCM_16": 16, "PCM_24": 8}[subtype]
        block = (samples[6 * part : 6 * part + 6].T << shift).astype(np.int32)
        soundfile.write(folder / name, block, 500, format="FLAC", subtype=subtype)
        for lead in leads:
            checksum = int(samples[lead].sum()) % 65536
            lines.append(f"{name} {code} 1000(0)/mV 16 0 {samples[lead, 0]} {checksum} 0 {LEADS[lead]}")
    (folder / "flac.hea").write_text("\n".join(lines) + "\n")
    return {name: (folder / name).read_bytes() for name in ("flac.hea", "flac_0.dat", "flac_1.dat")}
