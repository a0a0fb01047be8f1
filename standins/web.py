"""A small HTTP/1.1 server on the standard library, for stand-ins: an answer may be late, cut in the middle, or never come."""

import json
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. path: decoded. headers: names in lower case. query: every value of every parameter, in order."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    raw_path: str = ""

    def first(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def form(self) -> dict[str, list[str]]:
        """The body of an HTML form."""
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON, None where it is empty. Raises ValueError."""
        return json.loads(self.body) if self.body.strip() else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. late: seconds before the first byte. cut: send only half of the body, then close.
    drop: send nothing (after `late`), then close. done: called when it has left, however that went."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    late: float = 0.0
    cut: bool = False
    drop: bool = False
    done: Callable[[], None] = field(default=lambda: None, repr=False)

    def with_header(self, name: str, value: str) -> "Answer":
        return replace(self, headers=(*self.headers, (name, value)))


App = Callable[[Request], Answer]


def json_answer(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode())


def page(markup: str, status: int = 200) -> Answer:
    return Answer(status, markup.encode(), "text/html; charset=utf-8")


def redirect(location: str) -> Answer:
    return Answer(302, b"", "text/html; charset=utf-8", (("Location", location),))


def make_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """A request from its first line, its headers (names in lower case) and its body."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    return Request(method, unquote(parts.path), query, headers, body, raw_path=parts.path)


class Server:
    """Serves `app` on 127.0.0.1, each connection in a thread of its own, until `stop`."""

    def __init__(self, app: App, port: int = 0) -> None:
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.app = app
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="stand-in", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Until `stop`, or Ctrl-C."""
        self._thread.join()

    def stop(self) -> None:
        self._http.stopping.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.close_connections()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True
    app: App

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients of a stand-in hang up in the middle on purpose; anything else is ours and must be seen.
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """End the keep-alive connections, so that their threads end too."""
        with self._open_lock:
            still_open = list(self._open)
        for connection in still_open:
            # Its thread may have closed it meanwhile.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FlowCRM-stand-in"
    sys_version = ""
    disable_nagle_algorithm = True
    # Head and body leave in one packet.
    wbufsize = 64 * 1024
    server: _Http

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = make_request(self.command, self.path, headers, self._read_body(headers))
        answer = self.server.app(request)
        try:
            self._send(answer)
        finally:
            answer.done()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(headers.get("content-length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return bytes(body)

    def _send(self, answer: Answer) -> None:
        stopped = bool(answer.late) and self.server.stopping.wait(answer.late)
        if answer.drop or stopped:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.status != 204:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.wfile.flush()
        if answer.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the stand-in keeps its own log."""
