"""Mails that FlowCRM sends, as pages and the letters themselves need them. Inside the account's scope."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from flowcrm.lib import clock
from flowcrm.store.db import row, rows
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """How sending fares. waiting: mails not taken yet; reason: of the latest that could not go."""

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


def waiting(workspace_id: int) -> Waiting:
    """What has not gone yet in this account."""
    found = row(
        """SELECT count(*), coalesce((array_agg(reason ORDER BY due_at DESC) FILTER (WHERE reason <> ''))[1], '')
           FROM outgoing WHERE workspace_id = %s AND state IN ('waiting', 'going', 'handed') AND tries > 0""",
        [workspace_id],
    )
    return Waiting(*found) if found else Waiting(0, "")


def _opened(keys: WorkspaceVault, invite_id: int, sealed: bytes) -> tuple[str, str]:
    to, secret = json.loads(keys.open("invite", invite_id, bytes(sealed)))
    return to, secret
