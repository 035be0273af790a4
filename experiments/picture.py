"""Draw docs/example.svg, a simulated ECG read by the shipped bundle, and docs/report.png, a report in a browser.

python experiments/picture.py

The report is of the recording that pydicom brings along; its picture needs Chromium.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.data import get_testdata_file

from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.drawing import lay_out, write
from twelvelead.formats import read
from twelvelead.record import Record
from twelvelead.reports import FORMS, read_by, reading

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import simulator  # noqa: E402  # the tests' ECGs that nobody recorded


def main() -> None:
    """Write the pictures."""
    draw_example()
    picture_report()


def picture_report() -> None:
    """What a browser of 1280 x 1500 shows of a report, in 64 colours."""
    classifier = load_bundle(shipped_bundle())
    record = read(Path(get_testdata_file("waveform_ecg.dcm")))
    report = FORMS["html"](reading(record, classify(record, classifier), read_by(classifier)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "report.html").write_bytes(report)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1500"]
        subprocess.run(["chromium", *options, "--screenshot=report.png", "report.html"], cwd=folder, check=True)
        shot = Image.open(io.BytesIO((Path(folder) / "report.png").read_bytes())).convert("RGB")
    shot.quantize(64).save(ROOT / "docs/report.png", optimize=True)


def draw_example() -> None:
    """A sheet alone."""
    signal = simulator.ecg("PVC", rate_hz=250.0, seed=4).astype(np.float32)
    record = Record(name="simulated ECG with premature ventricular contractions", signal=signal, rate_hz=250.0)
    report = classify(record, load_bundle(shipped_bundle()))
    said = ", ".join(f"{name} {report.probabilities[name]:.2f}" for name in report.positive)
    sheet = lay_out(record, caption=f"a simulated ECG; what the network says: {said}")
    (ROOT / "docs/example.svg").write_bytes(write(sheet, "svg"))


if __name__ == "__main__":
    main()
