"""Conversations: the connected components over stored messages and the keyed ids that tie them (DESIGN section 5).

Every message names keys: its own Message-ID, those of References and In-Reply-To, the provider's thread within its mailbox.
Messages that share a key are one conversation. Merging keeps the smallest id (the first stored); the others stay as aliases,
so links and audit survive.
"""

from flowcrm.store.db import next_ids, rows, run
from flowcrm.store.writes.components import Components
from flowcrm.store.writes.identity import Resolved
from flowcrm.store.writes.merge import do_merge_conversations, read_conversations


def do_join_conversations(workspace_id: int, resolved: Resolved) -> dict[int, int]:
    """The conversation of each placed message (message id -> conversation id), after all merges of the page are written."""
    if not resolved.placed:
        return {}
    gen = resolved.placed[0].kept.mail.gen
    by_mid = _known_mids(workspace_id, gen, resolved)
    of_message = _of_stored_messages(workspace_id, resolved)
    before = set(by_mid.values()) | set(of_message.values())
    known_mids = set(by_mid)
    components = Components()
    for loser, winner in resolved.merged.items():
        if loser in of_message and winner in of_message:
            components.join(of_message[loser], of_message[winner])
    fresh = iter(next_ids(len(resolved.placed)))
    for placed in resolved.placed:
        mids = placed.kept.mail.h_mids
        ids = [by_mid[mid] for mid in mids if mid in by_mid]
        if placed.message_id in of_message:
            ids.append(of_message[placed.message_id])
        conversation = ids[0] if ids else next(fresh)
        for other in ids[1:]:
            conversation = components.join(conversation, other)
        by_mid.update(dict.fromkeys(mids, conversation))
        of_message[placed.message_id] = conversation
    do_merge_conversations(workspace_id, {loser: winner for loser, winner in components.losers().items() if loser in before})
    made = {components.find(one) for one in of_message.values()} - before
    if made:
        run(
            "INSERT INTO conversation (workspace_id, id) SELECT %s, unnest(%s::bigint[])",
            [workspace_id, sorted(made)],
        )
    _do_name_mids(workspace_id, gen, {mid: components.find(one) for mid, one in by_mid.items() if mid not in known_mids})
    return {message_id: components.find(one) for message_id, one in of_message.items()}


def _known_mids(workspace_id: int, gen: int, resolved: Resolved) -> dict[bytes, int]:
    mids = sorted({mid for placed in resolved.placed for mid in placed.kept.mail.h_mids})
    found = rows(
        "SELECT h_mid, conversation_id FROM mid WHERE workspace_id = %s AND gen = %s AND h_mid = ANY(%s::bytea[])",
        [workspace_id, gen, mids],
    )
    return {bytes(mid): conversation_id for mid, conversation_id in found}


def _of_stored_messages(workspace_id: int, resolved: Resolved) -> dict[int, int]:
    """Conversations of messages that were stored before, the losers of this page's merges included."""
    placed = {one.message_id for one in resolved.placed}
    return read_conversations(workspace_id, placed | set(resolved.merged) | set(resolved.merged.values()))


def _do_name_mids(workspace_id: int, gen: int, named: dict[bytes, int]) -> None:
    if named:
        mids = sorted(named)
        run(
            """INSERT INTO mid (workspace_id, gen, h_mid, conversation_id)
               SELECT %s, %s, m.* FROM unnest(%s::bytea[], %s::bigint[]) AS m""",
            [workspace_id, gen, mids, [named[mid] for mid in mids]],
        )
