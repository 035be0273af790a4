"""The same simulated recording in each format."""

from pathlib import Path

import numpy as np
import pydicom
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
