"""What every request passes: whose it is, what a browser may do with the answer, and an end to unread bodies."""

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from twelvelead.doors.server.defects import place_of
from twelvelead.doors.server.problems import Problem, problem_response
from twelvelead.doors.server.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

UNREAD_BYTES: Final = 1 << 26
UNREAD_S: Final = 10.0
STALLED_S: Final = 1.0
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_HOST: Final = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::\d{1,5})?")
_log = logging.getLogger("uvicorn.error")


def gated(app: App, settings: Settings) -> App:
    """The application behind its gate."""

    async def gate(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        take, give = _watched(receive, send)
        try:
            _refuse_two_lengths(Headers(scope=scope))
            refuse_foreign(scope["method"], scope["path"], Headers(scope=scope), settings)
            asked = scope | {"method": "GET"} if scope["method"] == "HEAD" else scope  # uvicorn leaves the body out
            await app(asked, take, give)
        except Problem as problem:
            await problem_response(problem)(scope, take, give)
        except asyncio.CancelledError:  # the server stops, and its patience with what is under way is at its end
            stopped = Problem(503, "the server stops: send it again", headers={"Retry-After": "10"})
            await problem_response(stopped)(scope, take, give)
        except Exception as error:  # told by place, never by message: that may hold what was uploaded
            _log.error("defect: %s at %s", type(error).__name__, place_of(error))

    return gate


def refuse_foreign(method: str, path: str, headers: Headers, settings: Settings) -> None:
    """Raise Problem on another site's request (403), a foreign Host (421) or a wrong token (401).

    A page elsewhere can send forms here (Origin, Sec-Fetch-Site), or have its own name lead here (Host). A proxy on
    this machine may pass on the Host that the browser names, or put this server's own in its place. A health check by
    HTTP/1.0 names none, as no browser does.
    """
    host = headers.get("host", "")
    is_check = path == "/health" and method in ("GET", "HEAD") and "host" not in headers
    if settings.is_local and not is_check and _hostname(host) not in settings.names:
        raise Problem(
            421, "the Host header names another machine: use http://127.0.0.1 or http://localhost, or --public-name"
        )
    if not path.startswith("/api/") and method in ("GET", "HEAD"):
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none") or (
        origin is not None and _netloc(origin) not in {host.lower(), settings.public_name} - {None}
    ):
        raise Problem(403, "the request comes from a page of another site: use the page of this server")
    if settings.token is not None and path.startswith("/api/"):
        scheme, _, given = headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode("latin-1"), settings.token.encode())
        if scheme.lower() != "bearer" or not is_right:
            needed = {"WWW-Authenticate": "Bearer"}
            raise Problem(401, "missing or wrong token: send 'Authorization: Bearer TOKEN'", headers=needed)


def _refuse_two_lengths(headers: Headers) -> None:
    """Raise Problem where a proxy may see another end of the body than this server; the connection is closed then."""
    if "content-length" in headers and "transfer-encoding" in headers:
        raise Problem(400, "a length and a transfer encoding: send one of them", headers={"Connection": "close"})


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port; none in what is more, such as a list or a user's name."""
    found = _HOST.fullmatch(host.lower())
    return found[1].strip("[]") if found else None


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _watched(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Receive and send that add the headers, and after an early answer read on, or a reset would eat the answer."""
    unread = True

    async def take() -> Message:
        nonlocal unread
        message = await receive()
        unread = unread and message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def give(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if unread and not await _is_read(take):
                headers["Connection"] = "close"
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and unread:
            await send({**message, "more_body": True})
            await _drain(take)
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    async def _is_read(take: Receive) -> bool:
        """Whether the rest of the body is there already, as it is for most requests, GET among them."""
        try:
            async with asyncio.timeout(0):
                await take()
        except TimeoutError:
            pass
        return not unread

    return take, give


async def _drain(take: Receive) -> None:
    n_bytes = 0
    try:
        async with asyncio.timeout(UNREAD_S):
            while n_bytes < UNREAD_BYTES:
                message = await asyncio.wait_for(take(), STALLED_S)
                n_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
