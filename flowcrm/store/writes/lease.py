"""Mutual exclusion: one table of leases with owner, epoch and expiry. Rows, not processes, own mailboxes.

A lease is taken and renewed by the router role (the workspace is not known before). Its epoch grows with every taking and
never falls: a page is committed only under the epoch it was read with, so a worker that slept through its expiry can write
nothing.
"""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flowcrm.lib import clock
from flowcrm.store.db import router_rows, row

LIFE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another worker owns the mailbox now; nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    workspace_id: int
    mailbox_id: int
    kind: str
    owner: str
    epoch: int


def process_name() -> str:
    """host:pid:start: names this very process, also after its pid was given to another one."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def take(workspace_id: int, mailbox_id: int, kind: str, owner: str) -> Lease | None:
    """The lease, or None while somebody else holds it."""
    now = clock.now()
    found = router_rows(
        """INSERT INTO lease (workspace_id, mailbox_id, kind, owner, epoch, until) VALUES (%s, %s, %s, %s, 1, %s)
           ON CONFLICT (workspace_id, mailbox_id, kind) DO UPDATE
           SET owner = EXCLUDED.owner, epoch = lease.epoch + 1, until = EXCLUDED.until WHERE lease.until <= %s
           RETURNING epoch""",
        [workspace_id, mailbox_id, kind, owner, now + LIFE, now],
    )
    return Lease(workspace_id, mailbox_id, kind, owner, found[0][0]) if found else None


def renew(lease: Lease) -> bool:
    """Prolong the lease; False when it is no longer ours."""
    return _set_until(lease, LIFE)


def release(lease: Lease) -> None:
    """Give the lease back. The row stays, so that the epoch never falls."""
    _set_until(lease, timedelta(0))


def claim_due(owner: str) -> Lease | None:
    """The lease of the mailbox that should run next: people waiting first, then regular sync, then import."""
    now = clock.now()
    waiting = router_rows(
        """SELECT d.workspace_id, d.mailbox_id FROM mailbox_due d
           LEFT JOIN lease l ON l.workspace_id = d.workspace_id AND l.mailbox_id = d.mailbox_id AND l.kind = 'sync'
           WHERE d.next_run_at <= %s AND (l.until IS NULL OR l.until <= %s)
           ORDER BY d.lane, d.next_run_at LIMIT 16""",
        [now, now],
    )
    for workspace_id, mailbox_id in waiting:
        lease = take(workspace_id, mailbox_id, "sync", owner)
        if lease is not None:
            return lease
    return None


def seconds_to_next_due() -> float | None:
    """Until the next mailbox is due that nobody is working on; None where none is waiting."""
    found = router_rows(
        """SELECT min(d.next_run_at) FROM mailbox_due d
           LEFT JOIN lease l ON l.workspace_id = d.workspace_id AND l.mailbox_id = d.mailbox_id AND l.kind = 'sync'
           WHERE l.until IS NULL OR l.until <= %s""",
        [clock.now()],
    )
    return None if found[0][0] is None else float((found[0][0] - clock.now()).total_seconds())


def check_lease(lease: Lease) -> None:
    """Inside the caller's scope: lock the lease's row until the transaction ends. Raises LeaseLost where it is not ours."""
    ours = row(
        """SELECT 1 FROM lease
           WHERE workspace_id = %s AND mailbox_id = %s AND kind = %s AND owner = %s AND epoch = %s FOR UPDATE""",
        [lease.workspace_id, lease.mailbox_id, lease.kind, lease.owner, lease.epoch],
    )
    if ours is None:
        raise LeaseLost


def free_leases_of_the_dead() -> int:
    """A starting worker ends the leases of processes of its host that no longer live. Returns how many."""
    host = socket.gethostname()
    held = router_rows("SELECT DISTINCT owner FROM lease WHERE until > %s AND owner LIKE %s", [clock.now(), f"{host}:%"])
    dead = [owner for (owner,) in held if not _lives(owner)]
    ended = router_rows("UPDATE lease SET until = %s WHERE owner = ANY(%s) RETURNING 1", [clock.now(), dead])
    return len(ended)


def _set_until(lease: Lease, life: timedelta) -> bool:
    found = router_rows(
        """UPDATE lease SET until = %s
           WHERE workspace_id = %s AND mailbox_id = %s AND kind = %s AND owner = %s AND epoch = %s RETURNING 1""",
        [clock.now() + life, lease.workspace_id, lease.mailbox_id, lease.kind, lease.owner, lease.epoch],
    )
    return bool(found)


def _lives(owner: str) -> bool:
    _, pid, start = owner.split("/")[0].rsplit(":", 2)
    return _started(int(pid)) == start


def _started(pid: int) -> str:
    """The process's start time in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); "" when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rsplit(")", 1)[1].split()[19]
