"""IMAPClient on a connection of ours: to an address that may be asked, within a time, with a cap on what one answer may hold.

What IMAPClient and imaplib would do otherwise: ask the resolver themselves, wait as long as a server sends a byte now and then,
make room for whatever size a literal claims, and keep every line for a debug log.
"""

import imaplib
import io
import socket
import ssl
from typing import Any, cast

from imapclient import IMAPClient
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.response_parser import parse_response

from flowcrm.lib import clock
from flowcrm.lib.http import HostRules, Timeouts, resolve_allowed
from flowcrm.mail.types import Security, ServerLogin

# A line holds no mail (those are literals), but perhaps the UIDs of a folder: 16 MB are two million of them.
_LINE_BYTES = 16 * 2**20
_CHUNK = 64 * 2**10


class Wire(imaplib.IMAP4):
    """One connection. Raises OSError (TimeoutError, ssl.SSLError among them) and the errors of lib.http for forbidden hosts."""

    def __init__(self, server: ServerLogin, rules: HostRules, timeouts: Timeouts, literal_bytes: int) -> None:
        """literal_bytes: what the literals of one command's answer may hold together."""
        self._server = server
        self._rules = rules
        self._timeouts = timeouts
        self._literal_bytes = literal_bytes
        self.begin()
        super().__init__(server.host, server.port)
        # A user name or password beyond ASCII, where a server has nothing but LOGIN.
        self._encoding = "utf-8"

    def begin(self) -> None:
        """A command begins: it has all its time and room before it."""
        self._ends_at = clock.monotonic() + self._timeouts.total
        self._room = self._literal_bytes

    def _create_socket(self, _timeout: float | None = None) -> socket.socket:
        server, plain = self._server, self._server.security is Security.NONE
        addresses = resolve_allowed(server.host, server.port, self._rules, loopback_only=plain, seconds=self._timeouts.connect)
        sock = _connect(addresses, server.port, self._timeouts.connect)
        try:
            sock.settimeout(self._timeouts.read)
            if server.security is Security.TLS:
                sock = tls_context().wrap_socket(sock, server_hostname=server.host)
        except BaseException:
            sock.close()
            raise
        return sock

    def read(self, size: int) -> bytes:
        """A literal of `size` bytes."""
        self._room -= size
        if self._room < 0:
            raise AnswerTooLarge
        whole = bytearray()
        while len(whole) < size:
            chunk = self._stream.read1(min(size - len(whole), _CHUNK))
            if not chunk:
                break
            whole += chunk
            self._check_time()
        return bytes(whole)

    @property
    def _stream(self) -> io.BufferedReader:
        return cast(io.BufferedReader, self.file)

    def readline(self) -> bytes:
        self._check_time()
        line = self._stream.readline(_LINE_BYTES + 1)
        if len(line) > _LINE_BYTES:
            raise self.abort("a line without an end")
        return line

    def _check_time(self) -> None:
        if clock.monotonic() >= self._ends_at:
            raise TimeoutError


class AnswerTooLarge(Exception):
    """The server announces a literal that is too much for one command; nothing of it was read."""


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient on a `Wire`."""

    def __init__(self, server: ServerLogin, rules: HostRules, timeouts: Timeouts, literal_bytes: int) -> None:
        self._wire = (server, rules, timeouts, literal_bytes)
        super().__init__(server.host, server.port, ssl=server.security is Security.TLS)
        # It switches a log on that costs five times what reading a mail does, and holds what stands in them.
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return Wire(*self._wire)

    def _set_read_timeout(self) -> None:
        """The connection has its own."""

    def begin(self) -> None:
        self._imap.begin()

    def untagged(self, kind: str) -> list[Any]:
        """What the server said without being asked, or beside its answer; taken out."""
        return list(self._imap.untagged_responses.pop(kind, []))

    def uid_search(self, criteria: str) -> list[bytes]:
        """UID SEARCH as it stands: the lines of its answer, without those of the ESEARCH kind (see `untagged`)."""
        typ, lines = self._imap.uid("SEARCH", criteria)
        self._checkok("SEARCH", typ, lines)
        return [line for line in lines if line]

    def list_status(self, items: str) -> list[tuple[str, Any]]:
        """LIST with the figures of every folder (RFC 5819): (name, figures as a flat list)."""
        self._checkok("LIST", *self._imap._simple_command("LIST", '""', '"*"', f"RETURN (STATUS ({items}))"))
        self.untagged("LIST")
        said = iter(parse_response(self.untagged("STATUS")))
        return [(decode_utf7(name if isinstance(name, bytes) else str(name).encode()), next(said, ())) for name in said]


def tls_context() -> ssl.SSLContext:
    """Checks the certificate and the name in it. An authority of one's own is named by SSL_CERT_FILE."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _connect(addresses: tuple[str, ...], port: int, seconds: float) -> socket.socket:
    """To the first that answers; the time is for all of them together."""
    ends_at = clock.monotonic() + seconds
    failed: OSError = TimeoutError()
    for address in addresses:
        left = ends_at - clock.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            failed = error
    raise failed
