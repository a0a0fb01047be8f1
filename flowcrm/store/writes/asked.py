"""What a mailbox's owner asks of it besides its selection. Each function runs inside the caller's scope."""

from flowcrm.lib import clock
from flowcrm.store.db import row, run
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.mailbox import Selection, do_settings


def do_interval(*, workspace_id: int, mailbox_id: int, interval_s: int) -> None:
    """Look that often from now on. What comes in does not change, so nothing is listed again."""
    run("UPDATE mailbox SET interval_s = %s WHERE workspace_id = %s AND id = %s", [interval_s, workspace_id, mailbox_id])
    do_due_now(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_import_no_further(*, workspace_id: int, mailbox_id: int) -> None:
    """Older emails than those that the import has reached do not come in. It goes from the newest to the oldest, so that is the
    one which came last; where nothing came yet, only what comes from now on is let in."""
    found = row(
        """SELECT m.selection, m.interval_s,
                  ARRAY(SELECT f.provider_id FROM folder f
                        WHERE f.workspace_id = m.workspace_id AND f.mailbox_id = m.id AND f.chosen),
                  greatest(m.since, coalesce(
                      (SELECT c.at FROM copy c
                       WHERE c.workspace_id = m.workspace_id AND c.mailbox_id = m.id AND c.at < m.import_from
                       ORDER BY c.id DESC LIMIT 1), m.import_from))
           FROM mailbox m WHERE m.workspace_id = %s AND m.id = %s FOR UPDATE""",
        [workspace_id, mailbox_id],
    )
    if found is not None:
        selection, interval_s, labels, since = found
        chosen = Selection(selection, since, interval_s, frozenset(labels))
        do_settings(workspace_id=workspace_id, mailbox_id=mailbox_id, chosen=chosen)


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
