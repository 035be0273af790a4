"""The simulated recording in the binary formats of carts, Holter recorders and physiologists."""

import struct
from binascii import crc_hqx
from pathlib import Path

import numpy as np

import simulator
from twelvelead.record import LEADS

SIGNAL = simulator.ecg()
CODES = dict(zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True))


def digital(signal) -> np.ndarray:
    return np.round(signal * 1000).astype("<i2")


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def section(number: int, body: bytes) -> bytes:
    rest = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, b"SCPECG" if number == 0 else b"") + body
    return struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest


def scp(folder: Path, signal=SIGNAL, leads=LEADS, first=1, nanovolts=1000, interval_us=2000) -> Path:
    """Uncompressed 16-bit samples; `first` is the number of the first sample, 1 by the standard."""
    samples = digital(signal)
    ends = [(first, first - 1 + samples.shape[1] if first else samples.shape[1], CODES[lead]) for lead in leads]
    third = section(3, bytes([len(leads), 4]) + b"".join(struct.pack("<IIB", *lead) for lead in ends))
    sizes = struct.pack(f"<{len(leads)}H", *[2 * samples.shape[1]] * len(leads))
    data = b"".join(samples[LEADS.index(lead)].tobytes() for lead in leads)
    sixth = section(6, struct.pack("<HHBB", nanovolts, interval_us, 0, 0) + sizes + data)
    zeroth_bytes = 16 + 3 * 10
    at = [7, 7 + zeroth_bytes, 7 + zeroth_bytes + len(third)]
    pointers = [(0, zeroth_bytes, at[0]), (3, len(third), at[1]), (6, len(sixth), at[2])]
    body = section(0, b"".join(struct.pack("<HII", *pointer) for pointer in pointers)) + third + sixth
    rest = struct.pack("<I", 6 + len(body)) + body
    return put(folder, "ecg.scp", struct.pack("<H", crc_hqx(rest, 0xFFFF)) + rest)


def scp_of_eight(folder: Path) -> Path:
    return scp(folder, leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"))


def edf(
    folder: Path,
    signal=SIGNAL,
    unit="uV",
    width=2,
    records=None,
    extra=(),
    kind="",
    patient="X F 02-JAN-1970 X",
    recording="Startdate 01-JAN-2020 X X X",
    per_record=500,
) -> Path:
    """Records of so many samples at 500 Hz; extra: (label, unit, bytes of a record's samples) of further signals."""
    samples = np.round(signal * 1000).astype("<i4")
    n_records = samples.shape[1] // per_record
    signals = [(lead, unit, None) for lead in LEADS] + list(extra)
    limit = 1 << (8 * width - 1)

    def text(values, size):
        return "".join(str(value).ljust(size)[:size] for value in values).encode()

    n = len(signals)
    version = b"\xffBIOSEMI" if width == 3 else b"0".ljust(8)
    head = [version, text([patient, recording], 80), text(["01.01.20", "00.00.00", 256 * (n + 1)], 8), text([kind], 44)]
    head += [text([n_records if records is None else records, f"{per_record / 500:g}"], 8), text([n], 4)]
    head += [text([each[0] for each in signals], 16), text([""] * n, 80), text([each[1] for each in signals], 8)]
    for value in (-limit, limit - 1, -limit, limit - 1):
        head.append(text([value] * n, 8))
    head += [text([""] * n, 80), text([per_record] * n, 8), text([""] * n, 32)]
    data = bytearray()
    for index in range(n_records):
        for lead in samples[:, index * per_record : (index + 1) * per_record]:
            data += lead.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
        for _, _, block in extra:
            data += block(index) if callable(block) else block
    return put(folder, "ecg.bdf" if width == 3 else "ecg.edf", b"".join(head) + bytes(data))


def bdf(folder: Path) -> Path:
    return edf(folder, width=3)


def ishne(folder: Path, signal=SIGNAL, nanovolts=1000) -> Path:
    specs = dict(zip(LEADS, range(5, 17), strict=True))
    head = bytearray(512)
    struct.pack_into("<iiii", head, 0, 0, signal.shape[1], 522, 522)
    struct.pack_into("<h", head, 16, 1)
    struct.pack_into("<h12h12h12h", head, 146, 12, *specs.values(), *[1] * 12, *[nanovolts] * 12)
    struct.pack_into("<h", head, 262, 500)
    return put(
        folder,
        "holter.ecg",
        b"ISHNE1.0" + struct.pack("<H", crc_hqx(bytes(head), 0xFFFF)) + bytes(head) + digital(signal).T.tobytes(),
    )


def mfer(folder: Path, signal=SIGNAL, channels=12, skew_ns=None, pointers=None) -> Path:
    """skew_ns: of V6; pointers: the first samples of as many frames of equal length."""

    def definition(tag: int, value: bytes) -> bytes:
        size = len(value)
        return bytes([tag]) + (bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")) + value

    leads = b"".join(
        bytes([0x3F, index]) + bytes([4]) + definition(0x09, CODES[lead].to_bytes(2, "little"))
        for index, lead in enumerate(LEADS)
    )
    if skew_ns is not None:
        leads += bytes([0x3F, 11, 6]) + definition(0x43, skew_ns.to_bytes(4, "little"))
    frames = b""
    for part, at in zip(np.split(digital(signal), len(pointers or [0]), axis=1), pointers or [None], strict=True):
        frames += definition(0x04, struct.pack("<I", part.shape[1])) + definition(0x06, struct.pack("<I", 1))
        frames += b"" if at is None else definition(0x07, struct.pack("<I", at))
        frames += definition(0x1E, part.tobytes())
    parts = [
        definition(0x40, b"MFR Standard 12 leads ECG".ljust(32)), definition(0x01, b"\1"), definition(0x02, b"\1\0\0"),
        definition(0x05, channels.to_bytes(4, "little")), definition(0x0B, struct.pack("<Bbh", 1, -3, 2)),
        definition(0x0C, struct.pack("<Bbh", 0, -6, 1)), leads, frames, b"\x80",
    ]  # fmt: skip
    return put(folder, "ecg.mwf", b"".join(parts))


def npy(folder: Path, signal=SIGNAL) -> Path:
    np.save(folder / "ecg.npy", signal)
    return folder / "ecg.npy"


def csv(folder: Path, signal=SIGNAL, head="# rate_hz: 500\n# unit: mV\n", names=LEADS, separator=",") -> Path:
    rows = [separator.join(names), *(separator.join(f"{value:.4f}" for value in row) for row in signal.T)]
    return put(folder, "ecg.csv", (head + "\n".join(rows) + "\n").encode())
