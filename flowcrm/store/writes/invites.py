"""Who may join an account, and who runs it: invitations by link, and roles. Inside the account's scope."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, rows, run
from flowcrm.store.errors import NotFound, UserError
from flowcrm.store.writes.members import do_add_member
from flowcrm.store.writes.notices import Kind, do_notice

LIFE = timedelta(days=7)
_SECRET_BYTES = 24


class InviteDead(UserError):
    """The link was used, revoked or is too old; or there never was such a link. Which of them a stranger is not told."""


class Left(UserError):
    """Whoever uses the link was in the account and was deactivated: an admin lets him in again, no link does."""


class LastAdmin(UserError):
    """An account without an admin could not be run any more."""


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that can be used. name: whom the admin meant; invited_by: that admin's member id."""

    id: int
    name: str
    role: str
    invited_by: int


@dataclass(frozen=True, slots=True)
class InviteRow:
    """An invitation that can still be used, as the team's page lists it."""

    id: int
    name: str
    role: str
    inviter: str
    expires_at: datetime


def do_invite(*, workspace_id: int, member_id: int, name: str, role: str) -> tuple[int, str]:
    """A new invitation: its id, and the secret of its link, which nobody can tell again (unless it goes by mail)."""
    invite_id, secret = next_id(), secrets.token_urlsafe(_SECRET_BYTES)
    run(
        """INSERT INTO invite (workspace_id, id, h_token, name, role, invited_by, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [workspace_id, invite_id, _hashed(secret), name, role, member_id, clock.now() + LIFE],
    )
    return invite_id, secret


def do_address_invite(*, workspace_id: int, invite_id: int, gen: int, h_to: bytes, s_mail: bytes) -> None:
    """The invitation is for an address. s_mail: address and secret, sealed (queries/outgoing.py)."""
    run(
        "UPDATE invite SET gen = %s, h_to = %s, s_mail = %s WHERE workspace_id = %s AND id = %s",
        [gen, h_to, s_mail, workspace_id, invite_id],
    )


def check_invite(*, workspace_id: int, secret: str) -> Invite:
    """The invitation of a link. Raises InviteDead. Its row is locked: of two who use it at once, one does."""
    found = row(
        """SELECT id, name, role, invited_by FROM invite
           WHERE workspace_id = %s AND h_token = %s AND used_at IS NULL AND revoked_at IS NULL AND expires_at > %s
           FOR UPDATE""",
        [workspace_id, _hashed(secret), clock.now()],
    )
    if found is None:
        raise InviteDead
    return Invite(*found)


def do_join(*, workspace_id: int, invite: Invite, person_id: int, name: str, time_zone: str) -> int:
    """Use an invitation that `check_invite` gave in this transaction; returns the member's id. Who is in the account already
    keeps the role that he has."""
    run(
        "UPDATE invite SET used_at = %s, s_mail = NULL WHERE workspace_id = %s AND id = %s",
        [clock.now(), workspace_id, invite.id],
    )
    known = row("SELECT id FROM member WHERE workspace_id = %s AND person_id = %s", [workspace_id, person_id])
    if known is not None:
        return int(known[0])
    member_id = do_add_member(workspace_id=workspace_id, person_id=person_id, role=invite.role, name=name, time_zone=time_zone)
    do_notice(
        workspace_id=workspace_id,
        members=[invite.invited_by],
        kind=Kind.JOINED,
        topic=f"{Kind.JOINED} {member_id}",
        by_id=member_id,
    )
    return member_id


def do_revoke(*, workspace_id: int, invite_id: int) -> None:
    """The link works no more. Nothing happens where it was used."""
    run(
        "UPDATE invite SET revoked_at = %s, s_mail = NULL WHERE workspace_id = %s AND id = %s AND revoked_at IS NULL",
        [clock.now(), workspace_id, invite_id],
    )


def read_invites(workspace_id: int) -> tuple[InviteRow, ...]:
    """The invitations that can still be used, the newest first."""
    found = rows(
        """SELECT i.id, i.name, i.role, m.name, i.expires_at FROM invite i
           JOIN member m ON m.workspace_id = i.workspace_id AND m.id = i.invited_by
           WHERE i.workspace_id = %s AND i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > %s
           ORDER BY i.expires_at DESC, i.id""",
        [workspace_id, clock.now()],
    )
    return tuple(InviteRow(*one) for one in found)


def check_not_left(*, workspace_id: int, person_id: int) -> None:
    """A person may use a link. Raises Left."""
    if row(
        "SELECT 1 FROM member WHERE workspace_id = %s AND person_id = %s AND deactivated_at IS NOT NULL",
        [workspace_id, person_id],
    ):
        raise Left


def locked_admins(workspace_id: int) -> frozenset[int]:
    """All who run the account, locked in one order: of two who each take the other's place, one comes after the other."""
    found = rows(
        """SELECT id FROM member WHERE workspace_id = %s AND role = 'admin' AND deactivated_at IS NULL
           ORDER BY id FOR UPDATE""",
        [workspace_id],
    )
    return frozenset(one for (one,) in found)


def check_role(*, workspace_id: int, member_id: int, role: str, by_id: int) -> None:
    """Give a member that role. by_id: whoever gives it; the member hears of it unless it was he. Raises LastAdmin, NotFound."""
    admins = locked_admins(workspace_id)
    if role != "admin" and admins == {member_id}:
        raise LastAdmin
    changed = by_id in admins and run(
        "UPDATE member SET role = %s WHERE workspace_id = %s AND id = %s AND deactivated_at IS NULL",
        [role, workspace_id, member_id],
    )
    if not changed:
        raise NotFound
    if member_id != by_id and (member_id in admins) is not (role == "admin"):
        do_notice(workspace_id=workspace_id, members=[member_id], kind=Kind.ROLE, by_id=by_id, detail=role, again=True)


def _hashed(secret: str) -> bytes:
    """192 random bits need no key and no salt."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
