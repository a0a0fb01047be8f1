"""How a slice ends: what the mailbox says of itself, and when it is due again.

Each ending is one transaction that begins with a look at the lease: a worker whose lease is lost has no say any more, for what
it knows is older than what its successor knows. All raise LeaseLost then, and nothing was written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from flowcrm.lib import clock
from flowcrm.lib.retry import RetryPolicy
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, PermissionMissing, RateLimited
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.mailboxes.states import Note, State, check_move
from flowcrm.store.db import row, run, workspace_scope
from flowcrm.store.writes.budget import do_throttled
from flowcrm.store.writes.due import LANE_IMPORT, LANE_SYNC, do_due, do_due_after, do_not_due
from flowcrm.store.writes.lease import Lease, check_lease
from flowcrm.store.writes.listing import do_recheck_all
from flowcrm.store.writes.mailbox import do_checked, do_note, do_restart_listing, do_state
from flowcrm.store.writes.notices import do_notice_limits
from flowcrm.store.writes.page import Hold, check_hold
from flowcrm.store.writes.secrets import do_expire
from flowcrm.vault.errors import BlobStoreFull, BlobStoreUnavailable, VaultError

BACK_OFF = RetryPolicy(first=timedelta(seconds=15), most=timedelta(minutes=10))
VAULT_AGAIN = timedelta(seconds=60)
# Our own budget refills within seconds: that is pacing, not trouble, and nobody need read of it.
OWN_PACING = frozenset({"budget"})
# What a token endpoint says when a person must sign in again (RFC 6749 5.2), and what we say when there is no grant at all.
GRANT_IS_DEAD = frozenset(
    {
        "invalid_grant",
        "no_refresh_token",
        "access_denied",
        "interaction_required",
        "login_required",
        "consent_required",
        "account_selection_required",
    }
)
# Tokens that were refused one after the other, each of them fresh: then it is not the token.
TOKENS_REFUSED = 5
# What an admin must mend may have been mended meanwhile, or was a provider's passing whim.
ADMIN_AGAIN = timedelta(minutes=15)


@contextmanager
def _ending(lease: Lease) -> Iterator[None]:
    """The transaction of an ending, while the lease is ours."""
    with workspace_scope(lease.workspace_id):
        check_lease(lease)
        yield


def settle_well(mailbox: Snapshot, lease: Lease, *, finished: bool) -> None:
    """The slice went well. finished: nothing is left that could be done now."""
    now = clock.now()
    with _ending(lease):
        import_done = finished and not _still_importing(mailbox)
        do_checked(
            workspace_id=mailbox.workspace_id,
            mailbox_id=mailbox.mailbox_id,
            synced=finished,
            import_done=import_done,
        )
        if finished:
            do_notice_limits(
                workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, plan=mailbox.plan, today=mailbox.today
            )
        next_try = _next_retry(mailbox)
        regular = now + mailbox.interval if finished else now
        _due(mailbox, min(regular, next_try) if next_try else regular, LANE_SYNC if finished else LANE_IMPORT)


def settle_error(mailbox: Snapshot, lease: Lease, error: MailError) -> None:
    """The slice ended with an error of the whole mailbox. What was committed before stays."""
    with _ending(lease):
        if isinstance(error, RateLimited):
            _slowed(mailbox, error)
        elif isinstance(error, PermissionMissing):
            _stopped(mailbox, State.PERMISSION_MISSING, error)
        elif isinstance(error, NeedsLogin) and error.code in GRANT_IS_DEAD:
            _stopped(mailbox, State.REAUTHORIZE, error)
        elif isinstance(error, NeedsLogin):
            _token_ended(mailbox, error)
        elif isinstance(error, NeedsAdmin):
            _stopped(mailbox, State.ADMIN_MUST_ACT, error)
            do_due(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, at=clock.now() + ADMIN_AGAIN)
        else:
            _unreachable(mailbox)


def _token_ended(mailbox: Snapshot, error: NeedsLogin) -> None:
    """A refused access token says nothing of the grant: let it be renewed. Only the token endpoint's word asks for a person, or
    fresh tokens that are refused again and again."""
    found = row(
        "SELECT state_code, tries FROM mailbox WHERE workspace_id = %s AND id = %s", [mailbox.workspace_id, mailbox.mailbox_id]
    )
    if found is not None and found[0] == Note.RENEWING and found[1] >= TOKENS_REFUSED:
        _stopped(mailbox, State.REAUTHORIZE, error)
        return
    do_expire(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, at=clock.now())
    tries = 0 if found is None or found[0] != Note.RENEWING else int(found[1])
    _note(mailbox, Note.RENEWING, clock.now() + BACK_OFF.delay(tries))


def settle_lost_cursor(mailbox: Snapshot, lease: Lease) -> None:
    """The provider forgot our place: list again what the rules select, and ask again about every mail that is kept.

    Nothing is removed on the way, no id is fetched twice, and the mailbox stays on.
    """
    hold = Hold(lease, mailbox.settings_rev)
    with workspace_scope(lease.workspace_id):
        check_hold(hold)
        do_restart_listing(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, lost=True)
        do_recheck_all(hold)
        do_note(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, code=Note.REREADING, retry_at=clock.now())
        _due(mailbox, clock.now(), LANE_SYNC)


def settle_mended(lease: Lease) -> None:
    """What an admin had to mend is mended: the mailbox goes on where it was."""
    with _ending(lease):
        found = row(
            """SELECT state, import_from IS NOT NULL FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE""",
            [lease.workspace_id, lease.mailbox_id],
        )
        if found is not None and found[0] == State.ADMIN_MUST_ACT:
            to = State.ON if found[1] else State.CHOOSING
            check_move(State(found[0]), to)
            do_state(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, state=to)


def settle_vault(lease: Lease, error: VaultError) -> None:
    """The key store or the object store is out of reach or full: wait. What is not sealed and stored is not committed."""
    again = clock.now() + VAULT_AGAIN
    note = Note.STORE if isinstance(error, BlobStoreFull | BlobStoreUnavailable) else Note.KEYS
    with _ending(lease):
        do_note(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, code=note, retry_at=again)
        do_due(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, at=again)


def settle_fault(lease: Lease) -> None:
    """Our own code failed in this mailbox. It says so, backs off like from an outage, and the others go on."""
    with _ending(lease):
        again = clock.now() + BACK_OFF.bound(_tries(lease.workspace_id, lease.mailbox_id))
        do_note(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, code=Note.FAULT, retry_at=again)
        do_due(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id, at=again)


def settle_unsynced(lease: Lease, mailbox: Snapshot | None) -> None:
    """A mailbox that is not on is not due; one that the plan pauses is looked at again later."""
    with _ending(lease):
        # The snapshot may be old news: whoever presses Resume waits here, or has been here before us.
        found = row(
            "SELECT state FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE", [lease.workspace_id, lease.mailbox_id]
        )
        if found is None or found[0] not in (State.ON, State.ADMIN_MUST_ACT):
            do_not_due(workspace_id=lease.workspace_id, mailbox_id=lease.mailbox_id)
        elif mailbox is not None and mailbox.state == State.ON:
            _due(mailbox, clock.now() + mailbox.interval, LANE_SYNC)


def _slowed(mailbox: Snapshot, error: RateLimited) -> None:
    if error.code in OWN_PACING:
        do_checked(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, synced=False, import_done=False)
        _due(mailbox, error.retry_at or clock.now(), LANE_IMPORT)
        return
    at = (
        error.retry_at
        if error.code == "not_before" and error.retry_at
        else do_throttled(
            workspace_id=mailbox.workspace_id,
            mailbox_id=mailbox.mailbox_id,
            retry_at=error.retry_at,
            at_least=BACK_OFF.bound(_tries(mailbox.workspace_id, mailbox.mailbox_id)),
            configured=mailbox.units_per_minute,
        )
    )
    _note(mailbox, Note.SLOWED, at)


def _stopped(mailbox: Snapshot, state: State, error: MailError) -> None:
    # A person may have paused, disconnected or re-authorized it meanwhile: then our news is stale.
    found = row(
        """SELECT m.state, s.rev FROM mailbox m
           LEFT JOIN mailbox_secret s ON s.workspace_id = m.workspace_id AND s.mailbox_id = m.id
           WHERE m.workspace_id = %s AND m.id = %s FOR UPDATE OF m""",
        [mailbox.workspace_id, mailbox.mailbox_id],
    )
    if found is None or found[0] not in (State.ON, State.ADMIN_MUST_ACT):
        return
    if isinstance(error, NeedsLogin) and error.code in GRANT_IS_DEAD and found[1] != mailbox.grant_rev:
        _due(mailbox, clock.now(), LANE_SYNC)
        return
    check_move(State(found[0]), state)
    do_state(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, state=state, code=error.code)


def _unreachable(mailbox: Snapshot) -> None:
    tries = _tries(mailbox.workspace_id, mailbox.mailbox_id)
    _note(mailbox, Note.UNREACHABLE, clock.now() + BACK_OFF.delay(tries))


def _tries(workspace_id: int, mailbox_id: int) -> int:
    """How often in a row the mailbox could not be synced."""
    found = row("SELECT tries FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id])
    return int(found[0]) if found else 0


def _note(mailbox: Snapshot, note: Note, at: datetime) -> None:
    do_note(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, code=note, retry_at=at)
    # Trying sooner than the provider allows would be refused by the budget: so this moment holds, whoever asks.
    run(
        "UPDATE mailbox_due SET next_run_at = %s, lane = %s WHERE workspace_id = %s AND mailbox_id = %s",
        [at, LANE_SYNC, mailbox.workspace_id, mailbox.mailbox_id],
    )


def _due(mailbox: Snapshot, at: datetime, lane: int) -> None:
    do_due_after(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.mailbox_id, at=at, lane=lane, began=mailbox.read_at)


def _still_importing(mailbox: Snapshot) -> bool:
    # A mail that could not be had when it was asked for is waited for without calling the whole import unfinished.
    found = row(
        """SELECT EXISTS (SELECT 1 FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND listing
                          AND (scope = 'main' OR scope LIKE 'label:%%'))
               OR EXISTS (SELECT 1 FROM work WHERE workspace_id = %s AND mailbox_id = %s
                          AND state <> 'quarantined' AND lane > 0 AND reason = '')""",
        [mailbox.workspace_id, mailbox.mailbox_id] * 2,
    )
    return bool(found and found[0])


def _next_retry(mailbox: Snapshot) -> datetime | None:
    """When the next postponed item may be tried; None where none waits for a moment."""
    found = row(
        """SELECT min(due_at) FROM (
               SELECT due_at FROM work WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s AND state <> 'quarantined'
               UNION ALL
               SELECT due_at FROM thread_work WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s) AS later
           WHERE due_at > %(now)s""",
        {"ws": mailbox.workspace_id, "mailbox": mailbox.mailbox_id, "now": clock.now()},
    )
    return found[0] if found else None
