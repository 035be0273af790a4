"""What the routes take and answer, as OpenAPI says it."""

from collections.abc import Iterable
from typing import Any, Final

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.server.problems import MEDIA_TYPE
from twelvelead.doors.server.renderings import RENDERINGS

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_CLASSIFIED: Final = {
    "type": "object",
    "required": ["path", "record", "probabilities", "positive", "withheld", "quality", "warnings"],
    "properties": {
        "path": {"type": "string"},
        "record": {"type": "string"},
        "probabilities": {
            "type": "object",
            "required": list(DIAGNOSES),
            "additionalProperties": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        },
        "positive": _TEXTS,
        "withheld": {"type": "object", "additionalProperties": {"type": "string"}},
        "quality": {"type": "array", "items": {"type": "object"}},
        "warnings": _TEXTS,
        "burden": {"type": "object", "additionalProperties": {"type": "object"}},
        "episodes": {"type": "array", "items": {"type": "object"}},
    },
}
_REFUSED: Final = {
    "type": "object",
    "required": ["path", "error"],
    "properties": {"path": {"type": "string"}, "error": {"type": "string"}},
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _REFUSED},
    },
}
UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "files: one or several, 50 MB in all; the files of a WFDB record together",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "additionalProperties": False,
                    "properties": {
                        "files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}
_REASONS: Final = {
    400: "No sound request, or a body that is empty, cut short or no multipart.",
    401: "The token is missing or wrong.",
    403: "A page of another site asked.",
    408: "The body came too slowly.",
    413: "The body is too large, or has too many files.",
    415: "The body is no multipart/form-data, or is encoded.",
    421: "The Host header names another machine.",
    422: "No recording could be read, or the request asks for what there is not.",
    429: "Busy, or too many connections: Retry-After says when to come again.",
    500: "A defect of the server.",
    503: "The server stops.",
}
_OF_UPLOADS: Final = {408, 413, 415, 422}
_OF_THE_API: Final = {401, 403}
Responses = dict[int | str, dict[str, Any]]


def _refused(statuses: Iterable[int]) -> Responses:
    """Each status with its reason (RFC 9457)."""
    return {
        status: {"description": _REASONS[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status in sorted(statuses)
    }


def _uploaded(content: dict[str, Any], description: str, *, needs_token: bool) -> Responses:
    """What a route that takes an upload answers."""
    statuses = _REASONS.keys() if needs_token else _REASONS.keys() - {401}
    return {200: {"description": description, "content": content}, **_refused(statuses)}


def answered(*, needs_token: bool) -> Responses:
    """Of `/api/classify`."""
    content = {"application/json": {"schema": {"type": "array", "items": {"anyOf": [_CLASSIFIED, _REFUSED]}}}}
    description = "What each recording shows, or why it was refused; at least one was classified."
    return _uploaded(content, description, needs_token=needs_token)


def reported(*, needs_token: bool) -> Responses:
    """Of `/api/report`."""
    content: dict[str, Any] = {rendering.media_type: {} for rendering in RENDERINGS.values()}
    return _uploaded(content, "The report of the one recording.", needs_token=needs_token)


def told(*, needs_token: bool) -> Responses:
    """Of `/api/bundle`, which takes no upload."""
    return _refused(_REASONS.keys() - _OF_UPLOADS - (set() if needs_token else {401}))


CHECKED: Final[Responses] = _refused(_REASONS.keys() - _OF_UPLOADS - _OF_THE_API)
FORMAT_PARAMETER: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "format",
            "in": "query",
            "required": False,
            "description": "svg where none is named; one of",
            "schema": {"type": "string", "enum": list(RENDERINGS), "default": "svg"},
        }
    ]
}
