"""Recordings in HDF5, as SPH and CODE-15 store them; needs h5py (`pip install 'twelvelead[hdf5]'`).

Neither file states leads, rate or unit. Leads and rate are those that the publishers describe, SPH's unit too; what
CODE-15's numbers are is described in two ways that contradict each other, and its amplitudes fit neither: unit NU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import size_of
from twelvelead.record import LEADS, Record, RecordError, record_from_leads

if TYPE_CHECKING:
    import h5py

SPH_RATE_HZ: Final = 500.0
CODE_15_RATE_HZ: Final = 400.0
MAX_SAMPLES: Final = 1 << 20
MAX_EXAMS: Final = 1 << 20


def exam_ids(path: Path) -> list[int]:
    """The exam of each row of a part of CODE-15; raises RecordError on another file."""
    with _opened(path) as file:
        stored = _dataset(file, "exam_id", path)
        if stored.ndim != 1 or len(stored) > MAX_EXAMS:
            raise RecordError(f"{path.name}: exam_id has shape {stored.shape}, expected is (n,); fetch it again")
        return [int(exam) for exam in stored[:]]


def read_sph(path: Path) -> Record:
    """`ecg`: (12, n) millivolts at 500 Hz, leads in standard order."""
    with _opened(path) as file:
        stored = _dataset(file, "ecg", path)
        if stored.ndim != 2 or stored.shape[0] != len(LEADS) or stored.shape[1] > MAX_SAMPLES:
            raise RecordError(f"{path.name}: ecg has shape {stored.shape}, expected is (12, n_samples); fetch it again")
        signal = np.asarray(stored[:], np.float32)
    note = "rate, unit and leads are those that SPH describes: its files do not state them"
    return record_from_leads(path.stem, dict(zip(LEADS, signal, strict=True)), SPH_RATE_HZ, warnings=(note,))


def read_code_15(path: Path, row: int) -> Record:
    """`tracings`: (n, 4096, 12) at 400 Hz, shorter recordings in the middle of zeros, which are cut off."""
    with _opened(path) as file:
        stored = _dataset(file, "tracings", path)
        if stored.ndim != 3 or stored.shape[2] != len(LEADS) or stored.shape[1] > MAX_SAMPLES or row >= len(stored):
            raise RecordError(
                f"{path.name}: tracings has shape {stored.shape}, expected is (more than {row}, n_samples, 12); "
                f"fetch it again"
            )
        signal = _without_padding(np.asarray(stored[row], np.float32).T)
    note = "rate and leads are those that CODE-15 describes; its unit is not known for sure"
    leads = dict(zip(LEADS, signal, strict=True))
    return record_from_leads(f"{path.stem} row {row}", leads, CODE_15_RATE_HZ, unit="NU", warnings=(note,))


def _without_padding(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    measured = np.flatnonzero(signal.any(axis=0))
    if not len(measured):
        raise RecordError("every sample is zero: nothing was recorded in this row")
    return signal[:, measured[0] : measured[-1] + 1]


@contextmanager
def _opened(path: Path) -> "Iterator[h5py.File]":
    """A plain HDF5 file; whatever h5py says of a damaged one becomes a RecordError."""
    import h5py

    size_of(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise RecordError(f"{path.name} is not sound HDF5 ({error}); fetch it again") from error


def _dataset(file: "h5py.File", name: str, path: Path) -> "h5py.Dataset":
    """A dataset of numbers that lies in the file itself: a link or a reference to another file is not followed."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise RecordError(f"{path.name} holds no {name}: is it a file of another database?")
    stored = file[name]
    if not isinstance(stored, h5py.Dataset) or stored.dtype.kind not in "fiu" or stored.external or stored.is_virtual:
        raise RecordError(f"{path.name}: {name} holds no numbers of its own; fetch it again")
    return stored
