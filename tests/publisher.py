"""A server on the loopback that publishes files as PhysioNet and Zenodo do, with every fault that servers have."""

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


def status(code: int, **headers: str) -> Fault:
    """Answers with a status and no file."""

    def answer(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def body(change: Callable[[bytes], bytes], declared: int | None = None, upto: int | None = None) -> Fault:
    """Answers 200 with other bytes, another declared length, or a connection dropped after `upto` bytes."""

    def answer(request: BaseHTTPRequestHandler, content: bytes) -> None:
        content = change(content)
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) if declared is None else declared))
        request.end_headers()
        request.wfile.write(content[:upto])
        request.close_connection = True

    return answer


def dropped(after: int) -> Fault:
    return body(lambda content: content, upto=after)


class Publisher:
    """What is published, the faults still to come for each path, and what was asked: (path, Range), and all headers."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.asked: list[tuple[str, str | None]] = []
        self.headers: list[Mapping[str, str]] = []
        self.knows_ranges = True
        self.url = ""

    def publish(self, project: str, files: dict[str, bytes]) -> None:
        """As PhysioNet: a folder with SHA256SUMS.txt."""
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
        self.files |= {f"/{project}/{name}": content for name, content in files.items()}
        self.files[f"/{project}/SHA256SUMS.txt"] = sums.encode()

    def publish_record(self, number: str, files: dict[str, bytes]) -> None:
        """As Zenodo: a record in JSON, contents below it."""
        base = f"/api/records/{number}"
        entries = [
            {"key": name, "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}
            for name, content in files.items()
        ]
        self.files[base] = json.dumps({"files": entries}).encode()
        self.files |= {f"{base}/files/{name}/content": content for name, content in files.items()}

    def n_asked(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each small file takes the 40 ms of a delayed acknowledgement

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path, wanted = unquote(urlsplit(self.path).path), self.headers.get("Range")
            publisher.asked.append((path, wanted))
            publisher.headers.append(self.headers)
            if path not in publisher.files:
                return status(404)(self, b"")
            content = publisher.files[path]
            if publisher.faults[path]:
                return publisher.faults[path].pop(0)(self, content)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and publisher.knows_ranges else 0
            if start and start >= len(content):
                return status(416, Content_Range=f"bytes */{len(content)}")(self, b"")
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:])
            return None

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that hangs up is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    publisher.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
