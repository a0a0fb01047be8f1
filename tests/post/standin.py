"""A mail server for tests, and this installation sending by it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.test import override_settings

from flowcrm.post.server import Server, read_server
from standins.smtp.server import SmtpStandin
from tests.post.authority import make_authority

FROM = "crm@acme.example"


def server_of(standin: SmtpStandin, user: str = "", host: str = "localhost") -> Server:
    """The stand-in as the product reads it from SMTP_URL."""
    found = read_server(standin.url(user, host), FROM)
    assert found is not None
    return found


@pytest.fixture
def plain() -> Iterator[SmtpStandin]:
    """Without TLS, on this machine."""
    with SmtpStandin() as standin:
        yield standin


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SmtpStandin]]:
    """Makes stand-ins with TLS whose authority is trusted, and with one user."""
    context, trusted = make_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    begun: list[SmtpStandin] = []

    def make(*, implicit: bool = False) -> SmtpStandin:
        begun.append(SmtpStandin(tls=context, implicit=implicit, users={"crm": "hunter2"}))
        begun[-1].__enter__()
        return begun[-1]

    yield make
    for one in begun:
        one.__exit__(None, None, None)


@pytest.fixture
def sends(plain: SmtpStandin) -> Iterator[SmtpStandin]:
    """This installation sends its mail to the stand-in."""
    with override_settings(SMTP_URL=plain.url(), DEFAULT_FROM_EMAIL=FROM):
        yield plain


@pytest.fixture
def empty_outbox(database: dict[str, str]) -> None:
    """What tests before this one left to be sent is not sent in it."""
    with psycopg.connect(database["owner"], autocommit=True) as connection:
        connection.execute("DELETE FROM outgoing")
