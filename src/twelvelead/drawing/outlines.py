"""Outlines of letters as a PDF's own path operators: what is drawn by them is no text, which a reader would find twice.

The tables of a TrueType font: https://learn.microsoft.com/typography/opentype/spec/glyf.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LONG_OFFSETS_AT: Final = 50  # in the table `head`
_AFTER_BOX: Final = 10
# flags of a point
ON_CURVE: Final = 1
REPEATED: Final = 8
# flags of a part of a letter that is made of others
WORDS: Final = 1
SCALES: Final = ((8, 1), (0x40, 2), (0x80, 4))  # flag, and how many numbers of two bytes it adds
MORE: Final = 0x20


class _Contour(NamedTuple):
    """Points (n, 2) in units of the font, and which of them lie on the curve."""

    points: NDArray[np.float64]
    on: NDArray[np.bool_]


@lru_cache(maxsize=1024)
def outline(face: Any, character: str) -> str:
    """Of a character of reportlab's `TTFontFace`, closed contours in units of the font; nothing of a blank."""
    return " ".join(_path(contour) for contour in _contours(face, face.charToGlyph.get(ord(character), 0)))


def _glyph(face: Any, number: int) -> bytes:
    (is_long,) = struct.unpack_from(">H", face.get_table("head"), _LONG_OFFSETS_AT)
    form, size, unit = (">2L", 4, 1) if is_long else (">2H", 2, 2)
    begin, end = struct.unpack_from(form, face.get_table("loca"), size * number)
    data: bytes = face.get_table("glyf")[unit * begin : unit * end]
    return data


def _contours(face: Any, number: int) -> list[_Contour]:
    data = _glyph(face, number)
    if not data:
        return []
    (n_contours,) = struct.unpack_from(">h", data)
    return list(_simple(data, n_contours) if n_contours >= 0 else _composed(face, data))


def _simple(data: bytes, n_contours: int) -> Iterator[_Contour]:
    ends = struct.unpack_from(f">{n_contours}H", data, _AFTER_BOX)
    at = _AFTER_BOX + 2 * n_contours
    at += 2 + struct.unpack_from(">H", data, at)[0]
    flags: list[int] = []
    while len(flags) <= ends[-1]:
        flag, times = data[at], data[at + 1] if data[at] & REPEATED else 0
        flags += [flag] * (1 + times)
        at += 2 if flag & REPEATED else 1
    x, at = _coordinates(data, at, flags, 2, 16)
    y, at = _coordinates(data, at, flags, 4, 32)
    points, on = np.array([x, y], np.float64).T, np.array([flag & ON_CURVE for flag in flags], bool)
    for first, last in zip((0, *(end + 1 for end in ends)), ends, strict=False):
        yield _Contour(points[first : last + 1], on[first : last + 1])


def _coordinates(data: bytes, at: int, flags: list[int], short: int, same: int) -> tuple[list[int], int]:
    """One of the two of each point, and where the data goes on; a short one's sign is its other flag."""
    values, value = [], 0
    for flag in flags:
        if flag & short:
            value += data[at] if flag & same else -data[at]
            at += 1
        elif not flag & same:
            value += struct.unpack_from(">h", data, at)[0]
            at += 2
        values.append(value)
    return values, at


def _composed(face: Any, data: bytes) -> Iterator[_Contour]:
    """Of a letter with an accent: each part moved to its place."""
    at, flags = _AFTER_BOX, MORE
    while flags & MORE:
        flags, number = struct.unpack_from(">2H", data, at)
        form, size = (">2h", 4) if flags & WORDS else (">2b", 2)
        moved = np.array(struct.unpack_from(form, data, at + 4), np.float64)
        at += 4 + size + 2 * sum(n for flag, n in SCALES if flags & flag)
        for points, on in _contours(face, number):
            yield _Contour(points + moved, on)


def _path(contour: _Contour) -> str:
    """Quadratic curves as the cubic ones that PDF has; between two points off the curve lies one on it."""
    points, on = _with_those_between(contour)
    first = int(np.argmax(on))
    points, on = np.roll(points, -first, axis=0), np.roll(on, -first)
    points, on = np.vstack([points, points[:1]]), np.append(on, True)
    drawn = [f"{_pair(points[0])} m"]
    for k in range(1, len(points)):
        if on[k] and on[k - 1]:
            drawn.append(f"{_pair(points[k])} l")
        elif on[k]:
            bent = 2 * points[k - 1]
            drawn.append(f"{_pair((points[k - 2] + bent) / 3)} {_pair((points[k] + bent) / 3)} {_pair(points[k])} c")
    return " ".join([*drawn, "h"])


def _with_those_between(contour: _Contour) -> _Contour:
    points, on = [], []
    for k, (point, is_on) in enumerate(zip(contour.points, contour.on, strict=True)):
        if not is_on and not contour.on[k - 1]:
            points.append((point + contour.points[k - 1]) / 2)
            on.append(True)
        points.append(point)
        on.append(bool(is_on))
    return _Contour(np.array(points), np.array(on))


def _pair(point: NDArray[np.float64]) -> str:
    return f"{point[0]:.0f} {point[1]:.0f}"
