"""What is in the mailbox, and what changed since: users.messages.list, then users.history.list.

    None ──> listing: part 0, page by page, part 1, … ──> following: history since the bookmark, page by page, again and again

The bookmark is taken from getProfile before the first page of the listing, so what arrives meanwhile comes twice rather than
never. A *part* is one request's worth of the scope: Gmail joins several labelIds by AND, so each chosen label is listed by
itself, and addresses are searched for in groups.

developers.google.com/workspace/gmail/api/guides/sync, reference/rest/v1/users.messages/list, …/users.history/list
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from flowcrm.connectors.gmail.api import Api
from flowcrm.connectors.gmail.errors import Asked, LabelLost, PageLost, unreadable
from flowcrm.connectors.gmail.folders import split_labels
from flowcrm.mail.errors import CursorLost, Transient
from flowcrm.mail.types import Change, ChangeKind, ChangePage, Scope

# A page token that is lost so often in one part is lost for a reason; the job's back-off takes over.
_RESTARTS = 3

_CHAT = "CHAT"


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are in a mailbox; the connector's cursor, as JSON.

    history_id: everything up to here is known, or is being listed.
    part, restarts: while listing: which part, and how often its page token was lost. part None: following the history.
    page: the page token to send, or None for a first page.
    newest: while following: the mailbox's history id when the first page of this walk was read.
    """

    history_id: str
    part: int | None = None
    page: str | None = None
    newest: str | None = None
    restarts: int = 0

    def dump(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}, separators=(",", ":"))

    @classmethod
    def load(cls, cursor: str) -> "Place":
        """Raises CursorLost for what `dump` did not write."""
        try:
            place = cls(**json.loads(cursor))
            int(place.history_id)
        except (ValueError, TypeError):
            raise CursorLost("The bookmark cannot be read.", code="cursor") from None
        return place


@dataclass(frozen=True, slots=True)
class Part:
    """One request's worth of a scope."""

    label_id: str | None
    query: str


def changes(api: Api, cursor: str | None, scope: Scope) -> ChangePage:
    """See `Connector.changes`."""
    place = _start(api) if cursor is None else Place.load(cursor)
    return _follow(api, place) if place.part is None else _list(api, place, place.part, scope)


def relist(cursor: str) -> str:
    """See `Connector.relist`."""
    return Place(history_id=Place.load(cursor).history_id, part=0).dump()


def _start(api: Api) -> Place:
    return Place(history_id=_history_id(api.ask("getProfile", "profile")), part=0)


# -- listing ---------------------------------------------------------------------------------------------------------------


def parts(scope: Scope, addresses_per_query: int) -> tuple[Part, ...]:
    """What has to be asked, one after the other, so that together it is the scope. None for a scope that nothing can meet."""
    labels: Sequence[str | None] = (None,) if scope.folder_ids is None else scope.folder_ids
    return tuple(Part(label, query) for label, query in product(labels, _queries(scope, addresses_per_query)))


def _queries(scope: Scope, addresses_per_query: int) -> Iterator[str]:
    # Spam and trash stay out by themselves (includeSpamTrash is false by default), drafts and chats do not.
    words = ["-in:chats"] if scope.everywhere else ["-in:drafts", "-in:chats"]
    if scope.since is not None:
        # Whether `after:` takes the second itself is not documented: ask for one more, the rules look at the date again.
        words.append(f"after:{int(scope.since.timestamp()) - 1}")
    if scope.until is not None:
        words.append(f"before:{int(scope.until.timestamp()) + 1}")
    if scope.addresses is None:
        yield " ".join(words)
        return
    for start in range(0, len(scope.addresses), addresses_per_query):
        yield " ".join([*words, _people(scope.addresses[start : start + addresses_per_query])])


def _people(addresses: Iterable[str]) -> str:
    """Braces mean OR in Gmail's search."""
    terms = (f"{place}:{_term(address)}" for address in addresses for place in ("from", "to", "cc", "bcc"))
    return "{" + " ".join(terms) + "}"


def _term(address: str) -> str:
    # People type addresses of contacts: none may close the brace, or begin with a minus, and search for something else.
    return address if re.fullmatch(r"\w[\w.+'-]*@[\w.-]+", address) else '"' + re.sub(r'["\\]', "", address) + '"'


def _list(api: Api, place: Place, number: int, scope: Scope) -> ChangePage:
    todo = parts(scope, api.settings.addresses_per_query)
    if number >= len(todo):
        return _listed((), place, number, len(todo))
    part = todo[number]
    params = [("maxResults", str(api.settings.list_page)), ("q", part.query)]
    asked = Asked.MAILBOX
    if scope.everywhere:
        params.append(("includeSpamTrash", "true"))
    if part.label_id is not None:
        params.append(("labelIds", part.label_id))
        asked = Asked.LABEL
    if place.page:
        params.append(("pageToken", place.page))
        asked = Asked.PAGE
    try:
        answer = api.ask("messages.list", "messages", params, asked)
    except PageLost:
        return _again(place)
    except LabelLost:
        return _listed((), replace(place, page=None), number, len(todo))
    found = tuple(
        Change(ChangeKind.ARRIVED, str(message["id"]), message.get("threadId")) for message in answer.get("messages") or ()
    )
    return _listed(found, replace(place, page=_next_page(answer, place.page)), number, len(todo))


