"""Databases that nobody recorded, in the home layouts of those that are not among the simulator's."""

import csv
from pathlib import Path

import h5py
import numpy as np

import simulator
from simulator import Wfdb, digital
from twelvelead.record import LEADS

SIGNAL = simulator.ecg()
MIMIC_LEADS = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]


def write_table(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def write_ecg_arrhythmia(folder: Path) -> None:
    """`WFDBRecords/01/010/JS00001.hea` and so on: Chapman-Shaoxing, then Ningbo."""
    for name, codes in (("JS00001", "164889003,59118001"), ("JS10646", "426177001"), ("JS10647", "270492004")):
        comments = ["#Age: 85", "#Sex: Male", f"#Dx: {codes}", "#Rx: Unknown", "#Hx: Unknown", "#Sx: Unknown"]
        Wfdb(name, digital(SIGNAL), comments=comments).write(folder / "WFDBRecords/01/010")


def write_georgia(folder: Path) -> None:
    """One recording as both releases have it, and one of those that read as NaN.

    The samples are microvolts in steps of 4.88, cut to whole numbers, but for the computed leads; the header says
    4880 or 1000 units per mV.
    """
    steps = np.rint(SIGNAL / 0.00488)
    independent = np.array([lead in ("I", "II") or lead.startswith("V") for lead in LEADS])
    uv = np.where(independent[:, None], np.trunc(steps * 4.88), np.rint(SIGNAL * 1000)).astype(np.int16)
    for name, gain in (("E00001", 4880), ("E00002", 1000)):
        Wfdb(name, uv, gain=f"{gain}/mV", comments=["#Age: 89+", "#Dx: 426783006"]).write(folder / "g1")
    broken = digital(SIGNAL)
    broken[3] = -32768
    Wfdb("E04603", broken, comments=["#Age: NaN", "#Dx: 164889003"]).write(folder / "g1")


def write_ptb(folder: Path) -> None:
    """`patient001/s0010_re.hea`: fifteen leads in two files, a summary in the comments."""
    for patient, reason, more in (
        ("patient001", "Myocardial infarction", "Diabetes mellitus"),
        ("patient002", "Dysrhythmia", "Atrial fibrillation, arterial hypertension"),
        ("patient003", "Bundle branch block", "no"),
    ):
        comments = [
            "#", "# age: 81", "# sex: female", "# ECG date: 01/10/1990", "# Diagnose:",
            f"# Reason for admission: {reason}", "# Acute infarction (localization): infero-latera",
            f"# Additional diagnoses: {more}",
        ]  # fmt: skip
        write_fifteen_leads(folder / patient, "s0010_re", comments)
    write_fifteen_leads(folder / "patient004", "s0020are", ["# age: n/a", "# Reason for admission: n/a"])


def write_fifteen_leads(folder: Path, name: str, comments: list[str]) -> Path:
    twelve = digital(simulator.ecg(rate_hz=1000.0), 2000)
    frank = twelve[:3]
    folder.mkdir(parents=True)
    lines = [f"{name} 15 1000 {twelve.shape[1]}"]
    for suffix, block, leads in (
        (".dat", twelve, [lead.lower() for lead in LEADS]),
        (".xyz", frank, ["vx", "vy", "vz"]),
    ):
        (folder / f"{name}{suffix}").write_bytes(block.T.astype("<i2").tobytes())
        for lead, samples in zip(leads, block, strict=True):
            checksum = int(samples.sum()) % 65536
            lines.append(f"{name}{suffix} 16 2000 16 0 {samples[0]} {checksum} 0 {lead}")
    path = folder / f"{name}.hea"
    path.write_text("\n".join([*lines, *comments]) + "\n")
    return path


def write_incart(folder: Path, duration_s: float = 20.0) -> None:
    """`I01.hea` and so on, all in one folder; the findings are the last comment."""
    for name, patient, diagnoses, findings in (
        ("I01", "1", " <diagnoses> Coronary artery disease, arterial hypertension", "PVCs, noise"),
        ("I02", "1", " <diagnoses> Coronary artery disease, arterial hypertension", "noise"),
        ("I03", "2", " ", "PVCs on bradycardia, fusion beats; APCs, atrial fibrillation,"),
        ("I04", "3", "", "1st degree AV block, RBBB"),
    ):
        comments = [f"#<age>: 65 <sex>: F{diagnoses}", f"# patient {patient}", f"# {findings}"]
        seconds = digital(simulator.ecg(duration_s=20.0, rate_hz=257.0), 306)
        signal = np.tile(seconds, round(duration_s / 20))
        leads = [lead.upper() for lead in LEADS]
        Wfdb(name, signal, leads, "257", "306", ".dat", comments).write(folder)


def write_sph(folder: Path) -> None:
    """`metadata.csv` beside `records/A00001.h5`."""
    (folder / "records").mkdir(parents=True)
    rows = []
    for number, code in enumerate(("1;1", "50", "30+310;106", "145+362", "145+312+363", "82;104", "31", "147"), 1):
        name = f"A{number:05d}"
        rows.append({"ECG_ID": name, "AHA_Code": code, "Patient_ID": f"S{number // 2:05d}", "Age": 55, "Sex": "M",
                     "N": 5000, "Date": "2020-03-04"})  # fmt: skip
        with h5py.File(folder / "records" / f"{name}.h5", "w") as file:
            file["ecg"] = SIGNAL.astype(np.float16)
    write_table(folder / "metadata.csv", rows)
    write_table(folder / "code.csv", [{"Category": "A", "Code": 1, "Description": "Normal ECG"}])


def write_code15(folder: Path) -> None:
    """`exams.csv` beside `exams_part0.hdf5`; 7 s recordings in the middle of 4096 samples, the last row empty."""
    folder.mkdir(parents=True, exist_ok=True)
    exams = [1001, 1002, 1003]
    tracings = np.zeros((4, 4096, 12), np.float32)
    tracings[:2, 648:3448] = simulator.ecg(duration_s=7.0, rate_hz=400.0).T * 2
    tracings[2, 48:4048] = simulator.ecg("AF", rate_hz=400.0).T * 2
    with h5py.File(folder / "exams_part0.hdf5", "w") as file:
        file["exam_id"] = np.array([*exams, 0], np.int64)
        file["tracings"] = tracings
    (folder / "exams_part1.zip").write_bytes(b"PK")
    none = dict.fromkeys(("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF"), "False")
    facts = {
        1001: {"normal_ecg": "True"},
        1002: {"normal_ecg": "False", "1dAVb": "True", "RBBB": "True"},
        1003: {"normal_ecg": "False", "AF": "True"},
        2001: {"normal_ecg": "False"},
    }
    write_table(
        folder / "exams.csv",
        [
            {"exam_id": exam, "age": 38, "is_male": str(exam % 2 == 1), **none, "patient_id": exam // 2,
             "death": "", "trace_file": f"exams_part{exam // 2000}.hdf5", **fact}
            for exam, fact in facts.items()
        ],
    )  # fmt: skip


def write_mimic(folder: Path) -> None:
    """`record_list.csv` and `machine_measurements.csv` beside `files/`; aVF stands before aVL."""
    said = {
        40689238: ["Sinus rhythm", "Normal ECG"],
        40689239: ["Atrial fibrillation with rapid ventricular response.", "RBBB with left anterior fascicular block"],
        40689240: ["Sinus rhythm with PAC(s)", "Sinus rhythm with borderline 1st degree A-V block"],
        40689241: ["Sinus bradycardia", "Possible inferior ST elevation, consider infarct", "Abnormal ECG"],
    }
    list_rows, report_rows = [], []
    for study, statements in said.items():
        path = f"files/p1000/p10000032/s{study}/{study}"
        list_rows.append({"subject_id": 10000032, "study_id": study, "file_name": study, "ecg_time": "2180-07-23 08:44:00", "path": path})  # fmt: skip
        reports = {f"report_{n}": statements[n] if n < len(statements) else "" for n in range(18)}
        report_rows.append({"subject_id": 10000032, "study_id": study, "cart_id": 1, **reports, "rr_interval": 659})
        at = [LEADS.index(lead) for lead in MIMIC_LEADS]
        Wfdb(str(study), digital(SIGNAL, 200)[at], MIMIC_LEADS, "500", "200.0(0)/mV", ".dat").write(
            (folder / path).parent
        )
    write_table(folder / "record_list.csv", list_rows)
    write_table(folder / "machine_measurements.csv", report_rows)
