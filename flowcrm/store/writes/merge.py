"""What was two becomes one: messages into the first stored, and conversations, whose ids stay as aliases.

A page does it in parts, between its own inserts (identity, conversations, mail_rows); for messages that are all stored
`do_merge_messages` does all of it. Everything runs under the workspace's commit lock.
"""

from collections.abc import Collection, Mapping

from flowcrm.store.db import rows, run
from flowcrm.store.writes.components import Components
from flowcrm.store.writes.private import do_move_marks, do_shut
from flowcrm.store.writes.usage import do_count_stored, read_asleep


def do_merge_messages(workspace_id: int, merged: Mapping[int, int]) -> None:
    """Merge stored messages (loser -> winner) with all that hangs on them, their conversations and the count of messages."""
    if not merged:
        return
    # A message whose copies all lie in the bin is not counted: neither before, nor when the other has none elsewhere either.
    asleep = read_asleep(workspace_id, {*merged, *merged.values()})
    do_move_rows(workspace_id, merged)
    conversations, components = read_conversations(workspace_id, {*merged, *merged.values()}), Components()
    for loser, winner in merged.items():
        components.join(conversations[loser], conversations[winner])
    do_merge_conversations(workspace_id, components.losers())
    do_drop_messages(workspace_id, merged)
    do_shut(workspace_id, merged.values())
    do_count_stored(workspace_id, asleep - read_asleep(workspace_id, set(merged.values())) - len(merged))


def do_move_rows(workspace_id: int, merged: Mapping[int, int]) -> None:
    """Move everything of stored losers to their winners, which are stored too. Rare: one pair at a time."""
    for loser in sorted(merged):
        values = {"ws": workspace_id, "loser": loser, "winner": merged[loser]}
        for table in ("variant", "copy", "message_key"):
            run(f"UPDATE {table} SET message_id = %(winner)s WHERE workspace_id = %(ws)s AND message_id = %(loser)s", values)
        run(
            """INSERT INTO search_row (workspace_id, message_id, scheme, at, tok)
               SELECT workspace_id, %(winner)s, scheme, at, tok FROM search_row
               WHERE workspace_id = %(ws)s AND message_id = %(loser)s
               ON CONFLICT (workspace_id, message_id) DO UPDATE SET at = least(search_row.at, EXCLUDED.at),
               tok = (SELECT array_agg(DISTINCT token) FROM unnest(search_row.tok || EXCLUDED.tok) AS token)""",
            values,
        )
        run(
            """INSERT INTO viewing (workspace_id, message_id, member_id, first_at, last_at, times)
               SELECT workspace_id, %(winner)s, member_id, first_at, last_at, times FROM viewing
               WHERE workspace_id = %(ws)s AND message_id = %(loser)s
               ON CONFLICT (workspace_id, message_id, member_id) DO UPDATE
               SET first_at = least(viewing.first_at, EXCLUDED.first_at), last_at = greatest(viewing.last_at, EXCLUDED.last_at),
                   times = viewing.times + EXCLUDED.times""",
            values,
        )
        run(
            """UPDATE message AS w SET at = least(w.at, l.at), ours = w.ours OR l.ours, flags = w.flags | l.flags
               FROM message AS l
               WHERE w.workspace_id = %(ws)s AND w.id = %(winner)s AND l.workspace_id = %(ws)s AND l.id = %(loser)s""",
            values,
        )


def do_drop_messages(workspace_id: int, losers: Collection[int]) -> None:
    """Drop stored messages whose rows have moved."""
    if losers:
        run("DELETE FROM message WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, sorted(losers)])


def read_conversations(workspace_id: int, messages: Collection[int]) -> dict[int, int]:
    """The conversations of those of these messages that are stored."""
    found = rows(
        "SELECT id, conversation_id FROM message WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, sorted(messages)]
    )
    return dict(found)


def do_merge_conversations(workspace_id: int, merged: Mapping[int, int]) -> None:
    """Merge stored conversations (loser -> winner). The losers' ids stay as aliases."""
    if not merged:
        return
    losers = sorted(merged)
    pairs = "unnest(%s::bigint[], %s::bigint[]) AS m (loser, winner)"
    values = [losers, [merged[loser] for loser in losers], workspace_id]
    for table in ("message", "mid"):
        run(
            f"""UPDATE {table} AS t SET conversation_id = m.winner FROM {pairs}
                WHERE t.workspace_id = %s AND t.conversation_id = m.loser""",
            values,
        )
    run(
        f"""UPDATE conversation AS t SET alias_of = m.winner FROM {pairs}
            WHERE t.workspace_id = %s AND (t.id = m.loser OR t.alias_of = m.loser)""",
        values,
    )
    do_move_marks(workspace_id, dict(merged))
