"""Record -> file: WFDB with 16-bit samples and checksums, or CSV that states its rate and unit."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from twelvelead.formats.files import write_whole
from twelvelead.formats.table import MAX_CSV_BYTES
from twelvelead.record import LEADS, Record, RecordError

GAINS_PER_MV: Final = (10_000, 5_000, 2_000, 1_000, 500, 200, 100)
LARGEST: Final = (1 << 15) - 1
CSV_DECIMALS: Final = 5
LEAST_CELL_BYTES: Final = len(f"{0:.{CSV_DECIMALS}f},")
RECORD_NAME: Final = re.compile(r"[\w][\w.-]*", re.ASCII)


def write(record: Record, path: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write a recording as `path`, `.hea` (with its `.dat` beside it) or `.csv`, and return the files written.

    Read again, each sample is the same within one quantum: of the gain that the header states (the finest that holds
    the largest sample in 16 bits), or 10 nV in CSV. Each file is written beside its place and renamed into it.
    Raises RecordError on another suffix, a name that the format cannot hold, or files that are there unless `force`.
    """
    compose = WRITERS.get(path.suffix.lower())
    if compose is None:
        raise RecordError(f"suffix {path.suffix!r}: {' and '.join(WRITERS)} can be written; name OUT so")
    files = compose(record, path)
    if not force and (there := [file.name for file in files if file.exists() or file.is_symlink()]):
        raise RecordError(f"{', '.join(there)} is there already: name another file, or overwrite with --force")
    for file, content in files.items():
        write_whole(file, content)
    return tuple(reversed(files))


def gain_per_unit(record: Record) -> int:
    """The finest of the usual gains at which the largest sample fits into 16 bits; raises RecordError where none is."""
    largest = float(np.abs(record.signal).max())
    if fitting := [gain for gain in GAINS_PER_MV if round(largest * gain) <= LARGEST]:
        return fitting[0]
    raise RecordError(
        f"a sample of {largest:.6g} {record.unit}: WFDB's 16 bits hold up to {LARGEST / GAINS_PER_MV[-1]:g} here; "
        f"write .csv"
    )


def _wfdb(record: Record, path: Path) -> dict[Path, bytes]:
    """The signal file and then its header, which makes a recording of it."""
    if not RECORD_NAME.fullmatch(path.stem):
        raise RecordError(f"record name {path.stem!r}: WFDB takes letters, digits, `_`, `-` and `.`; name OUT so")
    gain, signal_file = gain_per_unit(record), path.with_suffix(".dat")
    digital = np.round(record.signal.astype(np.float64) * gain).astype("<i2")
    lines = [f"{path.stem} {len(LEADS)} {record.rate_hz:.12g} {record.n_samples}"]
    for lead, samples in zip(LEADS, digital, strict=True):
        checksum = (int(samples.sum(dtype=np.int64)) + (1 << 15)) % (1 << 16) - (1 << 15)
        lines.append(f"{signal_file.name} 16 {gain}(0)/{record.unit} 16 0 {samples[0]} {checksum} 0 {lead}")
    text = "\n".join([*lines, *_known(record, "#{}: {}")]) + "\n"
    return {signal_file: digital.T.tobytes(), path: text.encode()}


def as_csv(record: Record) -> bytes:
    """A table whose first lines state what a table cannot; raises RecordError where it is too long to be read again."""
    least_bytes = record.signal.size * LEAST_CELL_BYTES
    if least_bytes > MAX_CSV_BYTES:  # said before it is formatted, which takes seconds
        raise _too_long(f"{least_bytes:,} bytes or more")
    head = [f"# rate_hz: {record.rate_hz:.12g}", f"# unit: {record.unit}", *_known(record, "# {}: {}"), ",".join(LEADS)]
    row = ",".join([f"%.{CSV_DECIMALS}f"] * len(LEADS))
    text = "\n".join([*head, *(row % tuple(values) for values in record.signal.T.tolist())]) + "\n"
    if len(text) > MAX_CSV_BYTES:
        raise _too_long(f"{len(text):,} bytes")
    return text.encode()


def _too_long(size: str) -> RecordError:
    return RecordError(f"a table of {size}: at most {MAX_CSV_BYTES:,} can be read again; WFDB takes more")


def as_wfdb(record: Record) -> dict[str, bytes]:
    """A WFDB record as files by name, header first; raises RecordError on a sample that 16 bits cannot hold."""
    return {path.name: content for path, content in reversed(_wfdb(record, Path("recording.hea")).items())}


def _csv(record: Record, path: Path) -> dict[Path, bytes]:
    return {path: as_csv(record)}


def _known(record: Record, form: str) -> list[str]:
    age = [] if record.age is None else [form.format("Age", f"{record.age:g}")]
    return age + ([] if record.sex is None else [form.format("Sex", record.sex)])


WRITERS: Final[dict[str, Callable[[Record, Path], dict[Path, bytes]]]] = {".hea": _wfdb, ".csv": _csv}
