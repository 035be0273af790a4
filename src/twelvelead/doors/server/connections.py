"""Connections within bounds: so many of one address and in all, headers that must come in time, answers that are read.

By itself uvicorn keeps a connection that never sends anything for ever, and an answer that nobody reads, and answers
too many connections with 503.
"""

import asyncio
import json
from collections import Counter
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from twelvelead.doors.server.problems import MEDIA_TYPE
from twelvelead.doors.server.settings import Settings

LINGER_S: Final = 1.0


def bounded_protocol(settings: Settings) -> type[asyncio.Protocol]:
    """The protocol of a server's connections; those beyond the bounds are told 429 and closed."""
    of_address: Counter[str] = Counter()
    refusal = _refusal(settings)

    class BoundedProtocol(H11Protocol):
        refused = False
        address = ""
        deadline: asyncio.TimerHandle | None = None
        unread: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.address = str((transport.get_extra_info("peername") or ("",))[0])
            of_address[self.address] += 1
            self.refused = of_address[self.address] > settings.connections
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=0)  # whatever the client has not taken is watched, however little
            if of_address.total() > settings.all_connections:
                transport.abort()
            elif self.refused:
                transport.write(refusal)
                self.deadline = self.loop.call_later(LINGER_S, transport.abort)
            else:
                self.deadline = self.loop.call_later(settings.header_s, transport.close)

        def data_received(self, data: bytes) -> None:
            if self.refused:
                self.transport.close()  # what was asked has been read, so the answer is not lost in a reset
                return
            if self.deadline is None and (self.cycle is None or self.cycle.response_complete):
                self.deadline = self.loop.call_later(settings.header_s, self.transport.close)
            super().data_received(data)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before:
                self.stop_clock()

        def pause_writing(self) -> None:
            super().pause_writing()
            self.watch_reader(self.loop.time(), self.transport.get_write_buffer_size())

        def watch_reader(self, began: float, n_unsent: int) -> None:
            """Cut off a client that does not take an answer as fast as it must send a body."""
            sent = n_unsent - self.transport.get_write_buffer_size()
            ends = began + settings.body_s + sent / settings.slowest_bytes_per_s
            if self.loop.time() < ends:
                self.unread = self.loop.call_at(ends, self.watch_reader, began, n_unsent)
            else:
                self.transport.abort()

        def resume_writing(self) -> None:
            super().resume_writing()
            self.stop_watching()

        def stop_watching(self) -> None:
            if self.unread is not None:
                self.unread.cancel()
                self.unread = None

        def send_400_response(self, msg: str) -> None:
            self.transport.write(_raw(400, "Bad Request", "the request is no sound HTTP/1.1: correct the client"))
            self.transport.close()
            del msg

        def stop_clock(self) -> None:
            if self.deadline is not None:
                self.deadline.cancel()
                self.deadline = None

        def connection_lost(self, exc: Exception | None) -> None:
            of_address[self.address] -= 1
            if not of_address[self.address]:
                del of_address[self.address]
            self.stop_clock()
            self.stop_watching()
            super().connection_lost(exc)

    return BoundedProtocol


def _refusal(settings: Settings) -> bytes:
    sentence = f"more than {settings.connections} connections from one address: close some and try again in a second"
    return _raw(429, "Too Many Requests", sentence, "Retry-After: 1\r\n")


def _raw(status: int, title: str, sentence: str, headers: str = "") -> bytes:
    """A whole response for a client that never reaches the application."""
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
    content = json.dumps(problem)
    head = f"HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\n{headers}"
    return f"{head}connection: close\r\n\r\n{content}".encode()
