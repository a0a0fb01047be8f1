"""A connector before a scripted Gmail, for answers that the stand-in has no reason to give."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flowcrm.connectors.gmail.api import GmailSettings
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib.http import Timeouts
from tests.unit.scripted_server import ScriptedServer, Seen, reply_json

ROOT = "/gmail/v1/users/me/"


def free_of_charge(units: int) -> None:
    """A spend that always says yes."""


@contextmanager
def gmail(
    script: Callable[[Seen], Iterable[bytes]], spend: Callable[[int], None] = free_of_charge, **settings: Any
) -> Iterator[tuple[GmailConnector, ScriptedServer]]:
    hasty = Timeouts(connect=5, read=5, total=10)
    with ScriptedServer(script) as server:
        options = {"api_url": server.url, "allow_loopback": True, "timeouts": hasty, **settings}
        connector = GmailConnector(access_token="token", settings=GmailSettings(**options), spend=spend)
        try:
            yield connector, server
        finally:
            connector.close()


def in_turn(*answers: Iterable[bytes]) -> Callable[[Seen], Iterable[bytes]]:
    """The first answer for the first request, and so on; what they asked is in `server.seen`."""
    waiting = iter(answers)
    return lambda request: next(waiting)


def refuse(status: int, reason: str, message: str = "") -> list[bytes]:
    error = {"code": status, "message": message, "errors": [{"domain": "global", "reason": reason, "message": message}]}
    return reply_json({"error": error}, status)
