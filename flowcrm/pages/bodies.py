"""How much a request may send, decided before Django reads it: Django would write a large body to a file, in clear, whoever
sent it.

A body within the limit is held in memory, as one piece: it costs its length, in however many pieces it came. Of a larger one
nothing is held: it is read to its end, since browsers show no answer while they are still sending, and answered.
https://asgi.readthedocs.io/en/stable/specs/www.html#request-receive-event
"""

from collections.abc import Collection
from http import HTTPStatus

from flowcrm.pages.live.viewer import Application, Message, Receive, Scope, Send

# A file of contacts (contact_files/table.py) and the form around it; nothing else that people send is nearly as large.
MOST_BODY = 6 * 1024 * 1024
# Beyond this nobody waits for a sentence any more, and the connection ends.
MOST_PASSED_OVER = 1024 * 1024 * 1024
# What a page is asked for again with, where it can say that the body was too large.
TOO_LARGE = "too-large"


class Bodies:
    """An ASGI application around another one. saying: the paths that have a sentence for it."""

    def __init__(self, inner: Application, *, saying: Collection[str], most: int = MOST_BODY) -> None:
        self._inner = inner
        self._saying = frozenset(saying)
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        held = bytearray()
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                # Whoever sent it has gone before its end: there is nothing to do, and nobody to tell.
                return
            piece, more = message.get("body", b""), bool(message.get("more_body", False))
            size += len(piece)
            if size <= self._most:
                held += piece
            else:
                held.clear()
                more = more and size <= MOST_PASSED_OVER
        if size > self._most:
            await self._refuse(scope, send)
        else:
            await self._inner(scope, _again(held, receive), send)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        status, said = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"This is more than can be sent here at once."
        if scope["path"] in self._saying:
            status, said = HTTPStatus.SEE_OTHER, b""
            headers.append((b"location", f"{scope['path']}?{TOO_LARGE}=1".encode("ascii")))
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": said})


def _again(held: bytearray, receive: Receive) -> Receive:
    """The whole body as one message, and then what comes. Empties what was held: the body is there once."""
    whole: list[Message] = [{"type": "http.request", "body": bytes(held), "more_body": False}]
    held.clear()

    async def next_message() -> Message:
        return whole.pop() if whole else await receive()

    return next_message
