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
    """A page of a list. next: the address' query of the next page, empty on the last one. only: which conversations."""

    lines: tuple[Line, ...]
    next: str
    only: Only


def who_looks(request: MemberRequest) -> Actor:
    """The request's member, with what he may read."""
    return actor(request.member, request.META.get("REMOTE_ADDR") or None)


def asked(request: MemberRequest) -> tuple[Only, Place | None]:
    """What the address asks for: `only`, and where the page begins (`after`: copy id and moment); nonsense asks for nothing."""
    wanted = request.GET.get("only", "")
    only = Only(wanted) if wanted in set(Only) else Only.ALL
    copy_id, _sep, moment = request.GET.get("after", "").partition(":")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return only, None
    valid = copy_id.isascii() and copy_id.isdigit() and len(copy_id) <= 18 and at.tzinfo is not None
    return only, Place(at, int(copy_id)) if valid else None


def lines(request: MemberRequest, looking: Actor, page: ThreadPage, only: Only, surface: str) -> Lines:
    """The page opened: one record of what was seen."""
    heads = reveal_heads(looking, [row.copy_id for row in page.threads], surface)
    own = own_mailboxes(vault(looking.workspace_id), request.member.id).addresses if heads else frozenset()
    shown = tuple(_line(row, heads[row.copy_id], own) for row in page.threads if row.copy_id in heads)
    return Lines(shown, _next(page.after, only), only)


def subject(head: Head) -> str:
    return head.subject.strip() or _("(no subject)")


def _line(row: ThreadRow, head: Head, own: frozenset[str]) -> Line:
    return Line(row, people.in_list(row, head, own), subject(head), head.snippet)


def _next(after: Place | None, only: Only) -> str:
    return urlencode({"only": only, "after": f"{after.copy_id}:{after.at.isoformat()}"}) if after else ""
