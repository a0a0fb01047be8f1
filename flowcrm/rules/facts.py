"""From what is known of a mail (a listing's line, its headers, the whole mail) to the facts that rules ask for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flowcrm.rules.decide import Facts, Policy

DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """One mailbox's settings as rules need them. *_ids are folder ids at the provider; `unfinished` are drafts, spam, trash.

    member_hashes: look-up hashes of all addresses of the account's members.
    """

    selection: str
    since: datetime | None
    chosen_ids: frozenset[str] = frozenset()
    excluded_ids: frozenset[str] = frozenset()
    unfinished_ids: frozenset[str] = frozenset()
    member_hashes: frozenset[bytes] = frozenset()
    policy: Policy = DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of one mail so far; None where nobody looked yet.

    people: look-up hashes of everybody in From, To, Cc, Bcc and Reply-To.
    contacts: those of `people` that are addresses of contacts.
    address_matched: the provider's own search found it for a contact's address.
    excluded: the mail or its thread bears an excluded label, where that is already known.
    """

    folder_ids: frozenset[str] | None = None
    at: datetime | None = None
    people: frozenset[bytes] | None = None
    contacts: frozenset[bytes] | None = None
    address_matched: bool = False


def facts(envelope: Envelope, rules: MailboxRules, *, room: bool) -> Facts:
    """The facts of one mail under one mailbox's settings."""
    folders = envelope.folder_ids
    return Facts(
        privacy_named=False,
        thread_excluded=_touches(folders, rules.excluded_ids),
        unfinished=_touches(folders, rules.unfinished_ids),
        members_only=_members_only(envelope.people, rules.member_hashes),
        before_since=_before(envelope.at, rules.since),
        selected=_selected(envelope, rules),
        room=room,
    )


def _touches(folders: frozenset[str] | None, ids: Iterable[str]) -> bool | None:
    return None if folders is None else not folders.isdisjoint(ids)


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
        return _touches(envelope.folder_ids, rules.chosen_ids)
    if envelope.contacts is not None:
        return bool(envelope.contacts)
    # The search's word is good enough to fetch the mail; its own addresses decide.
    return True if envelope.address_matched else None
