"""Audit records: who did or saw what, when, by which surface. Ids only; the application can neither change nor delete them."""

from collections.abc import Sequence

from flowcrm.lib import clock
from flowcrm.store.db import run


def do_audit(
    *, workspace_id: int, actor_id: int | None, verb: str, surface: str, object_ids: Sequence[int], ip: str | None = None
) -> None:
    """One record. actor_id: a member, None for the operator at the command line."""
    run(
        """INSERT INTO audit (workspace_id, id, at, actor_id, verb, surface, ip, object_ids)
           VALUES (%s, nextval('flow_id'), %s, %s, %s, %s, %s, %s::bigint[])""",
        [workspace_id, clock.now(), actor_id, verb, surface, ip, list(object_ids)],
    )
