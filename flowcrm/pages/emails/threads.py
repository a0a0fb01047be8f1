"""One conversation as a page shows it: every email a line, the newest opened."""

from dataclasses import dataclass

from flowcrm.mail.types import Role
from flowcrm.pages.emails import people
from flowcrm.pages.emails.bodies import Body, body
from flowcrm.pages.emails.lists import subject
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor
from flowcrm.store.queries.mailboxes import own_addresses
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


def thread(request: MemberRequest, looking: Actor, conversation_id: int, *, before: int | None = None) -> Thread:
    """The conversation's newest emails (before the email `before`, then none is open). One record for the lines, one for the
    opened email. conversation_id: as access_conversation returned it."""
    found = emails_of(looking, conversation_id, before=before)
    heads = reveal_heads(looking, [row.copy_id for row in found.emails], "thread")
    own = own_addresses(vault(looking.workspace_id), request.member.id)
    rows = [row for row in found.emails if row.copy_id in heads]
    newest = rows[-1] if rows and before is None else None
    folds = tuple(_fold(request, looking, row, heads[row.copy_id], own, opened=row is newest) for row in rows)
    return Thread(conversation_id, subject(heads[rows[0].copy_id]) if rows else "", folds, found.earlier)


def _fold(
    request: MemberRequest, looking: Actor, row: EmailRow, head: Head, own: frozenset[str], *, opened: bool
) -> Fold:
    writers = head.of(Role.FROM)
    return Fold(
        row,
        people.sender(head, own),
        people.readers(head, own),
        writers[0].email if writers else "",
        head.snippet,
        body(request, looking, row.message_id) if opened else None,
    )