def _listed(found: tuple[Change, ...], place: Place, number: int, total: int) -> ChangePage:
    """The page, and the place after it: the same part's next page, the next part, or the bookmark."""
    if place.page is None:
        place = replace(place, part=number + 1, restarts=0) if number + 1 < total else Place(place.history_id)
    # Even after the last page there is more: what happened while it was being listed.
    return ChangePage(found, place.dump(), more=True, listing=True)


def _again(place: Place) -> ChangePage:
    """The part from its first page. What was listed already comes again, and is known by then.

    A server that keeps losing its pages is left alone until the next interval; the dead token is never asked for again.
    """
    tired = place.restarts >= _RESTARTS
    if tired and place.part is None:
        raise CursorLost("Gmail loses the pages of its history again and again.", code="page_lost")
    after = replace(place, page=None, newest=None, restarts=0 if tired else place.restarts + 1)
    return ChangePage((), after.dump(), more=not tired, listing=place.part is not None, again=True)


# -- following ---------------------------------------------------------------------------------------------------------------


def _follow(api: Api, place: Place) -> ChangePage:
    # Never with labelId: a label deleted meanwhile makes Gmail answer 404, which is the answer for a lost bookmark too.
    params = [("startHistoryId", place.history_id), ("maxResults", str(api.settings.history_page))]
    if place.page:
        params.append(("pageToken", place.page))
    try:
        answer = api.ask("history.list", "history", params, Asked.HISTORY_PAGE if place.page else Asked.HISTORY)
    except PageLost:
        return _again(place)
    page = _next_page(answer, place.page)
    # The newest id of the *first* page: later pages could skip what happened between two of them. Twice is better than never.
    newest = place.newest or _history_id(answer)
    # A replica that lags can name an older id than the one we started from.
    after = replace(place, page=page, newest=newest) if page else Place(max(place.history_id, newest, key=int))
    return ChangePage(fold(answer.get("history") or ()), after.dump(), more=page is not None, listing=False)


def fold(records: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """The last truth about each mail in a page of history records, in the order of the last event of each.

    A delete wins, unless the mail was added again later. A mail that arrived in this page stays ARRIVED whatever happened to
    its labels afterwards, with the labels that it has in the end.
    """
    latest: dict[str, Change] = {}
    for record in sorted(records, key=lambda record: int(record.get("id", 0))):
        for change in _events(record):
            before = latest.pop(change.provider_id, None)
            latest[change.provider_id] = _after(before, change)
    # A chat is no mail; the listing leaves them out too.
    return tuple(change for change in latest.values() if _CHAT not in (change.folder_ids or ()))


def _after(before: Change | None, change: Change) -> Change:
    if before is None or change.kind is not ChangeKind.FOLDERS:
        return change
    if before.kind is ChangeKind.GONE:
        return before
    return replace(change, kind=before.kind, left_ids=before.left_ids | change.left_ids)


def _events(record: Mapping[str, Any]) -> Iterator[Change]:
    for event in record.get("messagesAdded") or ():
        yield _arrived(event["message"])
    for event in record.get("labelsAdded") or ():
        # Gmail leaves empty lists out; a mail that has just got a label has at least this one.
        yield _labelled(ChangeKind.FOLDERS, {"labelIds": event.get("labelIds", ()), **event["message"]})
    for event in record.get("labelsRemoved") or ():
        left, _ = split_labels(event.get("labelIds") or ())
        yield replace(_labelled(ChangeKind.FOLDERS, event["message"]), left_ids=left)
    for event in record.get("messagesDeleted") or ():
        yield Change(ChangeKind.GONE, str(event["message"]["id"]), event["message"].get("threadId"))


def _arrived(message: Mapping[str, Any]) -> Change:
    """The reference promises id and threadId only: without labels, the mail itself will have to say where it lies."""
    if message.get("labelIds") is None:
        return Change(ChangeKind.ARRIVED, str(message["id"]), message.get("threadId"))
    return _labelled(ChangeKind.ARRIVED, message)


def _labelled(kind: ChangeKind, message: Mapping[str, Any]) -> Change:
    folder_ids, unread = split_labels(message.get("labelIds") or ())
    return Change(kind, str(message["id"]), message.get("threadId"), folder_ids, unread)


# -- both --------------------------------------------------------------------------------------------------------------------


def _next_page(answer: Mapping[str, Any], sent: str | None) -> str | None:
    page = answer.get("nextPageToken")
    if not page:
        return None
    if page == sent:
        raise Transient("Gmail names the same page again and again.", code="no_progress")
    return str(page)


def _history_id(answer: Mapping[str, Any]) -> str:
    try:
        return str(int(answer["historyId"]))
    except (KeyError, ValueError, TypeError):
        raise unreadable("historyId") from None
