"""Which providers the connector suite runs on. A new one is a class that fits `Provider`, and a line here."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from flowcrm.connectors.base import Connector
from standins.google.client import GoogleStandin
from tests.contract.gmail import Gmail
from tests.contract.imap import Imap
from tests.contract.provider import Provider


def _gmail(request: pytest.FixtureRequest) -> Iterator[Provider]:
    del request
    with GoogleStandin() as google:
        gmail = Gmail(google)
        yield gmail
        gmail.close()


def _imap(request: pytest.FixtureRequest) -> Iterator[Provider]:
    yield from _at_dovecot(request, plain=False)


def _imap_plain(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """The same server, without any extension."""
    yield from _at_dovecot(request, plain=True)


def _at_dovecot(request: pytest.FixtureRequest, *, plain: bool) -> Iterator[Provider]:
    imap = Imap(request.getfixturevalue("dovecot"), f"user{next(_USERS)}", plain=plain)
    yield imap
    imap.close()


_USERS = count(1)
_CLASSES: dict[str, type[Provider]] = {"gmail": Gmail, "imap": Imap, "imap-plain": Imap}
_PROVIDERS: dict[str, Callable[[pytest.FixtureRequest], Iterator[Provider]]] = {
    "gmail": _gmail,
    "imap": _imap,
    "imap-plain": _imap_plain,
}


@pytest.fixture(
    params=[
        "gmail",
        pytest.param("imap", marks=pytest.mark.needs_dovecot),
        pytest.param("imap-plain", marks=pytest.mark.needs_dovecot),
    ]
)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """An empty mailbox. Whatever a test did, in the end the connector has asked for nothing that writes."""
    for provider in _PROVIDERS[request.param](request):
        yield provider
        assert provider.writes() == []


@pytest.fixture
def mailbox(provider: Provider) -> Connector:
    return provider.connect()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`where(keeps_folder_ids=True)`: the test is about providers of which that is so; for the others there is no such test."""
    beside = [item for item in items if not _is_meant(item)]
    config.hook.pytest_deselected(items=beside)
    items[:] = [item for item in items if _is_meant(item)]


def _is_meant(item: pytest.Item) -> bool:
    wanted = item.get_closest_marker("where")
    if wanted is None or not isinstance(item, pytest.Function):
        return True
    provider = _CLASSES[item.callspec.params["provider"]]
    return all(getattr(provider, name) == value for name, value in wanted.kwargs.items())
