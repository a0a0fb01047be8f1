"""People whom a mailbox's owner has written to: a scan of the headers of what he sent, written step by step.

What it finds is sealed, and stays until its owner has decided, or for 30 days. The steps of a scan run under the mailbox's
lease of kind `act`; each is one transaction of the caller's.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowcrm.lib import clock
from flowcrm.store.db import next_ids, row, rows, run
from flowcrm.store.writes.tell import do_tell
from flowcrm.vault.seal import WorkspaceVault

LOOKS_BACK = timedelta(days=90)
KEPT_FOR = timedelta(days=30)
# Names of one person that are counted: most people have one or two.
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Written:
    """One person whom one mail went to. email: normalised."""

    email: str
    name: str
    at: datetime


def do_begin_scan(*, workspace_id: int, mailbox_id: int) -> None:
    """Look through the last 90 days of what was sent; one that is under way, or was decided about, begins anew."""
    do_forget_people(workspace_id=workspace_id, mailbox_id=mailbox_id)
    now = clock.now()
    run(
        """INSERT INTO people_scan (workspace_id, mailbox_id, state, since, next_at, begun_at)
           VALUES (%s, %s, 'reading', %s, %s, %s)""",
        [workspace_id, mailbox_id, now - LOOKS_BACK, now, now],
    )


def do_forget_people(*, workspace_id: int, mailbox_id: int) -> None:
    """The owner has decided: nothing of the scan stays."""
    run("DELETE FROM people_scan WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])


def do_forget_old_people(*, workspace_id: int) -> int:
    """Scans about which nobody decided for 30 days; how many."""
    return run("DELETE FROM people_scan WHERE workspace_id = %s AND begun_at < %s", [workspace_id, clock.now() - KEPT_FOR])


def do_scan_listed(
    *, workspace_id: int, mailbox_id: int, ids: Sequence[str], cursor: str | None, listed: bool, most: int
) -> None:
    """A page of ids of sent mails. listed: there are no more; so it is when `most` of them are known."""
    values = {"ws": workspace_id, "mailbox": mailbox_id}
    found = row("SELECT count(*) FROM people_mail WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s", values)
    known = int(found[0]) if found else 0
    wanted = list(dict.fromkeys(ids))[: max(most - known, 0)]
    run(
        """INSERT INTO people_mail (workspace_id, mailbox_id, provider_id, position)
           SELECT %(ws)s, %(mailbox)s, p.id, %(known)s + p.at FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS p (id, at)
           ON CONFLICT DO NOTHING""",
        {**values, "ids": wanted, "known": known},
    )
    run(
        "UPDATE people_scan SET cursor = %s, listed = %s, tries = 0, code = '' WHERE workspace_id = %s AND mailbox_id = %s",
        [cursor, listed or known + len(wanted) >= most, workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_scan_read(keys: WorkspaceVault, *, mailbox_id: int, ids: Sequence[str], written: Sequence[Written]) -> None:
    """The headers of these mails were read, and name these people. Mails that were counted before must not be among them."""
    run(
        "UPDATE people_mail SET read = true WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s::text[])",
        [keys.workspace_id, mailbox_id, list(ids)],
    )
    if ids:
        run(
            "UPDATE people_scan SET tries = 0, code = '' WHERE workspace_id = %s AND mailbox_id = %s",
            [keys.workspace_id, mailbox_id],
        )
    _do_count(keys, mailbox_id, written)
    do_tell(workspace_id=keys.workspace_id, mailbox_id=mailbox_id)


def do_scan_ready(*, workspace_id: int, mailbox_id: int) -> None:
    """All was read; the mails' ids are of no use any more."""
    run("DELETE FROM people_mail WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])
    run(
        "UPDATE people_scan SET state = 'ready', cursor = NULL WHERE workspace_id = %s AND mailbox_id = %s",
        [workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_scan_later(*, workspace_id: int, mailbox_id: int, at: datetime, code: str = "") -> None:
    """The provider (or our own allowance) wants us to wait. code: empty where nobody need know."""
    run(
        """UPDATE people_scan SET next_at = %s, code = %s, tries = tries + (%s <> '')::integer
           WHERE workspace_id = %s AND mailbox_id = %s""",
        [at, code, code, workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_scan_stopped(*, workspace_id: int, mailbox_id: int, code: str) -> None:
    """It cannot go on before somebody acts. What it found stays."""
    run(
        "UPDATE people_scan SET state = 'stopped', code = %s WHERE workspace_id = %s AND mailbox_id = %s",
        [code, workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_scan_again(*, workspace_id: int, mailbox_id: int) -> None:
    """One that was stopped goes on where it was."""
    run(
        """UPDATE people_scan SET state = 'reading', code = '', tries = 0, next_at = %s
           WHERE workspace_id = %s AND mailbox_id = %s AND state = 'stopped'""",
        [clock.now(), workspace_id, mailbox_id],
    )


def _do_count(keys: WorkspaceVault, mailbox_id: int, written: Iterable[Written]) -> None:
    fresh: dict[bytes, list[Written]] = {}
    for one in written:
        fresh.setdefault(keys.lookup("address", one.email), []).append(one)
    known = _known(keys, mailbox_id, fresh)
    ids = iter(next_ids(len(fresh) - len(known)))
    values = []
    for hashed in sorted(fresh):
        mails = fresh[hashed]
        found_id, names, count, last = known.get(hashed) or (next(ids), Counter[str](), 0, mails[0].at)
        names.update(one.name for one in mails if one.name)
        person = {"email": mails[0].email, "names": dict(names.most_common(_MOST_NAMES))}
        sealed = keys.seal("person", found_id, json.dumps(person).encode())
        values.append((found_id, hashed, sealed, count + len(mails), max([last, *(one.at for one in mails)])))
    if not values:
        return
    run(
        """INSERT INTO people_found (workspace_id, id, mailbox_id, gen, h_address, s_person, written, last_at)
           SELECT %s, p.id, %s, %s, p.h, p.s, p.written, p.last_at
           FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::integer[], %s::timestamptz[])
                AS p (id, h, s, written, last_at)
           ON CONFLICT (workspace_id, mailbox_id, gen, h_address) DO UPDATE
           SET s_person = EXCLUDED.s_person, written = EXCLUDED.written, last_at = EXCLUDED.last_at""",
        [keys.workspace_id, mailbox_id, keys.generation, *(list(column) for column in zip(*values, strict=True))],
    )


def _known(
    keys: WorkspaceVault, mailbox_id: int, hashes: Collection[bytes]
) -> Mapping[bytes, tuple[int, Counter[str], int, datetime]]:
    found = rows(
        """SELECT h_address, id, s_person, written, last_at FROM people_found
           WHERE workspace_id = %s AND mailbox_id = %s AND gen = %s AND h_address = ANY(%s::bytea[])""",
        [keys.workspace_id, mailbox_id, keys.generation, sorted(hashes)],
    )
    return {
        bytes(hashed): (found_id, Counter(_opened(keys, found_id, sealed)["names"]), count, last)
        for hashed, found_id, sealed, count, last in found
    }


def _opened(keys: WorkspaceVault, found_id: int, sealed: bytes) -> dict[str, Any]:
    # The scan adds to what it has found itself.
    opened = keys.open("person", found_id, bytes(sealed))  # allow: one-door: nobody is shown it
    person: dict[str, Any] = json.loads(opened)
    return person
