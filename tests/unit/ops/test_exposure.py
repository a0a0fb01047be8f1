"""K50: nothing but this machine is served without TLS."""

from pathlib import Path

import pytest

from flowcrm.ops.errors import ExposureRefused
from flowcrm.ops.exposure import Listen, check

HTTP, HTTPS = "http://crm.acme.ch", "https://crm.acme.ch"
PEM = {"certificate": Path("chain.pem"), "key": Path("key.pem")}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_is_served_plainly(host: str) -> None:
    check(Listen(host, 8000), "http://127.0.0.1:8000", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.4", "192.168.1.1", "crm.acme.ch", "127.0.0.1.evil.com"])
def test_other_machines_are_not_served_plainly(host: str) -> None:
    with pytest.raises(ExposureRefused, match="can be reached from other machines") as refused:
        check(Listen(host, 8000), HTTPS, "")
    for remedy in ("--certificate", "--key", "FLOWCRM_TRUSTED_PROXY", "127.0.0.1"):
        assert remedy in str(refused.value)


def test_other_machines_are_served_through_tls() -> None:
    check(Listen("0.0.0.0", 443, **PEM), HTTPS, "")


def test_other_machines_are_served_through_a_named_proxy() -> None:
    check(Listen("10.0.0.4", 8000), HTTPS, "10.0.0.1")


@pytest.mark.parametrize(("files", "proxy"), [(PEM, ""), ({}, "10.0.0.1")])
def test_an_address_for_people_without_https_is_refused(files: dict[str, Path], proxy: str) -> None:
    with pytest.raises(ExposureRefused, match="FLOWCRM_BASE_URL"):
        check(Listen("0.0.0.0", 443, **files), HTTP, proxy)


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_half_a_tls_setting_is_refused_even_on_loopback(missing: str) -> None:
    with pytest.raises(ExposureRefused, match="both"):
        check(Listen("127.0.0.1", 443, **{name: path for name, path in PEM.items() if name != missing}), HTTPS, "")
