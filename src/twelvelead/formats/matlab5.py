"""Just enough of MATLAB's level 5 MAT-files to read one struct of numbers and text, within bounds.

Format: MathWorks, "MAT-File Format", level 5. Our own few lines because the usual reader is a compiled one
that damaged files can crash, and classification is to start without it.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import RecordError

HEADER_BYTES: Final = 128
MAX_BYTES: Final = 1 << 25  # some 10 minutes of 12 leads at 500 Hz in double precision
MAX_ELEMENTS: Final = 64
NUMBERS: Final = {
    1: "i1",
    2: "u1",
    3: "<i2",
    4: "<u2",
    5: "<i4",
    6: "<u4",
    7: "<f4",
    9: "<f8",
    12: "<i8",
    13: "<u8",
}
TEXTS: Final = {4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}
MATRIX: Final = 14
COMPRESSED: Final = 15
STRUCT_CLASS: Final = 2

Field = NDArray[np.float32] | str


def read_struct(data: bytes, name: str) -> dict[str, Field]:
    """The fields of the struct variable `name`: text, or numbers as float32 of the shape that MATLAB gave them.

    Raises RecordError when the file is damaged or holds no such struct.
    """
    try:
        budget = MAX_BYTES
        for kind, body in _elements(data[HEADER_BYTES:]):
            inflated = _inflate(body, budget) if kind == COMPRESSED else b""
            budget -= len(inflated)
            for inner_kind, inner in _elements(inflated) if kind == COMPRESSED else [(kind, body)]:
                if inner_kind == MATRIX and (fields := _struct_fields(inner, name)) is not None:
                    return fields
    except (struct.error, zlib.error, UnicodeDecodeError, IndexError, ValueError) as error:
        raise RecordError(f"MATLAB file is damaged ({error}): fetch it again") from error
    raise RecordError(f"MATLAB file without a struct {name!r}: it is no recording of CPSC2018")


def _inflate(body: bytes, at_most: int) -> bytes:
    stream = zlib.decompressobj()
    inflated = stream.decompress(body, at_most + 1)
    if len(inflated) > at_most:
        raise RecordError(f"MATLAB file inflates to more than {MAX_BYTES:,} bytes: that is no recording of CPSC2018")
    return inflated


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each element in turn; a small element keeps its body inside its own tag."""
    at = n_elements = 0
    while at + 8 <= len(data):
        n_elements += 1
        if n_elements > MAX_ELEMENTS:
            raise ValueError(f"more than {MAX_ELEMENTS} elements")
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:
            yield kind & 0xFFFF, data[at + 4 : at + 4 + min(kind >> 16, 4)]
            at += 8
        else:
            if at + 8 + size > len(data):
                raise ValueError("an element is longer than the file")
            yield kind, data[at + 8 : at + 8 + size]
            at += 8 + size + (0 if kind == COMPRESSED else -size % 8)


def _struct_fields(matrix: bytes, name: str) -> dict[str, Field] | None:
    """The fields of a 1 x 1 struct of that name, or None where the matrix is something else."""
    parts = list(_elements(matrix))
    if parts[0][1][0] != STRUCT_CLASS or parts[2][1].decode("ascii") != name:
        return None
    (length,) = struct.unpack("<i", parts[3][1])
    if length <= 0:
        raise ValueError(f"field names of {length} characters")
    names = parts[4][1]
    if len(names) > length * MAX_ELEMENTS:
        raise ValueError(f"more than {MAX_ELEMENTS} fields")
    keys = [names[at : at + length].split(b"\0")[0].decode("ascii") for at in range(0, len(names), length)]
    if len(keys) != len(parts) - 5:
        raise RecordError(f"struct {name!r} is an array of {len(parts) - 5} values for {len(keys)} fields")
    return {key: _array(body) for key, (_, body) in zip(keys, parts[5:], strict=True)}


def _array(matrix: bytes) -> Field:
    """A numeric or character array; MATLAB stores its columns one after another."""
    parts = list(_elements(matrix))
    shape = np.frombuffer(parts[1][1], "<i4")
    kind, body = parts[3]
    is_text = parts[0][1][0] == 4
    if is_text and kind in TEXTS:
        return body.decode(TEXTS[kind])
    if kind not in NUMBERS:
        raise ValueError(f"numbers of type {kind}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which no record takes
        return np.frombuffer(body, NUMBERS[kind]).astype(np.float32).reshape(tuple(shape), order="F")
