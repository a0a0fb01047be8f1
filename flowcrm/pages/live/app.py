"""The raw path before Django: one stream of server-sent events for each page that shows something live.

A stream says which parts of a page to ask for again, never what stands in them (docs/why/live.md).
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from flowcrm.lib import clock
from flowcrm.pages.live.streams import ALL, Stream, Streams
from flowcrm.pages.live.viewer import Application, Message, Receive, Refused, Scope, Send, Viewer, ask

# Of one member in one process. Browsers open six connections to a host (HTTP/1.1): one stays free for the pages themselves.
MOST_STREAMS = 5
# A word that no part of a page waits for. It is an event and not a comment, since scripts cannot see comments: a proxy that
# holds streams back is found out by it (live.js).
BEAT = "beat"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would collect what we send until it has a page of it.
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. beat: between two signs of life; at each the sign-in is looked at again, so that its end ends the stream.
    gap: between two messages: during an import of thousands, a page asks again once in it. again: after which a browser that
    lost its stream opens another."""

    beat: float = 20.0
    gap: float = 2.0
    again: float = 3.0


class Live:
    """An ASGI application: streams at `path`, everything else is Django's.

    when_stopped: takes what to do when the process is told to stop; called within the event loop, at the first stream.
    """

    def __init__(
        self,
        django: Application,
        path: str,
        *,
        when_stopped: Callable[[Callable[[], object]], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.streams = Streams()
        self._django = django
        self._path = path
        self._when_stopped = when_stopped
        self._pace = pace or Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "GET":
            await self._answer(scope, receive, send)
        else:
            await self._django(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._expect_stop()
        try:
            viewer = await ask(self._django, scope)
            self._check_room(viewer)
        except Refused as refused:
            await _send_nothing(send, refused.status)
            return
        stream = self.streams.join(viewer)
        leaving = asyncio.create_task(_end_when_left(receive, stream))
        try:
            await self._tell(stream, scope, send)
        finally:
            self.streams.leave(stream)
            leaving.cancel()

    def _check_room(self, viewer: Viewer) -> None:
        if self.streams.stopped:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)
        if self.streams.of_member(viewer.member_id) >= MOST_STREAMS:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS)

    def _expect_stop(self) -> None:
        if self._when_stopped is not None:
            loop = asyncio.get_running_loop()
            self._when_stopped(lambda: loop.call_soon_threadsafe(self.streams.stop))
            self._when_stopped = None

    async def _tell(self, stream: Stream, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _HEADERS})
        await send(_part(f"retry: {self._pace.again * 1000:.0f}\n\n"))
        check_at = clock.monotonic() + self._pace.beat
        while True:
            words = await stream.news(max(check_at - clock.monotonic(), 0))
            if stream.ended:
                break
            if clock.monotonic() >= check_at:
                if not await self._may_stay(stream, scope):
                    break
                words, check_at = (*words, BEAT), clock.monotonic() + self._pace.beat
            if words:
                await send(_part(_messages(words)))
                await stream.rest(self._pace.gap)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _may_stay(self, stream: Stream, scope: Scope) -> bool:
        """Still signed in, in the same account? His mailboxes may have become more or less."""
        try:
            viewer = await ask(self._django, scope)
        except Refused as refused:
            return refused.passes
        former, stream.viewer = stream.viewer, viewer
        if (viewer.mailboxes, viewer.others) != (former.mailboxes, former.others):
            stream.tell(ALL)
        return (viewer.workspace_id, viewer.member_id) == (former.workspace_id, former.member_id)


async def _end_when_left(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    stream.end()


async def _send_nothing(send: Send, status: int) -> None:
    headers = [(b"cache-control", b"no-store"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _messages(words: Iterable[str]) -> str:
    return "".join(f"data: {word}\n\n" for word in words)


def _part(text: str) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
