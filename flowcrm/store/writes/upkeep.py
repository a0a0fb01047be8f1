"""What time and crashes leave behind in instance tables, and which objects still have a row."""

from collections.abc import Sequence
from datetime import datetime

from flowcrm.store.db import rows, run, workspace_scope


def do_drop_sessions(before: datetime) -> None:
    """Sign-ins that have run out."""
    run("DELETE FROM django_session WHERE expire_date < %s", [before])


def do_settle_dead_jobs() -> None:
    """Procrastinate leaves the jobs of a killed worker `doing` for ever. Ours are wake-ups: the next one does the same work."""
    run(
        """UPDATE procrastinate_jobs SET status = 'failed' WHERE status = 'doing'
           AND (worker_id IS NULL OR worker_id NOT IN (SELECT id FROM procrastinate_workers
                                                       WHERE last_heartbeat > now() - interval '2 minutes'))"""
    )
    run(
        """DELETE FROM procrastinate_jobs
           WHERE status IN ('succeeded', 'failed', 'cancelled') AND scheduled_at < now() - interval '1 day'"""
    )


def refs_in_use(workspace_id: int, refs: Sequence[str]) -> frozenset[str]:
    """Those of these objects that a row refers to."""
    with workspace_scope(workspace_id):
        found = rows(
            "SELECT ref FROM blob WHERE workspace_id = %s AND ref IS NOT NULL AND ref = ANY(%s::text[])",
            [workspace_id, list(refs)],
        )
    return frozenset(ref for (ref,) in found)
