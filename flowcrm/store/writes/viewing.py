"""Who has opened which email, for the owners of its copies. Inside the caller's scope."""

from collections.abc import Collection

from flowcrm.lib import clock
from flowcrm.store.db import run


def do_note_viewing(*, workspace_id: int, member_id: int, message_ids: Collection[int]) -> None:
    """The member has opened these emails now."""
    # Sorted, so that two who open the same ones never wait for each other.
    run(
        """INSERT INTO viewing (workspace_id, message_id, member_id, first_at, last_at)
           SELECT %(ws)s, m.id, %(member)s, %(now)s, %(now)s FROM unnest(%(messages)s::bigint[]) AS m (id)
           ON CONFLICT (workspace_id, message_id, member_id)
           DO UPDATE SET last_at = greatest(viewing.last_at, EXCLUDED.last_at), times = viewing.times + 1""",
        {"ws": workspace_id, "member": member_id, "now": clock.now(), "messages": sorted(message_ids)},
    )
