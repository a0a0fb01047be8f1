"""What flow tests share."""

from collections.abc import Iterator

import psycopg
import pytest

from standins.google.client import GoogleStandin
from tests.flow.acme import Team, google


@pytest.fixture
def standin() -> Iterator[GoogleStandin]:
    with google() as running:
        yield running


@pytest.fixture
def team(standin: GoogleStandin) -> Team:
    return Team(standin)


@pytest.fixture
def only_these_are_due(database: dict[str, str]) -> None:
    """A worker takes whatever is due: mailboxes of earlier tests are not."""
    with psycopg.connect(database["owner"], autocommit=True) as connection:
        connection.execute("DELETE FROM mailbox_due")
