"""XML of any maker, looked at before any parser may build a tree of it: no entities, bounded depth and size."""

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from twelvelead.formats.files import Given
from twelvelead.record import RecordError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES: Final = 1 << 23  # some five minutes of twelve leads at 500 Hz, written as numbers
MAX_ELEMENTS: Final = 100_000
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 100

UNREADABLE: Final = (expat.ExpatError, LookupError, ValueError)  # the last two where an encoding is none, or no text's

_PROLOG = r"(?:\s|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*>)*+"  # possessive: damaged text costs no time
_BEFORE_ROOT = re.compile(rf"\ufeff?{_PROLOG}<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL)
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


def root_name(start: bytes) -> str | None:
    """The name of a document's first element without its prefix, or None where the bytes begin no XML."""
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return None
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    found = _BEFORE_ROOT.match(start.decode(encoding, errors="replace"))
    return found[1] if found else None


def checked_xml(given: Given) -> bytes:
    """The bytes of a document that any parser may be given, in the encoding that it declares or else as UTF-8.

    Raises RecordError on what is no well-formed XML, declares entities, or nests or repeats without end.
    """
    data = given.content(at_most=MAX_BYTES)
    try:
        _walk(data)
    except UNREADABLE as error:
        data = _as_utf8(data, error)
    return data


def tree(data: bytes) -> "Element":
    """The element tree of checked XML, its tags and attributes without namespaces."""
    from defusedxml.ElementTree import fromstring  # 30 ms, so only where XML is read

    root: Element = fromstring(data)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _as_utf8(data: bytes, error: Exception) -> bytes:
    """Text in Latin-1 that declares nothing or UTF-8, which carts do write; raises RecordError on all else."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        plain = _DECLARATION.sub(b"", data).decode("latin-1").encode()
        try:
            _walk(plain)
        except UNREADABLE as other:
            raise RecordError(f"XML is damaged ({other}): export the recording again") from other
        return plain
    raise RecordError(f"XML is damaged ({error}): export the recording again") from error


def _walk(data: bytes) -> None:
    """One pass without a tree; raises RecordError where the document is built to be expensive."""
    parser = expat.ParserCreate(namespace_separator=" ")  # as the trees that are built later
    depth = elements = 0

    def start(_name: str, attributes: list[str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS or len(attributes) > 2 * MAX_ATTRIBUTES:
            raise RecordError(
                f"XML with more than {MAX_DEPTH} levels, {MAX_ELEMENTS:,} elements or {MAX_ATTRIBUTES} attributes in "
                f"one: no recording needs that; export it again"
            )

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(*_declared: object) -> int:
        raise RecordError("XML that declares entities: no recording needs that; export it again")

    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler, parser.ExternalEntityRefHandler = entity, entity
    parser.Parse(data, True)
