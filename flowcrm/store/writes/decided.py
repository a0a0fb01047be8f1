"""What was decided by other rules than there are now is not written."""

from collections.abc import Collection

from flowcrm.store.db import run


def do_decide_again(workspace_id: int, mailboxes: Collection[int]) -> None:
    """What slices that are under way have decided for these mailboxes must not be written any more: they begin again.

    Inside the caller's scope, and before it takes the workspace's commit lock: a page takes that lock last.
    """
    # One order for everybody, or two who change the same mailboxes could wait for each other.
    run(
        """UPDATE mailbox SET settings_rev = settings_rev + 1
           WHERE workspace_id = %s AND id IN (
               SELECT id FROM mailbox WHERE workspace_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE)""",
        [workspace_id, workspace_id, sorted(mailboxes)],
    )
