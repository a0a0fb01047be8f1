"""Where `serve` and `web` are to listen, read from the command's line first: settings and server depend on it."""

import argparse
import errno
import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowcrm.ops.errors import Refused
from flowcrm.ops.exposure import Listen, check

HOST, PORT = "127.0.0.1", 8000
_BASE_URL = "FLOWCRM_BASE_URL"


def prepare(words: Sequence[str]) -> None:
    """Refuse an address that may not, or cannot, be listened on, and let links and redirect addresses follow it where
    the operator set none. Raises ExposureRefused or Refused.
    """
    asked = _asked(words)
    own = "" if _is_wildcard(asked.host) else f"{'https' if asked.certificate else 'http'}://{_in_url(asked.host)}:{asked.port}"
    listen = Listen(asked.host, 0, _path(asked.certificate), _path(asked.key))
    check(listen, os.environ.get(_BASE_URL) or own or "http://127.0.0.1", os.environ.get("FLOWCRM_TRUSTED_PROXY", ""))
    check_port(asked.host, asked.port)
    if own:
        os.environ.setdefault(_BASE_URL, own)


def check_port(host: str, port: str | int) -> None:
    """Raise Refused unless this process could listen there now."""
    number = int(port) if str(port).isascii() and str(port).isdigit() else 0
    if not 0 < number < 65536:
        raise Refused(f"There is no port {port}. Choose one from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # As the server does it: connections of a former one that are still being closed are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Refused(_sentence(error, host, number)) from None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options as they were typed."""

    host: str
    port: str
    certificate: str
    key: str


def _asked(words: Sequence[str]) -> _Asked:
    """What is wrong with them in another way is for Typer to say."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, otherwise in (("host", HOST), ("port", str(PORT)), ("certificate", ""), ("key", "")):
        parser.add_argument(f"--{name}", default=otherwise, nargs="?", const=otherwise)
    found, _ = parser.parse_known_args(list(words))
    return _Asked(**vars(found))


def _path(word: str) -> Path | None:
    return Path(word) if word else None


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Choose another one: --port {port + 1 if port < 65535 else PORT}"
    if error.errno == errno.EACCES:
        return f"Port {port} is kept for the superuser. Choose one from 1024 on: --port {PORT}"
    return f"{host} is not an address of this machine. Choose another one: --host {HOST}"


def _is_wildcard(host: str) -> bool:
    """All addresses of the machine: which of them people type, only the operator knows."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
