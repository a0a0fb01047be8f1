"""lib.http's guard: which hosts may be asked, whatever their names say; and when to ask again."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowcrm.lib import clock, hosts, http
from tests.unit.scripted_server import ScriptedServer, reply

HERE = http.HostRules(loopback=True)
WAITING = http.Timeouts(connect=5, read=5, total=20)


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """The resolver of the machine is not ours: for names it answers with these addresses."""
    system = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: Any, **named: Any) -> list[tuple[Any, ...]]:
        asked = addresses if host[-1].isalpha() else (host,)
        return [entry for address in asked for entry in system(address, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


INSIDE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:a00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolves_to(monkeypatch, address)
    with pytest.raises(http.HttpForbidden):
        http.resolve_allowed("mail.example", 443, http.HostRules())


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_public_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolves_to(monkeypatch, address)
    assert http.resolve_allowed("mail.example", 443, http.HostRules()) == (address,)


def test_of_several_addresses_only_permitted_ones_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "10.0.0.1", "8.8.8.8", "127.0.0.1", "8.8.8.8", "9.9.9.9")
    assert http.resolve_allowed("mail.example", 443, http.HostRules()) == ("8.8.8.8", "9.9.9.9")


@pytest.mark.parametrize("listed", ["mail.acme.internal", "MAIL.acme.internal.", "10.1.2.3", "10.1.0.0/16", "10.1.2.9/16"])
def test_the_operator_opens_a_host_or_a_network(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    resolves_to(monkeypatch, "10.1.2.3")
    assert http.resolve_allowed("mail.acme.internal", 443, http.HostRules((listed,))) == ("10.1.2.3",)


@pytest.mark.parametrize("listed", ["acme.internal", "10.2.0.0/16", "fd00::/8", ""])
def test_listing_opens_nothing_else(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    resolves_to(monkeypatch, "10.1.2.3")
    with pytest.raises(http.HttpForbidden):
        http.resolve_allowed("mail.acme.internal", 443, http.HostRules((listed,)))


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_a_listed_name_cannot_lead_to_the_machine_or_its_metadata(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolves_to(monkeypatch, address)
    with pytest.raises(http.HttpForbidden):
        http.resolve_allowed("mail.acme.internal", 443, http.HostRules(("mail.acme.internal", "0.0.0.0/0")))


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http.HttpUnreachable):
        http.resolve_allowed("nowhere.example", 443, http.HostRules())


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A resolver that answers nobody; who asked it."""
    system, over, asked = socket.getaddrinfo, threading.Event(), []

    def getaddrinfo(host: str, *rest: Any, **named: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        over.wait()
        return system("8.8.8.8", *rest, **named)

    with monkeypatch.context() as resolver:
        resolver.setattr(socket, "getaddrinfo", getaddrinfo)
        yield asked
        over.set()
    # Every thread is back: a look-up finds a place, and the resolver of the machine.
    assert hosts.look_up("127.0.0.1", 443, 20) == ("127.0.0.1",)


@pytest.mark.parametrize(
    "times", [http.Timeouts(connect=0.1, read=20, total=20), http.Timeouts(connect=20, read=20, total=0.1)]
)
def test_a_resolver_that_hangs_holds_nobody_longer_than_the_time_outs(hanging: list[str], times: http.Timeouts) -> None:
    client = http.Client("https://mail.example", timeouts=times, max_bytes=10, hosts=http.HostRules())
    with pytest.raises(http.HttpTimeout):
        client.get("/")
    assert hanging == ["mail.example"]


def test_a_resolver_that_hangs_takes_no_more_than_its_share_of_threads(hanging: list[str]) -> None:
    for _ in range(hosts.AT_ONCE + 5):
        with pytest.raises(http.HttpTimeout):
            http.resolve_allowed("mail.example", 443, http.HostRules(), seconds=0.01)
    assert len(hanging) <= hosts.AT_ONCE


def test_the_guard_stands_before_every_connection() -> None:
    with ScriptedServer(lambda request: reply("ok")) as server:
        client = http.Client(f"https://127.0.0.1:{server.port}", timeouts=WAITING, max_bytes=10, hosts=http.HostRules())
        with pytest.raises(http.HttpForbidden):
            client.get("/")
    assert server.connections == 0


def test_the_next_address_is_tried_when_one_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "::1", "127.0.0.1")
    with ScriptedServer(lambda request: reply("ok")) as server:
        client = http.Client(f"http://localhost:{server.port}", timeouts=WAITING, max_bytes=10, hosts=HERE)
        assert client.get("/").body == b"ok"
        client.close()


@pytest.mark.parametrize("path", [".evil.example/x", "@evil.example/x", ":8443/x"])
def test_a_path_cannot_change_the_host(path: str) -> None:
    client = http.Client("https://gmail.example", timeouts=WAITING, max_bytes=10, hosts=http.HostRules())
    with pytest.raises(ValueError, match="another host"):
        client.get(path)


# -- Retry-After -------------------------------------------------------------------------------------------------------------


def test_retry_after_in_seconds_counts_from_now(moving_clock: None) -> None:
    clock.advance(86400)
    before = clock.now()
    moment = http.retry_after({"retry-after": "120"})
    assert moment is not None
    assert before + timedelta(seconds=120) <= moment <= clock.now() + timedelta(seconds=120)


def test_retry_after_as_a_date() -> None:
    assert http.retry_after({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}) == datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "²", "Wed, 99 Oct 2026 07:28:00 GMT"])
def test_an_unreadable_retry_after_is_none(value: str) -> None:
    assert http.retry_after({"retry-after": value}) is None


def test_an_endless_retry_after_stays_in_the_calendar() -> None:
    assert http.retry_after({"retry-after": "9" * 40}) is not None
