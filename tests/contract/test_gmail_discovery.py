"""Every call of the Gmail connector exists in Google's own description of the API, and read-only permission opens it."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from flowcrm.connectors.gmail.api import COSTS, READ_ONLY, GmailSettings
from flowcrm.connectors.gmail.changes import Place
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.mail.types import Scope
from tests.shared import shared
from tests.unit.scripted_server import ScriptedServer, Seen, reply_json

pytestmark = pytest.mark.needs_shared


def answer(request: Seen) -> list[bytes]:
    """Enough of everything for the connector to go on."""
    return reply_json(
        {"emailAddress": "ann@acme.example", "historyId": "7", "internalDate": "0", "raw": "", "labels": [], "sendAs": []}
    )


@pytest.fixture(scope="module")
def calls() -> list[Seen]:
    """One of each kind of request."""
    with ScriptedServer(answer) as server:
        settings = GmailSettings(api_url=server.url, allow_loopback=True)
        mailbox = GmailConnector(access_token="token", settings=settings, spend=lambda units: None)
        with closing(mailbox):
            mailbox.check()
            mailbox.folders()
            mailbox.changes(
                None, Scope(since=datetime(2026, 1, 1, tzinfo=UTC), folder_ids=("INBOX",), addresses=("bob@globex.example",))
            )
            for cursor in (Place("7", 0, "page"), Place("7"), Place("7", None, "page")):
                mailbox.changes(cursor.dump(), Scope())
            mailbox.headers(["a"])
            mailbox.fetch(["a"])
    return server.seen


@pytest.fixture(scope="module")
def methods() -> dict[str, dict[str, Any]]:
    """id without "gmail.users." -> method."""
    document = json.loads(shared("contracts/google/gmail.v1.json").read_text())

    def walk(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from resource.get("methods", {}).values()
        for inner in resource.get("resources", {}).values():
            yield from walk(inner)

    return {method["id"].removeprefix("gmail.users."): method for method in walk(document["resources"]["users"])}


def method_of(call: Seen, methods: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = [
        method
        for method in methods.values()
        if method["httpMethod"] == call.method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", f"/{method['path']}"), call.path)
    ]
    assert len(found) == 1, call.target
    return found[0]


def test_every_call_exists_and_its_parameters_are_as_described(calls: list[Seen], methods: dict[str, dict[str, Any]]) -> None:
    assert len(calls) >= 8
    for call in calls:
        described = method_of(call, methods)["parameters"]
        for name, value in call.query.items():
            assert described[name]["location"] == "query"
            assert value in described[name].get("enum", [value])
            assert described[name]["type"] != "integer" or value.isdigit()


def test_read_only_permission_opens_every_call(calls: list[Seen], methods: dict[str, dict[str, Any]]) -> None:
    assert all(READ_ONLY in method_of(call, methods)["scopes"] for call in calls)


def test_pages_are_no_larger_than_gmail_gives(calls: list[Seen]) -> None:
    assert {call.query["maxResults"] for call in calls if "maxResults" in call.query} == {"500"}


def test_every_price_is_that_of_a_method(methods: dict[str, dict[str, Any]]) -> None:
    assert set(COSTS) <= set(methods)
