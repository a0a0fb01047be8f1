"""Scans for people whom a mailbox's owner has written to. All but `scans_due` run inside a workspace scope."""

from dataclasses import dataclass
from datetime import datetime

from flowcrm.store.db import router_rows, row, rows


@dataclass(frozen=True, slots=True)
class Scan:
    """state: reading, stopped (code says why), ready. cursor, listed: how far the ids are known. begun_at tells it from a later
    one of the same mailbox."""

    state: str
    code: str
    since: datetime
    cursor: str | None
    listed: bool
    next_at: datetime
    tries: int
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is. mails: known so far; read: of those; people: found."""

    scan: Scan
    mails: int
    read: int
    people: int


_SCAN = "state, code, since, cursor, listed, next_at, tries, begun_at"


def scans_due(now: datetime) -> list[tuple[int, int]]:
    """(workspace, mailbox) of those that can go on, the one that has waited longest first. Read by the router."""
    found = router_rows(
        """SELECT workspace_id, mailbox_id FROM people_scan WHERE state = 'reading' AND next_at <= %s
           ORDER BY next_at LIMIT 16""",
        [now],
    )
    return [(workspace_id, mailbox_id) for workspace_id, mailbox_id in found]


def next_scan_at() -> datetime | None:
    """When the next one can go on."""
    found = router_rows("SELECT min(next_at) FROM people_scan WHERE state = 'reading'")
    return found[0][0] if found else None


def read_scan(workspace_id: int, mailbox_id: int, *, lock: bool = False) -> Scan | None:
    """The mailbox's scan. lock: until the transaction ends, nobody decides about it."""
    found = row(
        f"SELECT {_SCAN} FROM people_scan WHERE workspace_id = %s AND mailbox_id = %s{' FOR UPDATE' if lock else ''}",
        [workspace_id, mailbox_id],
    )
    return Scan(*found) if found else None


def read_progress(workspace_id: int, mailbox_id: int) -> ScanProgress | None:
    """How far the mailbox's scan is; None where none was begun, or its owner has decided."""
    scan = read_scan(workspace_id, mailbox_id)
    if scan is None:
        return None
    found = rows(
        """SELECT (SELECT count(*) FROM people_mail WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s),
                  (SELECT count(*) FROM people_mail WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s AND read),
                  (SELECT count(*) FROM people_found WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s)""",
        {"ws": workspace_id, "mailbox": mailbox_id},
    )
    return ScanProgress(scan, *found[0])


def next_to_read(workspace_id: int, mailbox_id: int, at_most: int) -> list[str]:
    """The newest sent mails whose headers were not read yet."""
    found = rows(
        """SELECT provider_id FROM people_mail WHERE workspace_id = %s AND mailbox_id = %s AND NOT read
           ORDER BY position LIMIT %s""",
        [workspace_id, mailbox_id, at_most],
    )
    return [one for (one,) in found]


def not_read_yet(workspace_id: int, mailbox_id: int, ids: list[str]) -> frozenset[str]:
    """Those of these mails that are still to be counted."""
    found = rows(
        """SELECT provider_id FROM people_mail
           WHERE workspace_id = %s AND mailbox_id = %s AND NOT read AND provider_id = ANY(%s::text[])""",
        [workspace_id, mailbox_id, ids],
    )
    return frozenset(one for (one,) in found)
