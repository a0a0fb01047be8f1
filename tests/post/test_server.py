"""SMTP_URL and FLOWCRM_MAIL_FROM: what they may say."""

import pytest

from flowcrm.post.server import Security, Server, ServerWrong, read_server, wire_address

FROM = "crm@acme.example"


def test_nothing_set_is_no_server_whatever_the_sender() -> None:
    assert read_server("", "nonsense") is None


@pytest.mark.parametrize(
    ("url", "port", "security", "user", "password"),
    [
        ("smtp://mail.acme.example", 587, Security.STARTTLS, "", ""),
        ("smtps://ann%40acme.example:p%2Fw%3A@mail.acme.example", 465, Security.TLS, "ann@acme.example", "p/w:"),
        ("smtp://u:p@mail.acme.example:2525/", 2525, Security.STARTTLS, "u", "p"),
        ("smtp+plain://mail.acme.example", 0, None, "", ""),
        ("smtp+plain://localhost", 25, Security.NONE, "", ""),
        ("smtp+plain://[::1]:2525", 2525, Security.NONE, "", ""),
    ],
)
def test_the_scheme_says_how_the_way_is_closed_and_only_this_machine_needs_no_tls(
    url: str, port: int, security: Security | None, user: str, password: str
) -> None:
    if security is None:
        with pytest.raises(ServerWrong, match="on this machine only"):
            read_server(url, FROM)
        return
    found = read_server(url, FROM)
    assert found is not None
    assert (found.port, found.security, found.user, found.password) == (port, security, user, password)


@pytest.mark.parametrize(
    "url",
    [
        "mail.acme.example",
        "smtp://mail..example",
        "smtp://" + "a" * 64 + ".example",
        "smtp://us%C3%A9r:p@mail.acme.example",
        "smtp://u:p%C3%A4ss@mail.acme.example",
        "smtp://u:p%0D%0AQUIT@mail.acme.example",
        "http://mail.acme.example",
        "smtp://",
        "smtp://u:hunter2@mail.acme.example:port",
        "smtp://u:hunter2@mail.acme.example:99999",
        "smtp://u:hunter2@mail.acme.example/path",
        "smtp://u:hunter2@mail.acme.example?tls=no",
        "smtp://u@mail.acme.example",
        "smtp://u:hunter/2@mail.acme.example",
    ],
)
def test_what_is_no_server_is_refused_and_no_password_is_in_the_sentence(url: str) -> None:
    with pytest.raises(ServerWrong, match="SMTP_URL") as wrong:
        read_server(url, FROM)
    assert "hunter" not in str(wrong.value)
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None


@pytest.mark.parametrize(
    "sender", ["", "crm", "crm@127.0.0.1", "crm@[::1]", "a b@acme.example", "x@y\r\nRCPT TO:<z@z>", "@acme.example"]
)
def test_a_sender_that_no_mail_can_come_from_is_refused(sender: str) -> None:
    with pytest.raises(ServerWrong, match="FLOWCRM_MAIL_FROM"):
        read_server("smtp://mail.acme.example", sender)


def test_a_password_is_in_no_text_of_the_server() -> None:
    assert "hunter" not in repr(Server("h", 1, Security.TLS, FROM, "u", "hunter2"))


def test_an_international_domain_goes_as_ascii() -> None:
    assert wire_address("Ann.Lee@Bücher.example") == "Ann.Lee@xn--bcher-kva.example"
    for never in (
        "ann",
        "añn@acme.example",
        "<ann@acme.example>",
        "ann@acme.example>\r\nDATA",
        "@x.example",
        "a@-\u0378.example",
    ):
        with pytest.raises(ValueError, match="no "):
            wire_address(never)
