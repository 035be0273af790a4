"""What a server is started with, and what no server may be started with."""

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Final

from twelvelead.record import TwelveleadError

MEGABYTE: Final = 1_000_000
LEAST_TOKEN_CHARACTERS: Final = 16


class ServerError(TwelveleadError):
    """The server cannot be started as asked."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a server listens and what it grants; sizes in bytes, times in seconds.

    workers: processes that read uploads. queue: requests that may wait for one. connections: of one address.
    body_s: until the first bytes of a body, which then must come at `slowest_bytes_per_s` on average.
    request_s: from the end of the body to the answer. header_s: until a request's headers are complete.
    held_bytes: bodies in memory, of all requests together. stop_s: for requests under way when it is told to stop.
    Raises ServerError on an address beyond this machine without a token, or a token that can be guessed.
    """

    host: str = "127.0.0.1"
    port: int = 8412
    token: str | None = field(default=None, repr=False)
    workers: int = max(1, min(8, os.cpu_count() or 1))
    queue: int = 64
    connections: int = 128
    body_s: float = 10.0
    header_s: float = 10.0
    request_s: float = 30.0
    stop_s: int = 30
    max_body_bytes: int = 50 * MEGABYTE
    held_bytes: int = 400 * MEGABYTE
    slowest_bytes_per_s: float = 0.5 * MEGABYTE
    all_connections: int = 2048

    def __post_init__(self) -> None:
        if self.token is None and not self.is_local:
            raise ServerError(
                f"address {self.host} can be reached from other machines: name a --token of at least "
                f"{LEAST_TOKEN_CHARACTERS} characters, or listen on 127.0.0.1"
            )
        if self.token is not None and not (len(self.token) >= LEAST_TOKEN_CHARACTERS and self.token.isascii()):
            raise ServerError(
                f"token of {len(self.token)} characters: at least {LEAST_TOKEN_CHARACTERS} of ASCII are needed; "
                f"`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address; a name other than localhost might be anywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
