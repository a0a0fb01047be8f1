"""Threads looked at as a whole: one of their mails got a label that counts for all of them, or lost it."""

from collections.abc import Sequence
from datetime import timedelta

from flowcrm.connectors.base import Connector
from flowcrm.lib import clock
from flowcrm.lib.retry import RetryPolicy
from flowcrm.mail.errors import Gone, MailError, NeedsAdmin, NeedsLogin, RateLimited
from flowcrm.mail.types import ItemFailed, Thread
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.writes.due import LANE_CONTACT
from flowcrm.store.writes.listing import Listed, do_listing
from flowcrm.store.writes.marks import do_thread_gone
from flowcrm.store.writes.page import Hold, check_hold
from flowcrm.sync.listing import look_up, sort_changes
from flowcrm.sync.stages import stage
from flowcrm.sync.sweep import bring_back_threads

# Threads asked for between two renewals of the lease.
AT_ONCE = 5
AGAIN = RetryPolicy(first=timedelta(minutes=1), most=timedelta(hours=1))
# No bookmark: what a look at a thread finds belongs to none.
_NO_SCOPE = "thread"


def next_threads(mailbox: Snapshot) -> tuple[str, ...]:
    """Threads that are due to be looked at."""
    with workspace_scope(mailbox.workspace_id):
        found = rows(
            """SELECT thread_id FROM thread_work WHERE workspace_id = %s AND mailbox_id = %s AND due_at <= %s
               ORDER BY due_at, thread_id LIMIT %s""",
            [mailbox.workspace_id, mailbox.mailbox_id, clock.now(), AT_ONCE],
        )
    return tuple(thread_id for (thread_id,) in found)


def look_at_threads(hold: Hold, mailbox: Snapshot, connector: Connector, thread_ids: Sequence[str]) -> None:
    """Ask what lies in them, and put on the work-list what may come in. Raises the tree of mail.errors for what concerns the
    whole mailbox."""
    with stage("threads"):
        answers = connector.threads(thread_ids)
    stop: MailError | None = None
    for thread_id, answer in zip(thread_ids, answers, strict=False):
        if isinstance(answer, Thread):
            _take(hold, mailbox, connector, answer)
        elif isinstance(answer.error, RateLimited | NeedsLogin | NeedsAdmin):
            stop = stop or answer.error
        else:
            _put_off(hold, thread_id, answer)
    if stop is not None:
        raise stop


def _take(hold: Hold, mailbox: Snapshot, connector: Connector, thread: Thread) -> None:
    found = look_up(hold, mailbox, connector, thread.mails, listing=False, past=False)
    fetch, touched, _ = sort_changes(found, thread.mails)
    do_listing(
        hold,
        Listed(_NO_SCOPE, None, 0, listing=False, lane=LANE_CONTACT, wanted=fetch, touched=touched, skipped={}),
    )
    bring_back_threads(hold, mailbox, [thread.thread_id])
    _do_done(hold, thread.thread_id)


def _put_off(hold: Hold, thread_id: str, answer: ItemFailed) -> None:
    """A thread that is gone bears nothing; one that could not be had is asked for again later."""
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        if isinstance(answer.error, Gone):
            do_thread_gone(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, thread_id=thread_id)
            run(_DONE, [hold.workspace_id, hold.mailbox_id, thread_id])
            return
        [[tries]] = rows(
            """UPDATE thread_work SET tries = tries + 1 WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = %s
               RETURNING tries""",
            [hold.workspace_id, hold.mailbox_id, thread_id],
        )
        run(
            "UPDATE thread_work SET due_at = %s WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = %s",
            [clock.now() + AGAIN.bound(tries - 1), hold.workspace_id, hold.mailbox_id, thread_id],
        )


_DONE = "DELETE FROM thread_work WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = %s"


def _do_done(hold: Hold, thread_id: str) -> None:
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        run(_DONE, [hold.workspace_id, hold.mailbox_id, thread_id])
