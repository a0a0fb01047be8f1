"""People who shall not be suggested to a member as contacts. Inside a workspace scope."""

from flowcrm.lib import clock
from flowcrm.store.db import run
from flowcrm.vault.seal import WorkspaceVault


def do_pass_over(keys: WorkspaceVault, *, member_id: int, h_address: bytes) -> None:
    """Not this one: only the keyed hash is remembered, for this member."""
    run(
        """INSERT INTO passed_over (workspace_id, member_id, gen, h_address, at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        [keys.workspace_id, member_id, keys.generation, h_address, clock.now()],
    )


def do_suggest_again(keys: WorkspaceVault, *, member_id: int, h_address: bytes) -> None:
    """That is taken back."""
    run(
        "DELETE FROM passed_over WHERE workspace_id = %s AND member_id = %s AND gen = %s AND h_address = %s",
        [keys.workspace_id, member_id, keys.generation, h_address],
    )
