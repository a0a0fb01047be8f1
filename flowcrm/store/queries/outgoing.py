"""Mails that FlowCRM sends, as pages and the letters themselves need them. Inside the account's scope."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from flowcrm.lib import clock
from flowcrm.store.db import row, rows
from flowcrm.store.models import Member
from flowcrm.store.queries.notices import NoticeRow, notices
from flowcrm.store.writes.notice_mail import group_of
from flowcrm.vault.seal import WorkspaceVault

SEAL = "invite"


@dataclass(frozen=True, slots=True)
class MailedInvite:
    """An invitation that goes by mail, while its link works. state: of its newest mail; at: when that was asked for."""

    to: str
    secret: str = field(repr=False)
    name: str
    role: str
    account: str
    inviter: str
    expires_at: datetime
    state: str
    reason: str
    at: datetime

    @property
    def on_its_way(self) -> bool:
        return self.state in ("waiting", "going", "handed")

    @property
    def given_up(self) -> bool:
        """It was tried until it was too late; what is refused for good is not."""
        return self.state == "failed" and self.reason not in ("recipient", "content", "late")


@dataclass(frozen=True, slots=True)
class MailedNotice:
    """A notice that its reader has not read, and wants to hear of by mail. group: the choice by which he does."""

    to: str
    reader: Member
    account: str
    group: str
    notice: NoticeRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """How sending fares. waiting: mails that could not go yet, and are tried again; reason: of the latest."""

    waiting: int
    reason: str


def sealed_invite(keys: WorkspaceVault, invite_id: int, *, to: str, secret: str) -> bytes:
    """What an invitation by mail keeps for as long as its link works."""
    return keys.seal(SEAL, invite_id, json.dumps([to, secret]).encode())


def mailed_invites(keys: WorkspaceVault, *, invite_id: int | None = None) -> dict[int, MailedInvite]:
    """Those that can still be used, by id; or the one."""
    found = rows(
        """SELECT i.id, i.s_mail, i.name, i.role, w.title, m.name, i.expires_at,
                  coalesce(o.state, ''), coalesce(o.reason, ''), coalesce(o.made_at, i.expires_at)
           FROM invite i
           JOIN workspace w ON w.id = i.workspace_id
           JOIN member m ON m.workspace_id = i.workspace_id AND m.id = i.invited_by
           LEFT JOIN LATERAL (SELECT state, reason, made_at FROM outgoing
                              WHERE workspace_id = i.workspace_id AND invite_id = i.id ORDER BY id DESC LIMIT 1) o ON true
           WHERE i.workspace_id = %(ws)s AND i.s_mail IS NOT NULL AND i.used_at IS NULL AND i.revoked_at IS NULL
             AND i.expires_at > %(now)s AND (%(id)s::bigint IS NULL OR i.id = %(id)s)""",
        {"ws": keys.workspace_id, "now": clock.now(), "id": invite_id},
    )
    return {one[0]: MailedInvite(*_opened(keys, one[0], one[1]), *one[2:]) for one in found}


def mailed_notice(keys: WorkspaceVault, notice_id: int) -> MailedNotice | None:
    """None where it was read, is over, or is not the reader's to know any more."""
    found = row(
        """SELECT m.id, p.email, w.title, m.mail_me FROM notice n
           JOIN member m ON m.workspace_id = n.workspace_id AND m.id = n.member_id AND m.deactivated_at IS NULL
           JOIN person p ON p.id = m.person_id AND p.is_active
           JOIN workspace w ON w.id = n.workspace_id
           WHERE n.workspace_id = %s AND n.id = %s AND n.read_at IS NULL AND n.ended_at IS NULL""",
        [keys.workspace_id, notice_id],
    )
    if found is None:
        return None
    member_id, to, account, chosen = found
    reader = Member.objects.get(workspace_id=keys.workspace_id, id=member_id)
    shown = notices(keys, reader, notice_id=notice_id)
    group = group_of(shown[0].kind) if shown else ""
    return MailedNotice(to, reader, account, group, shown[0]) if group in chosen else None


def mail_choice(workspace_id: int, member_id: int) -> frozenset[str]:
    """What the member wants to hear of by mail."""
    found = row("SELECT mail_me FROM member WHERE workspace_id = %s AND id = %s", [workspace_id, member_id])
    return frozenset(found[0]) if found else frozenset()


def waiting(workspace_id: int) -> Waiting:
    """What could not go yet in this account."""
    found = row(
        """SELECT count(*), coalesce((array_agg(reason ORDER BY due_at DESC))[1], '')
           FROM outgoing WHERE workspace_id = %s AND state IN ('waiting', 'going', 'handed') AND reason <> ''""",
        [workspace_id],
    )
    return Waiting(*found) if found else Waiting(0, "")


def _opened(keys: WorkspaceVault, invite_id: int, sealed: bytes) -> tuple[str, str]:
    to, secret = json.loads(keys.open(SEAL, invite_id, bytes(sealed)))
    return to, secret
