"""Which verb and path is which method, who handles it, and which scopes open it: the discovery document as a table.

https://mail.google.com/ opens everything; the scopes in the table are the others, without their common beginning.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from standins.google.gmail import history, labels, messages, profile, sending, threads
from standins.google.gmail.call import Call
from standins.web import Json

Handler = Callable[[Call], Json | None]

FULL_SCOPE = "https://mail.google.com/"
_PREFIX = "https://www.googleapis.com/auth/gmail."
_READ = "metadata modify readonly"
_OPEN = "modify readonly"
_DRAFT = "addons.current.action.compose compose modify"
_ADDON_READ = "addons.current.message.action addons.current.message.metadata addons.current.message.readonly"


@dataclass(frozen=True, slots=True)
class Route:
    """method: as in the discovery document without "gmail.users.". upload: it also takes a mail under /upload/."""

    verb: str
    template: str
    method: str
    handler: Handler
    scopes: tuple[str, ...]
    upload: bool
    pattern: re.Pattern[str]

    @property
    def operation(self) -> str:
        """Its name in the log and for faults."""
        return f"gmail.{self.method}"


def _route(verb: str, template: str, method: str, handler: Handler, scopes: str, *, upload: bool = False) -> Route:
    # Ids hold no slash; the pattern works on the still quoted path, so that a quoted slash stays inside its variable.
    pattern = re.compile("/gmail/v1/users/(?P<userId>[^/]+)" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
    names = (FULL_SCOPE, *(f"{_PREFIX}{name}" for name in scopes.split()))
    return Route(verb, f"gmail/v1/users/{{userId}}{template}", method, handler, names, upload, pattern)


ROUTES: tuple[Route, ...] = (
    _route("GET", "/messages/{id}", "messages.get", messages.get, f"{_ADDON_READ} {_READ}"),
    _route("GET", "/messages", "messages.list", messages.list_, _READ),
    _route("GET", "/history", "history.list", history.list_, _READ),
    _route("GET", "/profile", "getProfile", profile.get_profile, f"compose {_READ}"),
    _route("POST", "/watch", "watch", profile.watch, _READ),
    _route("POST", "/stop", "stop", profile.stop, _READ),
    _route("POST", "/messages", "messages.insert", sending.insert, "insert modify", upload=True),
    _route("POST", "/messages/import", "messages.import", sending.import_, "insert modify", upload=True),
    _route("POST", "/messages/send", "messages.send", sending.send, f"{_DRAFT} send", upload=True),
    _route("POST", "/messages/batchModify", "messages.batchModify", messages.batch_modify, "modify"),
    _route("POST", "/messages/batchDelete", "messages.batchDelete", messages.batch_delete, ""),
    _route("POST", "/messages/{id}/modify", "messages.modify", messages.modify, "modify"),
    _route("POST", "/messages/{id}/trash", "messages.trash", messages.trash, "modify"),
    _route("POST", "/messages/{id}/untrash", "messages.untrash", messages.untrash, "modify"),
    _route("DELETE", "/messages/{id}", "messages.delete", messages.delete, ""),
    _route(
        "GET",
        "/messages/{messageId}/attachments/{id}",
        "messages.attachments.get",
        messages.attachment,
        f"addons.current.message.action addons.current.message.readonly {_OPEN}",
    ),
    _route("GET", "/threads", "threads.list", threads.list_, _READ),
    _route("GET", "/threads/{id}", "threads.get", threads.get, f"{_ADDON_READ} {_READ}"),
    _route("POST", "/threads/{id}/modify", "threads.modify", threads.modify, "modify"),
    _route("POST", "/threads/{id}/trash", "threads.trash", threads.trash, "modify"),
    _route("POST", "/threads/{id}/untrash", "threads.untrash", threads.untrash, "modify"),
    _route("DELETE", "/threads/{id}", "threads.delete", threads.delete, ""),
    _route("GET", "/labels", "labels.list", labels.list_, f"labels {_READ}"),
    _route("GET", "/labels/{id}", "labels.get", labels.get, f"labels {_READ}"),
    _route("POST", "/labels", "labels.create", labels.create, "labels modify"),
    _route("PATCH", "/labels/{id}", "labels.patch", labels.patch, "labels modify"),
    _route("PUT", "/labels/{id}", "labels.update", labels.update, "labels modify"),
    _route("DELETE", "/labels/{id}", "labels.delete", labels.delete, "labels modify"),
    _route("GET", "/drafts", "drafts.list", sending.list_drafts, f"compose {_OPEN}"),
    _route("GET", "/drafts/{id}", "drafts.get", sending.get_draft, f"compose {_OPEN}"),
    _route("POST", "/drafts", "drafts.create", sending.create_draft, _DRAFT, upload=True),
    _route("POST", "/drafts/send", "drafts.send", sending.send_draft, _DRAFT, upload=True),
    _route("PUT", "/drafts/{id}", "drafts.update", sending.update_draft, _DRAFT, upload=True),
    _route("DELETE", "/drafts/{id}", "drafts.delete", sending.delete_draft, _DRAFT),
    _route("GET", "/settings/sendAs", "settings.sendAs.list", profile.list_send_as, f"{_OPEN} settings.basic"),
    _route("GET", "/settings/sendAs/{sendAsEmail}", "settings.sendAs.get", profile.get_send_as, f"{_OPEN} settings.basic"),
)


def find(verb: str, quoted_path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request, and its path variables, still quoted."""
    for route in ROUTES:
        if route.verb == verb and (found := route.pattern.fullmatch(quoted_path)):
            return route, found.groupdict()
    return None
