"""Hourly tidying: jobs that a killed worker left `doing`, finished jobs, expired sessions, old notices, people about whom
nobody decided, what has lain in a bin for 30 days, objects that nobody refers to; and the audit records of that hour are closed
into their chain."""

from datetime import timedelta

import structlog

from flowcrm.lib import clock
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.members import workspace_ids
from flowcrm.store.vaults import blob_store
from flowcrm.store.writes.audit_chain import do_close_batches
from flowcrm.store.writes.bin import do_empty_bin
from flowcrm.store.writes.merging import do_forget_undo
from flowcrm.store.writes.notices import do_drop_notices
from flowcrm.store.writes.outgoing import do_drop_outgoing
from flowcrm.store.writes.people import do_forget_old_people
from flowcrm.store.writes.upkeep import do_drop_sessions, do_settle_dead_jobs, refs_in_use
from flowcrm.store.writes.uploads import do_forget_uploads
from flowcrm.vault.errors import VaultError

log = structlog.get_logger(__name__)

# An object is written before its row is committed; one without a row after this time never gets one.
ORPHAN_AGE = timedelta(hours=1)


def tidy() -> None:
    """Everything, in order of cheapness; each step may be cut and repeated."""
    do_settle_dead_jobs()
    do_drop_sessions(clock.now())
    log.info(
        "tidied",
        notices=drop_notices(),
        mails=drop_mails(),
        binned=empty_bins(),
        forgotten=forget_old_things(),
        audit_batches=close_audit_batches(),
        orphans=collect_orphans(),
    )


def drop_notices() -> int:
    """Notices are kept for 90 days; returns how many went."""
    gone = 0
    for workspace_id in workspace_ids():
        with workspace_scope(workspace_id):
            gone += do_drop_notices(workspace_id=workspace_id)
    return gone


def drop_mails() -> int:
    """What was sent is remembered for 30 days, and an invitation's address while its link works; returns how many went."""
    gone = 0
    for workspace_id in workspace_ids():
        with workspace_scope(workspace_id):
            gone += do_drop_outgoing(workspace_id=workspace_id)
    return gone


def empty_bins() -> int:
    """Take out what has lain in a bin for 30 days, a few at a time; returns how many copies."""
    gone = 0
    for workspace_id in workspace_ids():
        while True:
            try:
                with workspace_scope(workspace_id):
                    step = do_empty_bin(workspace_id=workspace_id)
            except VaultError as error:
                # What only the bin's copies are found by cannot be told without keys: the next hour tries again.
                log.warning("bin not emptied", workspace=workspace_id, error=type(error).__name__)
                break
            gone += step
            if not step:
                break
    return gone


def forget_old_things() -> int:
    """Drop what was found of people whom somebody wrote to, where he has not decided for 30 days; what would take back merges
    and splits of contacts that are so long ago; and files of contacts that were not imported within an hour. Returns how
    many."""
    gone = 0
    for workspace_id in workspace_ids():
        with workspace_scope(workspace_id):
            gone += do_forget_old_people(workspace_id=workspace_id) + do_forget_undo(workspace_id=workspace_id)
            gone += do_forget_uploads(workspace_id=workspace_id)
    return gone


def close_audit_batches() -> int:
    """Close the audit records of every account; returns how many batches that made. An account whose keys are out of reach
    waits for the next hour, alone."""
    closed = 0
    for workspace_id in workspace_ids():
        try:
            closed += do_close_batches(workspace_id)
        except VaultError as error:
            log.warning("audit not closed", workspace=workspace_id, error=type(error).__name__)
    return closed


def collect_orphans() -> int:
    """Delete objects without a row, older than an hour, and what killed writes left. Returns how many."""
    store, before = blob_store(), clock.now() - ORPHAN_AGE
    found = store.sweep_unfinished(before)
    for workspace_id, refs in store.older_than(before):
        in_use = refs_in_use(workspace_id, refs)
        found += sum(store.delete_if_older(ref, before) for ref in refs if ref not in in_use)
    return found
