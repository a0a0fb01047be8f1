"""One conversation as a page shows it: every email a line, the newest opened."""

from dataclasses import dataclass

from flowcrm.mail.types import Role
from flowcrm.pages.emails import people
from flowcrm.pages.emails.bodies import Body, body
from flowcrm.pages.emails.lists import subject
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor
from flowcrm.store.queries.mailboxes import Own, own_mailboxes
from flowcrm.store.queries.threads import EmailRow, emails_of
from flowcrm.store.reveal import Head, reveal_heads
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Fold:
    """One email, folded to a line. seed: gives its writer the same tint everywhere. body: its inside, where it is open."""

    row: EmailRow
    sender: str
    readers: str
    seed: str
    snippet: str
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """earlier: the email before which more of them lie."""

    conversation_id: int
    subject: str
    folds: tuple[Fold, ...]
    earlier: int | None


def thread(
    request: MemberRequest, looking: Actor, conversation_id: int, *, before: int | None = None, opened: int | None = None
) -> Thread:
    """The conversation's newest emails, the newest of them open (before the email `before`: none). opened: one more to open.

    One record for the lines, one for each opened email. conversation_id: as access_conversation returned it.
    """
    found = emails_of(looking, conversation_id, before=before)
    heads = reveal_heads(looking, [row.copy_id for row in found.emails], "thread")
    own = own_mailboxes(vault(looking.workspace_id), request.member.id)
    rows = [row for row in found.emails if row.copy_id in heads]
    open_ones = {opened, rows[-1].message_id if rows and before is None else None}
    folds = tuple(
        _fold(row, heads[row.copy_id], own, body(looking, row.message_id, own) if row.message_id in open_ones else None)
        for row in rows
    )
    return Thread(conversation_id, subject(heads[rows[0].copy_id]) if rows else "", folds, found.earlier)


def _fold(row: EmailRow, head: Head, own: Own, opened: Body | None) -> Fold:
    writers = head.of(Role.FROM)
    seed = writers[0].email if writers else ""
    return Fold(row, people.sender(head), people.readers(head, own.addresses), seed, head.snippet, opened)
