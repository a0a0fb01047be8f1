"""When and how much: one loop serves import and sync.

A worker claims the mailbox that is due, holds its lease for one slice (30 seconds or 500 mails), and in that slice takes
turns: read a page of changes, fetch and store a batch from the work-list. Each turn ends in one transaction that carries its
bookmark, so a crash at any instruction loses nothing and doubles nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from flowcrm.connectors.base import Connector
from flowcrm.lib import clock
from flowcrm.mail.errors import CursorLost, MailError
from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import Snapshot, read_snapshot
from flowcrm.mailboxes.states import State
from flowcrm.store.writes.lease import Lease, LeaseLost, claim_due, release, renew
from flowcrm.store.writes.page import Hold, SettingsChanged
from flowcrm.sync.drain import drain_batch
from flowcrm.sync.folders import FOLDERS_EVERY, refresh_folders
from flowcrm.sync.listing import labels_first, next_scope, read_page
from flowcrm.sync.settle import (
    settle_error,
    settle_fault,
    settle_lost_cursor,
    settle_mended,
    settle_unsynced,
    settle_vault,
    settle_well,
)
from flowcrm.sync.sweep import sweep
from flowcrm.sync.threads import look_at_threads, next_threads
from flowcrm.sync.worklist import take_batch
from flowcrm.vault.errors import VaultError

log = structlog.get_logger(__name__)

# A mailbox whose trouble an admin must mend is tried now and then: nobody has to press anything once it is mended.
WORTH_TRYING = frozenset({State.ON, State.ADMIN_MUST_ACT})
SLICE_TIME = timedelta(seconds=30)
SLICE_MAILS = 500


@dataclass(slots=True)
class Slice:
    """One turn at one mailbox. mails: how many have gone through it; came: how many of them the provider gave."""

    mailbox: Snapshot
    lease: Lease
    connector: Connector
    asked: set[str] = field(default_factory=set)
    mails: int = 0
    came: int = 0
    ends_at: float = field(default_factory=lambda: clock.monotonic() + SLICE_TIME.total_seconds())

    @property
    def hold(self) -> Hold:
        return Hold(self.lease, self.mailbox.settings_rev)

    def keep_lease(self) -> None:
        """Prolong it, or stop: what somebody else holds is not ours to write."""
        if not renew(self.lease):
            raise LeaseLost

    @property
    def spent(self) -> bool:
        return self.mails >= SLICE_MAILS or clock.monotonic() >= self.ends_at


def run_due(owner: str) -> bool:
    """Run one slice of the mailbox that is due first. False when nothing is due."""
    lease = claim_due(owner)
    if lease is None:
        return False
    run_slice(lease)
    return True


def run_slice(lease: Lease) -> None:
    """One slice under a lease, whatever happens; afterwards the mailbox is due again when it should be."""
    with structlog.contextvars.bound_contextvars(workspace=lease.workspace_id, mailbox=lease.mailbox_id):
        try:
            _run_guarded(lease)
        except LeaseLost:
            log.warning("lease lost", epoch=lease.epoch)
        finally:
            release(lease)


def _run_guarded(lease: Lease) -> None:
    """Only a lost lease leaves: nothing may be settled by whoever lost it."""
    try:
        _run(lease)
    except LeaseLost:
        raise
    except SettingsChanged:
        # Whoever changed the settings has made the mailbox due as it should be.
        log.info("settings changed under way")
    except VaultError as error:
        log.error("vault", error=type(error).__name__)
        settle_vault(lease, error)
    except Exception as error:
        log.exception("fault", error=type(error).__name__)
        settle_fault(lease)


def _run(lease: Lease) -> None:
    mailbox = read_snapshot(lease.workspace_id, lease.mailbox_id)
    if mailbox is None or mailbox.state not in WORTH_TRYING or not mailbox.plan.email_integration:
        settle_unsynced(lease, mailbox)
        return
    try:
        connector = open_connector(mailbox)
    except MailError as error:
        settle_error(mailbox, lease, error)
        return
    try:
        if mailbox.state == State.ADMIN_MUST_ACT:
            connector.check()
            settle_mended(lease)
        else:
            _take_turns(Slice(mailbox, lease, connector))
    except CursorLost as error:
        log.warning("cursor lost", code=error.code)
        settle_lost_cursor(mailbox, lease)
    except MailError as error:
        log.warning("slice ended", error=type(error).__name__, code=error.code)
        settle_error(mailbox, lease, error)
    finally:
        connector.close()


def _take_turns(turn: Slice) -> None:
    """Read and fetch in turns until there is nothing left to do now, or the slice is spent."""
    mailbox = turn.mailbox
    if mailbox.folders_at is None or mailbox.folders_at + FOLDERS_EVERY <= clock.now():
        refresh_folders(mailbox, turn.connector)
        again = read_snapshot(mailbox.workspace_id, mailbox.mailbox_id) or mailbox
        # What was asked for while the folders were read was asked for after the slice began.
        turn.mailbox = mailbox = replace(again, read_at=mailbox.read_at)
    more = True
    while more and not turn.spent:
        turn.keep_lease()
        scope = next_scope(mailbox, turn.asked)
        if scope is not None and not read_page(turn.hold, mailbox, turn.connector, scope):
            turn.asked.add(scope.name)
        if labels_first(mailbox):
            more = scope is not None
            continue
        batch = take_batch(mailbox)
        if batch:
            turn.mails += len(batch)
            turn.came += drain_batch(turn.hold, mailbox, turn.connector, batch, turn.keep_lease, came=turn.came)
        # What new mail and the import have left of the slice.
        threads = () if batch else next_threads(mailbox)
        if threads:
            turn.keep_lease()
            look_at_threads(turn.hold, mailbox, turn.connector, threads)
        more = sweep(turn.hold, mailbox) or scope is not None or bool(batch or threads)
    settle_well(mailbox, turn.lease, finished=not more)
