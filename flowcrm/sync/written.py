"""People whom a mailbox's owner has written to: the headers of what he sent in the last 90 days, never a body.

A scan goes on where it was killed: the ids of the mails and what was counted are committed together, under a lease. It spends
from the same allowance as the sync, and stops where nobody has let the mailbox be read (docs/why/people.md).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from flowcrm.connectors.base import Connector
from flowcrm.lib import clock
from flowcrm.lib.retry import RetryPolicy
from flowcrm.mail.errors import CursorLost, MailError, NeedsAdmin, NeedsLogin, RateLimited, Transient
from flowcrm.mail.types import Headers, ItemFailed, Scope
from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import Snapshot, read_snapshot
from flowcrm.mailboxes.states import State
from flowcrm.rules.persons import reached
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.queries.people import Scan, next_scan_at, next_to_read, not_read_yet, read_scan, scans_due
from flowcrm.store.writes.budget import do_throttled
from flowcrm.store.writes.lease import Lease, LeaseLost, check_lease, release, renew, take
from flowcrm.store.writes.people import (
    Written,
    do_scan_later,
    do_scan_listed,
    do_scan_read,
    do_scan_ready,
    do_scan_stopped,
)
from flowcrm.sync.listing import labels_first
from flowcrm.vault.errors import VaultError

log = structlog.get_logger(__name__)

# So many sent mails of 90 days are looked through, the newest first: 250 a day.
MOST_MAILS = 20_000
BATCH = 25
TRIES = 5
SLICE_TIME = timedelta(seconds=30)
SHIFT, LINGER, GLANCE = 50.0, 15.0, 1.0
BACK_OFF = RetryPolicy(first=timedelta(seconds=15), most=timedelta(minutes=10))
LABELS_AGAIN = timedelta(seconds=2)
# Our own allowance refills within seconds.
_PACING = "budget"
_FAULT, _KEYS = "fault", "keys"


class _Over(Exception):
    """The owner has decided, or begun another scan: what this one has in hand is not written."""


@dataclass(slots=True)
class _Turn:
    """One slice of one scan."""

    lease: Lease
    mailbox: Snapshot
    scan: Scan
    ends_at: float = field(default_factory=lambda: clock.monotonic() + SLICE_TIME.total_seconds())

    @property
    def key(self) -> tuple[int, int]:
        return self.lease.workspace_id, self.lease.mailbox_id


def scan_due(owner: str, *, stop: Callable[[], bool]) -> None:
    """Go on with scans while some can, or soon will, for the better part of a minute."""
    ends_at = clock.monotonic() + SHIFT
    while not stop() and clock.monotonic() < ends_at:
        lease = _claim(owner)
        if lease is not None:
            run_scan(lease)
            continue
        at = next_scan_at()
        wait = None if at is None else (at - clock.now()).total_seconds()
        if wait is None or wait > LINGER:
            return
        time.sleep(min(max(wait, 0.05), GLANCE))


def _claim(owner: str) -> Lease | None:
    for workspace_id, mailbox_id in scans_due(clock.now()):
        lease = take(workspace_id, mailbox_id, "people", owner)
        if lease is not None:
            return lease
    return None


def run_scan(lease: Lease) -> None:
    """One slice under a lease, whatever happens."""
    with structlog.contextvars.bound_contextvars(workspace=lease.workspace_id, mailbox=lease.mailbox_id):
        try:
            _run_guarded(lease)
        except LeaseLost:
            log.warning("lease lost", epoch=lease.epoch)
        except _Over:
            log.info("scan over")
        finally:
            release(lease)


def _run_guarded(lease: Lease) -> None:
    try:
        _run(lease)
    except (LeaseLost, _Over):
        raise
    except VaultError as error:
        log.error("vault", error=type(error).__name__)
        _later(lease, _KEYS)
    except Exception as error:
        log.exception("fault", error=type(error).__name__)
        _later(lease, _FAULT)


def _run(lease: Lease) -> None:
    mailbox = read_snapshot(lease.workspace_id, lease.mailbox_id)
    with workspace_scope(lease.workspace_id):
        scan = read_scan(lease.workspace_id, lease.mailbox_id)
    if scan is None or scan.state != "reading":
        return
    if mailbox is None or mailbox.state != State.ON or not mailbox.plan.email_integration:
        _stop(lease, scan, mailbox.state if mailbox else State.DISCONNECTED)
        return
    if labels_first(mailbox):
        # What bears No-CRM is not known yet, and nobody named in it may be.
        with _writing(lease, scan):
            do_scan_later(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, at=clock.now() + LABELS_AGAIN)
        return
    try:
        connector = open_connector(mailbox)
        try:
            _take_turns(_Turn(lease, mailbox, scan), connector)
        finally:
            connector.close()
    except MailError as error:
        log.warning("scan slice ended", error=type(error).__name__, code=error.code)
        _settle(mailbox, lease, scan, error)


def _take_turns(turn: _Turn, connector: Connector) -> None:
    """First all ids, which cost next to nothing; then headers, newest first."""
    workspace_id, mailbox_id = turn.key
    while clock.monotonic() < turn.ends_at:
        if not renew(turn.lease):
            raise LeaseLost
        if not turn.scan.listed:
            _list(turn, connector)
            continue
        with workspace_scope(workspace_id):
            ids = next_to_read(workspace_id, mailbox_id, BATCH)
        if not ids:
            with _writing(turn.lease, turn.scan):
                do_scan_ready(workspace_id=workspace_id, mailbox_id=mailbox_id)
            return
        _read(turn, connector, ids)


def _list(turn: _Turn, connector: Connector) -> None:
    workspace_id, mailbox_id = turn.key
    scan, sent = turn.scan, tuple(sorted(turn.mailbox.rules.sent_ids))
    ids: list[str] = []
    cursor, listed = scan.cursor, not sent
    if sent:
        try:
            page = connector.changes(scan.cursor, Scope(since=scan.since, folder_ids=sent))
        except CursorLost:
            if scan.cursor is None:
                raise
            page = connector.changes(None, Scope(since=scan.since, folder_ids=sent))
        # What comes after the listing is news of the whole mailbox, and none of ours.
        listed = not page.listing
        ids = [] if listed else [one.provider_id for one in page.changes]
        cursor = page.cursor
    with _writing(turn.lease, scan):
        do_scan_listed(workspace_id=workspace_id, mailbox_id=mailbox_id, ids=ids, cursor=cursor, listed=listed, most=MOST_MAILS)
        turn.scan = read_scan(workspace_id, mailbox_id) or scan


def _read(turn: _Turn, connector: Connector, ids: list[str]) -> None:
    workspace_id, mailbox_id = turn.key
    answers = connector.headers(ids)
    waiting = [one for one in answers if isinstance(one, ItemFailed) and _comes_again(turn.scan, one.error)]
    # A mail that is gone, or that the provider cannot give, says nothing of anybody.
    done = [one for one in answers if one not in waiting]
    mails = [one for one in done if isinstance(one, Headers)]
    with _writing(turn.lease, turn.scan):
        due = not_read_yet(workspace_id, mailbox_id, [one.provider_id for one in done])
        counted = [one for one in _that_count(turn, mails) if one.provider_id in due]
        do_scan_read(
            turn.mailbox.vault,
            mailbox_id=mailbox_id,
            ids=[one.provider_id for one in done],
            written=[written for one in counted for written in _written(turn.mailbox, one)],
        )
    if waiting:
        raise waiting[0].error


def _that_count(turn: _Turn, mails: list[Headers]) -> list[Headers]:
    """What was sent, is no draft or trash, and is not kept out of FlowCRM by a label or by hand."""
    workspace_id, mailbox_id = turn.key
    rules = turn.mailbox.rules
    marks = read_marks(workspace_id, mailbox_id, [one.thread_id for one in mails])
    removed = read_kept_out(workspace_id, mailbox_id, [(one.provider_id, one.thread_id) for one in mails])
    out = rules.excluded_ids | rules.unfinished_ids
    return [
        one
        for one in mails
        if one.at >= turn.scan.since
        and one.folder_ids & rules.sent_ids
        and not one.folder_ids & out
        and one.provider_id not in removed
        and not (one.thread_id in marks and marks[one.thread_id].excluded)
    ]


def _written(mailbox: Snapshot, mail: Headers) -> Iterator[Written]:
    def is_ours(email: str) -> bool:
        return email in mailbox.own_addresses or mailbox.vault.lookup("address", email) in mailbox.rules.member_hashes

    return (Written(one.email, one.name, mail.at) for one in reached(mail.fields, is_ours))


def _comes_again(scan: Scan, error: MailError) -> bool:
    """Worth asking for once more: it concerns the mailbox, or passes. (Where nothing else is left, not for ever.)"""
    return isinstance(error, RateLimited | NeedsLogin | NeedsAdmin) or (isinstance(error, Transient) and scan.tries < TRIES)


# -- endings -----------------------------------------------------------------------------------------------------------------


@contextmanager
def _writing(lease: Lease, scan: Scan) -> Iterator[None]:
    """One transaction in which the lease is ours and the scan is still the one that was begun."""
    with workspace_scope(lease.workspace_id):
        check_lease(lease)
        now = read_scan(lease.workspace_id, lease.mailbox_id, lock=True)
        if now is None or now.begun_at != scan.begun_at or now.state != "reading":
            raise _Over
        yield


def _settle(mailbox: Snapshot, lease: Lease, scan: Scan, error: MailError) -> None:
    if isinstance(error, NeedsLogin | NeedsAdmin):
        _stop(lease, scan, error.code or type(error).__name__)
        return
    with _writing(lease, scan):
        at, code = clock.now() + BACK_OFF.delay(scan.tries), error.code or type(error).__name__
        if isinstance(error, RateLimited):
            at, code = _paced(mailbox, error), "" if error.code == _PACING else "slowed"
        do_scan_later(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, at=at, code=code)


def _paced(mailbox: Snapshot, error: RateLimited) -> datetime:
    if error.code in (_PACING, "not_before") and error.retry_at is not None:
        return error.retry_at
    return do_throttled(
        workspace_id=mailbox.workspace_id,
        mailbox_id=mailbox.mailbox_id,
        retry_at=error.retry_at,
        at_least=BACK_OFF.bound(0),
        configured=mailbox.units_per_minute,
    )


def _stop(lease: Lease, scan: Scan, code: str) -> None:
    with _writing(lease, scan):
        do_scan_stopped(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, code=code)


def _later(lease: Lease, code: str) -> None:
    with workspace_scope(lease.workspace_id):
        check_lease(lease)
        scan = read_scan(lease.workspace_id, lease.mailbox_id, lock=True)
        if scan is not None:
            at = clock.now() + BACK_OFF.bound(scan.tries)
            do_scan_later(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, at=at, code=code)
