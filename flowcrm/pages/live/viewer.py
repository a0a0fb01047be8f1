"""Whose stream it is. Django itself is asked, by a request of its own with the browser's cookies: the same middleware that lets
people see pages lets them listen, and nothing here can be more generous."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import actor

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in member. mailboxes: his own, whose cards his pages show; others: of which they show emails."""

    workspace_id: int
    member_id: int
    mailboxes: frozenset[int]
    others: frozenset[int]


class Refused(Exception):
    """No stream for this request. status: what Django answered, where people are led to the sign-in 401."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Django answered {status}")
        self.status = status

    @property
    def passes(self) -> bool:
        """Whether it says nothing of the person: the database may be away."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


@require_GET
def viewer(request: MemberRequest) -> HttpResponse:
    """What `ask` reads: ids."""
    looking = actor(request.member)
    return JsonResponse(
        {
            "workspace": looking.workspace_id,
            "member": looking.member_id,
            "mailboxes": looking.own,
            "others": list(looking.shared),
        }
    )


async def ask(django: Application, scope: Scope) -> Viewer:
    """Whose request this is. Raises Refused."""
    answer = _Answer()
    await django(dict(scope), answer.receive, answer.send)
    if answer.status != HTTPStatus.OK:
        led_away = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
        raise Refused(HTTPStatus.UNAUTHORIZED if led_away else answer.status)
    found = json.loads(answer.body)
    return Viewer(found["workspace"], found["member"], frozenset(found["mailboxes"]), frozenset(found["others"]))


class _Answer:
    """The other side of one request without a body, which stays until it has its answer."""

    def __init__(self) -> None:
        self.status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.body = b""
        self._asked = False

    async def receive(self) -> Message:
        if self._asked:
            await asyncio.Event().wait()
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")
