"""What a server is started with, and what no server may be started with."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from twelvelead.record import TwelveleadError

MEGABYTE: Final = 1_000_000
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
LEAST_TOKEN_CHARACTERS: Final = 16
_TOKEN = re.compile(r"[!-~]+")
_PUBLIC_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


class ServerError(TwelveleadError):
    """The server cannot be started as asked."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a server listens and what it grants; sizes in bytes, times in seconds.

    workers: processes that read uploads. queue: requests that may wait for one. connections: of one address.
    body_s: until the first bytes of a body, which then must come at `slowest_bytes_per_s` on average; so for an answer.
    request_s: from the end of the body to the answer. header_s: until a request's headers are complete.
    held_bytes: bodies in memory, of all requests together. stop_s: for requests under way when it is told to stop.
    public_name: host, or host:port, by which browsers reach it through a proxy on this machine.
    Raises ServerError where other machines can reach it and there is no token, or one that can be guessed or not sent.
    """

    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)
    public_name: str | None = None
    workers: int = 1
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
        if self.public_name is not None and not _PUBLIC_NAME.fullmatch(self.public_name):
            raise ServerError(
                f"--public-name {self.public_name!r}: it must be a host such as ecg.example.org, without https://"
            )
        if self.token is None and not (self.is_local and self.public_name is None):
            reached = f"name {self.public_name}" if self.public_name else f"address {self.host}"
            raise ServerError(
                f"{reached} can be reached from other machines: name a --token of at least "
                f"{LEAST_TOKEN_CHARACTERS} characters, or listen on 127.0.0.1 alone"
            )
        if self.token is not None and not (len(self.token) >= LEAST_TOKEN_CHARACTERS and _TOKEN.fullmatch(self.token)):
            raise ServerError(
                f"token of {len(self.token)} characters: at least {LEAST_TOKEN_CHARACTERS} of ASCII without "
                f"spaces are needed; `python -c 'import secrets; print(secrets.token_urlsafe())'` makes one"
            )

    @property
    def names(self) -> frozenset[str]:
        """Hosts that a request to this machine may name: its own, and that of a proxy on it."""
        public = {self.public_name.partition(":")[0]} if self.public_name else set()
        return LOCAL_NAMES | {self.host} | public

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address; a name other than localhost might be anywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
