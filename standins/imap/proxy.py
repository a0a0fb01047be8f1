"""Between a client and an IMAP server: notes every command, and makes trouble on demand.

It reads what clients say (RFC 9051: a line, perhaps with literals) and lets answers through as they come.
"""

import re
import socket
import socketserver
import threading
from contextlib import suppress
from io import BufferedReader
from types import TracebackType
from typing import Self

from standins.faults import Fault, FaultBook, FaultKind

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")
# Commands that leave the mailbox as it is; FETCH does when it peeks.
_READS = re.compile(
    r"(LIST|STATUS|EXAMINE|UNSELECT|UID SEARCH|NOOP|IDLE|CAPABILITY|ID|LOGOUT|LOGIN|AUTHENTICATE|STARTTLS)\b"
    r"|UID FETCH (?!.*(?:BODY\[|RFC822(?!\.SIZE)))"
)
_QUIET = {"login", "authenticate", "capability", "id", "logout", "noop", "starttls"}
_ABILITIES = re.compile(rb"(\[CAPABILITY |\* CAPABILITY )([^\]\r\n]*)")
_CUT_AFTER = 24


class ImapProxy:
    """Listens on a free port of this machine; `with` runs it.

    plain: it tells clients of no extension, so that they see an IMAP4rev1 server of 2003.
    """

    def __init__(self, target: int, *, plain: bool = False) -> None:
        self.faults = FaultBook()
        self.commands: list[str] = []
        self.plain = plain
        self._target = target
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", target)) as server:
                    _Session(proxy, self.request, server).run()

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, match: str, kind: str, **more: object) -> None:
        """See `standins.faults.Fault`; operations are "imap.list", "imap.fetch:raw" and so on; `reason` is a response code."""
        self.faults.add(Fault.from_json({"match": match, "kind": kind, **more}))

    def requests(self) -> int:
        """Commands that ask for something of the mailbox."""
        return sum(_operation(command)[0].removeprefix("imap.") not in _QUIET for command in self.commands)

    def writes(self) -> list[str]:
        return [command for command in self.commands if not _READS.match(command)]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Session:
    """One connection, in two threads: this one reads the client."""

    def __init__(self, proxy: ImapProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._cut_after: int | None = None
        self._signed_in = False
        self._over = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._pump, daemon=True).start()
        with self._client.makefile("rb") as lines:
            try:
                while line := lines.readline():
                    self._command(line, lines)
            except OSError:
                pass
        self._close()

    def _pump(self) -> None:
        try:
            while data := self._server.recv(65536):
                if not self._signed_in and self._proxy.plain:
                    data = _ABILITIES.sub(rb"\1IMAP4rev1 AUTH=PLAIN", data)
                if self._cut_after is not None:
                    self._client.sendall(data[: self._cut_after])
                    break
                self._client.sendall(data)
        except OSError:
            pass
        self._close()

    def _close(self) -> None:
        self._over.set()
        for line in (self._client, self._server):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _command(self, line: bytes, lines: BufferedReader) -> None:
        tag, _, command = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
        if not command:
            # The answer to a challenge, or DONE.
            self._server.sendall(line)
            return
        name, variant = _operation(command)
        self._proxy.commands.append(command)
        self._signed_in = self._signed_in or name.removeprefix("imap.") not in _QUIET
        fault = self._proxy.faults.strike("", name, variant, "")
        if fault is None or not self._strike(fault, tag):
            self._server.sendall(line)
            while literal := _LITERAL.search(line):
                line = lines.read(int(literal[1])) + lines.readline()
                self._server.sendall(line)

    def _strike(self, fault: Fault, tag: str) -> bool:
        """True where the command is not to be sent on."""
        match fault.kind:
            case FaultKind.STATUS:
                code = f"[{fault.reason}] " if fault.reason else ""
                self._client.sendall(f"{tag} NO {code}{fault.message or 'Not now.'}\r\n".encode())
            case FaultKind.WRONG_JSON:
                self._client.sendall(b"* 1 FETCH (UID (((\r\n<html>not what you think</html>\r\n")
            case FaultKind.SLOW | FaultKind.TIMEOUT:
                self._over.wait(fault.seconds)
                return fault.kind is FaultKind.TIMEOUT
            case FaultKind.CUT:
                self._cut_after = _CUT_AFTER
                return False
            case _:
                self._close()
        return True


def _operation(command: str) -> tuple[str, str]:
    """("imap.fetch", "raw") of a command: what a fault is matched with."""
    words = command.upper().split(" ", 2)
    verb = words[1] if words[0] == "UID" and len(words) > 1 else words[0]
    variant = ""
    if verb == "FETCH":
        variant = "raw" if "BODY.PEEK[]" in command else "header" if "BODY.PEEK[HEADER]" in command else "fields"
    return f"imap.{verb.lower()}", variant
