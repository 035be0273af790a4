"""XLI, Philips's compression: a chunk a lead, LZW with ten-bit codes, of second differences in two halves of bytes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CODE_BITS: Final = 10
LAST_CODE: Final = (1 << CODE_BITS) - 2
HEADER_BYTES: Final = 8
BIAS: Final = 64
SPARE_BYTES: Final = 1024


def unpack(data: bytes, n_leads: int, n_samples: int) -> NDArray[np.float64]:
    """(n_leads, n_samples) from as many chunks; raises ValueError where a chunk is damaged, short or too long."""
    leads: list[NDArray[np.float64]] = []
    at = 0
    for _ in range(n_leads):
        size = int.from_bytes(data[at : at + 4], "little")
        first = int.from_bytes(data[at + 6 : at + 8], "little", signed=True)
        body = data[at + HEADER_BYTES : at + HEADER_BYTES + size]
        if not size or len(body) < size:
            raise ValueError(f"lead {len(leads) + 1} declares {size:,} bytes and has {len(body):,}")
        lead = _undo_differences(_inflate(body, 2 * n_samples + SPARE_BYTES), first)
        if len(lead) < n_samples:
            raise ValueError(f"lead {len(leads) + 1} has {len(lead):,} samples of {n_samples:,}")
        leads.append(lead[:n_samples])
        at += HEADER_BYTES + size
    return np.stack(leads)


def _inflate(body: bytes, at_most: int) -> bytes:
    """Undo LZW: each code is a known string, and each string with the next one's first byte becomes known."""
    bits = np.unpackbits(np.frombuffer(body, np.uint8))
    codes = bits[: len(bits) // CODE_BITS * CODE_BITS].reshape(-1, CODE_BITS) @ (1 << np.arange(CODE_BITS - 1, -1, -1))
    known = [bytes([value]) for value in range(256)]
    inflated, previous = bytearray(), b""
    for code in codes.tolist():
        if code > LAST_CODE:
            break
        if code > len(known) or (code == len(known) and not previous):
            raise ValueError(f"code {code} before it is known")
        text = known[code] if code < len(known) else previous + previous[:1]
        if previous and len(known) <= LAST_CODE:
            known.append(previous + text[:1])
        inflated += text
        if len(inflated) > at_most:
            raise ValueError(f"a lead inflates to more than {at_most:,} bytes")
        previous = text
    return bytes(inflated)


def _undo_differences(inflated: bytes, first: int) -> NDArray[np.float64]:
    """Samples from the high bytes, then the low bytes, of two samples and the second differences after them."""
    both = np.frombuffer(inflated + bytes(len(inflated) % 2), np.uint8).reshape(2, -1).astype(np.uint16)
    words = (both[0] << 8 | both[1]).view(np.int16).astype(np.float64)
    if len(words) < 3:
        raise ValueError(f"a lead has {len(words)} samples")
    bends = np.concatenate([[first], words[2:-1] - BIAS])
    slopes = (words[1] - words[0]) - np.cumsum(bends)
    return np.concatenate([words[:2], words[1] + np.cumsum(slopes)])
