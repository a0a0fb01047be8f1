"""Notices: what a member should know of without looking for it (docs/why/notices.md). Made where it happens, in the same
transaction, inside the caller's scope. Never of mail itself: states, limits, who joined."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

from flowcrm.lib import clock
from flowcrm.store.db import next_ids, row, rows, run
from flowcrm.store.plans import Plan
from flowcrm.store.writes.notice_mail import do_mail_notices
from flowcrm.store.writes.tell import do_tell_noticed
from flowcrm.store.writes.usage import read_room, read_stored

KEPT = timedelta(days=90)
# A standing thing that ends and begins again within it is the same one.
_QUIET = timedelta(days=1)
# The states of a mailbox that do not pass by themselves (mailboxes.states.BROKEN).
TROUBLES = frozenset({"reauthorize", "permission_missing", "admin_must_act"})


class Kind(StrEnum):
    """What a notice is of. Its words are in post/words.py."""

    TROUBLE = "trouble"
    IMPORTED = "imported"
    DAY_FULL = "day_full"
    STORED_FULL = "stored_full"
    LABEL_GONE = "label_gone"
    JOINED = "joined"
    ROLE = "role"


# What is so until it ends; the others have happened, once.
_STANDING = (Kind.TROUBLE, Kind.STORED_FULL, Kind.LABEL_GONE)


def do_notice(
    *,
    workspace_id: int,
    members: Collection[int],
    kind: Kind,
    topic: str = "",
    mailbox_id: int | None = None,
    by_id: int | None = None,
    detail: str = "",
    again: bool = False,
    quiet: bool = False,
) -> None:
    """Tell these members. topic: what it is about, if the kind alone does not say it: one notice for each.

    Where a member has one of that topic already, it is renewed, and unread, if it had ended or says something else now, or
    `again`: it has happened once more. quiet: what ended less than a day ago goes on as if it had not.
    """
    told, now = sorted(set(members)), clock.now()
    found = rows(
        """INSERT INTO notice (workspace_id, id, member_id, topic, kind, detail, mailbox_id, by_id, at)
           SELECT m.workspace_id, n.id, m.id, %(topic)s, %(kind)s, %(detail)s, %(mailbox)s, %(by)s, %(now)s
           FROM unnest(%(ids)s::bigint[], %(members)s::bigint[]) AS n (id, member_id)
           JOIN member m ON m.workspace_id = %(ws)s AND m.id = n.member_id AND m.deactivated_at IS NULL
           ORDER BY m.id
           ON CONFLICT (workspace_id, member_id, topic) DO UPDATE
           SET kind = EXCLUDED.kind, detail = EXCLUDED.detail, mailbox_id = EXCLUDED.mailbox_id, by_id = EXCLUDED.by_id,
               at = CASE WHEN %(quiet)s AND notice.at > %(lately)s THEN notice.at ELSE EXCLUDED.at END,
               read_at = CASE WHEN %(quiet)s AND notice.at > %(lately)s THEN notice.read_at END,
               ended_at = NULL
           WHERE %(again)s OR notice.ended_at IS NOT NULL OR notice.detail <> EXCLUDED.detail
           RETURNING member_id, id, at""",
        {
            "ws": workspace_id,
            "ids": next_ids(len(told)),
            "members": told,
            "topic": topic or kind,
            "kind": kind,
            "detail": detail,
            "mailbox": mailbox_id,
            "by": by_id,
            "now": now,
            "lately": now - _QUIET,
            "again": again,
            "quiet": quiet,
        },
    )
    _tell(workspace_id, [(member_id,) for member_id, _, _ in found])
    # What goes on as if it had not ended is no news.
    do_mail_notices(workspace_id=workspace_id, kind=kind, notices=[one for _, one, at in found if at == now])


def do_end_notices(*, workspace_id: int, topic: str) -> None:
    """It is not so any more, for whomever was told. Nobody needs to read of it then, but it stays in the list."""
    now = clock.now()
    found = rows(
        """UPDATE notice SET ended_at = %s, read_at = coalesce(read_at, %s)
           WHERE workspace_id = %s AND topic = %s AND ended_at IS NULL RETURNING member_id""",
        [now, now, workspace_id, topic],
    )
    _tell(workspace_id, found)


def do_read(*, workspace_id: int, member_id: int, notice_id: int | None = None) -> None:
    """The member has read one of his notices; None: all."""
    found = rows(
        """UPDATE notice SET read_at = %s
           WHERE workspace_id = %s AND member_id = %s AND read_at IS NULL AND (%s::bigint IS NULL OR id = %s)
           RETURNING member_id""",
        [clock.now(), workspace_id, member_id, notice_id, notice_id],
    )
    _tell(workspace_id, found)


def do_drop_notices(*, workspace_id: int) -> int:
    """Those older than 90 days go, but what still is so; returns how many."""
    return run(
        "DELETE FROM notice WHERE workspace_id = %s AND at < %s AND (ended_at IS NOT NULL OR NOT kind = ANY(%s))",
        [workspace_id, clock.now() - KEPT, list(_STANDING)],
    )


# What happens where -----------------------------------------------------------------------------------------------------


def do_notice_state(*, workspace_id: int, mailbox_id: int, state: str) -> None:
    """A mailbox came into a state: its owner and the admins hear of one that needs somebody, and that it is over."""
    topic = f"trouble {mailbox_id}"
    if state not in TROUBLES:
        do_end_notices(workspace_id=workspace_id, topic=topic)
        return
    do_notice(
        workspace_id=workspace_id,
        members=_owner(workspace_id, mailbox_id) | _admins(workspace_id),
        kind=Kind.TROUBLE,
        topic=topic,
        mailbox_id=mailbox_id,
        detail=state,
    )


def do_notice_imported(*, workspace_id: int, mailbox_id: int) -> None:
    """The first walk through a mailbox has reached its end."""
    do_notice(
        workspace_id=workspace_id,
        members=_owner(workspace_id, mailbox_id),
        kind=Kind.IMPORTED,
        topic=f"{Kind.IMPORTED} {mailbox_id}",
        mailbox_id=mailbox_id,
        again=True,
    )


def do_notice_labels(*, workspace_id: int, mailbox_id: int, fresh: bool) -> None:
    """The mailbox's labels were read, or chosen. fresh: one that was chosen is gone since the last time."""
    topic = f"{Kind.LABEL_GONE} {mailbox_id}"
    lost = row(
        """SELECT 1 FROM mailbox m JOIN folder f ON f.workspace_id = m.workspace_id AND f.mailbox_id = m.id
           WHERE m.workspace_id = %s AND m.id = %s AND m.selection = 'labels' AND f.chosen AND f.gone_at IS NOT NULL LIMIT 1""",
        [workspace_id, mailbox_id],
    )
    if lost is None:
        do_end_notices(workspace_id=workspace_id, topic=topic)
    elif fresh:
        do_notice(
            workspace_id=workspace_id,
            members=_owner(workspace_id, mailbox_id),
            kind=Kind.LABEL_GONE,
            topic=topic,
            mailbox_id=mailbox_id,
            again=True,
        )


