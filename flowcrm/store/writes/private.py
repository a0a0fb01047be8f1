"""Private emails and threads, and who shares a mailbox. Each function runs inside the caller's scope.

`copy.shut` is what lists look at. It follows from three facts (the copy is capped, somebody who has the email marked it,
somebody marked its thread) and is derived anew by whatever changes one of them: a mark here, a message or conversation that is
merged, a mail that comes in, a copy that goes.
"""

from collections.abc import Collection, Sequence

from flowcrm.store.db import rows, run
from flowcrm.store.levels import Level
from flowcrm.store.writes.tell import do_tell
from flowcrm.store.writes.usage import do_lock_commits


def do_mark_email(*, workspace_id: int, mailboxes: Sequence[int], message_id: int, private: bool) -> int:
    """Mark the copies of an email in these mailboxes, or take the mark off; how many there are. While one of them is marked,
    nobody sees it who does not have it himself."""
    do_lock_commits(workspace_id)
    marked = run(
        "UPDATE copy SET private = %s WHERE workspace_id = %s AND message_id = %s AND mailbox_id = ANY(%s::bigint[])",
        [private, workspace_id, message_id, list(mailboxes)],
    )
    do_shut(workspace_id, [message_id])
    return marked


def do_mark_thread(*, workspace_id: int, member_id: int, conversation_id: int, private: bool) -> None:
    """Mark a whole thread, and what comes later in it, or take the member's own mark off."""
    do_lock_commits(workspace_id)
    values = [workspace_id, conversation_id, member_id]
    if private:
        run(
            """INSERT INTO private_thread (workspace_id, conversation_id, member_id) VALUES (%s, %s, %s)
               ON CONFLICT DO NOTHING""",
            values,
        )
    else:
        run("DELETE FROM private_thread WHERE workspace_id = %s AND conversation_id = %s AND member_id = %s", values)
    _do_shut_threads(workspace_id, [conversation_id])


def do_move_marks(workspace_id: int, merged: dict[int, int]) -> None:
    """Conversations were merged (loser -> winner): what one of them was marked, all of it is now."""
    found = rows(
        "SELECT conversation_id, member_id FROM private_thread WHERE workspace_id = %s AND conversation_id = ANY(%s::bigint[])",
        [workspace_id, sorted({*merged, *merged.values()})],
    )
    if not found:
        return
    run(
        """INSERT INTO private_thread (workspace_id, conversation_id, member_id)
           SELECT %s, t.* FROM unnest(%s::bigint[], %s::bigint[]) AS t ON CONFLICT DO NOTHING""",
        [workspace_id, [merged.get(one, one) for one, _ in found], [member_id for _, member_id in found]],
    )
    run(
        "DELETE FROM private_thread WHERE workspace_id = %s AND conversation_id = ANY(%s::bigint[])",
        [workspace_id, sorted(merged)],
    )
    _do_shut_threads(workspace_id, sorted({merged.get(one, one) for one, _ in found}))


def do_shut(workspace_id: int, messages: Collection[int]) -> None:
    """Derive anew which copies of these messages are shut."""
    run(
        """UPDATE copy AS c SET shut = n.shut
           FROM (
               SELECT o.id, o.capped OR bool_or(o.private) OVER (PARTITION BY o.message_id) OR EXISTS (
                   SELECT 1 FROM message m
                   JOIN private_thread t ON t.workspace_id = m.workspace_id AND t.conversation_id = m.conversation_id
                   WHERE m.workspace_id = o.workspace_id AND m.id = o.message_id) AS shut
               FROM copy o WHERE o.workspace_id = %(ws)s AND o.message_id = ANY(%(messages)s::bigint[])) n
           WHERE c.workspace_id = %(ws)s AND c.id = n.id AND c.message_id = ANY(%(messages)s::bigint[]) AND c.shut <> n.shut""",
        {"ws": workspace_id, "messages": sorted(messages)},
    )


def do_level(*, workspace_id: int, mailbox_id: int, level: Level) -> None:
    """Who else sees this mailbox's emails from now on. Nothing that is stored changes."""
    run("UPDATE mailbox SET level = %s WHERE workspace_id = %s AND id = %s", [level, workspace_id, mailbox_id])
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id, emails=True)


def do_default_level(*, workspace_id: int, level: Level) -> None:
    """What is preselected for mailboxes that are connected from now on."""
    run("UPDATE workspace SET default_level = %s WHERE id = %s", [level, workspace_id])


def _do_shut_threads(workspace_id: int, conversations: Sequence[int]) -> None:
    found = rows(
        "SELECT id FROM message WHERE workspace_id = %s AND conversation_id = ANY(%s::bigint[])",
        [workspace_id, list(conversations)],
    )
    do_shut(workspace_id, [message_id for (message_id,) in found])
