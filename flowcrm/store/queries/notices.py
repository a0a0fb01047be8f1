"""A member's notices. Of a mailbox only its owner and admins read: whoever is no admin any more does not see them any more.

Every function runs inside a workspace scope.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.store.db import row, rows
from flowcrm.store.models import Member
from flowcrm.vault.seal import WorkspaceVault

# Three months of them: more than anybody reads.
MOST = 200


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice. address, owner, owner_id: of the mailbox it is about, if it is about one, opened. by: the name of the member
    who did it."""

    address: str
    id: int
    kind: str
    detail: str
    at: datetime
    unread: bool
    ended_at: datetime | None
    by: str
    mailbox_id: int | None
    owner_id: int | None
    owner: str


# A member's, as a FROM and a WHERE of `notice n`.
MINE = """
    FROM notice n
    LEFT JOIN mailbox b ON b.workspace_id = n.workspace_id AND b.id = n.mailbox_id
    WHERE n.workspace_id = %(workspace)s AND n.member_id = %(member)s
      AND (n.mailbox_id IS NULL OR b.member_id = n.member_id OR %(admin)s)"""


def unread(member: Member) -> int:
    """How many he has not read."""
    found = row(f"SELECT count(*) {MINE} AND n.read_at IS NULL", _values(member))
    return int(found[0]) if found else 0


def notices(
    keys: WorkspaceVault, member: Member, *, at_most: int = MOST, notice_id: int | None = None
) -> tuple[NoticeRow, ...]:
    """The newest first; or the one."""
    found = rows(
        f"""WITH mine AS (SELECT n.*, b.member_id AS owner_id, b.s_account {MINE}
                          AND (%(notice)s::bigint IS NULL OR n.id = %(notice)s)
                          ORDER BY n.at DESC, n.id DESC LIMIT %(most)s)
            SELECT n.id, n.kind, n.detail, n.at, n.read_at IS NULL, n.ended_at, coalesce(d.name, ''), n.mailbox_id, n.owner_id,
                   coalesce(o.name, ''), n.s_account
            FROM mine n
            LEFT JOIN member d ON d.workspace_id = n.workspace_id AND d.id = n.by_id
            LEFT JOIN member o ON o.workspace_id = n.workspace_id AND o.id = n.owner_id
            ORDER BY n.at DESC, n.id DESC""",
        {**_values(member), "most": at_most, "notice": notice_id},
    )
    return tuple(_notice(keys, one) for one in found)


def _values(member: Member) -> dict[str, object]:
    return {"workspace": member.workspace_id, "member": member.id, "admin": member.is_admin}


def _notice(keys: WorkspaceVault, found: tuple[Any, ...]) -> NoticeRow:
    mailbox_id, sealed = found[7], found[10]
    address = keys.open("account", mailbox_id, bytes(sealed)).decode() if sealed is not None else ""
    return NoticeRow(address, *found[:10])
