"""Hands one mail to the operator's server (RFC 5321), over TLS with a certificate that is checked. Saves nothing, waits for no
second try.

NotSent
├── Later      nothing was taken; the same mail may go later (the server is away or busy, or the operator has to mend something)
├── Never      nothing was taken, and this mail will not be: its recipient or its content was refused
└── Unsure     the connection broke after the mail's last line had left: the server may have taken it
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

from flowcrm.post.server import Security, Server, wire_address

# For each answer of the server. A whole mail takes a dozen of them.
SECONDS = 20.0
_SAID_AT_MOST = 200


class Reason(StrEnum):
    """What went wrong; its words are in trouble.py."""

    NO_HOST = "no_host"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CUT = "cut"
    NO_TLS = "no_tls"
    TLS = "tls"
    CERTIFICATE = "certificate"
    NO_SIGN_IN = "no_sign_in"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    BUSY = "busy"


class NotSent(Exception):
    """Base of the tree. said: what the server said, for the operator; it may have addresses in it, so it is not logged."""

    def __init__(self, reason: Reason, said: str = "") -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.said = said


class Later(NotSent):
    """Worth another try."""


class Never(NotSent):
    """Not worth another try."""


class Unsure(NotSent):
    """Another try might be a second copy."""


def send(server: Server, recipient: str, mail: bytes, going: Callable[[], None] = lambda: None) -> None:
    """Hand over one mail (lines end with CR LF) to one recipient. Raises NotSent.

    going: called once, when the server has agreed to take it and before the first byte of it leaves. What it raises ends the
    errand, with nothing sent.
    """
    try:
        to = wire_address(recipient)
    except ValueError:
        raise Never(Reason.RECIPIENT) from None
    with _session(server) as session:
        _expect(session.mail(server.sender), Reason.SENDER, Later)
        _expect(session.rcpt(to), Reason.RECIPIENT, Never)
        code, said = session.docmd("DATA")
        if code != 354:
            raise _refusal(code, said, Reason.CONTENT, Never)
        going()
        # A server may not take what has no end (section 4.1.1.4), so until the last line nothing is in doubt.
        session.send(_dotted(mail))
        _end(session)


def reach(server: Server) -> None:
    """Connect, and sign in where a user is set; send nothing. Raises NotSent."""
    with _session(server):
        pass


def _end(session: smtplib.SMTP) -> None:
    try:
        session.send(b".\r\n")
        code, said = session.getreply()
    except (smtplib.SMTPException, OSError):
        raise Unsure(Reason.CUT) from None
    if not 200 <= code <= 599:
        raise Unsure(Reason.CUT, _said(said))
    if code >= 300:
        raise _refusal(code, said, Reason.CONTENT, Never)


@contextmanager
def _session(server: Server) -> Iterator[smtplib.SMTP]:
    """A connection that is closed to others and signed in. Below it, every way of failing has our word for it."""
    session: smtplib.SMTP | None = None
    try:
        session = _open(server)
        yield session
        with suppress(smtplib.SMTPException, OSError):
            # It has the mail; how it says goodbye is its own affair.
            session.quit()
    except smtplib.SMTPException as error:
        raise _protocol(error) from None
    except OSError as error:
        raise _network(error) from None
    except UnicodeError:
        # A host whose name cannot be asked for; `read_server` lets none through.
        raise Later(Reason.NO_HOST) from None
    finally:
        if session is not None:
            session.close()


def _open(server: Server) -> smtplib.SMTP:
    # Our own name in the greeting: the default asks the resolver, which may take its time.
    name = server.sender.rpartition("@")[2]
    if server.security is Security.TLS:
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, name, timeout=SECONDS, context=_context())
    else:
        session = smtplib.SMTP(server.host, server.port, name, timeout=SECONDS)
    try:
        _begin(session, server)
    except BaseException:
        session.close()
        raise
    return session


def _begin(session: smtplib.SMTP, server: Server) -> None:
    session.ehlo_or_helo_if_needed()
    if server.security is Security.STARTTLS:
        if not session.has_extn("starttls"):
            raise Later(Reason.NO_TLS)
        code, said = session.starttls(context=_context())
        if code != 220:
            raise Later(Reason.NO_TLS, _said(said))
        session.ehlo_or_helo_if_needed()
    if server.user:
        if not session.has_extn("auth"):
            raise Later(Reason.NO_SIGN_IN)
        session.login(server.user, server.password)


def _context() -> ssl.SSLContext:
    """Checks the certificate and the name in it. An authority of one's own is named by SSL_CERT_FILE."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _expect(answer: tuple[int, bytes], reason: Reason, refused: type[NotSent]) -> None:
    code, said = answer
    if code not in (250, 251):
        raise _refusal(code, said, reason, refused)


def _refusal(code: int, said: bytes, reason: Reason, refused: type[NotSent]) -> NotSent:
    """5yz is an answer for good, 4yz for now (section 4.2.1); anything else comes from something that does not speak SMTP."""
    if 500 <= code <= 599:
        return refused(reason, _said(said, code))
    return Later(Reason.BUSY, _said(said, code))


def _protocol(error: smtplib.SMTPException) -> NotSent:
    if isinstance(error, smtplib.SMTPAuthenticationError) and 500 <= error.smtp_code <= 599:
        return Later(Reason.SIGN_IN, _said(error.smtp_error, error.smtp_code))
    if isinstance(error, smtplib.SMTPResponseException):
        return Later(Reason.BUSY, _said(error.smtp_error, error.smtp_code))
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib says so of a time-out, too.
        return Later(Reason.TIMEOUT if isinstance(error.__context__, TimeoutError) else Reason.CUT)
    # "No suitable authentication method found" is a plain SMTPException; only signing in raises one.
    return Later(Reason.NO_SIGN_IN)


def _network(error: OSError) -> NotSent:
    kinds: tuple[tuple[type[OSError], Reason], ...] = (
        (ssl.SSLCertVerificationError, Reason.CERTIFICATE),
        (ssl.SSLError, Reason.TLS),
        (socket.gaierror, Reason.NO_HOST),
        (ConnectionRefusedError, Reason.REFUSED),
        (TimeoutError, Reason.TIMEOUT),
        (ConnectionError, Reason.CUT),
    )
    reason = next((reason for kind, reason in kinds if isinstance(error, kind)), Reason.UNREACHABLE)
    return Later(reason, error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "")


def _said(said: bytes | str, code: int | None = None) -> str:
    """What a server said, as one line that can be printed."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return f"{'' if code is None else code} {line}".strip()[:_SAID_AT_MOST]


def _dotted(mail: bytes) -> bytes:
    """Lines that begin with a dot get another one, so that none is the end (section 4.5.2)."""
    whole = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", whole)
