"""A browser's side of a live stream, for tests: asks the ASGI application as granian would, and reads word by word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import Client

from flowcrm.pages.live.app import BEAT, Live, Pace

# The limit is only there to end a broken test.
PATIENCE = 60
QUICK = Pace(beat=0.05, gap=0.0)
CALM = Pace(beat=3600.0, gap=0.0)


@asynccontextmanager
async def serving(pace: Pace = CALM) -> AsyncIterator[Live]:
    """What a web process serves. As there, a request keeps no connection for itself."""
    with pytest.MonkeyPatch.context() as patch:
        for settings_of in connections.settings.values():
            patch.setitem(settings_of, "CONN_MAX_AGE", 0)
        live = Live(get_asgi_application(), "/live", pace=pace)
        try:
            yield live
        finally:
            live.streams.stop()


class Browser:
    """One open page. status: of the answer; slow: it reads nothing until `read_on`."""

    def __init__(self, live: Live, client: Client) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self._words: asyncio.Queue[str | None] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self._gone = asyncio.Event()
        self._answered = asyncio.Event()
        cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        self._running = asyncio.create_task(live(_scope(cookies), self._receive, self._send))

    async def opened(self) -> int:
        """The answer's status."""
        await asyncio.wait_for(self._answered.wait(), PATIENCE)
        return self.status

    async def word(self) -> str | None:
        """The next word but beats; None at the end."""
        while (word := await self.sign()) == BEAT:
            continue
        return word

    async def sign(self) -> str | None:
        """The next word, a beat too."""
        return await asyncio.wait_for(self._words.get(), PATIENCE)

    def stall(self) -> None:
        self._reads.clear()

    def read_on(self) -> None:
        self._reads.set()

    async def leave(self) -> None:
        """The page is closed."""
        self._gone.set()
        await asyncio.wait_for(self._running, PATIENCE)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._reads.wait()
        if message["type"] == "http.response.start":
            self.status, self.headers = int(message["status"]), dict(message["headers"])
            self._answered.set()
            return
        for line in message["body"].decode().splitlines():
            if line.startswith("data: "):
                self._words.put_nowait(line.removeprefix("data: "))
        if not message.get("more_body", False):
            self._words.put_nowait(None)


def _scope(cookies: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/live",
        "query_string": b"",
        "headers": [(b"host", settings.ALLOWED_HOSTS[0].encode()), (b"cookie", cookies.encode())],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
    }
