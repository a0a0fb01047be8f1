"""What the labels that count for a thread say of it. Each function runs inside a workspace scope."""

from collections.abc import Iterable

from flowcrm.mail.types import ThreadMarks
from flowcrm.store.db import rows


def read_marks(workspace_id: int, mailbox_id: int, thread_ids: Iterable[str | None]) -> dict[str, ThreadMarks]:
    """The marks of each of these threads; those of which there are none have an empty answer."""
    asked = sorted({one for one in thread_ids if one is not None})
    found = rows(
        """SELECT m.thread_id, bool_or(f.excluded), bool_or(f.chosen), bool_or(f.chosen AND m.at IS NULL),
                  min(m.at) FILTER (WHERE f.chosen)
           FROM mark m
           JOIN folder f ON f.workspace_id = m.workspace_id AND f.mailbox_id = m.mailbox_id AND f.provider_id = m.folder_id
           WHERE m.workspace_id = %s AND m.mailbox_id = %s AND m.thread_id = ANY(%s::text[]) GROUP BY m.thread_id""",
        [workspace_id, mailbox_id, asked],
    )
    # While the time of one chosen mail is unknown, it may be the earliest.
    known = {
        thread_id: ThreadMarks(excluded, chosen, None if open_ else at) for thread_id, excluded, chosen, open_, at in found
    }
    return {thread_id: known.get(thread_id, ThreadMarks()) for thread_id in asked}
