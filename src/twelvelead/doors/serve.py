"""`twelvelead serve`: the same flow over HTTP, for one machine or, with a token, for a ward."""

import contextlib
import logging
import signal
import socket
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from twelvelead.doors.cores import n_cores
from twelvelead.doors.options import Bundle, Specificity

if TYPE_CHECKING:
    import uvicorn

MOST_FILES: Final = 65_536


def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on; any but this machine's own needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8412,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="TWELVELEAD_TOKEN",
            help="Clients must send it as `Authorization: Bearer TOKEN`. Better in the environment than in a command.",
            show_default=False,
        ),
    ] = None,
    public_name: Annotated[
        str | None,
        typer.Option(
            metavar="HOST",
            help="Host name under which a proxy on this machine serves it, such as ecg.example.org; needs a token.",
            show_default=False,
        ),
    ] = None,
    bundle: Bundle = None,
    specificity: Specificity = None,
    workers: Annotated[
        int, typer.Option(help="Processes that read uploads; 0: one per core, 8 at most.", min=0, max=64)
    ] = 0,
    queue: Annotated[int, typer.Option(help="Uploads that may wait; others are told to retry.", min=1)] = 64,
    connections: Annotated[int, typer.Option(help="Most connections from one address.", min=1)] = 128,
    request_s: Annotated[
        float, typer.Option("--request-seconds", help="Time limit from the end of an upload to the answer.", min=0.1)
    ] = 30.0,
    body_s: Annotated[
        float,
        typer.Option(
            "--body-seconds",
            help="Grace period before an upload, or the reading of an answer, must average 0.5 MB/s.",
            min=0.1,
        ),
    ] = 10.0,
) -> None:
    """Serve a page and an HTTP interface: upload recordings, get what they show.

    Nothing that is uploaded is stored or logged. What it takes and answers is at /docs.
    It listens on 127.0.0.1 unless told otherwise; stop it with Ctrl-C.

    Example: twelvelead serve --port 8412
    """
    import uvicorn

    from twelvelead.classifier import load_bundle, shipped_bundle
    from twelvelead.doors.server.app import server_app
    from twelvelead.doors.server.connections import bounded_protocol
    from twelvelead.doors.server.settings import Settings

    settings = Settings(
        host=host,
        token=token or None,
        public_name=public_name.lower() if public_name else None,
        workers=workers or min(8, n_cores()),
        queue=queue,
        connections=connections,
        request_s=request_s,
        body_s=body_s,
        header_s=body_s,
        all_connections=_allow_many_files() // 2,
    )
    classifier = load_bundle(bundle or shipped_bundle(), specificity=specificity)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    app = server_app(settings, classifier, lambda: print(f"twelvelead listens on {address}", flush=True))
    config = uvicorn.Config(
        app,
        http=bounded_protocol(settings),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        backlog=16_384,
        timeout_graceful_shutdown=settings.stop_s,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn stops cleanly, then raises them again
    _run(impatient(uvicorn.Server)(config), listener)


def impatient(server: "type[uvicorn.Server]") -> "type[uvicorn.Server]":
    """A server that at a second Ctrl-C ends what it still answers; from Python 3.12.1 on asyncio waits for it else."""
    import asyncio  # 30 ms, which only a server needs

    class Impatient(server):  # type: ignore[misc, valid-type]  # imported where it is used
        def handle_exit(self, number: int, frame: FrameType | None) -> None:
            super().handle_exit(number, frame)
            if self.force_exit:
                with contextlib.suppress(RuntimeError):  # it may have ended
                    asyncio.get_running_loop().call_soon_threadsafe(self.end_tasks)

        def end_tasks(self) -> None:
            for task in self.server_state.tasks:
                task.cancel()

    return Impatient


def _run(server: "uvicorn.Server", listener: socket.socket) -> None:
    """Serve until it is stopped; where that also ended the workers that it waits for at first, nothing more is said."""
    log = logging.getLogger("uvicorn.error")
    log.addFilter(_says_something)
    log.addFilter(lambda _: server.started or not server.should_exit)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if not server.should_exit:
            raise


def _says_something(record: logging.LogRecord) -> bool:
    """Not what uvicorn says of a stop that only unread answers held up: "Cancel 0 running task(s), timeout ..."."""
    return not record.getMessage().startswith("Cancel 0 ")


def _listen(host: str, port: int) -> socket.socket:
    from twelvelead.doors.server.settings import ServerError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=16_384)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it; else 40 ms a request
        return listener
    except OSError as error:
        raise ServerError(
            f"cannot listen on {host}, port {port} ({error.strerror}): name another --port or --host"
        ) from error


def _allow_many_files() -> int:
    """Raise the soft limit of open files, of which each connection is one, towards the hard one; give what it is."""
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):  # macOS grants less than it says
        return soft
    return most
