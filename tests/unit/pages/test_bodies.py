"""A body within the limit reaches Django whole; of a larger one nothing is held, and people are told."""

import asyncio
import tracemalloc
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import pytest

from flowcrm.pages.bodies import MOST_BODY, Bodies
from flowcrm.pages.live.viewer import Message, Receive, Scope, Send

PIECE = 64 * 1024
GONE: Message = {"type": "http.disconnect"}


def _asked(pieces: Iterable[int], path: str = "/contacts/import", most: int = MOST_BODY) -> tuple[list[int], list[Message]]:
    """A request whose body comes in pieces of these sizes: the sizes that came through, and the answer."""
    through: list[int] = []
    sent: list[Message] = []
    waiting = chain(pieces, [0])

    async def receive() -> Message:
        size = next(waiting)
        return {"type": "http.request", "body": bytes(size), "more_body": size > 0}

    async def send(message: Message) -> None:
        sent.append(message)

    async def django(_scope: Scope, receive: Receive, _send: Send) -> None:
        more = True
        while more:
            message = await receive()
            through.append(len(message["body"]))
            more = message["more_body"]

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path}
    asyncio.run(Bodies(django, saying=["/contacts/import"], most=most)(scope, receive, send))
    return through, sent


def _part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def _heard(said: list[Message], *, messages: int) -> list[Message]:
    """So many of the messages that reach Django, where these come in."""
    heard: list[Message] = []
    waiting = iter(said)

    async def receive() -> Message:
        return next(waiting)

    async def send(_message: Message) -> None:
        return

    async def django(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.extend([await receive() for _ in range(messages)])

    asyncio.run(Bodies(django, saying=[])({"type": "http", "method": "POST", "path": "/sign-in/"}, receive, send))
    return heard


def test_what_is_within_the_limit_comes_through_whole() -> None:
    assert _asked([3, 4, 3], most=10) == ([10], [])
    assert _asked([]) == ([0], [])


def test_a_body_in_tiny_pieces_costs_no_more_than_its_length() -> None:
    size = 200_000
    tracemalloc.start()
    try:
        through, sent = _asked(repeat(1, size))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (through, sent) == ([size], [])
    assert peak < 1024 * 1024


def test_a_body_comes_through_as_it_was_and_then_what_follows_it() -> None:
    assert _heard([_part(b"ab", more=True), _part(b"", more=True), _part(b"c"), GONE], messages=2) == [_part(b"abc"), GONE]


def test_who_goes_before_the_end_of_his_body_is_not_worked_for() -> None:
    assert _heard([_part(b"ab", more=True), GONE], messages=1) == []


def test_what_is_larger_is_answered_where_a_page_has_a_sentence() -> None:
    through, (start, _body) = _asked([5, 6], most=10)
    assert through == []
    assert start["status"] == 303
    assert (b"location", b"/contacts/import?too-large=1") in start["headers"]


def test_elsewhere_it_is_refused() -> None:
    through, (start, body) = _asked([5, 6], path="/sign-in/", most=10)
    assert (through, start["status"]) == ([], 413)
    assert b"more than can be sent" in body["body"]


@pytest.mark.parametrize("megabytes", [100, 2_000])
def test_a_large_body_is_held_nowhere(megabytes: int) -> None:
    tracemalloc.start()
    try:
        through, (start, _body) = _asked(PIECE for _ in range(megabytes * 16))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (through, start["status"]) == ([], 303)
    assert peak < 2 * MOST_BODY
