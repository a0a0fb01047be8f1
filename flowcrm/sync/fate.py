"""What other settings mean for what is stored: which copies would not come in by them. The same facts and the same `decide` as
for what comes in; the preview counts by it, and a change that takes out what no longer fits goes by it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from flowcrm.mail.types import ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Verdict, decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.exclusions import still_listed
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.queries.stored import StoredMail

# What a member chooses by the settings. Everything else that keeps mail out has its own way of taking it out.
_CHOSEN_BY_SETTINGS = frozenset({"before_since", "not_selected"})

MarksOf = Callable[[StoredMail], ThreadMarks | None]


@dataclass(frozen=True, slots=True)
class Fates:
    """Ids of copies: going, which do not fit; returning, which lie in the bin for their settings and fit again."""

    going: tuple[int, ...]
    returning: tuple[int, ...]


def fates(mailbox: Snapshot, mails: Iterable[StoredMail], marks_of: MarksOf, *, undoes: int | None = None) -> Fates:
    """What becomes of these under the mailbox's settings (`mailbox.rules`). undoes: they take back this change: what it put
    into the bin comes back, and of the others only those go that came in since."""
    mails = tuple(mails)
    here = [one for one in mails if one.binned_by is None and (undoes is None or one.copy_id > undoes)]
    binned = [one for one in mails if one.binned_by is not None]
    contacts, removed, listed = _contacts(mailbox, binned), _removed(mailbox, binned), _listed(mailbox, binned)
    returning = tuple(
        one.copy_id
        for one in binned
        if one.copy_id not in listed
        and (
            one.binned_by == undoes
            or decide(
                facts(_envelope(one, marks_of, contacts, removed=one.provider_id in removed), mailbox.rules, room=True),
                mailbox.rules.policy,
            ).verdict
            is Verdict.KEEP
        )
    )
    return Fates(tuple(one.copy_id for one in unfit(mailbox, here, marks_of)), returning)


def unfit(mailbox: Snapshot, mails: Iterable[StoredMail], marks_of: MarksOf) -> tuple[StoredMail, ...]:
    """Those that the mailbox's settings (`mailbox.rules`) would not let in, though nothing else speaks against them."""
    mails = tuple(mails)
    contacts = _contacts(mailbox, mails)
    return tuple(one for one in mails if _is_unfit(mailbox, _envelope(one, marks_of, contacts)))


def _is_unfit(mailbox: Snapshot, envelope: Envelope) -> bool:
    # That it lies in the trash by now is another matter: whether that takes it out is a setting of its own.
    asked = replace(facts(envelope, mailbox.rules, room=True), unfinished=False)
    return decide(asked, mailbox.rules.policy).rule in _CHOSEN_BY_SETTINGS


def _envelope(mail: StoredMail, marks_of: MarksOf, contacts: frozenset[bytes], *, removed: bool = False) -> Envelope:
    return Envelope(
        mail.folder_ids, mail.at, mail.people, mail.people & contacts, marks=marks_of(mail) or ThreadMarks(), removed=removed
    )


def _removed(mailbox: Snapshot, mails: Sequence[StoredMail]) -> frozenset[str]:
    with workspace_scope(mailbox.workspace_id):
        asked = [(one.provider_id, one.thread_id) for one in mails]
        return read_kept_out(mailbox.workspace_id, mailbox.mailbox_id, asked)


def _listed(mailbox: Snapshot, mails: Sequence[StoredMail]) -> frozenset[int]:
    """Those that an exclusion list keeps in the bin."""
    with workspace_scope(mailbox.workspace_id):
        return still_listed(mailbox.workspace_id, mailbox.mailbox_id, [one.copy_id for one in mails])


def _contacts(mailbox: Snapshot, mails: Iterable[StoredMail]) -> frozenset[bytes]:
    if mailbox.rules.selection != "contacts":
        return frozenset()
    with workspace_scope(mailbox.workspace_id):
        return contact_hashes(mailbox.workspace_id, frozenset().union(*(one.people for one in mails)))
