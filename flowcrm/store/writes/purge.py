"""Taking out what must not be here: copies at once and for good, with everything that hangs on them alone.

Content lives while a copy of it lives (DESIGN section 5): what no other copy needs goes with them, rows and search tokens in
this transaction, objects of the store with the next sweep of those that no row names (jobs/upkeep.py). Runs inside the caller's
scope, under the workspace's commit lock, which it takes.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from flowcrm.mail.types import Role
from flowcrm.mail.words import FOLDER, MAILBOX, bcc_class, folder_word, of_person
from flowcrm.store.db import rows, run
from flowcrm.store.vaults import vault
from flowcrm.store.writes.private import do_shut
from flowcrm.store.writes.tell import do_tell
from flowcrm.store.writes.usage import do_count_stored, do_lock_commits, read_asleep
from flowcrm.vault.seal import WorkspaceVault, open_text  # allow: one-door: to forget it, nobody is shown it


def do_purge_threads(*, workspace_id: int, mailbox_id: int, thread_ids: Sequence[str]) -> None:
    """Take out all copies of these threads in this mailbox, and what waits of them on its work-list."""
    if not thread_ids:
        return
    values: list[Any] = [workspace_id, mailbox_id, sorted(thread_ids)]
    run("DELETE FROM work WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s)", values)
    found = rows("SELECT id FROM copy WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s)", values)
    do_purge_copies(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=[copy_id for (copy_id,) in found])


def do_purge_copies(*, workspace_id: int, mailbox_id: int, copy_ids: Sequence[int]) -> None:
    """Take out these copies, all of one mailbox."""
    if not copy_ids:
        return
    do_lock_commits(workspace_id)
    gone = rows(
        "SELECT message_id, variant_id, gen, h_body FROM copy WHERE workspace_id = %s AND id = ANY(%s)",
        [workspace_id, sorted(copy_ids)],
    )
    messages = sorted({message_id for message_id, *_ in gone})
    asleep = read_asleep(workspace_id, messages)
    own_tokens = _own_tokens(workspace_id, mailbox_id, copy_ids)
    run("DELETE FROM copy WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, sorted(copy_ids)])
    _do_drop_variants(workspace_id, [variant_id for _, variant_id, *_ in gone])
    _do_drop_bodies(workspace_id, {(gen, bytes(h_body)) for _, _, gen, h_body in gone})
    dropped = run(
        """DELETE FROM message WHERE workspace_id = %(ws)s AND id = ANY(%(messages)s)
             AND id <> ALL(ARRAY(
                 SELECT message_id FROM copy WHERE workspace_id = %(ws)s AND message_id = ANY(%(messages)s)))""",
        {"ws": workspace_id, "messages": messages},
    )
    _do_date_anew(workspace_id, messages)
    do_shut(workspace_id, messages)
    do_count_stored(workspace_id, asleep - read_asleep(workspace_id, messages) - dropped)
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id, emails=True)
    _do_drop_tokens(workspace_id, mailbox_id, messages, own_tokens)


def _do_drop_variants(workspace_id: int, variants: Sequence[int]) -> None:
    # Here and below by arrays of ids: a join may be planned as a walk over all copies where statistics are old.
    run(
        """DELETE FROM variant WHERE workspace_id = %(ws)s AND id = ANY(%(variants)s)
             AND id <> ALL(ARRAY(
                 SELECT variant_id FROM copy WHERE workspace_id = %(ws)s AND variant_id = ANY(%(variants)s)))""",
        {"ws": workspace_id, "variants": sorted(set(variants))},
    )


def _do_drop_bodies(workspace_id: int, bodies: Collection[tuple[int, bytes]]) -> None:
    for gen in {gen for gen, _ in bodies}:
        run(
            """DELETE FROM blob WHERE workspace_id = %(ws)s AND gen = %(gen)s AND h_content = ANY(%(bodies)s)
                 AND h_content <> ALL(ARRAY(
                     SELECT h_body FROM copy WHERE workspace_id = %(ws)s AND gen = %(gen)s AND h_body = ANY(%(bodies)s)))""",
            {"ws": workspace_id, "gen": gen, "bodies": sorted(h_body for one, h_body in bodies if one == gen)},
        )


def _do_date_anew(workspace_id: int, messages: Sequence[int]) -> None:
    """What others still have is as old as the earliest of their copies."""
    for table, key in (("message", "id"), ("search_row", "message_id")):
        run(
            f"""UPDATE {table} AS t SET at = c.at
                FROM unnest(%s::bigint[]) AS m (id)
                CROSS JOIN LATERAL (
                    SELECT min(o.at) AS at FROM copy o WHERE o.workspace_id = %s AND o.message_id = m.id OFFSET 0) c
                WHERE t.workspace_id = %s AND t.{key} = m.id AND t.{key} = ANY(%s) AND c.at IS NOT NULL""",
            [list(messages), workspace_id, workspace_id, list(messages)],
        )


def _own_tokens(workspace_id: int, mailbox_id: int, copy_ids: Sequence[int]) -> list[int]:
    """The search tokens that stand for this mailbox's copies only: its name, their folders, their Bcc."""
    keys = vault(workspace_id)
    folders = rows(
        "SELECT DISTINCT provider_id FROM copy_folder WHERE workspace_id = %s AND copy_id = ANY(%s)",
        [workspace_id, sorted(copy_ids)],
    )
    heads = rows("SELECT id, s_head FROM copy WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, sorted(copy_ids)])
    hidden = {
        word for copy_id, sealed in heads for name, email in _bcc(keys, copy_id, sealed) for word in of_person(name, email)
    }
    return [
        keys.token(MAILBOX, str(mailbox_id)),
        *keys.tokens(FOLDER, [folder_word(mailbox_id, one) for (one,) in folders]),
        *keys.tokens(bcc_class(mailbox_id), hidden),
    ]


def _bcc(keys: WorkspaceVault, copy_id: int, sealed: bytes) -> list[tuple[str, str]]:
    head = json.loads(open_text(keys, "head", copy_id, bytes(sealed)))  # allow: one-door: to forget it, nobody is shown it
    return [(name, email) for name, email in head[Role.BCC.value]]


def _do_drop_tokens(workspace_id: int, mailbox_id: int, messages: Sequence[int], tokens: Sequence[int]) -> None:
    """What others still have of these messages is not found by this mailbox any more."""
    run(
        """UPDATE search_row AS s SET tok = ARRAY(SELECT t FROM unnest(s.tok) AS t WHERE t <> ALL(%s::bigint[]))
           WHERE s.workspace_id = %s AND s.message_id = ANY(%s)
             AND NOT EXISTS (SELECT 1 FROM copy c WHERE c.workspace_id = s.workspace_id AND c.message_id = s.message_id
                             AND c.mailbox_id = %s)""",
        [list(tokens), workspace_id, list(messages), mailbox_id],
    )
