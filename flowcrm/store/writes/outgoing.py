"""Mails that wait to be sent, go, and have gone (docs/why/outgoing-mail.md). Inside the account's scope, but `outgoing_due`.

A mail is taken in hand (`going`), and written down as leaving (`handed`) before its first byte leaves: whoever dies before that
has sent nothing, and it is tried again; after it nobody can know, and it is not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flowcrm.lib import clock
from flowcrm.store.db import next_id, router_rows, row, run
from flowcrm.store.errors import UserError
from flowcrm.store.writes.invites import locked_admins

# Longer than a server may take for all its answers.
IN_HAND = timedelta(minutes=10)
# What has not gone by then is not worth sending any more.
GIVES_UP = timedelta(days=1)
KEPT = timedelta(days=30)
# So many invitations may leave by mail in a day: of an account, and to one address. So many tests of an account in an hour.
MOST_A_DAY, MOST_TO_ONE, MOST_TESTS = 50, 3, 10


class TooMany(UserError):
    """So many went out by mail lately that no more do. to_one: to this one address."""

    def __init__(self, *, to_one: bool = False) -> None:
        super().__init__()
        self.to_one = to_one


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail in hand: of an invitation, or of a notice. reason: why it did not go the last time, or empty."""

    workspace_id: int
    id: int
    invite_id: int | None
    notice_id: int | None
    made_at: datetime
    tries: int
    reason: str = ""


def check_room_for_invite(*, workspace_id: int, gen: int, h_to: bytes) -> None:
    """Another invitation may leave by mail. Raises TooMany. Until the transaction ends no other admin's is counted."""
    locked_admins(workspace_id)
    found = row(
        """SELECT count(*), count(*) FILTER (WHERE i.gen = %s AND i.h_to = %s) FROM outgoing o
           JOIN invite i ON i.workspace_id = o.workspace_id AND i.id = o.invite_id
           WHERE o.workspace_id = %s AND o.made_at > %s""",
        [gen, h_to, workspace_id, clock.now() - timedelta(days=1)],
    )
    assert found is not None
    in_all, to_one = found
    if in_all >= MOST_A_DAY or to_one >= MOST_TO_ONE:
        raise TooMany(to_one=to_one >= MOST_TO_ONE)


def do_mail_invite(*, workspace_id: int, invite_id: int, by_id: int) -> None:
    """The invitation goes by mail, as soon as a worker is free."""
    now = clock.now()
    run(
        "INSERT INTO outgoing (workspace_id, id, invite_id, by_id, made_at, due_at) VALUES (%s, %s, %s, %s, %s, %s)",
        [workspace_id, next_id(), invite_id, by_id, now, now],
    )


def check_test(*, workspace_id: int, by_id: int) -> Outgoing:
    """A test mail leaves now; it is counted whatever comes of it. Raises TooMany."""
    locked_admins(workspace_id)
    now = clock.now()
    found = row(
        """SELECT count(*) FROM outgoing
           WHERE workspace_id = %s AND made_at > %s AND invite_id IS NULL AND notice_id IS NULL""",
        [workspace_id, now - timedelta(hours=1)],
    )
    if found is not None and found[0] >= MOST_TESTS:
        raise TooMany
    mail_id = next_id()
    run(
        """INSERT INTO outgoing (workspace_id, id, by_id, state, made_at, due_at, tries)
           VALUES (%s, %s, %s, 'handed', %s, %s, 1)""",
        [workspace_id, mail_id, by_id, now, now + IN_HAND],
    )
    return Outgoing(workspace_id, mail_id, None, None, now, 1)


def outgoing_due(now: datetime) -> list[int]:
    """The accounts in which a mail is due, the one that has waited longest first. Read by the router."""
    found = router_rows(
        """SELECT workspace_id FROM outgoing WHERE state IN ('waiting', 'going', 'handed') AND due_at <= %s
           GROUP BY workspace_id ORDER BY min(due_at) LIMIT 64""",
        [now],
    )
    return [workspace_id for (workspace_id,) in found]


def do_take(*, workspace_id: int) -> Outgoing | None:
    """Take the mail that has waited longest in hand, or None. One that was leaving when its worker died is not taken again."""
    now = clock.now()
    run(
        "UPDATE outgoing SET state = 'unsure', reason = 'died' WHERE workspace_id = %s AND state = 'handed' AND due_at <= %s",
        [workspace_id, now],
    )
    found = row(
        """UPDATE outgoing SET state = 'going', due_at = %(until)s, tries = tries + 1
           WHERE workspace_id = %(ws)s AND id = (
               SELECT id FROM outgoing WHERE workspace_id = %(ws)s AND state IN ('waiting', 'going') AND due_at <= %(now)s
               ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING workspace_id, id, invite_id, notice_id, made_at, tries, reason""",
        {"ws": workspace_id, "now": now, "until": now + IN_HAND},
    )
    return Outgoing(*found) if found else None


def do_hand(mail: Outgoing) -> bool:
    """It leaves now. False: it is in other hands meanwhile, and must not."""
    return bool(
        run(
            f"UPDATE outgoing SET state = 'handed', due_at = %s WHERE {_OURS} AND state = 'going'",
            [clock.now() + IN_HAND, *_key(mail)],
        )
    )


def do_settle(mail: Outgoing, state: str, *, reason: str = "") -> None:
    """How it ended: sent, failed or unsure."""
    run(f"UPDATE outgoing SET state = %s, reason = %s WHERE {_OURS}", [state, reason, *_key(mail)])


def do_again(mail: Outgoing, *, at: datetime, reason: str) -> None:
    """Nothing was taken: it is tried again then."""
    run(f"UPDATE outgoing SET state = 'waiting', due_at = %s, reason = %s WHERE {_OURS}", [at, reason, *_key(mail)])


def do_forget(mail: Outgoing) -> None:
    """There is nothing to say any more."""
    run(f"DELETE FROM outgoing WHERE {_OURS}", _key(mail))


def do_drop_outgoing(*, workspace_id: int) -> int:
    """Old ones go, and what invitations by mail needed while their links worked; returns how many mails went."""
    now = clock.now()
    run(
        """UPDATE invite SET s_mail = NULL WHERE workspace_id = %s AND s_mail IS NOT NULL
           AND (expires_at <= %s OR used_at IS NOT NULL OR revoked_at IS NOT NULL)""",
        [workspace_id, now],
    )
    run(
        "UPDATE invite SET gen = NULL, h_to = NULL WHERE workspace_id = %s AND h_to IS NOT NULL AND expires_at <= %s",
        [workspace_id, now - KEPT],
    )
    return run(
        "DELETE FROM outgoing WHERE workspace_id = %s AND made_at < %s AND state IN ('sent', 'failed', 'unsure')",
        [workspace_id, now - KEPT],
    )


# A worker that came back too late finds another number of tries.
_OURS = "workspace_id = %s AND id = %s AND tries = %s"


def _key(mail: Outgoing) -> list[int]:
    return [mail.workspace_id, mail.id, mail.tries]
