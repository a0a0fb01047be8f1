"""Who was decided about when he was suggested as a contact. Inside a workspace scope."""

from flowcrm.store.db import row
from flowcrm.vault.seal import WorkspaceVault


def is_decided(keys: WorkspaceVault, *, member_id: int, h_address: bytes) -> bool:
    """Whether he is a contact by now, or this member has passed him over."""
    found = row(
        """SELECT EXISTS (SELECT 1 FROM contact_address
                          WHERE workspace_id = %(ws)s AND gen = %(gen)s AND h_address = %(one)s)
               OR EXISTS (SELECT 1 FROM passed_over
                          WHERE workspace_id = %(ws)s AND member_id = %(member)s AND gen = %(gen)s AND h_address = %(one)s)""",
        {"ws": keys.workspace_id, "gen": keys.generation, "member": member_id, "one": h_address},
    )
    return bool(found and found[0])
