"""A member leaves: nothing is read in his name any more. What was kept stays, and is seen by whom it was seen."""

from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.mailboxes.states import State
from flowcrm.store.db import rows
from flowcrm.store.writes.leaving import check_deactivate


def check_leave(*, workspace_id: int, member_id: int, by_id: int) -> int:
    """Deactivate a member and disconnect his mailboxes; how many those were. Inside the caller's scope: all of it or nothing.

    Levels stay as he chose them, so colleagues go on seeing what they saw and no more. Raises LastAdmin, NotFound.
    """
    check_deactivate(workspace_id=workspace_id, member_id=member_id, by_id=by_id)
    connected = rows(
        "SELECT id FROM mailbox WHERE workspace_id = %s AND member_id = %s AND NOT state = ANY(%s) ORDER BY id",
        [workspace_id, member_id, [State.ARCHIVE, State.DISCONNECTED]],
    )
    for (mailbox_id,) in connected:
        do_disconnect(workspace_id=workspace_id, member_id=by_id, mailbox_id=mailbox_id)
    return len(connected)
