"""Draw docs/example.svg: a simulated ECG, read by the shipped bundle.

python experiments/picture.py
"""

import sys
from pathlib import Path

import numpy as np

from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.drawing import lay_out, write
from twelvelead.record import Record

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import simulator  # noqa: E402  # the tests' ECGs that nobody recorded


def main() -> None:
    """Write the picture."""
    signal = simulator.ecg("PVC", rate_hz=250.0, seed=4).astype(np.float32)
    record = Record(name="simulated ECG with premature ventricular contractions", signal=signal, rate_hz=250.0)
    report = classify(record, load_bundle(shipped_bundle()))
    said = ", ".join(f"{name} {report.probabilities[name]:.2f}" for name in report.positive)
    sheet = lay_out(record, caption=f"a simulated ECG; what the network says: {said}")
    (ROOT / "docs/example.svg").write_bytes(write(sheet, "svg"))


if __name__ == "__main__":
    main()
