"""Which look-up hashes belong to contacts, and which to the account's own members."""

from collections.abc import Iterable

from flowcrm.store.db import rows

# What members sign in with, and what any mailbox of theirs sends as.
_MEMBERS = """
    SELECT gen, h_address FROM mailbox_identity WHERE workspace_id = %(ws)s
    UNION SELECT gen, h_address FROM member_address WHERE workspace_id = %(ws)s"""


def contact_hashes(workspace_id: int, hashes: Iterable[bytes]) -> frozenset[bytes]:
    """Those of `hashes` that are addresses of contacts (inside a workspace scope)."""
    found = rows(
        "SELECT h_address FROM contact_address WHERE workspace_id = %s AND h_address = ANY(%s::bytea[])",
        [workspace_id, sorted(hashes)],
    )
    return frozenset(bytes(one) for (one,) in found)


def member_hashes(workspace_id: int) -> frozenset[bytes]:
    """Every address of every member, of all generations (inside a workspace scope)."""
    return frozenset(bytes(one) for _, one in rows(_MEMBERS, {"ws": workspace_id}))


def known_hashes(workspace_id: int, hashes: Iterable[bytes]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Those of `hashes` that are addresses of contacts, and those that are members' (inside a workspace scope)."""
    found = rows(
        f"""SELECT h_address, true FROM contact_address WHERE workspace_id = %(ws)s AND h_address = ANY(%(hashes)s::bytea[])
            UNION ALL
            SELECT m.h_address, false FROM ({_MEMBERS}) m WHERE m.h_address = ANY(%(hashes)s::bytea[])""",
        {"ws": workspace_id, "hashes": sorted(hashes)},
    )
    contacts = frozenset(bytes(one) for one, is_contact in found if is_contact)
    return contacts, frozenset(bytes(one) for one, is_contact in found if not is_contact)
