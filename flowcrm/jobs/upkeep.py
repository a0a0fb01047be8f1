"""Hourly tidying: jobs that a killed worker left `doing`, finished jobs, expired sessions, objects that nobody refers to."""

from datetime import timedelta

import structlog

from flowcrm.lib import clock
from flowcrm.store.vaults import blob_store
from flowcrm.store.writes.upkeep import do_drop_sessions, do_settle_dead_jobs, refs_in_use

log = structlog.get_logger(__name__)

# An object is written before its row is committed; one without a row after this time never gets one.
ORPHAN_AGE = timedelta(days=1)


def tidy() -> None:
    """Everything, in order of cheapness; each step may be cut and repeated."""
    do_settle_dead_jobs()
    do_drop_sessions(clock.now())
    log.info("tidied", orphans=collect_orphans())


def collect_orphans() -> int:
    """Delete objects without a row, older than a day, and what killed writes left. Returns how many."""
    store, before = blob_store(), clock.now() - ORPHAN_AGE
    found = store.sweep_unfinished(before)
    for workspace_id, refs in store.older_than(before):
        in_use = refs_in_use(workspace_id, refs)
        found += sum(store.delete_if_older(ref, before) for ref in refs if ref not in in_use)
    return found
