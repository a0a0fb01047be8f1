"""Whom an address belongs to in the CRM. Inside a workspace scope."""

from dataclasses import dataclass

from flowcrm.store.db import row
from flowcrm.vault.seal import WorkspaceVault


@dataclass(frozen=True, slots=True)
class KnownAs:
    contact_id: int
    name: str


def contact_of(keys: WorkspaceVault, address: str) -> KnownAs | None:
    """The contact with this (normalised) address."""
    found = row(
        """SELECT c.id, c.name FROM contact_address a
           JOIN contact c ON c.workspace_id = a.workspace_id AND c.id = a.contact_id
           WHERE a.workspace_id = %s AND a.gen = %s AND a.h_address = %s""",
        [keys.workspace_id, keys.generation, keys.lookup("address", address)],
    )
    return KnownAs(*found) if found else None
