"""Which mails a worker has begun with: so that one which ends every process that touches it is found out.

The mark is committed before the mail is fetched and taken back when the batch is over, however it went. Only a process that
ended in between (killed for its memory, crashed in a library, stuck until its lease went to another) leaves it behind.
"""

from collections.abc import Sequence

from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.writes.page import Hold

# So many processes were lost over a mail before it is set apart.
MOST = 3
KILLED = "worker_lost"


def do_begin(hold: Hold, work_ids: Sequence[int]) -> frozenset[int]:
    """Mark these rows; returns those that may be worked on. The others have cost too many workers and are set apart."""
    with workspace_scope(hold.workspace_id):
        found = rows(
            """UPDATE work SET begun = begun + 1, state = CASE WHEN begun >= %s THEN 'quarantined' ELSE state END,
                      reason = CASE WHEN begun >= %s THEN %s ELSE reason END
               WHERE workspace_id = %s AND mailbox_id = %s AND id = ANY(%s) RETURNING id, state""",
            [MOST, MOST, KILLED, hold.workspace_id, hold.mailbox_id, list(work_ids)],
        )
    return frozenset(work_id for work_id, state in found if state != "quarantined")


def do_end(hold: Hold, work_ids: Sequence[int]) -> None:
    """The batch is over: what is left of its rows was not lost with a process."""
    with workspace_scope(hold.workspace_id):
        run(
            "UPDATE work SET begun = 0 WHERE workspace_id = %s AND mailbox_id = %s AND id = ANY(%s)",
            [hold.workspace_id, hold.mailbox_id, list(work_ids)],
        )
