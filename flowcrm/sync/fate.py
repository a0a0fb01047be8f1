"""What other settings mean for what is stored: which copies would not come in by them. The same facts and the same `decide` as
for what comes in; the preview counts by it, and a change that takes out what no longer fits goes by it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from flowcrm.mail.types import ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.stored import StoredMail

# What a member chooses by the settings. Everything else that keeps mail out has its own way of taking it out.
_CHOSEN_BY_SETTINGS = frozenset({"before_since", "not_selected"})

MarksOf = Callable[[StoredMail], ThreadMarks]


def unfit(mailbox: Snapshot, mails: Iterable[StoredMail], marks_of: MarksOf) -> tuple[StoredMail, ...]:
    """Those that the mailbox's settings (`mailbox.rules`) would not let in, though nothing else speaks against them."""
    mails = tuple(mails)
    contacts = _contacts(mailbox, mails)
    return tuple(one for one in mails if _is_unfit(mailbox, one, marks_of(one), contacts))


def _is_unfit(mailbox: Snapshot, mail: StoredMail, marks: ThreadMarks, contacts: frozenset[bytes]) -> bool:
    envelope = Envelope(mail.folder_ids, mail.at, mail.people, mail.people & contacts, marks=marks)
    # That it lies in the trash by now is another matter: whether that takes it out is a setting of its own.
    asked = replace(facts(envelope, mailbox.rules, room=True), unfinished=False)
    return decide(asked, mailbox.rules.policy).rule in _CHOSEN_BY_SETTINGS


def _contacts(mailbox: Snapshot, mails: Iterable[StoredMail]) -> frozenset[bytes]:
    if mailbox.rules.selection != "contacts":
        return frozenset()
    with workspace_scope(mailbox.workspace_id):
        return contact_hashes(mailbox.workspace_id, frozenset().union(*(one.people for one in mails)))
