"""One conversation as a page shows it: every email a line, the newest opened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flowcrm.ingest.core import own_subject
from flowcrm.mail.types import Role
from flowcrm.pages.emails import people
from flowcrm.pages.emails.bodies import Body, body
from flowcrm.pages.emails.lists import holders, subject
from flowcrm.pages.http import MemberRequest
from flowcrm.store.access import Actor
from flowcrm.store.levels import Level
from flowcrm.store.queries.held import Held, held_by_others, is_marked
from flowcrm.store.queries.mailboxes import Own, own_mailboxes
from flowcrm.store.queries.threads import EmailRow, emails_of
from flowcrm.store.reveal import Head, reveal_heads
from flowcrm.store.vaults import vault


@dataclass(frozen=True, slots=True)
class Fold:
    """One email, folded to a line. seed: gives its writer the same tint everywhere. body: its inside, where it is open.
    subject: where it is not the thread's. holder: whose it is, where the viewer sees no more of it than this line."""

    row: EmailRow
    sender: str
    readers: str
    seed: str
    snippet: str
    subject: str = ""
    body: Body | None = None
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """earlier: the email before which more of them lie. held: what of it the viewer does not see at all. mine: he has an email
    of it, and may mark it private; private: he has."""

    conversation_id: int
    subject: str
    folds: tuple[Fold, ...]
    earlier: int | None
    held: tuple[Held, ...] = ()
    mine: bool = False
    private: bool = False


def thread(
    request: MemberRequest, looking: Actor, conversation_id: int, *, before: int | None = None, opened: int | None = None
) -> Thread:
    """The conversation's newest emails, the newest of them open (before the email `before`: none). opened: one more to open.

    One record for the lines, one for each opened email. conversation_id: as access_conversation returned it.
    """
    found = emails_of(looking, conversation_id, before=before)
    heads = reveal_heads(looking, [row.copy_id for row in found.emails], "thread")
    own = own_mailboxes(vault(looking.workspace_id), request.member.id)
    names = holders(looking, heads.values())
    rows = [row for row in found.emails if row.copy_id in heads]
    whole = [row.message_id for row in rows if row.sight is Level.EVERYTHING]
    open_ones = {opened, whole[-1] if before is None else None} if whole else set()
    title = next(filter(None, (subject(heads[row.copy_id]) for row in rows)), "")
    folds = tuple(
        replace(
            _fold(row, heads[row.copy_id], own, names),
            subject=_other_subject(heads[row.copy_id], title),
            body=body(looking, row.message_id, own) if row.message_id in open_ones else None,
        )
        for row in rows
    )
    return Thread(
        conversation_id,
        title,
        folds,
        found.earlier,
        held_by_others(looking, conversation_id),
        mine=any(row.own for row in rows),
        private=is_marked(looking, conversation_id),
    )


def _other_subject(head: Head, title: str) -> str:
    """An email's own subject, where it says something else than the thread's."""
    own = subject(head)
    return own if own_subject(own) != own_subject(title) else ""


def _fold(row: EmailRow, head: Head, own: Own, names: Mapping[int, str]) -> Fold:
    writers = head.of(Role.FROM)
    seed = writers[0].email if writers else ""
    holder = names.get(row.mailbox_id, "")
    return Fold(row, people.sender(head), people.readers(head, own.addresses), seed, head.snippet, holder=holder)
