"""Where mails lie, and the threads that they make, at providers that name mails by their places. Inside the caller's scope.

The mailbox's row is locked first: a sync, a preview and a search of the same mailbox may see the same mails at once.
"""

from collections.abc import Sequence
from datetime import timedelta

from flowcrm.lib import clock
from flowcrm.mail.places import Sighting, Spot
from flowcrm.mail.references import key
from flowcrm.store.db import row, rows, run
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.queries.places import columns
from flowcrm.store.writes.components import Components
from flowcrm.store.writes.marks import do_look_at
from flowcrm.store.writes.purge import do_purge_threads
from flowcrm.store.writes.usage import do_lock_commits
from flowcrm.vault.seal import WorkspaceVault

# A page that was read and not written down is read again within minutes.
REMEMBERED = timedelta(days=7)


def do_place(vault: WorkspaceVault, *, mailbox_id: int, sightings: Sequence[Sighting]) -> None:
    """These mails lie there; mails that name each other are in one thread."""
    if not sightings:
        return
    workspace_id = vault.workspace_id
    _do_lock(workspace_id, mailbox_id)
    own = [_hash(vault, one.own_id or one.mail_id) for one in sightings]
    _do_tie(vault, mailbox_id, sightings, own)
    last = {one.spot: (one, h_own) for one, h_own in zip(sightings, own, strict=True)}
    run(
        """INSERT INTO place (workspace_id, mailbox_id, folder_id, validity, uid, mail_id, h_own, at)
           SELECT %s, %s, p.*
           FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bytea[], %s::timestamptz[]) AS p
           ON CONFLICT (workspace_id, mailbox_id, folder_id, validity, uid)
           DO UPDATE SET mail_id = EXCLUDED.mail_id, h_own = EXCLUDED.h_own, at = EXCLUDED.at, gone_at = NULL""",
        [
            workspace_id,
            mailbox_id,
            *columns(list(last)),
            [one.mail_id for one, _ in last.values()],
            [h_own for _, h_own in last.values()],
            [one.at for one, _ in last.values()],
        ],
    )


def do_displace(*, workspace_id: int, mailbox_id: int, spots: Sequence[Spot]) -> None:
    """Nothing lies there any more. What was displaced long ago is forgotten."""
    if not spots:
        return
    _do_lock(workspace_id, mailbox_id)
    now = clock.now()
    run(
        """UPDATE place SET gone_at = %s WHERE workspace_id = %s AND mailbox_id = %s AND gone_at IS NULL
             AND (folder_id, validity, uid) IN (SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[]))""",
        [now, workspace_id, mailbox_id, *columns(spots)],
    )
    run(
        "DELETE FROM place WHERE workspace_id = %s AND mailbox_id = %s AND gone_at < %s",
        [workspace_id, mailbox_id, now - REMEMBERED],
    )


def _do_lock(workspace_id: int, mailbox_id: int) -> None:
    row("SELECT 1 FROM mailbox WHERE workspace_id = %s AND id = %s FOR NO KEY UPDATE", [workspace_id, mailbox_id])


def _do_tie(vault: WorkspaceVault, mailbox_id: int, sightings: Sequence[Sighting], own: Sequence[bytes]) -> None:
    """Each name to its thread. Of threads that are now one, the name that sorts first stays."""
    named = [[h_own, *(_hash(vault, name) for name in one.names)] for one, h_own in zip(sightings, own, strict=True)]
    known = _threads_of(vault.workspace_id, mailbox_id, sorted({name for names in named for name in names}))
    # Threads that exist have the lower numbers, so that they give their components the name.
    threads = [*sorted(set(known.values())), *(one.mail_id for one in sightings)]
    number = {thread: place for place, thread in reversed(list(enumerate(threads)))}
    joined, thread_of = Components(), {name: number[thread] for name, thread in known.items()}
    for one, names in zip(sightings, named, strict=True):
        mine = number[one.mail_id]
        fresh = [thread_of[name] for name in names if name in thread_of] or [mine]
        for other in fresh:
            joined.join(fresh[0], other)
        thread_of |= {name: fresh[0] for name in names if name not in thread_of}
    losers = {threads[loser]: threads[winner] for loser, winner in joined.losers().items() if threads[loser] in known.values()}
    _do_write_ties(
        vault.workspace_id,
        mailbox_id,
        {name: threads[joined.find(one)] for name, one in thread_of.items() if name not in known},
    )
    _do_join(vault.workspace_id, mailbox_id, losers)


def _threads_of(workspace_id: int, mailbox_id: int, names: Sequence[bytes]) -> dict[bytes, str]:
    found = rows(
        "SELECT h_name, thread_id FROM tie WHERE workspace_id = %s AND mailbox_id = %s AND h_name = ANY(%s::bytea[])",
        [workspace_id, mailbox_id, list(names)],
    )
    return {bytes(name): thread_id for name, thread_id in found}


def _do_write_ties(workspace_id: int, mailbox_id: int, threads: dict[bytes, str]) -> None:
    run(
        """INSERT INTO tie (workspace_id, mailbox_id, h_name, thread_id)
           SELECT %s, %s, t.* FROM unnest(%s::bytea[], %s::text[]) AS t""",
        [workspace_id, mailbox_id, list(threads), list(threads.values())],
    )


def _do_join(workspace_id: int, mailbox_id: int, losers: dict[str, str]) -> None:
    """These threads are part of others now, with all that was said of them; what counts for a thread counts for all of it."""
    if not losers:
        return
    do_lock_commits(workspace_id)
    values = [list(losers), list(losers.values()), workspace_id, mailbox_id]
    for table in ("tie", "copy", "work", "mark"):
        run(
            f"""UPDATE {table} AS x SET thread_id = j.winner FROM unnest(%s::text[], %s::text[]) AS j (loser, winner)
                WHERE x.workspace_id = %s AND x.mailbox_id = %s AND x.thread_id = j.loser""",
            values,
        )
    run(
        """INSERT INTO kept_out (workspace_id, mailbox_id, kind, provider_id, at)
           SELECT k.workspace_id, k.mailbox_id, k.kind, j.winner, k.at
           FROM kept_out k JOIN unnest(%s::text[], %s::text[]) AS j (loser, winner) ON j.loser = k.provider_id
           WHERE k.workspace_id = %s AND k.mailbox_id = %s AND k.kind = 'thread' ON CONFLICT DO NOTHING""",
        values,
    )
    run(
        """DELETE FROM kept_out
           WHERE workspace_id = %s AND mailbox_id = %s AND kind = 'thread' AND provider_id = ANY(%s::text[])""",
        [workspace_id, mailbox_id, list(losers)],
    )
    run(
        "DELETE FROM thread_work WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s::text[])",
        [workspace_id, mailbox_id, list(losers)],
    )
    marks = read_marks(workspace_id, mailbox_id, losers.values())
    do_purge_threads(
        workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=[one for one, mark in marks.items() if mark.excluded]
    )
    # Also where nothing is marked: perhaps one of them was about to be looked at.
    do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=sorted(set(losers.values())))


def _hash(vault: WorkspaceVault, name: str) -> bytes:
    return vault.lookup("tie", key(name))
