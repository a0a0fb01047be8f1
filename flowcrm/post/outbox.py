"""Send what is due: one mail at a time, never in a transaction, and never a second time where the first may have arrived."""

from collections.abc import Callable
from datetime import timedelta

import structlog

from flowcrm.lib import clock
from flowcrm.lib.retry import RetryPolicy
from flowcrm.post.invitation import invitation
from flowcrm.post.letter import Letter
from flowcrm.post.notice_letter import notice_letter
from flowcrm.post.sending import mail_server, post
from flowcrm.post.server import Server
from flowcrm.post.smtp import Later, NotSent, Reason, Unsure
from flowcrm.post.trouble import KEYS, LATE, NOT_SET
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.outgoing import mailed_invites, mailed_notice
from flowcrm.store.vaults import vault
from flowcrm.store.writes.outgoing import (
    GIVES_UP,
    Outgoing,
    do_again,
    do_forget,
    do_hand,
    do_settle,
    do_take,
    outgoing_due,
)
from flowcrm.vault.errors import VaultError

log = structlog.get_logger(__name__)

BACK_OFF = RetryPolicy(first=timedelta(minutes=2), most=timedelta(hours=1))
SOONEST = timedelta(seconds=30)
# What concerns the server and not this one mail: the next one would only hear it again.
_SERVER_S = frozenset(Reason) - {Reason.RECIPIENT, Reason.CONTENT, Reason.BUSY}


class _TakenOver(Exception):
    """Another worker has the mail."""


def send_due(*, stop: Callable[[], bool]) -> None:
    """Everything that is due, while the server takes it."""
    server = mail_server()
    for workspace_id in outgoing_due(clock.now()):
        while not stop():
            with workspace_scope(workspace_id):
                mail = do_take(workspace_id=workspace_id)
            if mail is None:
                break
            if not _go(server, mail):
                return


def _go(server: Server | None, mail: Outgoing) -> bool:
    """One mail, whatever comes of it; False: the server takes none now."""
    with structlog.contextvars.bound_contextvars(workspace=mail.workspace_id, mail=mail.id):
        try:
            return _send(server, mail)
        except VaultError as error:
            log.error("vault", error=type(error).__name__)
            _again(mail, KEYS)
        except _TakenOver:
            log.warning("taken over")
        return True


def _send(server: Server | None, mail: Outgoing) -> bool:
    if clock.now() - mail.made_at > GIVES_UP:
        # What was in the way says more than that it was there too long.
        _settle(mail, "failed", mail.reason or LATE)
        return True
    with workspace_scope(mail.workspace_id):
        addressed = _addressed(mail)
        if addressed is None:
            do_forget(mail)
            return True
    if server is None:
        # The operator has taken the server away since; perhaps he gives another one.
        _again(mail, NOT_SET)
        return False
    try:
        post(server, *addressed, lambda: _hand(mail))
    except NotSent as error:
        log.warning("not sent", kind=type(error).__name__, reason=str(error.reason), tries=mail.tries)
        return _not_sent(mail, error)
    _settle(mail, "sent")
    return True


def _addressed(mail: Outgoing) -> tuple[str, Letter] | None:
    """Whom to write to, and what; None where there is nothing to say any more."""
    if mail.invite_id is not None:
        invite = mailed_invites(vault(mail.workspace_id), invite_id=mail.invite_id).get(mail.invite_id)
        return (invite.to, invitation(mail.workspace_id, invite)) if invite else None
    if mail.notice_id is not None:
        notice = mailed_notice(vault(mail.workspace_id), mail.notice_id)
        return (notice.to, notice_letter(notice)) if notice else None
    return None


def _not_sent(mail: Outgoing, error: NotSent) -> bool:
    if isinstance(error, Later):
        _again(mail, error.reason)
        return error.reason not in _SERVER_S
    _settle(mail, "unsure" if isinstance(error, Unsure) else "failed", error.reason)
    return True


def _hand(mail: Outgoing) -> None:
    with workspace_scope(mail.workspace_id):
        if not do_hand(mail):
            raise _TakenOver


def _settle(mail: Outgoing, state: str, reason: str = "") -> None:
    with workspace_scope(mail.workspace_id):
        do_settle(mail, state, reason=reason)


def _again(mail: Outgoing, reason: str) -> None:
    with workspace_scope(mail.workspace_id):
        do_again(mail, at=clock.now() + max(BACK_OFF.delay(mail.tries - 1), SOONEST), reason=reason)
