"""CPSC2018 as first published: a MATLAB file with a struct ECG of sex, age and data; 500 Hz by its specification.

Source: http://2018.icbeb.org/Challenge.html: "sampled as 500 Hz", twelve leads in standard order, millivolts.
"""

from typing import Final

import numpy as np

from twelvelead.formats.files import Given
from twelvelead.formats.matlab5 import MAX_BYTES, read_struct
from twelvelead.record import LEADS, Record, RecordError, record_from_leads

RATE_HZ: Final = 500.0


def is_matlab(start: bytes) -> bool:
    """Whether a file begins as a little-endian MATLAB file of level 5 does, or of 7.3, which is refused."""
    return (start.startswith(b"MATLAB 5.0") and start[124:128] == b"\x00\x01IM") or start.startswith(b"MATLAB 7.3")


def read(given: Given) -> Record:
    """Read one recording; raises RecordError when the file is damaged or holds something else."""
    if given.beginning.startswith(b"MATLAB 7.3"):
        raise RecordError("MATLAB 7.3 (HDF5), in which CPSC2018 was never published: save it again with save -v7")
    fields = read_struct(given.content(at_most=MAX_BYTES), "ECG")
    data = fields.get("data")
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[0] != len(LEADS):
        found = data.shape if isinstance(data, np.ndarray) else type(data).__name__
        raise RecordError(f"ECG.data is {found}: CPSC2018's recordings are matrices of 12 leads x samples")
    age, sex = fields.get("age"), fields.get("sex")
    return record_from_leads(
        given.name,
        dict(zip(LEADS, data, strict=True)),
        RATE_HZ,
        age=float(age.flat[0]) if isinstance(age, np.ndarray) and age.size == 1 else None,
        sex=sex if isinstance(sex, str) else None,
        warnings=("rate, unit and lead order are those of CPSC2018's specification: 500 Hz, mV, standard order",),
    )
