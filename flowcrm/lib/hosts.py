"""Host names and addresses: looked up within a time, and told where a packet to them would really go."""

import ipaddress
import re
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import Future

import idna

from flowcrm.lib import clock

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# The system's resolver takes no time-out and cannot be interrupted: a look-up that hangs keeps its thread until the resolver
# itself gives up. So many threads of this process may hang there; further look-ups wait for a place, within their own time.
AT_ONCE = 32
_PLACES = threading.BoundedSemaphore(AT_ONCE)

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST = 253
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def look_up(host: str, port: int, seconds: float | None) -> tuple[str, ...]:
    """The numeric addresses of `host`, in the resolver's order. Raises TimeoutError, socket.gaierror, UnicodeError."""
    began = clock.monotonic()
    if not _PLACES.acquire(timeout=seconds):
        raise TimeoutError
    answer: Future[tuple[str, ...]] = Future()
    try:
        # A daemon: the end of the process does not wait for a resolver.
        threading.Thread(target=_ask, args=[host, port, answer], name="look-up", daemon=True).start()
    except RuntimeError:
        _PLACES.release()
        raise
    return answer.result(None if seconds is None else seconds - (clock.monotonic() - began))


def wire_host(text: str) -> str:
    """A host as a person typed it, as it is asked for: a name in IDNA's ASCII form, or an address. Raises ValueError."""
    host = text.strip().rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("not a host name") from None
    if not _NAME.fullmatch(host) or len(host) > _LONGEST:
        raise ValueError("not a host name")
    return host


def inner(address: str) -> IpAddress:
    """The address, or the IPv4 address that an IPv6 address carries inside: where the packet would really go."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def is_listed(host: str, ip: IpAddress, listed: Iterable[str]) -> bool:
    """Whether one of these host names and networks names the host or its address."""
    for entry in listed:
        try:
            if ip in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            if entry.lower().rstrip(".") == host.lower().rstrip("."):
                return True
    return False


def _ask(host: str, port: int, answer: Future[tuple[str, ...]]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # dict, not set: the resolver's order is a preference.
        answer.set_result(tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except Exception as error:  # noqa: BLE001 - handed to whoever waits
        answer.set_exception(error)
    finally:
        _PLACES.release()
