"""ECGs that nobody recorded, and databases of them in their home layouts, for the tests."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from twelvelead.record import LEADS

AXES = {"I": (1.0, 0.0), "II": (0.5, 0.87)}
PRECORDIAL_QRS = {"V1": -0.6, "V2": -0.3, "V3": 0.4, "V4": 1.2, "V5": 1.3, "V6": 1.0}
SNOMED = {"AF": "164889003", "LBBB": "164909002", "PVC": "164884008", "Normal": "426783006"}
SCP = {"AF": "AFIB", "LBBB": "CLBBB", "PVC": "PVC", "Normal": "NORM"}
BEFORE_S, AFTER_S = 0.8, 1.0  # around an R wave; what its waves are beyond is lost in rounding
CPSC = {"AF": "2", "LBBB": "4", "PVC": "7", "Normal": "1"}


def beats_s(diagnosis: str, duration_s: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Times of the R waves: irregular in atrial fibrillation, else steady."""
    spread = 0.25 if diagnosis == "AF" else 0.02
    intervals = 0.8 * np.exp(spread * random.standard_normal(int(duration_s / 0.4) + 4))
    times = np.cumsum(intervals)
    return times[times < duration_s]


def ecg(
    diagnosis: str = "Normal", duration_s: float = 10.0, rate_hz: float = 500.0, seed: int = 0
) -> NDArray[np.float64]:
    """(12, n) millivolts of a made-up heart: waves are Gaussians; III, aVR, aVL, aVF follow from I and II."""
    random = np.random.default_rng(seed)
    n_samples = round(duration_s * rate_hz)
    leads = {lead: 0.01 * random.standard_normal(n_samples) for lead in LEADS}
    for number, at in enumerate(beats_s(diagnosis, duration_s, random)):
        is_ectopic = diagnosis == "PVC" and number % 4 == 3
        at = at - 0.25 if is_ectopic else at  # premature, and a pause after it
        near = slice(max(0, int((at - BEFORE_S) * rate_hz)), max(0, int((at + AFTER_S) * rate_hz)))
        time = np.arange(near.start, min(near.stop, n_samples)) / rate_hz
        wide = diagnosis == "LBBB" or is_ectopic
        qrs = np.exp(-0.5 * ((time - at) / (0.045 if wide else 0.012)) ** 2)
        t = np.exp(-0.5 * ((time - at - 0.3) / 0.05) ** 2) * (-0.4 if wide else 0.3)
        p = 0.0 if diagnosis == "AF" or is_ectopic else 0.15 * np.exp(-0.5 * ((time - at + 0.16) / 0.02) ** 2)
        for lead, (first, second) in AXES.items():
            leads[lead][near] += (first + second) * (qrs * (2.0 if is_ectopic else 1.0) + t + p)
        for lead, height in PRECORDIAL_QRS.items():
            leads[lead][near] = leads[lead][near] + height * (-1.5 if wide else 1.0) * qrs + t + p
    i, ii = leads["I"], leads["II"]
    leads |= {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return np.stack([leads[lead] for lead in LEADS])


@dataclass
class Wfdb:
    """A WFDB record about to be written; every field can be set wrong to see what a reader says."""

    name: str
    digital: NDArray[np.int16]
    leads: list[str] = field(default_factory=lambda: list(LEADS))
    rate: str = "500"
    gain: str = "1000/mV"
    suffix: str = ".mat"
    comments: list[str] = field(default_factory=list)
    record_name: str | None = None
    format: str | None = None
    checksum_shift: int = 0

    def header(self) -> str:
        form = self.format or ("16+24" if self.suffix == ".mat" else "16")
        lines = [f"{self.record_name or self.name} {len(self.leads)} {self.rate} {self.digital.shape[1]}"]
        for lead, samples in zip(self.leads, self.digital, strict=True):
            checksum = (int(samples.sum()) + self.checksum_shift) % 65536
            lines.append(f"{self.name}{self.suffix} {form} {self.gain} 16 0 {samples[0]} {checksum} 0 {lead}")
        return "\n".join(lines + self.comments) + "\n"

    def signal_bytes(self) -> bytes:
        data = self.digital.T.astype("<i2").tobytes()
        if self.suffix != ".mat":
            return data
        tag = np.array([30, *self.digital.shape, 0, 4], "<i4").tobytes()  # MATLAB v4: int16 matrix named val
        return tag + b"val\0" + data

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}{self.suffix}").write_bytes(self.signal_bytes())
        path = folder / f"{self.name}.hea"
        path.write_text(self.header())
        return path


