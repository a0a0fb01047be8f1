"""Handing over one mail, by real sockets: what goes out, what keeps it back, and what every failure is called."""

import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.post import smtp
from flowcrm.post.smtp import Later, Never, NotSent, Reason, Unsure, reach, send
from standins.smtp.server import SmtpStandin
from tests.post.standin import FROM, server_of

TO = "ann@globex.example"
MAIL = b"Subject: x\r\n\r\nHello\r\n"

Closed = Callable[..., SmtpStandin]


def fails(standin: SmtpStandin, user: str = "", host: str = "localhost") -> NotSent:
    """What sending ends with."""
    with pytest.raises(NotSent) as error:
        send(server_of(standin, user, host), TO, MAIL)
    return error.value


def test_a_mail_goes_out_whole_from_the_sender_to_the_recipient(plain: SmtpStandin) -> None:
    send(server_of(plain), TO, MAIL)
    [taken] = plain.taken
    assert (taken.sender, taken.recipient, taken.data, taken.secure) == (FROM, TO, MAIL, False)
    assert plain.log[0].lower() == "ehlo acme.example"
    assert plain.log[-1].lower() == "quit"


@given(st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x.", b"\xff"]), max_size=8))
def test_lines_of_dots_arrive_as_they_are(lines: list[bytes]) -> None:
    with SmtpStandin() as standin:
        body = b"\r\n".join([b"Subject: x", b"", *lines]) + b"\r\n"
        send(server_of(standin), TO, body)
        assert standin.taken[0].data == body


@pytest.mark.parametrize("implicit", [False, True])
def test_by_tls_with_a_sign_in(closed: Closed, implicit: bool) -> None:
    standin = closed(implicit=implicit)
    send(server_of(standin, "crm"), TO, MAIL)
    assert [(one.secure, one.user) for one in standin.taken] == [(True, "crm")]


def test_a_certificate_that_nobody_vouches_for_ends_it_before_the_password(
    closed: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = closed()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert fails(standin, "crm").reason is Reason.CERTIFICATE
    assert "AUTH" not in standin.log


def test_a_certificate_for_another_name_is_refused(closed: Closed) -> None:
    assert fails(closed(), "crm", host="127.0.0.1").reason is Reason.CERTIFICATE


def test_a_server_without_starttls_gets_neither_password_nor_mail(closed: Closed) -> None:
    closing = closed()
    closing.tls = None
    found = smtp.Server("localhost", closing.port, smtp.Security.STARTTLS, FROM, "crm", "hunter2")
    with pytest.raises(Later) as error:
        send(found, TO, MAIL)
    assert error.value.reason is Reason.NO_TLS
    assert [line.split()[0].lower() for line in closing.log] == ["ehlo"]


def test_tls_from_the_first_byte_against_a_server_that_speaks_first(plain: SmtpStandin) -> None:
    found = smtp.Server("localhost", plain.port, smtp.Security.TLS, FROM)
    with pytest.raises(Later) as error:
        send(found, TO, MAIL)
    assert error.value.reason is Reason.TLS


def test_a_wrong_password_is_called_that(closed: Closed) -> None:
    standin = closed()
    server = server_of(standin, "crm")
    standin.users = {"crm": "another"}
    with pytest.raises(Later) as error:
        send(server, TO, MAIL)
    assert error.value.reason is Reason.SIGN_IN
    assert "535" in error.value.said
    assert standin.taken == []


def test_a_user_where_nobody_is_asked(plain: SmtpStandin) -> None:
    found = smtp.Server("localhost", plain.port, smtp.Security.NONE, FROM, "crm", "hunter2")
    with pytest.raises(Later) as error:
        send(found, TO, MAIL)
    assert error.value.reason is Reason.NO_SIGN_IN


@pytest.mark.parametrize(
    ("step", "reply", "kind", "reason"),
    [
        ("GREETING", "421 4.3.2 going down", Later, Reason.BUSY),
        ("GREETING", "", Later, Reason.CUT),
        ("MAIL", "451 4.3.0 later", Later, Reason.BUSY),
        ("MAIL", "550 5.7.1 not your address", Later, Reason.SENDER),
        ("MAIL", "", Later, Reason.CUT),
        ("RCPT", "450 4.2.1 greylisted", Later, Reason.BUSY),
        ("RCPT", "550 5.1.1 no such user", Never, Reason.RECIPIENT),
        ("RCPT", "", Later, Reason.CUT),
        ("DATA", "451 4.3.0 later", Later, Reason.BUSY),
        ("DATA", "554 5.6.0 no", Never, Reason.CONTENT),
        ("DATA", "", Later, Reason.CUT),
        ("END", "452 4.3.1 disk full", Later, Reason.BUSY),
        ("END", "554 5.7.1 spam", Never, Reason.CONTENT),
        ("END", "", Unsure, Reason.CUT),
        ("END", "garbage", Unsure, Reason.CUT),
    ],
)
def test_each_way_of_failing_has_its_name_and_sends_nothing_twice(
    plain: SmtpStandin, step: str, reply: str, kind: type[NotSent], reason: Reason
) -> None:
    plain.fault(step, reply)
    error = fails(plain)
    assert (type(error), error.reason) == (kind, reason)
    assert plain.taken == []
    send(server_of(plain), TO, MAIL)
    assert len(plain.taken) == 1


def test_cut_after_the_mail_was_taken_looks_the_same_and_is_unsure(plain: SmtpStandin) -> None:
    plain.fault("END", takes=True)
    assert isinstance(fails(plain), Unsure)
    assert len(plain.taken) == 1


def test_a_bad_goodbye_changes_nothing(plain: SmtpStandin) -> None:
    plain.fault("QUIT")
    send(server_of(plain), TO, MAIL)
    assert len(plain.taken) == 1


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Later) as error:
        reach(smtp.Server("127.0.0.1", port, smtp.Security.NONE, FROM))
    assert error.value.reason is Reason.REFUSED


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Later) as error:
        reach(smtp.Server("127.0.0.1", silent.getsockname()[1], smtp.Security.NONE, FROM))
    assert error.value.reason is Reason.TIMEOUT


def test_the_last_moment_to_stop_is_before_the_first_byte(plain: SmtpStandin) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        send(server_of(plain), TO, MAIL, stop)
    assert plain.taken == []
    assert plain.log[-1] == "DATA"


def test_reaching_sends_nothing(closed: Closed) -> None:
    standin = closed()
    reach(server_of(standin, "crm"))
    assert [line.split()[0].upper() for line in standin.log] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]


@pytest.mark.parametrize("to", ["ann", "ann@globex.example>\r\nDATA", "a b@c.example", "añn@globex.example", ""])
def test_what_is_no_address_is_never_put_on_the_wire(plain: SmtpStandin, to: str) -> None:
    with pytest.raises(Never):
        send(server_of(plain), to, MAIL)
    assert plain.log == []
