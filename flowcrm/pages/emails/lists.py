"""Lists of threads: what each line says."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from flowcrm.pages.emails import people
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor, actor
from flowcrm.store.queries.mailboxes import own_mailboxes
from flowcrm.store.queries.threads import Only, Place, ThreadPage, ThreadRow
from flowcrm.store.reveal import Head, reveal_heads
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Line:
    """One conversation: what its newest email says of itself, and what holds for all of them."""

    row: ThreadRow
    people: str
    subject: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of a list, with queries for its address. next: of the next page, empty on the last one. only: which conversations.
    newer: asks whether newer emails came in than this page shows; empty on all pages but the first."""

    lines: tuple[Line, ...]
    next: str
    only: Only
    newer: str = ""


def who_looks(request: MemberRequest) -> Actor:
    """The request's member, with what he may read."""
    return actor(request.member, request.META.get("REMOTE_ADDR") or None)


def asked(request: MemberRequest) -> tuple[Only, Place | None]:
    """What the address asks for: `only`, and where the page begins (`after`: copy id and moment); nonsense asks for nothing."""
    wanted = request.GET.get("only", "")
    return Only(wanted) if wanted in set(Only) else Only.ALL, _place(request, "after")


def came_newer(request: MemberRequest, page: ThreadPage) -> bool:
    """Whether the list begins now (`page`) with something newer than what its reader was shown first (`newer`)."""
    shown, first = _place(request, "newer"), next(iter(page.threads), None)
    if shown is None or first is None:
        return first is not None
    return first.at > shown.at or (first.at == shown.at and first.copy_id < shown.copy_id)


def lines(request: MemberRequest, looking: Actor, page: ThreadPage, only: Only, surface: str) -> Lines:
    """The page opened: one record of what was seen."""
    heads = reveal_heads(looking, [row.copy_id for row in page.threads], surface)
    own = own_mailboxes(vault(looking.workspace_id), request.member.id).addresses if heads else frozenset()
    shown = tuple(_line(row, heads[row.copy_id], own) for row in page.threads if row.copy_id in heads)
    return Lines(shown, _next(page.after, only), only, "" if _place(request, "after") else _newer(page, only))


def subject(head: Head) -> str:
    return head.subject.strip() or _("(no subject)")


def _line(row: ThreadRow, head: Head, own: frozenset[str]) -> Line:
    return Line(row, people.in_list(row, head, own), subject(head), head.snippet)


def _place(request: MemberRequest, name: str) -> Place | None:
    """A place in a list, as `_written` wrote it."""
    copy_id, _sep, moment = request.GET.get(name, "").partition(":")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    valid = copy_id.isascii() and copy_id.isdigit() and len(copy_id) <= 18 and at.tzinfo is not None
    return Place(at, int(copy_id)) if valid else None


def _written(place: Place) -> str:
    return f"{place.copy_id}:{place.at.isoformat()}"


def _next(after: Place | None, only: Only) -> str:
    return urlencode({"only": only, "after": _written(after)}) if after else ""


def _newer(page: ThreadPage, only: Only) -> str:
    first = next(iter(page.threads), None)
    return urlencode({"only": only, "newer": _written(Place(first.at, first.copy_id)) if first else ""})
