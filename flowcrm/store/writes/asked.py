"""What a mailbox's owner asks of it besides its selection. Each function runs inside the caller's scope."""

from flowcrm.lib import clock
from flowcrm.store.db import run
from flowcrm.store.writes.due import do_due_now


def do_interval(*, workspace_id: int, mailbox_id: int, interval_s: int) -> None:
    """Look that often from now on. What comes in does not change, so nothing is listed again."""
    run("UPDATE mailbox SET interval_s = %s WHERE workspace_id = %s AND id = %s", [interval_s, workspace_id, mailbox_id])
    do_due_now(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_try_quarantined(*, workspace_id: int, mailbox_id: int, work_id: int | None) -> int:
    """Take one mail that was set apart (None: all of them) back onto the work-list, as if it had just been found; how many."""
    taken = run(
        """UPDATE work SET state = 'ready', tries = 0, faults = 0, begun = 0, reason = '', due_at = %s
           WHERE workspace_id = %s AND mailbox_id = %s AND state = 'quarantined' AND (%s::bigint IS NULL OR id = %s)""",
        [clock.now(), workspace_id, mailbox_id, work_id, work_id],
    )
    if taken:
        do_due_now(workspace_id=workspace_id, mailbox_id=mailbox_id)
    return taken
