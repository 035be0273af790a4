"""How often each finding of signal quality is right, on PTB-XL's annotations and on recordings made worse on purpose.

    python experiments/quality.py PTBXL [DATA]

The limits of wander, noise and burst in `signals/quality.py` are the 90th percentiles of the worst lead among those of
PTB-XL's folds 1-4 that have no such annotation, rounded, and are printed first; all else is of folds 5-9. With DATA,
how near all recordings there, and noise, come to the limits of contradictions and of beats.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from twelvelead.databases import find, read_labelled
from twelvelead.formats import read
from twelvelead.record import LEADS, Record, RecordError
from twelvelead.signals import quality
from twelvelead.signals.measures import beat_ratio, limb_contradiction
from twelvelead.signals.quality import assess

COLUMNS = {"baseline_drift": "baseline wander", "static_noise": "noise", "burst_noise": "burst"}


def rows(folder: Path, folds: range) -> list[dict[str, str]]:
    """PTB-XL's table, of some folds."""
    with (folder / "ptbxl_database.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if int(row["strat_fold"]) in folds]


def print_limits(folder: Path) -> None:
    """The 90th percentiles on folds 1 to 4."""
    worst: dict[str, list[float]] = {column: [] for column in COLUMNS}
    for row in rows(folder, range(1, 5)):
        clean, baseline = quality.QUALITY.bands(read(folder / f"{row['filename_lr']}.hea"))
        measures = (
            np.ptp(np.percentile(baseline, [2, 98], axis=1), axis=0),
            quality.noise_mv(clean),
            quality.burst_ratio(clean),
        )
        for column, values in zip(COLUMNS, measures, strict=True):
            if not row[column].strip():
                worst[column].append(float(values.max()))
    for column, values in worst.items():
        print(f"{COLUMNS[column]}: {np.percentile(values, 90):.3g}")


def swapped(signal: np.ndarray) -> np.ndarray:
    """Right and left arm changed over."""
    order = [LEADS.index(name) for name in ("I", "III", "II", "aVL", "aVR", "aVF")]
    changed = signal.copy()
    changed[:6] = signal[order]
    changed[0] *= -1
    return changed


def with_(change: Callable[[np.ndarray, np.random.Generator], None]) -> Callable[[np.ndarray], np.ndarray]:
    """A copy of the signal on which `change` was let loose."""

    def worse(signal: np.ndarray) -> np.ndarray:
        copy = signal.copy()
        change(copy, np.random.default_rng(len(copy)))
        return copy

    return worse


def flat(signal: np.ndarray, _: np.random.Generator) -> None:
    """V3 is dead."""
    signal[8] = 0


def clipped(signal: np.ndarray, _: np.random.Generator) -> None:
    """V2 and V3 beyond half of their extent are cut."""
    signal[7:9] = np.clip(signal[7:9], signal[7:9].min(1, keepdims=True) / 2, signal[7:9].max(1, keepdims=True) / 2)


def wandering(signal: np.ndarray, _: np.random.Generator) -> None:
    """1 mV at a quarter of a hertz in V5."""
    signal[10] += np.sin(2 * np.pi * 0.25 * np.arange(signal.shape[1]) / 100).astype(np.float32)


def noisy(signal: np.ndarray, random: np.random.Generator) -> None:
    """White noise of 40 uV in the limb leads I and aVL."""
    signal[[0, 4]] += random.normal(0, 0.04, (2, signal.shape[1])).astype(np.float32)


def bursting(signal: np.ndarray, random: np.random.Generator) -> None:
    """A second of 1 mV noise in V1."""
    signal[6, 300:400] += random.normal(0, 1, 100).astype(np.float32)


def in_order(*rows: int) -> Callable[[np.ndarray], np.ndarray]:
    """The limb leads exchanged."""
    return lambda signal: np.concatenate([signal[list(rows)], signal[6:]])


def without_beats(signal: np.ndarray, random: np.random.Generator) -> None:
    """Each lead's own spectrum, its phases by chance."""
    spectrum = np.abs(np.fft.rfft(signal))
    turns = np.exp(2j * np.pi * random.random(spectrum.shape))
    signal[:] = np.fft.irfft(spectrum * turns, signal.shape[1])


MISNAMED = {
    "I turned over": with_(lambda signal, _: signal[0].__imul__(-1)),
    "II turned over": with_(lambda signal, _: signal[1].__imul__(-1)),
    "aVF turned over": with_(lambda signal, _: signal[5].__imul__(-1)),
    "III a copy of I": in_order(0, 1, 0, 3, 4, 5),
    "I and II exchanged": in_order(1, 0, 2, 3, 4, 5),
    "aVR and aVL exchanged": in_order(0, 1, 2, 4, 3, 5),
    "aVR, aVL, aVF before I, II, III": in_order(3, 4, 5, 0, 1, 2),
    "III is V1": lambda signal: np.concatenate([signal[:2], signal[6:7], signal[3:]]),
}
WORSE = {
    "swapped arms": swapped,
    "flat": with_(flat),
    "saturated": with_(clipped),
    "baseline wander": with_(wandering),
    "noise": with_(noisy),
    "burst": with_(bursting),
    "no beats": with_(without_beats),
    **{f"contradiction ({name})": change for name, change in MISNAMED.items()},
    "contradiction (I twice its size)": with_(lambda signal, _: signal[0].__imul__(2)),
    "amplitude (mV read as uV)": lambda signal: signal / 1000,
    "amplitude (uV read as mV)": lambda signal: signal * 1000,
    "amplitude (gain wrong by 4.88)": lambda signal: signal * 4.88,
}


def kinds(record: Record) -> set[str]:
    """The kinds of what is found."""
    return {finding.kind for finding in assess(record)}


def is_found(kind: str, record: Record, signal: np.ndarray) -> bool:
    """Whether the recording with this signal has the finding, or is refused as no ECG at all."""
    try:
        return kind in kinds(replace(record, signal=signal))
    except RecordError:
        return True


def print_room(folder: Path) -> None:
    """For each database how near its recordings come to the limits that no annotation could set, and noise."""
    measured: dict[str, list[tuple[float, bool, float]]] = defaultdict(list)
    for labelled in find([folder]).records:
        try:
            record = read_labelled(labelled)
        except RecordError:
            continue
        if record.unit == "mV":
            measured[labelled.database].append(laws_and_beats(record))
    random = np.random.default_rng(0)
    for duration_s in (5, 10):
        for _ in range(300):
            noise = random.normal(0, 0.12, (12, 500 * duration_s)).astype(np.float32)
            measured["white noise"].append(laws_and_beats(Record(name="noise", signal=noise, rate_hz=500)))
    print("\n| database | recordings | off the laws: median, most | beyond .1 | turned | beats: least, most |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, values in measured.items():
        off, is_turned, beats = map(np.array, zip(*values, strict=True))
        beyond = off > quality.MOST_CONTRADICTION
        print(
            f"| {name} | {len(off)} | {np.median(off):.3f}, {off.max():.3f} | {beyond.sum()} | "
            f"{(beyond & is_turned).sum()} | {beats.min():.2f}, {beats.max():.2f} |"
        )


def laws_and_beats(record: Record) -> tuple[float, bool, float]:
    """What `limb_contradiction` and `beat_ratio` say of one."""
    clean, _ = quality.QUALITY.bands(record)
    off, is_turned = limb_contradiction(clean)
    return float(off), bool(is_turned), float(beat_ratio(clean))


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1])
    print_limits(folder)
    table = rows(folder, range(5, 10))
    records = [read(folder / f"{row['filename_lr']}.hea") for row in table]
    found = [kinds(record) for record in records]
    print("\n| PTB-XL's column | annotated | finding | sensitivity | specificity |\n|---|---:|---|---:|---:|")
    for column, kind in COLUMNS.items():
        truth = np.array([bool(row[column].strip()) for row in table])
        says = np.array([kind in one for one in found])
        print(f"| {column} | {truth.sum()} | {kind} | {says[truth].mean():.3f} | {1 - says[~truth].mean():.3f} |")
    truth = np.array([bool(row["electrodes_problems"].strip()) for row in table])
    says = np.array([bool(one) for one in found])
    print(f"| electrodes_problems | {truth.sum()} | any | {says[truth].mean():.3f} | {1 - says[~truth].mean():.3f} |")
    clean = [
        (record, one)
        for record, row, one in zip(records, table, found, strict=True)
        if not any(row[column].strip() for column in (*COLUMNS, "electrodes_problems"))
    ]
    print(f"\n| made worse ({len(clean)} recordings without annotation) | found | found before |\n|---|---:|---:|")
    for name, worse in WORSE.items():
        kind = name.split(" (")[0]
        after = np.mean([is_found(kind, record, worse(record.signal)) for record, _ in clean])
        print(f"| {name} | {after:.3f} | {np.mean([kind in one for _, one in clean]):.3f} |")
    if len(sys.argv) > 2:
        print_room(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
