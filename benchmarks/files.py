"""From files: reading, and the whole way to probabilities, against how it is usually written."""

import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import wfdb
from ecgdatakit import FileParser
from pairs import Pair, pair, seconds
from pydicom.data import get_testdata_file
from scipy.signal import butter, resample_poly, sosfiltfilt

from twelvelead.classifier import Classifier, classify_many, groups, load_bundle, shipped_bundle
from twelvelead.formats import read
from twelvelead.network.cnn_gru import CnnGru
from twelvelead.network.zoo import SINGLE
from twelvelead.scoring.probabilities import merge

BAND = butter(3, [0.5, 40], "bandpass", fs=500, output="sos")


def reading(headers: list[Path], turns: int) -> list[Pair]:
    """A Challenge record of 10 s at 500 Hz to millivolts, checksums verified; and a DICOM waveform."""
    dicom = Path(str(get_testdata_file("waveform_ecg.dcm")))
    return [
        pair(
            "reading a Challenge record",
            "wfdb.rdsamp",
            lambda: each(headers, read),
            lambda: each(headers, rdsamp),
            turns=turns,
        ),
        pair(
            "reading a DICOM waveform",
            "ECGDataKit",
            lambda: read(dicom),
            lambda: FileParser().parse(dicom),
            turns=turns,
        ),
    ]


def each(headers: list[Path], call: Callable[[Path], object]) -> None:
    """Call with every header."""
    for header in headers:
        call(header)


def rdsamp(header: Path) -> np.ndarray:
    """(n, 12) millivolts."""
    return wfdb.rdsamp(str(header.with_suffix("")))[0]


def to_probabilities(headers: list[Path], turns: int) -> Pair:
    """Challenge records to nine probabilities and their quality, against wfdb, scipy and the same network in torch.

    Ours as `archive` and `evaluate` have it: some recordings at a time.
    """
    classifier, network = load_bundle(shipped_bundle()), CnnGru(SINGLE).eval()

    def usual(header: Path) -> object:
        signal = sosfiltfilt(BAND, rdsamp(header).T, axis=1)
        signal = resample_poly(signal, 1, 5, axis=1)
        scaled = (signal - signal.mean(axis=1, keepdims=True)) / (signal.std(axis=1, keepdims=True) + 1e-6)
        with torch.inference_mode():
            return torch.sigmoid(network(torch.from_numpy(scaled[None].astype(np.float32)))[0]).numpy()

    what = "file to probabilities"
    return pair(
        what, "wfdb + scipy + torch", lambda: whole(headers, classifier), lambda: each(headers, usual), turns=turns
    )


def rates(headers: list[Path], turns: int) -> dict[str, float]:
    """Records a second of ours by itself, one turn after the other: the whole way, and as bare as the peer's."""
    classifier = load_bundle(shipped_bundle())

    def rate(way: Callable[[list[Path], Classifier], None]) -> float:
        way(headers, classifier)
        return len(headers) / statistics.median(seconds(lambda: way(headers, classifier)) for _ in range(4 * turns))

    return {"records_per_s": rate(whole), "bare_records_per_s": rate(bare)}


def whole(headers: list[Path], classifier: Classifier) -> None:
    """All that a report says."""
    for _ in classify_many(((header, read(header)) for header in headers), classifier):
        pass


def bare(headers: list[Path], classifier: Classifier) -> None:
    """Probabilities alone: nobody asks whether the recording is fit to be read."""
    for group in groups((header, read(header)) for header in headers):
        bands = classifier.recipe.bands_alike([record for _, record in group])
        for logits, _ in classifier.run_each(list(classifier.recipe.windows(bands.heart))):
            merge(classifier.calibration.probabilities(logits))
