"""Why a list of emails is empty: never one sentence for all, since each has its own remedy."""

from dataclasses import dataclass, replace

from flowcrm.mailboxes.states import State
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor
from flowcrm.store.plans import PLANS
from flowcrm.store.queries.held import Held, held_of_people
from flowcrm.store.queries.mailboxes import MailboxRow, mailbox_rows
from flowcrm.store.queries.threads import any_address_of_company
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Empty:
    """contact, company: whose list it is, 0 for all emails. why: plan, held, no_mailbox, no_address, importing, nothing.
    held: who has emails with this contact.

    address, percent: of the import under way; percent None while its length is not known.
    """

    contact: int = 0
    company: int = 0
    has_address: bool = True
    why: str = "nothing"
    address: str = ""
    percent: int | None = None
    held: tuple[Held, ...] = ()


def why_empty(request: MemberRequest, looking: Actor, about: Empty) -> Empty:
    """The first reason that holds, in the order in which a person would have to act."""
    if not PLANS[request.workspace.plan].email_integration and not looking.mailboxes:
        return replace(about, why="plan")
    held = held_of_people(looking, [about.contact]) if about.contact else ()
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
    return about


def _percent(row: MailboxRow) -> int | None:
    known = not row.progress.listing and row.progress.listed > 0
    return 100 * row.progress.read // row.progress.listed if known else None
