"""Who belongs to which account, and what the account looks like from inside."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from flowcrm.store.db import router_rows, row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Member, Workspace
from flowcrm.store.queries.notices import MINE

# Counting further would cost more than the figure is worth; pages then say "10,000+".
COUNT_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Membership:
    """One person in one account."""

    member: Member
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A member. active: he may enter. mailboxes: his, archives not counted."""

    id: int
    name: str
    email: str
    role: str
    active: bool
    mailboxes: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """What deactivating a member will touch. mailboxes: that are connected; invites: links of his that still work."""

    id: int
    name: str
    email: str
    mailboxes: int
    invites: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, each at most COUNT_AT_MOST + 1. notices: that the member has not read."""

    contacts: int
    companies: int
    notices: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """today: messages newly stored on the account's `local_date`; stored: messages at rest."""

    local_date: date
    today: int
    stored: int


def memberships(person_id: int) -> tuple[Membership, ...]:
    """The accounts that a person may enter, oldest first. Read by the router, since no workspace is known yet."""
    found = router_rows(
        """SELECT m.id, m.workspace_id, m.person_id, m.role, m.name, m.time_zone, m.created_at,
                  w.id, w.title, w.plan, w.time_zone, w.generation, w.default_level, w.created_at
           FROM member m JOIN workspace w ON w.id = m.workspace_id
           WHERE m.person_id = %s AND m.deactivated_at IS NULL ORDER BY m.created_at, m.id""",
        [person_id],
    )
    return tuple(Membership(_member(one[:7]), _workspace(one[7:])) for one in found)


def workspace_ids() -> tuple[int, ...]:
    """Every account, for work that is done for all of them, one by one."""
    return tuple(workspace_id for (workspace_id,) in router_rows("SELECT id FROM workspace ORDER BY id"))


def any_workspace() -> bool:
    """Whether this installation was set up."""
    return bool(router_rows("SELECT 1 FROM workspace LIMIT 1"))


def team(workspace_id: int) -> tuple[TeamRow, ...]:
    """Everybody in the account, by name; those who left come last (inside its scope)."""
    found = rows(
        """SELECT m.id, m.name, p.email, m.role, m.deactivated_at IS NULL,
                  (SELECT count(*) FROM mailbox b
                   WHERE b.workspace_id = m.workspace_id AND b.member_id = m.id AND b.kind <> 'archive')
           FROM member m JOIN person p ON p.id = m.person_id
           WHERE m.workspace_id = %s ORDER BY m.deactivated_at IS NOT NULL, lower(m.name), m.id""",
        [workspace_id],
    )
    return tuple(TeamRow(*one) for one in found)


def leaving(workspace_id: int, member_id: int, now: datetime) -> Leaving:
    """What the page before a deactivation says (inside the scope). Raises NotFound, also for who is deactivated already."""
    found = row(
        """SELECT m.id, m.name, p.email,
                  (SELECT count(*) FROM mailbox b WHERE b.workspace_id = m.workspace_id AND b.member_id = m.id
                   AND b.state NOT IN ('archive', 'disconnected')),
                  (SELECT count(*) FROM invite i WHERE i.workspace_id = m.workspace_id AND i.invited_by = m.id
                   AND i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > %s)
           FROM member m JOIN person p ON p.id = m.person_id
           WHERE m.workspace_id = %s AND m.id = %s AND m.deactivated_at IS NULL""",
        [now, workspace_id, member_id],
    )
    if found is None:
        raise NotFound
    return Leaving(*found)


def called(workspace_id: int, ids: Collection[int]) -> dict[int, str]:
    """The names of those of these ids that are members or invitations (inside the scope)."""
    found = rows(
        """SELECT id, name FROM member WHERE workspace_id = %(ws)s AND id = ANY(%(ids)s::bigint[])
           UNION ALL SELECT id, name FROM invite WHERE workspace_id = %(ws)s AND id = ANY(%(ids)s::bigint[])""",
        {"ws": workspace_id, "ids": sorted(ids)},
    )
    return dict(found)


def counts(workspace_id: int, member: Member | None = None) -> Counts:
    """For the frame around every page, in one statement (inside the scope). Without a member, no notices."""
    found = row(
        f"""SELECT (SELECT count(*) FROM (SELECT 1 FROM contact WHERE workspace_id = %(w)s LIMIT %(most)s) AS c),
                   (SELECT count(*) FROM (SELECT 1 FROM company WHERE workspace_id = %(w)s LIMIT %(most)s) AS o),
                   (SELECT count(*) {MINE} AND n.read_at IS NULL)""",
        {
            "w": workspace_id,
            "most": COUNT_AT_MOST + 1,
            "workspace": workspace_id,
            "member": member.id if member else None,
            "admin": member is not None and member.is_admin,
        },
    )
    return Counts(*found) if found else Counts(0, 0)


def account_name(workspace_id: int) -> str:
    """The name that stands in the account's addresses today (an instance table: readable anywhere)."""
    found = row("SELECT slug FROM account_name WHERE workspace_id = %s AND current", [workspace_id])
    return str(found[0]) if found else ""


def usage(workspace_id: int, local_date: date) -> Usage:
    """What the plan counts, on the account's local day (inside the scope)."""
    found = row(
        """SELECT coalesce((SELECT used FROM usage_day WHERE workspace_id = %(w)s AND local_date = %(day)s), 0),
                  coalesce((SELECT stored FROM usage_total WHERE workspace_id = %(w)s), 0)""",
        {"w": workspace_id, "day": local_date},
    )
    return Usage(local_date, *found) if found else Usage(local_date, 0, 0)


def _member(values: tuple[object, ...]) -> Member:
    names = ("id", "workspace_id", "person_id", "role", "name", "time_zone", "created_at")
    return Member(**dict(zip(names, values, strict=True)))


def _workspace(values: tuple[object, ...]) -> Workspace:
    names = ("id", "title", "plan", "time_zone", "generation", "default_level", "created_at")
    return Workspace(**dict(zip(names, values, strict=True)))
