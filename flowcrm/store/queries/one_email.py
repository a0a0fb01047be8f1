"""Of one email: which copy its viewer is shown, and where it belongs. Inside a workspace scope."""

from flowcrm.store.access import SHOWN_COPY, Actor
from flowcrm.store.db import row
from flowcrm.store.errors import NotFound


def shown_copy(looking: Actor, message_id: int) -> int:
    """The copy of an email that the viewer is shown. Raises NotFound."""
    found = row(
        f"""SELECT c.id FROM message m CROSS JOIN LATERAL ({SHOWN_COPY}) c
            WHERE m.workspace_id = %(workspace)s AND m.id = %(id)s""",
        {**looking.values(), "id": message_id},
    )
    if found is None:
        raise NotFound
    return int(found[0])


def conversation_of(workspace_id: int, message_id: int) -> int:
    """The conversation of an email that is there."""
    found = row("SELECT conversation_id FROM message WHERE workspace_id = %s AND id = %s", [workspace_id, message_id])
    if found is None:
        raise NotFound
    return int(found[0])
