"""Which notices go by mail, too: what their reader chose to hear of, a few minutes later, and only if it is unread by then."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.conf import settings

from flowcrm.lib import clock
from flowcrm.store.db import run

# Whoever is at it reads of it under the bell.
LATER = timedelta(minutes=5)
# One mail a day of one thing, however often it begins again.
_ONCE_IN = timedelta(days=1)
# Nothing of it has left yet, so it needs no day's distance.
_HERE = "outgoing.state IN ('waiting', 'going')"

NEEDED, LIMITS, JOINED = "needed", "limits", "joined"
# What a member chooses from, and the kinds of notices in each; kinds that are in none are under the bell only.
GROUPS: Mapping[str, tuple[str, ...]] = {
    NEEDED: ("trouble", "label_gone"),
    LIMITS: ("day_full", "stored_full"),
    JOINED: ("joined",),
}


def group_of(kind: str) -> str:
    """The group of a kind of notices; "" for none."""
    return next((group for group, kinds in GROUPS.items() if kind in kinds), "")


def do_mail_notices(*, workspace_id: int, kind: str, notices: Collection[int]) -> None:
    """These have just been made, or made unread again: whoever chose to hear of them by mail will.

    Of a mailbox that only its owner can mend, only he: an admin does not need to know at night. What begins again within a day
    of its last mail waits for that day to be over (`made_at` lies ahead until then) and goes if it is still so and unread. One
    more of `tries`: who has the former mail in hand cannot write over this one how that ended.
    """
    group = group_of(kind)
    if not settings.SMTP_URL or not group or not notices:
        return
    now = clock.now()
    run(
        f"""INSERT INTO outgoing (workspace_id, id, notice_id, made_at, due_at)
           SELECT n.workspace_id, nextval('flow_id'), n.id, %(now)s, %(due)s
           FROM notice n
           JOIN member m ON m.workspace_id = n.workspace_id AND m.id = n.member_id
           LEFT JOIN mailbox b ON b.workspace_id = n.workspace_id AND b.id = n.mailbox_id
           WHERE n.workspace_id = %(ws)s AND n.id = ANY(%(ids)s::bigint[]) AND %(group)s = ANY(m.mail_me)
             AND (n.kind <> 'trouble' OR b.member_id = n.member_id OR n.detail = 'admin_must_act')
           ORDER BY n.id
           ON CONFLICT (workspace_id, notice_id) DO UPDATE
           SET state = 'waiting', tries = outgoing.tries + 1,
               reason = CASE WHEN {_HERE} THEN outgoing.reason ELSE '' END,
               made_at = greatest(EXCLUDED.made_at,
                                  CASE WHEN {_HERE} THEN outgoing.made_at ELSE outgoing.made_at + %(day)s END),
               due_at = CASE WHEN {_HERE} THEN outgoing.due_at
                             ELSE greatest(EXCLUDED.due_at, outgoing.made_at + %(day)s + %(later)s) END""",
        {
            "ws": workspace_id,
            "ids": sorted(notices),
            "group": group,
            "now": now,
            "due": now + LATER,
            "day": _ONCE_IN,
            "later": LATER,
        },
    )


def do_choose_mail(*, workspace_id: int, member_id: int, groups: Collection[str]) -> None:
    """What a member wants to hear of by mail."""
    chosen = [one for one in GROUPS if one in groups]
    run("UPDATE member SET mail_me = %s WHERE workspace_id = %s AND id = %s", [chosen, workspace_id, member_id])


def do_stop_mail(*, workspace_id: int, member_id: int, group: str) -> None:
    """No more of these."""
    run(
        "UPDATE member SET mail_me = array_remove(mail_me, %s) WHERE workspace_id = %s AND id = %s",
        [group, workspace_id, member_id],
    )
