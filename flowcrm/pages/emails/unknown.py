"""Unknown people: who stands in an email and is no contact yet. Only of what its reader may see."""

from collections.abc import Mapping

from flowcrm.mail.types import Address, Role
from flowcrm.rules.persons import why_no_person
from flowcrm.store.queries.addresses import known_hashes
from flowcrm.store.reveal import Head
from flowcrm.store.vaults import vault

# Of an email to many, the first few are looked at.
_LOOKED_AT = 4


def unknown_people(workspace_id: int, heads: Mapping[int, Head], own: frozenset[str]) -> dict[int, str]:
    """For each head that has one: the address of a person who is neither a contact nor a member. One look for all of them.

    Whoever wrote it; of what a member wrote, whom it went to.
    """
    keys = vault(workspace_id)
    people = {key: ([one.email for one in head.of(Role.FROM)], _readers(head)) for key, head in heads.items()}
    emails = {email for both in people.values() for some in both for email in some}
    hashes = {email: keys.lookup("address", email) for email in emails}
    contacts, members = known_hashes(workspace_id, hashes.values()) if hashes else (frozenset(), frozenset())
    ours = own | {email for email, hashed in hashes.items() if hashed in members}
    known = ours | {email for email, hashed in hashes.items() if hashed in contacts}
    first = {}
    for key, (writers, readers) in people.items():
        some = readers if ours.issuperset(writers) else writers
        first[key] = next((email for email in some if email not in known and _is_person(email)), "")
    return {key: email for key, email in first.items() if email}


def named(head: Head, email: str) -> Address | None:
    """The person with this address in what the reader may see of the email."""
    return next((one for role in Role for one in head.of(role) if one.email == email), None)


def _readers(head: Head) -> list[str]:
    return [one.email for one in (*head.of(Role.TO), *head.of(Role.CC))[:_LOOKED_AT]]


def _is_person(email: str) -> bool:
    # Whether it is ours, was asked for all of them at once.
    return why_no_person(email, lambda _email: False) is None
