"""What tests of security share."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from standins.google.client import GoogleStandin
from tests.flow.acme import google


@pytest.fixture
def standin(database: dict[str, str], moving_clock: None) -> Iterator[GoogleStandin]:
    with google() as running:
        yield running


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All that the product would ever say, as it would say it."""
    [handler] = [one for one in logging.getLogger().handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)]
    assert isinstance(handler, logging.StreamHandler)
    said = io.StringIO()
    before = handler.setStream(said)
    logging.getLogger("flowcrm").setLevel(logging.DEBUG)
    yield said
    logging.getLogger("flowcrm").setLevel(logging.INFO)
    handler.setStream(before)
