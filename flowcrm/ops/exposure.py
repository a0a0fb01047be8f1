"""Who may reach the server, and how (claim K50): nothing but this machine without TLS."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flowcrm.ops.errors import ExposureRefused


@dataclass(frozen=True)
class Listen:
    """Where the web server listens. certificate and key are PEM files."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def check(listen: Listen, base_url: str, trusted_proxy: str) -> None:
    """Raise ExposureRefused unless everybody who can reach `listen` does so through TLS."""
    if (listen.certificate is None) != (listen.key is None):
        raise ExposureRefused("TLS needs both files: --certificate and --key.")
    if is_loopback(listen.host):
        return
    if listen.certificate is None and not trusted_proxy:
        raise ExposureRefused(
            f"{listen.host} can be reached from other machines; without TLS passwords and emails could be read on the way. "
            "Give --certificate and --key, or name in FLOWCRM_TRUSTED_PROXY the address of the proxy in front that speaks TLS, "
            "or listen on 127.0.0.1."
        )
    if urlsplit(base_url).scheme != "https":
        raise ExposureRefused(
            f"FLOWCRM_BASE_URL is {base_url}: set it to the https:// address that people use, for safe cookies and links."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address. A name other than localhost counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
