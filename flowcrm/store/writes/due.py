"""When a mailbox is looked at next, and what it is asked for besides its new mail."""

from datetime import datetime

from flowcrm.lib import clock
from flowcrm.store.db import rows, run
from flowcrm.store.writes.tell import do_tell

# The order in which a worker takes mailboxes: a person is waiting, regular sync, long import.
LANE_NOW, LANE_SYNC, LANE_IMPORT = 0, 1, 2

# The lanes of one mailbox's work-list: new mail, a contact's past, what a walk listed, kept mail to ask about again.
LANE_NEW, LANE_CONTACT, LANE_LISTED, LANE_RECHECK = 0, 1, 2, 3


def do_due(*, workspace_id: int, mailbox_id: int, at: datetime, lane: int = LANE_SYNC) -> None:
    """Set when the mailbox is due."""
    run(
        """INSERT INTO mailbox_due (workspace_id, mailbox_id, next_run_at, lane) VALUES (%s, %s, %s, %s)
           ON CONFLICT (workspace_id, mailbox_id) DO UPDATE SET next_run_at = EXCLUDED.next_run_at, lane = EXCLUDED.lane""",
        [workspace_id, mailbox_id, at, lane],
    )


def do_due_after(*, workspace_id: int, mailbox_id: int, at: datetime, lane: int, began: datetime) -> None:
    """A slice that began at `began` ends: due again at `at`, or sooner if somebody has asked for it meanwhile. A mailbox that
    was switched off meanwhile has no row, and gets none."""
    run(
        """UPDATE mailbox_due SET
               lane = CASE WHEN next_run_at > %(began)s AND next_run_at <= %(at)s THEN lane ELSE %(lane)s END,
               next_run_at = CASE WHEN next_run_at > %(began)s THEN least(next_run_at, %(at)s) ELSE %(at)s END
           WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s""",
        {"ws": workspace_id, "mailbox": mailbox_id, "at": at, "lane": lane, "began": began},
    )


def do_due_now(*, workspace_id: int, mailbox_id: int) -> None:
    """A person asked: as soon as a worker is free, before everything that nobody waits for."""
    do_due(workspace_id=workspace_id, mailbox_id=mailbox_id, at=clock.now(), lane=LANE_NOW)
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_not_due(*, workspace_id: int, mailbox_id: int) -> None:
    run("DELETE FROM mailbox_due WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])


def do_contact_addresses_left(*, workspace_id: int) -> None:
    """An address was taken off a contact: listings by address that are under way start again, since their parts have moved."""
    run(
        """UPDATE cursor SET relist = true, rev = cursor.rev + 1 FROM mailbox m
           WHERE cursor.workspace_id = %s AND m.workspace_id = %s AND m.id = cursor.mailbox_id
             AND m.selection = 'contacts' AND cursor.listing""",
        [workspace_id, workspace_id],
    )


def do_contact_past(*, workspace_id: int, contact_id: int, last_id: int | None = None) -> None:
    """A contact got an address: every mailbox that keeps only contacts' mail lists that contact's past (K12).

    last_id: of several made at once, whose ids go up to it. They are one listing, which asks the provider for many addresses at
    a time; ten thousand listings of one contact each would take ten thousand questions.
    """
    several = last_id is not None and last_id != contact_id
    mailboxes = rows(
        """INSERT INTO cursor (workspace_id, mailbox_id, scope, value, listing, updated_at)
           SELECT workspace_id, id, %s, NULL, true, %s FROM mailbox
           WHERE workspace_id = %s AND selection = 'contacts' AND kind <> 'archive' AND import_from IS NOT NULL
           ON CONFLICT (workspace_id, mailbox_id, scope)
           DO UPDATE SET value = NULL, listing = true, relist = false, rev = cursor.rev + 1
           RETURNING mailbox_id""",
        [f"contact:{contact_id}-{last_id}" if several else f"contact:{contact_id}", clock.now(), workspace_id],
    )
    _do_look_into_bin(workspace_id, [mailbox_id for (mailbox_id,) in mailboxes])
    for (mailbox_id,) in mailboxes:
        run(
            # Now, and not whenever it was due: a slice that ends must see that somebody has asked since it began.
            "UPDATE mailbox_due SET next_run_at = %s, lane = %s WHERE workspace_id = %s AND mailbox_id = %s",
            [clock.now(), LANE_NOW, workspace_id, mailbox_id],
        )


def _do_look_into_bin(workspace_id: int, mailboxes: list[int]) -> None:
    """What went there because it was no contact's may be one's now."""
    run(
        """UPDATE settings_change AS s SET sweep = CASE sweep WHEN '' THEN 'keep' ELSE sweep END, swept_to = ''
           WHERE s.workspace_id = %s AND s.id IN (
               SELECT max(id) FROM settings_change WHERE workspace_id = %s AND mailbox_id = ANY(%s::bigint[])
               GROUP BY mailbox_id)""",
        [workspace_id, workspace_id, mailboxes],
    )
