"""A server whose every byte a test decides: for answers that no real server would give on demand."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


# The pieces of an answer, sent one by one; after an empty piece the connection is closed.
Script = Callable[[Seen], Iterable[bytes]]

CLOSE = b""


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> list[bytes]:
    """A whole answer; `retry_after="5"` becomes Retry-After: 5."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join([*lines, "", ""]).encode() + content]


def reply_json(value: object, status: int = 200, **headers: str) -> list[bytes]:
    return reply(json.dumps(value), status, **headers)


@dataclass
class ScriptedServer:
    """Serves `script` on 127.0.0.1 (by TLS with `tls`) while the with-block lasts. `stopping` ends waits in scripts.

    ended: released once for each connection that the server has closed.
    """

    script: Script
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        # Closing a socket does not wake the thread that waits on it; shutting it down does.
        for opened in [self._listener, *self._open]:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection])
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as incoming:
                while (request := _read(incoming)) and self._answer(connection, request):
                    pass
        except OSError:
            connection.close()
        self.ended.release()

    def _answer(self, connection: socket.socket, request: Seen) -> bool:
        self.seen.append(request)
        for piece in self.script(request):
            if piece == CLOSE:
                return False
            connection.sendall(piece)
        return True


def _read(incoming: BinaryIO) -> Seen | None:
    first = incoming.readline().decode().split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while line := incoming.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Seen(first[0], first[1], headers, incoming.read(int(headers.get("content-length", "0"))))
