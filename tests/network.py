"""No test speaks to the world: connections leave for this machine only."""

import ipaddress
import sys
from typing import Any


class NetworkRefused(Exception):
    """A test tried to reach another machine."""


def allow_loopback_only() -> None:
    """From now on, in this process, connecting to anything but loopback raises NetworkRefused."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    # A string is the path of a Unix socket.
    if isinstance(address, tuple) and not _is_loopback(str(address[0])):
        raise NetworkRefused(f"a test tried to connect to {address[0]}:{address[1]}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False
