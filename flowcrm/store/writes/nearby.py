"""Messages that a comparison of their texts has shown to be one (docs/why/identity.md).

Noted in the page's own transaction, compared under no lock, joined in a transaction that has the workspace's commit lock: a
crash leaves the note, and what is found again joins nothing twice.
"""

from collections.abc import Collection, Iterable

from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.queries.nearby import MOST_VARIANTS
from flowcrm.store.writes.components import Components
from flowcrm.store.writes.identity import Resolved
from flowcrm.store.writes.merge import do_merge_messages
from flowcrm.store.writes.usage import do_lock_commits


def do_note_nearby(workspace_id: int, resolved: Resolved) -> None:
    """Note those of the page's new variants whose candidate has a variant of another message."""
    fresh = sorted(placed.variant_id for placed in resolved.placed if placed.variant_id == placed.kept.mail.variant_id)
    if fresh:
        # Beyond the limit nothing is compared: a candidate without end must not be read to its end for each of its mails.
        run(
            """INSERT INTO nearby (workspace_id, variant_id)
               SELECT v.workspace_id, v.id FROM variant v
               WHERE v.workspace_id = %s AND v.id = ANY(%s::bigint[]) AND EXISTS (
                   SELECT 1 FROM (
                       SELECT o.message_id FROM variant o
                       WHERE o.workspace_id = v.workspace_id AND o.gen = v.gen AND o.h_candidate = v.h_candidate
                       LIMIT %s) AS few
                   WHERE few.message_id <> v.message_id)""",
            [workspace_id, fresh, MOST_VARIANTS + 1],
        )


def do_join_near(workspace_id: int, *, pairs: Iterable[tuple[int, int]], compared: Collection[int]) -> int:
    """Merge the messages of these pairs of variants, and strike out what was compared. Returns how many messages went.

    That two texts are near stays true. Whose they are now is read under the lock: a page may have merged them meanwhile.
    """
    with workspace_scope(workspace_id):
        do_lock_commits(workspace_id)
        found = rows(
            "SELECT id, message_id FROM variant WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, list(compared)]
        )
        message_of, components = dict(found), Components()
        for one, other in pairs:
            if one in message_of and other in message_of:
                components.join(message_of[one], message_of[other])
        merged = components.losers()
        do_merge_messages(workspace_id, merged)
        run("DELETE FROM nearby WHERE workspace_id = %s AND variant_id = ANY(%s)", [workspace_id, list(compared)])
        return len(merged)
