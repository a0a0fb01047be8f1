"""Which providers the connector suite runs on. A new one is a class that fits `Provider`, and a line here."""

from collections.abc import Callable, Iterator

import pytest

from flowcrm.connectors.base import Connector
from standins.google.client import GoogleStandin
from tests.contract.gmail import Gmail
from tests.contract.provider import Provider


def _gmail() -> Iterator[Provider]:
    with GoogleStandin() as google:
        gmail = Gmail(google)
        yield gmail
        gmail.close()


PROVIDERS: dict[str, Callable[[], Iterator[Provider]]] = {"gmail": _gmail}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """An empty mailbox. Whatever a test did, in the end the connector has asked for nothing that writes."""
    for provider in PROVIDERS[request.param]():
        yield provider
        assert provider.writes() == []


@pytest.fixture
def mailbox(provider: Provider) -> Connector:
    return provider.connect()
