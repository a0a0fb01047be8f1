"""What the claims' tests share."""

from collections.abc import Iterator

import pytest

from standins.google.client import GoogleStandin
from tests.browser.product import browser, running
from tests.flow.acme import Team, google

__all__ = ["browser", "running"]


@pytest.fixture
def standin() -> Iterator[GoogleStandin]:
    with google() as running:
        yield running


@pytest.fixture
def team(standin: GoogleStandin) -> Team:
    return Team(standin)
