"""Why is this email (not) here? The rules of sync, asked about single mails as they are at the provider now; nothing is stored.

The same facts and the same `decide` as in listing and draining, with everything known: the provider's labels of the whole
thread, the headers, the room in the plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from flowcrm.connectors.base import Connector
from flowcrm.mail.errors import Gone
from flowcrm.mail.types import Headers, ItemFailed, Search, Thread, ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Decision, decide
from flowcrm.rules.exclusion import excluded_ids
from flowcrm.rules.facts import Envelope, MailboxRules, facts, thread_marks
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.exclusions import Listed, entries_with
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.writes.usage import read_room
from flowcrm.sync.people import header_hashes

MOST = 10


class Place(StrEnum):
    """Where a mail is now."""

    HERE = "here"
    BIN = "bin"
    WAITING = "waiting"
    SET_APART = "set_apart"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Explained:
    """One mail at the provider, and what the rules say of it. conversation_id: of the copy that is here, else None. listed: the
    entries of exclusion lists that keep it out."""

    provider_id: str
    subject: str
    sender: str
    at: datetime
    decision: Decision
    place: Place
    conversation_id: int | None = None
    listed: tuple[Listed, ...] = ()


def explain(
    mailbox: Snapshot, connector: Connector, *, search: Search | None = None, some_id: str = ""
) -> tuple[Explained, ...]:
    """Up to ten mails that a person may mean, by a search or by the id of a mail or thread. Raises the tree of mail.errors."""
    rules = _rules_now(mailbox, connector)
    ids = connector.search(search) if search is not None else _ids_of(connector, some_id)
    answers = connector.headers(ids[:MOST]) if ids else ()
    found = [one for one in answers if isinstance(one, Headers)]
    _raise_refused(answers)
    marks = _marks_now(connector, rules, found)
    return tuple(_explained(mailbox, rules, one, marks.get(one.thread_id or "", ThreadMarks())) for one in found)


def _rules_now(mailbox: Snapshot, connector: Connector) -> MailboxRules:
    """With labels that are called No-CRM since we last asked."""
    rules = mailbox.rules
    return replace(rules, excluded_ids=rules.excluded_ids | excluded_ids(connector.folders()))


def _ids_of(connector: Connector, some_id: str) -> tuple[str, ...]:
    """The mails of that thread, latest first; or the mail itself. A thread may bear the id of a mail: that one comes first,
    since it may be the one that is meant and only some are answered."""
    answers = connector.threads([some_id])
    _raise_refused(answers)
    mails = [one.provider_id for answer in answers if isinstance(answer, Thread) for one in reversed(answer.mails)]
    return tuple(sorted(mails, key=lambda one: one != some_id)) or (some_id,)


def _marks_now(connector: Connector, rules: MailboxRules, found: Sequence[Headers]) -> dict[str, ThreadMarks]:
    """What the labels of whole threads say, by the provider's own word."""
    threads = sorted({one.thread_id for one in found if one.thread_id is not None})
    answers = connector.threads(threads) if threads and rules.counting_ids else ()
    _raise_refused(answers)
    return {one.thread_id: thread_marks(rules, one) for one in answers if isinstance(one, Thread)}


def _raise_refused(answers: Sequence[object]) -> None:
    """What is not there any more is an answer; everything else that went wrong is told."""
    for one in answers:
        if isinstance(one, ItemFailed) and not isinstance(one.error, Gone):
            raise one.error


def _explained(mailbox: Snapshot, rules: MailboxRules, mail: Headers, marks: ThreadMarks) -> Explained:
    people = header_hashes(mailbox.vault, mail.fields)
    named = {name.lower(): value for name, value in reversed(mail.fields)}
    with workspace_scope(mailbox.workspace_id):
        removed = read_kept_out(mailbox.workspace_id, mailbox.mailbox_id, [(mail.provider_id, mail.thread_id)])
        contacts = contact_hashes(mailbox.workspace_id, people.addresses)
        envelope = Envelope(
            *(mail.folder_ids, mail.at, people.addresses, contacts), marks=marks, removed=bool(removed), domains=people.domains
        )
        listed = entries_with(mailbox.vault, mailbox.member_id, people.addresses | people.domains)
        room = read_room(mailbox.workspace_id, mailbox.plan, mailbox.today).new
        place, conversation_id = _place(mailbox, mail.provider_id)
    decision = decide(facts(envelope, rules, room=room is None or room > 0), rules.policy)
    subject, sender = named.get("subject", ""), named.get("from", "")
    return Explained(mail.provider_id, subject, sender, mail.at, decision, place, conversation_id, listed)


def _place(mailbox: Snapshot, provider_id: str) -> tuple[Place, int | None]:
    values = [mailbox.workspace_id, mailbox.mailbox_id, provider_id]
    copy = row(
        """SELECT m.conversation_id, c.binned_at IS NOT NULL FROM copy c
           JOIN message m ON m.workspace_id = c.workspace_id AND m.id = c.message_id
           WHERE c.workspace_id = %s AND c.mailbox_id = %s AND c.provider_id = %s""",
        values,
    )
    if copy is not None:
        return (Place.BIN, None) if copy[1] else (Place.HERE, copy[0])
    work = row(
        "SELECT state = 'quarantined' FROM work WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = %s", values
    )
    if work is None:
        return Place.NOWHERE, None
    return (Place.SET_APART if work[0] else Place.WAITING), None
