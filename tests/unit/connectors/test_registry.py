"""The table of providers."""

from importlib import import_module

import pytest

from flowcrm.connectors.registry import CONNECTORS


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_line_leads_to_a_connector(kind: str) -> None:
    label, path = CONNECTORS[kind]
    module, _, name = path.rpartition(".")
    found = getattr(import_module(module), name)
    assert label
    assert all(hasattr(found, method) for method in ("check", "folders", "changes", "headers", "fetch", "close"))
