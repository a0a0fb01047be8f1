"""Servers that misbehave below the protocol: slow by the byte, without an end, too large, in a network that is closed to us."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from flowcrm.connectors.imap.api import Api, ImapSettings
from flowcrm.lib.http import HostRules, Timeouts
from flowcrm.mail.errors import MailError, NeedsLogin, Transient
from flowcrm.mail.types import Security, ServerLogin

Answer = Callable[[str, str, socket.socket], None]
_TIMES = Timeouts(connect=2, read=0.5, total=1.5)


def _say(line: socket.socket, *texts: str) -> None:
    for text in texts:
        line.sendall(f"{text}\r\n".encode())


def _polite(tag: str, command: str, line: socket.socket, abilities: str = "IMAP4rev1 AUTH=PLAIN") -> bool:
    """The part of a session that every one of these servers has; False for other commands."""
    if command.startswith("CAPABILITY"):
        _say(line, f"* CAPABILITY {abilities}", f"{tag} OK done")
    elif command.startswith("AUTHENTICATE"):
        _say(line, "+")
    elif command.startswith(("LOGIN", "LOGOUT", "NOOP", "ID")):
        _say(line, f"{tag} OK done")
    else:
        return False
    return True


@contextmanager
def server(answer: Answer, abilities: str = "IMAP4rev1") -> Iterator[tuple[int, list[str]]]:
    """(port, commands seen)."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[str] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                with suppress(OSError), line, line.makefile("rb") as lines:
                    _say(line, "* OK ready")
                    while said := lines.readline().decode().strip():
                        tag, _, command = said.partition(" ")
                        seen.append(command)
                        if not _polite(tag, command, line, abilities):
                            answer(tag, command, line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], seen
    listener.close()


def api(port: int, **more: object) -> Api:
    settings = ImapSettings("ann@acme.example", hosts=HostRules(loopback=True), timeouts=_TIMES, **more)  # type: ignore[arg-type]
    return Api(ServerLogin("127.0.0.1", port, Security.NONE, "ann", "pässword"), settings, lambda units: None)


def failing(port: int, **more: object) -> MailError:
    with closing(api(port, **more)) as line, pytest.raises(MailError) as caught:
        line.list_folders()
    return caught.value


def test_a_server_that_sends_a_byte_now_and_then_has_no_more_time_than_others() -> None:
    stop = threading.Event()

    def drip(tag: str, command: str, line: socket.socket) -> None:
        line.sendall(b"* LIST () {1000}\r\n")
        while not stop.wait(0.1):
            line.sendall(b"x")

    with server(drip) as (port, _):
        error = failing(port)
        stop.set()
    assert (type(error), error.code) == (Transient, "timeout")


def test_a_size_that_is_a_lie_makes_no_room() -> None:
    def boast(tag: str, command: str, line: socket.socket) -> None:
        _say(line, "* LIST () {4000000000}")

    with server(boast) as (port, _):
        assert type(failing(port, item_bytes=10_000)) is Transient


def test_a_line_without_an_end_is_given_up() -> None:
    def shout(tag: str, command: str, line: socket.socket) -> None:
        line.sendall(b"* LIST " + b"x" * (17 * 2**20))

    with server(shout) as (port, _):
        assert type(failing(port)) is Transient


def test_an_empty_list_of_folders_is_not_believed() -> None:
    with server(lambda tag, command, line: _say(line, f"{tag} OK done")) as (port, _):
        error = failing(port)
    assert (type(error), error.code) == (Transient, "no_folders")


def test_a_server_that_asks_who_reads_is_told() -> None:
    def listed(tag: str, command: str, line: socket.socket) -> None:
        _say(line, '* LIST () "/" INBOX', f"{tag} OK done")

    with server(listed, "IMAP4rev1 ID") as (port, seen), closing(api(port)) as line:
        assert [name for _, _, name in line.list_folders()] == ["INBOX"]
    assert 'ID ("name" "FlowCRM")' in seen


def test_where_nobody_may_sign_in_with_a_password_none_is_sent() -> None:
    with server(lambda tag, command, line: None, "IMAP4rev1 LOGINDISABLED") as (port, seen):
        error = failing(port)
    assert (type(error), error.code) == (NeedsLogin, "login_disabled")
    assert not any(command.startswith("LOGIN") for command in seen)


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "0.0.0.0"])
def test_private_networks_are_closed_unless_the_operator_opened_them(host: str) -> None:
    settings = ImapSettings("ann@acme.example", timeouts=_TIMES)
    line = Api(ServerLogin(host.strip("[]"), 993, Security.TLS, "ann", "x"), settings, lambda units: None)
    with pytest.raises(Transient) as caught:
        line.list_folders()
    assert caught.value.code == "host_forbidden"


def test_a_password_never_travels_in_the_clear_but_on_this_machine() -> None:
    settings = ImapSettings("ann@acme.example", hosts=HostRules(listed=("10.0.0.0/8",)), timeouts=_TIMES)
    line = Api(ServerLogin("10.1.2.3", 143, Security.NONE, "ann", "x"), settings, lambda units: None)
    with pytest.raises(Transient) as caught:
        line.list_folders()
    assert caught.value.code == "host_forbidden"


def test_without_starttls_there_is_no_sign_in() -> None:
    with server(lambda tag, command, line: None) as (port, seen):
        line = Api(
            ServerLogin("127.0.0.1", port, Security.STARTTLS, "ann", "secret"),
            ImapSettings("ann@acme.example", hosts=HostRules(loopback=True), timeouts=_TIMES),
            lambda units: None,
        )
        with pytest.raises(Transient) as caught:
            line.list_folders()
    assert caught.value.code == "no_tls"
    assert not isinstance(caught.value, NeedsLogin)
    assert not any(command.startswith(("LOGIN", "AUTH")) for command in seen)
