"""What a proxy says about the client is believed from a named proxy only."""

import asyncio
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

import flowcrm

FILE = Path(flowcrm.__file__).with_name("asgi.py")


def answered_as_https(trusted: str, client: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a request that `client` passed on as https is taken for one: only then is HSTS sent."""
    monkeypatch.setenv("FLOWCRM_TRUSTED_PROXY", trusted)
    with override_settings(SECURE_HSTS_SECONDS=60):
        application = runpy.run_path(str(FILE))["application"]
        headers = asyncio.run(_headers(application, client))
    return b"strict-transport-security" in headers


async def _headers(application: Any, client: str) -> dict[bytes, bytes]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/no-such-page",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"203.0.113.9")],
        "client": (client, 1234),
        "server": ("127.0.0.1", 8000),
    }
    sent: list[dict[str, Any]] = []
    asked = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if asked.is_set():
            # The browser stays until it has its answer.
            await asyncio.Event().wait()
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return {name.lower(): value for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("trusted", ["10.0.0.1", "10.0.0.0/24", "192.168.1.1,10.0.0.1"])
def test_a_named_proxy_is_believed(trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered_as_https(trusted, "10.0.0.1", monkeypatch)


@pytest.mark.parametrize("trusted", ["", "10.0.0.2"])
def test_nobody_else_is(trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not answered_as_https(trusted, "10.0.0.1", monkeypatch)
