"""Exclusion lists: what is on them, and whether a stored email is kept out by one. Inside a workspace scope."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.mail.addresses import domain_of, domains_above
from flowcrm.mail.exclusion import ListedKind, ListEntry
from flowcrm.mail.types import Role
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text  # allow: one-door: to compare, nobody is shown it

SEAL = "exclusion"
_COLUMNS = "id, member_id, kind, s_value, created_at, state"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry. member_id: whose mailboxes it is for, None for the whole account. state: as in the table."""

    id: int
    member_id: int | None
    entry: ListEntry
    created_at: datetime
    state: str


def listed_hashes(workspace_id: int, member_id: int) -> frozenset[bytes]:
    """The look-up hashes of all that keeps mail out of this member's mailboxes."""
    found = rows(
        """SELECT h_value FROM exclusion
           WHERE workspace_id = %s AND (member_id = %s OR member_id IS NULL) AND state <> 'leaving'""",
        [workspace_id, member_id],
    )
    return frozenset(bytes(one) for (one,) in found)


def entries_of(keys: WorkspaceVault, member_id: int | None) -> tuple[Listed, ...]:
    """A member's own list, or the account's, by what stands on it."""
    found = rows(
        f"""SELECT {_COLUMNS} FROM exclusion
            WHERE workspace_id = %s AND member_id IS NOT DISTINCT FROM %s AND state <> 'leaving'""",
        [keys.workspace_id, member_id],
    )
    return tuple(sorted((_opened(keys, one) for one in found), key=lambda one: (one.entry.kind, one.entry.value)))


def entries_with(keys: WorkspaceVault, member_id: int, hashes: Iterable[bytes]) -> tuple[Listed, ...]:
    """The entries that these people and domains meet in this member's mailboxes."""
    found = rows(
        f"""SELECT {_COLUMNS} FROM exclusion
            WHERE workspace_id = %s AND (member_id = %s OR member_id IS NULL) AND state <> 'leaving'
              AND h_value = ANY(%s::bytea[]) ORDER BY id""",
        [keys.workspace_id, member_id, sorted(hashes)],
    )
    return tuple(_opened(keys, one) for one in found)


def access_entry(keys: WorkspaceVault, entry_id: int, *, member_id: int, admin: bool) -> Listed:
    """An entry that this member may take off: one of his own, or, for an admin, one of the account's. Raises NotFound."""
    found = row(
        f"""SELECT {_COLUMNS} FROM exclusion
            WHERE workspace_id = %s AND id = %s AND (member_id = %s OR (member_id IS NULL AND %s)) AND state <> 'leaving'""",
        [keys.workspace_id, entry_id, member_id, admin],
    )
    if found is None:
        raise NotFound
    return _opened(keys, found)


def unsettled(workspace_id: int) -> tuple[int, ...]:
    """Entries that were put on or taken off, with stored mail still to follow."""
    found = rows("SELECT id FROM exclusion WHERE workspace_id = %s AND state <> 'on' ORDER BY id", [workspace_id])
    return tuple(entry_id for (entry_id,) in found)


def read_entry_by_id(keys: WorkspaceVault, entry_id: int) -> Listed | None:
    """An entry in any state."""
    found = row(f"SELECT {_COLUMNS} FROM exclusion WHERE workspace_id = %s AND id = %s", [keys.workspace_id, entry_id])
    return _opened(keys, found) if found else None


def still_listed(workspace_id: int, mailbox_id: int, copy_ids: Collection[int]) -> frozenset[int]:
    """Those of these copies of a mailbox that its owner's list or the account's keeps out."""
    found = rows("SELECT member_id FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id])
    hashes = listed_hashes(workspace_id, found[0][0]) if found else frozenset[bytes]()
    if not hashes:
        return frozenset()
    keys = vault(workspace_id)
    heads = rows(
        "SELECT id, s_head FROM copy WHERE workspace_id = %s AND id = ANY(%s::bigint[])", [workspace_id, sorted(copy_ids)]
    )
    return frozenset(
        copy_id for copy_id, sealed in heads if not hashes.isdisjoint(_hashes(keys, head_addresses(keys, copy_id, sealed)))
    )


def kept_out_people(keys: WorkspaceVault, member_id: int, emails: Iterable[str]) -> frozenset[str]:
    """Those of these (normalised) addresses whose mail this member's list or the account's keeps out."""
    hashes = listed_hashes(keys.workspace_id, member_id)
    return frozenset(one for one in emails if hashes and not hashes.isdisjoint(_hashes(keys, [one])))


def head_addresses(keys: WorkspaceVault, copy_id: int, sealed: bytes) -> frozenset[str]:
    """Everybody's address in a copy's head, to be compared and never shown."""
    head = json.loads(open_text(keys, "head", copy_id, bytes(sealed)))  # allow: one-door: to compare, nobody is shown it
    return frozenset(email for role in Role for _, email in head.get(role.value, ()) if email)


def own_addresses(keys: WorkspaceVault) -> frozenset[str]:
    """What the account's members sign in with and send as."""
    signing = rows(
        "SELECT p.email FROM member m JOIN person p ON p.id = m.person_id WHERE m.workspace_id = %s", [keys.workspace_id]
    )
    sending = rows("SELECT mailbox_id, s_address FROM mailbox_identity WHERE workspace_id = %s", [keys.workspace_id])
    return frozenset(one for (one,) in signing) | frozenset(
        keys.open("identity", mailbox_id, bytes(one)).decode() for mailbox_id, one in sending
    )


def _hashes(keys: WorkspaceVault, addresses: Iterable[str]) -> frozenset[bytes]:
    people = tuple(addresses)
    domains = {one for domain in map(domain_of, people) for one in (domain, *domains_above(domain))}
    return frozenset(keys.lookup("address", one) for one in people) | {keys.lookup("domain", one) for one in domains}


def _opened(keys: WorkspaceVault, found: tuple[Any, ...]) -> Listed:
    entry_id, member_id, kind, sealed, created_at, state = found
    value = keys.open(SEAL, entry_id, bytes(sealed)).decode()
    return Listed(entry_id, member_id, ListEntry(ListedKind(kind), value), created_at, state)
