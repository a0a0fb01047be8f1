"""What flow tests share."""

from collections.abc import Iterator

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
