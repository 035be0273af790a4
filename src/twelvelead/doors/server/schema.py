"""What the routes take and answer, as OpenAPI says it."""

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
REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    "default": {"description": "Refused, with the reason (RFC 9457).", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
}
ANSWERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "What each recording shows, or why it was refused; at least one was classified.",
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"anyOf": [_CLASSIFIED, _REFUSED]}}},
        },
    },
    **REFUSED,
}
REPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report of the one recording.",
        "content": {rendering.media_type: {} for rendering in RENDERINGS.values()},
    },
    **REFUSED,
}
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