def digital(signal: NDArray[np.floating], gain: float = 1000.0) -> NDArray[np.int16]:
    return np.round(signal * gain).astype(np.int16)


def kinds(n: int) -> list[str]:
    return [("Normal", "AF", "LBBB", "PVC")[index % 4] for index in range(n)]


def write_challenge(folder: Path, n: int = 24, prefix: str = "A", duration_s: float = 10.0) -> None:
    """`training/cpsc_2018/g1/A0001.hea` and so on."""
    for index, diagnosis in enumerate(kinds(n)):
        comments = [f"#Age: {30 + index}", "#Sex: Female", f"#Dx: {SNOMED[diagnosis]}", "#Rx: Unknown"]
        signal = ecg(diagnosis, duration_s, seed=1000 + index)
        Wfdb(f"{prefix}{index + 1:04d}", digital(signal), comments=comments).write(folder / "g1")


def write_ptbxl(folder: Path, n: int = 48, rates: tuple[int, ...] = (100,)) -> None:
    """`ptbxl_database.csv` beside `records100` (and `records500`); every second patient has two recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ptbxl_database.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_lr", "filename_hr"])
        for index, diagnosis in enumerate(kinds(n)):
            number, patient = index + 1, index - index % 3 % 2
            names = [f"records{rate}/00000/{number:05d}_{'lr' if rate == 100 else 'hr'}" for rate in (100, 500)]
            codes = str({SCP[diagnosis]: 100.0, "SR": 0.0})
            table.writerow([number, float(patient), 300.0, index % 2, codes, patient % 10 + 1, *names])
            for rate in rates:
                signal = ecg(diagnosis, rate_hz=rate, seed=index)
                name = f"{number:05d}_{'lr' if rate == 100 else 'hr'}"
                leads = [lead.upper() for lead in LEADS]
                Wfdb(name, digital(signal), leads, str(rate), "1000.0(0)/mV", ".dat").write(
                    folder / f"records{rate}" / "00000"
                )


def write_ludb(folder: Path) -> None:
    """`ludb.csv` beside `data/1.hea`."""
    rows = {
        "1": ("Sinus rhythm", "Electric axis of the heart: normal", "", ""),
        "2": ("Atrial fibrillation", "Electric axis of the heart: vertical", "", ""),
        "3": ("Sinus rhythm", "Electric axis of the heart: normal", "I degree av block", "Atrial extrasystole: undefined"),
        "4": ("Sinus rhythm", "Electric axis of the heart: normal", "Iii degree av-block", "Ventricular extrasystole, type: couplet"),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ludb.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["ID", "Sex", "Age", "Rhythms", "Electric axis of the heart", "Conduction abnormalities", "Extrasystolies"]
        )
        for number, (rhythm, axis, conduction, beats) in rows.items():
            table.writerow([number, "F\n", "51\n", rhythm + "\n", axis, conduction, beats])
            leads = [lead.lower() for lead in LEADS]
            Wfdb(number, digital(ecg(seed=int(number))), leads, suffix=".dat", gain="1000(6)/mV").write(folder / "data")


def write_cpsc2018(folder: Path, n: int = 8) -> None:
    """`REFERENCE.csv` beside `TrainingSet1/A2001.mat`."""
    (folder / "TrainingSet1").mkdir(parents=True)
    with (folder / "REFERENCE.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Recording", "First_label", "Second_label", "Third_label"])
        for index, diagnosis in enumerate(kinds(n)):
            name = f"A{2001 + index}"
            table.writerow([name, CPSC[diagnosis], "8" if index == 1 else "", ""])
            write_cpsc_mat(folder / "TrainingSet1" / f"{name}.mat", ecg(diagnosis, 8.0, seed=index))


def write_cpsc_mat(path: Path, signal: NDArray[np.floating]) -> Path:
    savemat(path, {"ECG": {"sex": "Male", "age": 52, "data": signal}}, do_compression=True)
    return path
