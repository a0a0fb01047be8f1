"""What a provider lets us spend on one mailbox, shared by all workers through one row.

A bucket of quota units. Providers count in windows of a minute, so the bucket holds a fifth of the minute's allowance and
refills with the other four fifths: no window can exceed the whole. The allowance is learned: an answer "too fast" cuts it,
calm minutes give it back, up to what the settings say.
"""

from datetime import datetime, timedelta

from flowcrm.lib import clock
from flowcrm.mail.errors import RateLimited
from flowcrm.store.db import row, run, workspace_scope

BURST, STEADY = 0.2, 0.8
CALM = timedelta(minutes=10)
CUT, REGAIN = 0.7, 1.25
LEAST_PART = 0.05  # of the configured allowance: however often we are told off, we go on asking now and then
PATIENCE = timedelta(seconds=30)
LONGEST = timedelta(hours=24)


def do_open_budget(*, workspace_id: int, mailbox_id: int, per_minute: float) -> None:
    """Make the mailbox's budget row, full, or keep what was learned."""
    run(
        """INSERT INTO budget (workspace_id, mailbox_id, units, per_minute, refilled_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        [workspace_id, mailbox_id, per_minute * BURST, per_minute, clock.now()],
    )


def do_spend(*, workspace_id: int, mailbox_id: int, units: int, configured: float) -> None:
    """Take `units` before a remote call, in a transaction of its own. Raises RateLimited(retry_at) when they are not there."""
    now = clock.now()
    with workspace_scope(workspace_id):
        found = row(
            """SELECT units, per_minute, refilled_at, not_before, throttled_at FROM budget
               WHERE workspace_id = %s AND mailbox_id = %s FOR UPDATE""",
            [workspace_id, mailbox_id],
        )
        if found is None:
            do_open_budget(workspace_id=workspace_id, mailbox_id=mailbox_id, per_minute=configured)
            found = (configured * BURST, configured, now, None, None)
        left, per_minute, refilled_at, not_before, throttled_at = found
        if not_before is not None and not_before > now:
            raise RateLimited("waiting as the provider asked", code="not_before", retry_at=not_before)
        if throttled_at is not None and throttled_at + CALM <= now:
            per_minute, throttled_at = min(configured, per_minute * REGAIN), now
        per_second = per_minute * STEADY / 60
        # A call dearer than the whole bucket must still be possible: it may take the bucket below zero.
        full = per_minute * BURST
        left = min(full, left + max((now - refilled_at).total_seconds(), 0) * per_second)
        if left < min(units, full):
            raise RateLimited(
                "this minute's allowance is used up",
                code="budget",
                retry_at=now + timedelta(seconds=(min(units, full) - left) / per_second),
            )
        run(
            """UPDATE budget SET units = %s, per_minute = %s, refilled_at = %s, throttled_at = %s
               WHERE workspace_id = %s AND mailbox_id = %s""",
            [left - units, per_minute, now, None if per_minute >= configured else throttled_at, workspace_id, mailbox_id],
        )


def do_throttled(
    *, workspace_id: int, mailbox_id: int, retry_at: datetime | None, at_least: timedelta, configured: float
) -> datetime:
    """The provider said "too fast": spend less, and nothing before the moment it named. Returns that moment.

    at_least: how long to wait whatever it said: a moment that is past (or that its clock and ours see differently) is no leave
    to go on asking.
    """
    now = clock.now()
    # A day is the longest that any provider's limit lasts; a server that says "in a year" is wrong.
    not_before = min(max(retry_at or now + PATIENCE, now + at_least), now + LONGEST)
    run(
        """UPDATE budget SET units = 0, per_minute = greatest(per_minute * %s, %s), refilled_at = %s, not_before = %s,
                  throttled_at = %s
           WHERE workspace_id = %s AND mailbox_id = %s""",
        [CUT, configured * LEAST_PART, not_before, not_before, now, workspace_id, mailbox_id],
    )
    return not_before
