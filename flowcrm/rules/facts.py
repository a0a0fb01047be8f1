"""From what is known of a mail (a listing's line, its headers, the whole mail) to the facts that rules ask for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flowcrm.mail.types import Thread, ThreadMarks
from flowcrm.rules.decide import Facts, Policy

DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """One mailbox's settings as rules need them. *_ids are folder ids at the provider; `unfinished` are drafts, spam, trash.
    excluded_ids and chosen_ids count for the whole thread of a mail that lies in them.

    member_hashes: look-up hashes of all addresses of the account's members. listed: of the addresses and the domains on the
    exclusion lists, the owner's and the account's.
    """

    selection: str
    since: datetime | None
    chosen_ids: frozenset[str] = frozenset()
    excluded_ids: frozenset[str] = frozenset()
    unfinished_ids: frozenset[str] = frozenset()
    sent_ids: frozenset[str] = frozenset()
    member_hashes: frozenset[bytes] = frozenset()
    listed: frozenset[bytes] = frozenset()
    policy: Policy = DEFAULT_POLICY

    def marks_of(self, folder_ids: frozenset[str]) -> frozenset[str]:
        """Those of a mail's folders that count for its thread. What is excluded counts wherever the mail lies; what is chosen
        does not choose by a draft, or from spam or trash."""
        chosen = self.selection == "labels" and folder_ids.isdisjoint(self.unfinished_ids)
        return folder_ids & (self.excluded_ids | self.chosen_ids if chosen else self.excluded_ids)

    @property
    def counting_ids(self) -> frozenset[str]:
        """All that may count for a thread."""
        return self.excluded_ids | self.chosen_ids if self.selection == "labels" else self.excluded_ids


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of one mail so far; None where nobody looked yet.

    people: look-up hashes of everybody in From, To, Cc, Bcc and Reply-To. domains: of their domains, and of those above them;
    known where people is.
    contacts: those of `people` that are addresses of contacts.
    address_matched: the provider's own search found it for a contact's address.
    marks: of its thread, where that is known. removed: its owner has removed it here, or its thread, and keeps it out.
    """

    folder_ids: frozenset[str] | None = None
    at: datetime | None = None
    people: frozenset[bytes] | None = None
    contacts: frozenset[bytes] | None = None
    address_matched: bool = False
    marks: ThreadMarks | None = None
    removed: bool = False
    domains: frozenset[bytes] = frozenset()


def thread_marks(rules: MailboxRules, thread: Thread) -> ThreadMarks:
    """What the labels of a thread say of it, by the provider's own word."""
    bears = [(one, rules.marks_of(one.folder_ids or frozenset())) for one in thread.mails]
    chosen = [one.at for one, marks in bears if marks & rules.chosen_ids]
    moments = [at for at in chosen if at is not None]
    return ThreadMarks(
        excluded=any(marks & rules.excluded_ids for _, marks in bears),
        chosen=bool(chosen),
        chosen_at=min(moments) if moments and len(moments) == len(chosen) else None,
    )


def facts(envelope: Envelope, rules: MailboxRules, *, room: bool) -> Facts:
    """The facts of one mail under one mailbox's settings."""
    folders = envelope.folder_ids
    return Facts(
        erased=envelope.removed,
        privacy_named=False,
        thread_excluded=_excluded(envelope, rules),
        listed=_listed(envelope, rules),
        unfinished=_touches(folders, rules.unfinished_ids),
        members_only=_members_only(envelope.people, rules.member_hashes),
        before_since=_before(envelope.at, rules.since),
        selected=_selected(envelope, rules),
        room=room,
    )


def _touches(folders: frozenset[str] | None, ids: Iterable[str]) -> bool | None:
    return None if folders is None else not folders.isdisjoint(ids)


def _excluded(envelope: Envelope, rules: MailboxRules) -> bool | None:
    """By the mail's own labels or its thread's. The marks of a thread hold those of all its mails."""
    if envelope.marks is not None and envelope.marks.excluded:
        return True
    own = _touches(envelope.folder_ids, rules.excluded_ids)
    return False if own is None and envelope.marks is not None else own


def _listed(envelope: Envelope, rules: MailboxRules) -> bool | None:
    if not rules.listed:
        return False
    return None if envelope.people is None else not rules.listed.isdisjoint(envelope.people | envelope.domains)


def _members_only(people: frozenset[bytes] | None, members: frozenset[bytes]) -> bool | None:
    # A mail without any address is nobody's: it must not pass as "only among members".
    return None if people is None else bool(people) and people <= members


def _before(at: datetime | None, since: datetime | None) -> bool | None:
    if since is None:
        return False
    return None if at is None else at < since


def _selected(envelope: Envelope, rules: MailboxRules) -> bool | None:
    if rules.selection == "all":
        return True
    if rules.selection == "labels":
        return _chosen(envelope, rules)
    if envelope.contacts is not None:
        return bool(envelope.contacts)
    # The search's word is good enough to fetch the mail; its own addresses decide.
    return True if envelope.address_matched else None


def _chosen(envelope: Envelope, rules: MailboxRules) -> bool | None:
    """A chosen mail brings what came later in its thread, and what the mailbox's owner sent in it (claim K11)."""
    folders, marks = envelope.folder_ids, envelope.marks
    if folders is not None and folders & rules.chosen_ids:
        return True
    if marks is None or not marks.chosen:
        return None if folders is None else False
    if folders is not None and folders & rules.sent_ids:
        return True
    if marks.chosen_at is None or envelope.at is None:
        return None
    return True if envelope.at >= marks.chosen_at else (None if folders is None else False)
