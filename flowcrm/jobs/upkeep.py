"""Hourly tidying: jobs that a killed worker left `doing`, finished jobs, expired sessions, bodies that nobody refers to."""

from datetime import timedelta

import structlog
from django.contrib.sessions.models import Session

from flowcrm.lib import clock
from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.vaults import blob_store

log = structlog.get_logger(__name__)

# An object is written before its row is committed; one without a row after this time never gets one.
ORPHAN_AGE = timedelta(days=1)


def tidy() -> None:
    """Everything, in order of cheapness; each step may be cut and repeated."""
    _fail_dead_jobs()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    collected = collect_orphans()
    log.info("tidied", orphans=collected)


def collect_orphans() -> int:
    """Delete objects without a row, older than a day, and what killed writes left. Returns how many."""
    store, before = blob_store(), clock.now() - ORPHAN_AGE
    found = store.sweep_unfinished(before)
    for workspace_id, refs in store.older_than(before):
        with workspace_scope(workspace_id):
            kept = {
                one for (one,) in rows("SELECT ref FROM blob WHERE workspace_id = %s AND ref = ANY(%s)", [workspace_id, refs])
            }
        found += sum(store.delete_if_older(ref, before) for ref in refs if ref not in kept)
    return found


def _fail_dead_jobs() -> None:
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
