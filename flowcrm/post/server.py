"""The operator's mail server, as SMTP_URL and FLOWCRM_MAIL_FROM name it. Reads two texts; asks nobody."""

import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import idna

from flowcrm.lib.hosts import wire_host

# An address that may stand in an SMTP command as it is (RFC 5321 section 4.1.2, without quoted local parts).
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class Security(StrEnum):
    """How the way to the server is closed to others. STARTTLS: in clear until both agree (RFC 3207), and no further without.
    TLS: from the first byte (RFC 8314). NONE: not at all, on this machine only."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_SCHEMES = {"smtp": Security.STARTTLS, "smtps": Security.TLS, "smtp+plain": Security.NONE}
_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


class ServerWrong(ValueError):
    """The settings name no mail server that we would speak to. The sentence says what to write; no password is in it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. user: "" where the server asks nobody. sender: the bare address that all mail comes from."""

    host: str
    port: int
    security: Security
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def read_server(url: str, sender: str) -> Server | None:
    """The server of SMTP_URL and the address of FLOWCRM_MAIL_FROM; None where no URL is set. Raises ServerWrong."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _no_address() from None
    security = _SCHEMES.get(parts.scheme)
    if security is None or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise _no_address()
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if security is Security.NONE and not _is_loopback(host):
        raise ServerWrong(
            "SMTP_URL: without TLS mail goes to a server on this machine only (127.0.0.1, localhost). Write smtp:// or smtps://."
        )
    try:
        host = wire_host(host)
    except ValueError:
        raise _no_address() from None
    if not (user + password).isascii() or not (user + password).isprintable():
        raise ServerWrong("SMTP_URL: user and password can have letters, digits and signs of ASCII only.")
    if bool(user) is not bool(password):
        raise ServerWrong("SMTP_URL: a user needs a password, and a password a user.")
    return Server(host, port or _PORTS[security], security, _sender(sender), user, password)


def wire_address(address: str) -> str:
    """The address as SMTP takes it, its domain in IDNA's ASCII form. Raises ValueError for what cannot be sent to."""
    local, _, domain = address.strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            raise ValueError("no domain") from None
    wired = f"{local}@{domain}"
    if not _ADDRESS.fullmatch(wired):
        raise ValueError("no address that SMTP takes")
    return wired


def _sender(address: str) -> str:
    try:
        wired = wire_address(address)
    except ValueError:
        wired = ""
    domain = wired.rpartition("@")[2]
    if not _HOST.fullmatch(domain) or _is_number(domain):
        raise ServerWrong("FLOWCRM_MAIL_FROM: set the address that emails come from, for instance crm@acme.example.")
    return wired


def _no_address() -> ServerWrong:
    # Without its text: it may have a password in it.
    return ServerWrong(
        "SMTP_URL is not the address of a mail server. It is written like smtp://user:password@mail.acme.example:587, or smtps://"
        " for TLS from the first byte; in user and password, write @ as %40 and / as %2F."
    )


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)
