"""Lists of threads: what each line says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from flowcrm.mail.query import Excerpt
from flowcrm.pages.emails import people
from flowcrm.pages.emails.unknown import unknown_people
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor, actor
from flowcrm.store.levels import Level
from flowcrm.store.queries.mailboxes import own_mailboxes, owners
from flowcrm.store.queries.threads import Only, Place, ThreadPage, ThreadRow
from flowcrm.store.reveal import Head, reveal_heads
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Line:
    """One conversation: what its newest email says of itself, and what holds for all of them.

    holder: the colleague whose email it is, where the viewer sees less than all of it; then snippet is empty, and subject where
    that is hidden too. unknown: the address of a person in it who is no contact yet, if there is one. Of what was searched for:
    excerpt, where it stands in the text, and open, the email that is opened then.
    """

    row: ThreadRow
    people: str
    subject: str
    snippet: str
    holder: str = ""
    unknown: str = ""
    excerpt: Excerpt | None = None
    open: int | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of a list, with queries for its address. next: of the next page, empty on the last one. only: which conversations.
    newer: asks whether newer emails came in than this page shows; empty on all pages but the first. shared: colleagues let him
    see something of their emails."""

    lines: tuple[Line, ...]
    next: str
    only: Only
    newer: str = ""
    shared: bool = False


def who_looks(request: MemberRequest) -> Actor:
    """The request's member, with what he may read."""
    return actor(request.member, request.META.get("REMOTE_ADDR") or None)


def asked(request: MemberRequest, usual: Only = Only.ALL) -> tuple[Only, Place | None]:
    """What the address asks for: `only`, else the usual, and where the page begins (`after`: copy id and moment)."""
    wanted = request.GET.get("only", "")
    return Only(wanted) if wanted in set(Only) else usual, _place(request, "after")


def came_newer(request: MemberRequest, page: ThreadPage) -> bool:
    """Whether the list begins now (`page`) with something newer than what its reader was shown first (`newer`)."""
    shown, first = _place(request, "newer"), next(iter(page.threads), None)
    if shown is None or first is None:
        return first is not None
    return first.at > shown.at or (first.at == shown.at and first.copy_id < shown.copy_id)


def lines(request: MemberRequest, looking: Actor, page: ThreadPage, only: Only, surface: str) -> Lines:
    """The page opened: one record of what was seen."""
    heads = reveal_heads(looking, [row.shown_id for row in page.threads], surface)
    own = own_mailboxes(vault(looking.workspace_id), request.member.id).addresses if heads else frozenset()
    names = holders(looking, heads.values())
    there = [row for row in page.threads if row.shown_id in heads]
    unknown = unknown_people(looking.workspace_id, {row.shown_id: heads[row.shown_id] for row in there}, own)
    shown = tuple(_line(row, heads[row.shown_id], own, names, unknown.get(row.shown_id, "")) for row in there)
    newer = "" if _place(request, "after") else _newer(page, only)
    return Lines(shown, _next(page.after, only), only, newer, shared=bool(looking.shared))


def holders(looking: Actor, heads: Iterable[Head]) -> Mapping[int, str]:
    """Whose the mailboxes are of which less than everything is shown here."""
    partly = {head.mailbox_id for head in heads if head.sight is not Level.EVERYTHING}
    return owners(looking.workspace_id, partly) if partly else {}


def subject(head: Head) -> str:
    """What stands in its place where there is none; empty where it is hidden."""
    return (head.subject.strip() or _("(no subject)")) if head.sight.shows(Level.SUBJECT) else ""


def _line(row: ThreadRow, head: Head, own: frozenset[str], names: Mapping[int, str], unknown: str) -> Line:
    holder = names.get(head.mailbox_id, "")
    return Line(row, people.in_list(row, head, own), subject(head), head.snippet, holder, unknown)


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
