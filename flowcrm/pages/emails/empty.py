"""Why a list of emails is empty: never one sentence for all, since each has its own remedy."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flowcrm.mailboxes.states import State
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.integrations.cards import Card, Limits, card, lets_in, read_limits
from flowcrm.store.access import Actor
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.held import Held, held_of_company, held_of_contact
from flowcrm.store.queries.mailboxes import MailboxRow, mailbox_rows
from flowcrm.store.queries.threads import any_address_of_company
from flowcrm.store.vaults import vault

# What reads no mail, and does not because of any trouble.
_AT_REST = frozenset({State.DISCONNECTED, State.ARCHIVE})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one of the viewer's mailboxes lets in, in words, or why it reads nothing. live: it is asked for mail, so it can also
    be asked why."""

    mailbox_id: int
    address: str
    words: str
    live: bool


@dataclass(frozen=True, slots=True)
class Empty:
    """contact, company: whose list it is, 0 for all emails; name: its name.

    why: plan, held, no_mailbox, no_address, importing, stopped or nothing. held: who has emails with these people. address,
    percent: of the import under way; percent None while its length is not known. stopped: the mailbox that reads nothing until
    somebody acts. readings: what the viewer's mailboxes let in.
    """

    contact: int = 0
    company: int = 0
    name: str = ""
    has_address: bool = True
    why: str = "nothing"
    address: str = ""
    percent: int | None = None
    held: tuple[Held, ...] = ()
    stopped: Card | None = None
    readings: tuple[Reading, ...] = ()


def why_empty(request: MemberRequest, looking: Actor, about: Empty) -> Empty:
    """The first reason that holds, in the order in which a person would have to act."""
    if not PLANS[request.workspace.plan].email_integration and not looking.mailboxes:
        return replace(about, why="plan")
    held = _held(looking, about)
    if held:
        return replace(about, why="held", held=held)
    found = mailbox_rows(vault(looking.workspace_id), member_id=request.member.id) if looking.own else ()
    if all(row.state == State.DISCONNECTED for row in found):
        return replace(about, why="no_mailbox")
    if not about.has_address or (about.company and not any_address_of_company(looking.workspace_id, about.company)):
        return replace(about, why="no_address")
    under_way = next((row for row in found if row.importing and row.state == State.ON), None)
    if under_way is not None:
        return replace(about, why="importing", address=under_way.address, percent=_percent(under_way))
    stopped = _stopped(found)
    if stopped is not None:
        return replace(about, why="stopped", stopped=card(stopped, read_limits(request.workspace)))
    limits = read_limits(request.workspace)
    return replace(about, readings=tuple(_reading(row, limits) for row in found if row.state != State.DISCONNECTED))


def _held(looking: Actor, about: Empty) -> tuple[Held, ...]:
    if about.contact:
        return held_of_contact(looking, about.contact)
    return held_of_company(looking, about.company) if about.company else ()


def _stopped(found: Iterable[MailboxRow]) -> MailboxRow | None:
    """The first mailbox that waits for somebody, where none is read."""
    waiting = [row for row in found if row.state not in _AT_REST]
    return waiting[0] if waiting and all(row.state != State.ON for row in waiting) else None


def _reading(row: MailboxRow, limits: Limits) -> Reading:
    reads = row.state in (State.ON, State.ARCHIVE)
    words = lets_in(row) if reads else str(card(row, limits).shown.word)
    return Reading(row.id, row.address, words, live=row.state == State.ON)


def _percent(row: MailboxRow) -> int | None:
    known = not row.progress.listing and row.progress.listed > 0
    return 100 * row.progress.read // row.progress.listed if known else None
