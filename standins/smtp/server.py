"""An SMTP server on 127.0.0.1 that keeps what it takes (RFC 5321), with STARTTLS, implicit TLS, AUTH PLAIN and LOGIN, and
faults on demand. A thread for each connection; nothing but the standard library."""

import base64
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import BinaryIO, Self

CUT = ""
# Instead of a line: it says nothing until the other side is gone.
HANG = "\0"


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail as it came, dots undone. user: who had signed in; secure: by TLS."""

    sender: str
    recipient: str
    data: bytes
    secure: bool
    user: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What the server does instead of its usual answer.

    step: GREETING, a command ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"), or END, the line with the dot.
    reply: the line it answers, or CUT: it closes without a word, or HANG. takes: at END, the mail is kept all the same.
    times: so often; after that all is well again.
    """

    step: str
    reply: str = CUT
    takes: bool = False
    times: int = 1


@dataclass(slots=True)
class SmtpStandin:
    """Serves while the with-block lasts. tls: the server's side of TLS, by STARTTLS, or from the first byte (`implicit`).
    users: name to password; with any, mail is taken only from who has signed in. log: every line that was sent, but secrets.
    hangs: somebody waits for it in vain."""

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    users: Mapping[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listening: socket.socket | None = None
    _open: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._begin(self._accept, self._listening)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        assert self._listening is not None
        # shutdown wakes whoever waits in accept; close alone does not.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    @property
    def port(self) -> int:
        assert self._listening is not None
        return int(self._listening.getsockname()[1])

    def url(self, user: str = "", host: str = "localhost") -> str:
        """The product's SMTP_URL for this server; user: one of `users`."""
        scheme = "smtps" if self.implicit else "smtp" if self.tls else "smtp+plain"
        signed = f"{user}:{self.users[user]}@" if user else ""
        return f"{scheme}://{signed}{host}:{self.port}"

    def fault(self, step: str, reply: str = CUT, *, takes: bool = False, times: int = 1) -> None:
        """Arm a fault; those of one step come in the order in which they were armed."""
        with self._lock:
            self._faults.append(Fault(step, reply, takes, times))

    def next_fault(self, step: str) -> Fault | None:
        """The fault that is due at a step, used up."""
        with self._lock:
            for place, one in enumerate(self._faults):
                if one.step == step:
                    left = one.times - 1
                    self._faults[place : place + 1] = [Fault(one.step, one.reply, one.takes, left)] if left else []
                    return one
        return None

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        session = _Session(self, connection)
        with self._lock:
            self._open.add(connection)
        try:
            session.run()
        except (OSError, ValueError):
            # The other side is gone, or speaks no TLS of ours.
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            session.close()


class _Over(Exception):
    """The connection ends here."""


class _Session:
    """One connection."""

    def __init__(self, server: SmtpStandin, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.lines: BinaryIO = connection.makefile("rb")
        self.secure = False
        self.user = self.sender = self.recipient = ""

    def close(self) -> None:
        self.lines.close()
        self.connection.close()

    def run(self) -> None:
        if self.server.implicit:
            self._secure()
        try:
            self._answer("GREETING", "220 standin.test ESMTP")
            while line := self._line():
                word = line.split(" ", 1)[0].upper()
                # What stands behind AUTH is a password.
                self.server.log.append(line if word != "AUTH" else word)
                handle = getattr(self, f"on_{word.lower()}", None)
                if handle is None:
                    self._say("502 5.5.1 unknown")
                else:
                    handle(line)
        except _Over:
            return

    # -- commands ------------------------------------------------------------------------------------------------------------

    def on_ehlo(self, _line: str) -> None:
        offers = ["standin.test", "8BITMIME"]
        if self.server.tls and not self.secure:
            offers.append("STARTTLS")
        if self.server.users:
            offers.append("AUTH PLAIN LOGIN")
        self._answer(
            "EHLO", "\r\n".join(f"250{'-' if place < len(offers) - 1 else ' '}{one}" for place, one in enumerate(offers))
        )

    def on_starttls(self, _line: str) -> None:
        if self._answer("STARTTLS", "220 2.0.0 go ahead"):
            self._secure()

    def on_auth(self, line: str) -> None:
        _, method, *first = line.split(" ")
        if method.upper() == "PLAIN":
            _, user, password = _plain(first[0] if first else self._ask("334 ")).split("\0")
        else:
            user = _plain(first[0] if first else self._ask("334 VXNlcm5hbWU6"))
            password = _plain(self._ask("334 UGFzc3dvcmQ6"))
        right = self.server.users.get(user) == password
        if self._answer("AUTH", "235 2.7.0 welcome" if right else "535 5.7.8 user or password wrong") and right:
            self.user = user

    def on_mail(self, line: str) -> None:
        if self.server.users and not self.user:
            self._say("530 5.7.0 sign in first")
        elif self._answer("MAIL", "250 2.1.0 ok"):
            self.sender = _bare(line)

    def on_rcpt(self, line: str) -> None:
        if self._answer("RCPT", "250 2.1.5 ok"):
            self.recipient = _bare(line)

    def on_data(self, _line: str) -> None:
        if not self._answer("DATA", "354 go ahead"):
            return
        data = bytearray()
        while (line := self.lines.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                raise _Over
            data += line[1:] if line.startswith(b".") else line
        fault = self.server.next_fault("END")
        if fault is None or fault.takes:
            self.server.taken.append(Taken(self.sender, self.recipient, bytes(data), self.secure, self.user))
        self._say("250 2.0.0 taken" if fault is None else fault.reply)

    def on_rset(self, _line: str) -> None:
        self._say("250 2.0.0 ok")

    def on_quit(self, _line: str) -> None:
        self._say("221 2.0.0 bye")
        raise _Over

    # -- the wire ------------------------------------------------------------------------------------------------------------

    def _secure(self) -> None:
        assert self.server.tls is not None
        self.lines.close()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.lines = self.connection.makefile("rb")
        self.secure = True

    def _line(self) -> str:
        return self.lines.readline().decode("latin-1").rstrip("\r\n")

    def _ask(self, prompt: str) -> str:
        self._say(prompt)
        return self._line()

    def _answer(self, step: str, usual: str) -> bool:
        """The usual answer, or a fault's; whether it was the usual one."""
        fault = self.server.next_fault(step)
        self._say(usual if fault is None else fault.reply)
        return fault is None

    def _say(self, line: str) -> None:
        if line == HANG:
            self.server.hangs.set()
            self.lines.read()
        if line in (CUT, HANG):
            raise _Over
        self.connection.sendall(line.encode() + b"\r\n")


def _plain(text: str) -> str:
    return base64.b64decode(text).decode()


def _bare(line: str) -> str:
    """MAIL FROM:<a@b> SIZE=1 -> a@b"""
    return line.partition("<")[2].partition(">")[0]
