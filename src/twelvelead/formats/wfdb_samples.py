"""How WFDB packs samples into bytes; formats: https://wfdb.io/spec/signal-files.html.

508, 516 and 524 are FLAC streams of 8, 16 and 24 bits, read with soundfile where it is installed.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.formats.files import refuse_too_many
from twelvelead.record import RecordError

Digital = NDArray[np.integer]

FLAC_BITS: Final = {508: 8, 516: 16, 524: 24}
STREAM_BITS: Final = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


def n_bytes(code: int, n_values: int) -> int:
    """Bytes that so many samples take in an uncompressed format; half a sample takes a whole byte."""
    return -(-n_values * BITS[code] // 8)


def n_values_in(code: int, n_bytes_there: int) -> int:
    """Whole samples that so many bytes hold."""
    return n_bytes_there * 8 // BITS[code]


def unpack(code: int, data: bytes, n_values: int) -> Digital:
    """(n_values,) samples from the beginning of the bytes of an uncompressed format."""
    return _UNPACK[code](np.frombuffer(data, np.uint8), n_values)


def unpack_flac(code: int, data: bytes, n_signals: int, n_samples: int | None) -> Digital:
    """(n_signals, n_samples) of a FLAC stream; raises RecordError where it is damaged or is not what was declared."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise RecordError(
            f"signal format {code} is FLAC, which needs soundfile: "
            f"pip install 'twelvelead[flac]', or '.[flac]' in its folder"
        ) from error
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as stream:
            bits = STREAM_BITS.get(stream.subtype, 0) if stream.format == "FLAC" else 0
            if not 0 < bits <= FLAC_BITS[code] or stream.channels != n_signals:
                raise RecordError(
                    f"FLAC stream of {stream.channels} channels in {stream.subtype}, its header declares {n_signals} "
                    f"of {FLAC_BITS[code]} bits: one of them is another record's"
                )
            n_samples = n_samples or stream.frames
            if n_samples > stream.frames:
                raise RecordError(
                    f"FLAC stream of {stream.frames:,} samples, its header declares {n_samples:,}: it is cut short; "
                    f"fetch it again"
                )
            refuse_too_many(n_samples * n_signals)
            frames = stream.read(n_samples, dtype="int32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise RecordError("FLAC stream is damaged: fetch it again") from error
    if len(frames) < n_samples:
        raise RecordError(f"FLAC stream breaks off after {len(frames):,} of {n_samples:,} samples: fetch it again")
    shifted: Digital = frames.T >> (32 - bits)
    return shifted


def _plain(kind: str) -> Callable[[NDArray[np.uint8], int], Digital]:
    def view(data: NDArray[np.uint8], n_values: int) -> Digital:
        samples: Digital = np.frombuffer(data, kind, n_values)
        return samples

    return view


def _80(data: NDArray[np.uint8], n_values: int) -> Digital:
    """Offset binary: 128 stands for 0."""
    return data[:n_values].astype(np.int16) - 128


def from_24_bit(data: NDArray[np.uint8], n_values: int) -> NDArray[np.int32]:
    """Little-endian integers of three bytes, in the upper three of four and shifted down with their sign."""
    padded = np.zeros((n_values, 4), np.uint8)
    padded[:, 1:] = data[: 3 * n_values].reshape(n_values, 3)
    return padded.view("<i4").ravel() >> 8


def _212(data: NDArray[np.uint8], n_values: int) -> Digital:
    """Pairs of twelve bits in three bytes; the middle byte holds the upper four bits of both."""
    triples = np.zeros((-(-n_values // 2), 3), np.int16)
    used = data[: n_bytes(212, n_values)]
    triples.ravel()[: len(used)] = used
    low, middle, high = triples.T
    pairs = np.stack([(middle & 0x0F) << 8 | low, (middle & 0xF0) << 4 | high], axis=1)
    return ((pairs << 4) >> 4).ravel()[:n_values]


BITS: Final = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 212: 12}
_UNPACK: Final = {16: _plain("<i2"), 24: from_24_bit, 32: _plain("<i4"), 61: _plain(">i2"), 80: _80, 212: _212}
INVALID_SAMPLE: Final = {code: -(1 << bits - 1) for code, bits in (BITS | FLAC_BITS).items()}
