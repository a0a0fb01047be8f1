"""Whom an address belongs to. Inside a workspace scope."""

from dataclasses import dataclass

from flowcrm.store.db import row
from flowcrm.vault.seal import WorkspaceVault


@dataclass(frozen=True, slots=True)
class KnownAs:
    """contact_id: None for a colleague, who needs no contact."""

    contact_id: int | None
    name: str


def known_as(keys: WorkspaceVault, address: str) -> KnownAs | None:
    """The contact with this (normalised) address, or the colleague who sends as it."""
    found = row(
        """SELECT c.id, c.name FROM contact_address a
           JOIN contact c ON c.workspace_id = a.workspace_id AND c.id = a.contact_id
           WHERE a.workspace_id = %(workspace)s AND a.gen = %(gen)s AND a.h_address = %(address)s
           UNION ALL
           SELECT NULL, o.name FROM mailbox_identity i
           JOIN mailbox m ON m.workspace_id = i.workspace_id AND m.id = i.mailbox_id
           JOIN member o ON o.workspace_id = m.workspace_id AND o.id = m.member_id
           WHERE i.workspace_id = %(workspace)s AND i.gen = %(gen)s AND i.h_address = %(address)s
           LIMIT 1""",
        {"workspace": keys.workspace_id, "gen": keys.generation, "address": keys.lookup("address", address)},
    )
    return KnownAs(*found) if found else None