def do_notice_limits(*, workspace_id: int, mailbox_id: int, plan: Plan, today: date) -> None:
    """A mailbox has nothing left that may be done now: because of the plan, while emails wait? Said once a day, however many
    wait and however many mailboxes they wait for."""
    stored_full = plan.stored is not None and read_stored(workspace_id) >= plan.stored
    if not stored_full:
        do_end_notices(workspace_id=workspace_id, topic=Kind.STORED_FULL)
    room = read_room(workspace_id, plan, today)
    if not stored_full and 0 not in (room.new, room.importing):
        return
    waits = row(
        """SELECT 1 FROM work WHERE workspace_id = %s AND mailbox_id = %s AND state <> 'quarantined' AND NOT recheck
           AND due_at <= %s LIMIT 1""",
        [workspace_id, mailbox_id, clock.now()],
    )
    if waits is not None:
        do_notice(
            workspace_id=workspace_id,
            members=_owner(workspace_id, mailbox_id) | _admins(workspace_id),
            kind=Kind.STORED_FULL if stored_full else Kind.DAY_FULL,
            topic="" if stored_full else f"{Kind.DAY_FULL} {today.isoformat()}",
            quiet=True,
        )


def _owner(workspace_id: int, mailbox_id: int) -> set[int]:
    return {
        one for (one,) in rows("SELECT member_id FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id])
    }


def _admins(workspace_id: int) -> set[int]:
    return {one for (one,) in rows("SELECT id FROM member WHERE workspace_id = %s AND role = 'admin'", [workspace_id])}


def _tell(workspace_id: int, members: Collection[tuple[int]]) -> None:
    for member_id in sorted({one for (one,) in members}):
        do_tell_noticed(workspace_id=workspace_id, member_id=member_id)
