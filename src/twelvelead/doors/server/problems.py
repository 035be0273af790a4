"""Refusals as `application/problem+json`; source: RFC 9457."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):  # noqa: N818  # RFC 9457's own word; it never leaves the server
    """A request that is refused: the status, a sentence, and the files that are to blame."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers


def problem_response(problem: Problem) -> Response:
    """The response that tells a client of a problem."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = list(problem.errors)
    return Response(json.dumps(content), problem.status, problem.headers, MEDIA_TYPE)


def busy(reason: str) -> Problem:
    """The refusal of a request that may come again in a moment."""
    return Problem(429, f"{reason}: try again in a second", headers={"Retry-After": "1"})
