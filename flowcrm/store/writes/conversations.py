"""Conversations: the connected components over stored messages and the keyed ids that tie them (DESIGN section 5).

Every message names keys: its own Message-ID, those of References and In-Reply-To, the provider's thread within its mailbox.
Messages that share a key are one conversation. Merging keeps the smallest id (the first stored); the others stay as aliases,
so links and audit survive.
"""

from flowcrm.store.db import next_ids, rows, run
from flowcrm.store.writes.identity import Resolved


class _Components:
    """Union-find over conversation ids of one page; the smallest id of a component is its name."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def find(self, one: int) -> int:
        root = one
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(one, one) != root:
            self._parent[one], one = root, self._parent[one]
        return root

    def join(self, one: int, other: int) -> int:
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low
        self._parent.setdefault(low, low)
        return low

    def losers(self) -> dict[int, int]:
        return {one: self.find(one) for one in self._parent if self.find(one) != one}


def do_join_conversations(workspace_id: int, resolved: Resolved) -> dict[int, int]:
    """The conversation of each placed message (message id -> conversation id), after all merges of the page are written."""
    if not resolved.placed:
        return {}
    gen = resolved.placed[0].kept.mail.gen
    by_mid = _known_mids(workspace_id, gen, resolved)
    of_message = _of_stored_messages(workspace_id, resolved)
    before = set(by_mid.values()) | set(of_message.values())
    known_mids = set(by_mid)
    components = _Components()
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
    _do_merge(workspace_id, {loser: winner for loser, winner in components.losers().items() if loser in before})
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
    stored = {placed.message_id for placed in resolved.placed} | set(resolved.merged) | set(resolved.merged.values())
    found = rows(
        "SELECT id, conversation_id FROM message WHERE workspace_id = %s AND id = ANY(%s)", [workspace_id, sorted(stored)]
    )
    return dict(found)


def _do_merge(workspace_id: int, merged: dict[int, int]) -> None:
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


def _do_name_mids(workspace_id: int, gen: int, named: dict[bytes, int]) -> None:
    if named:
        mids = sorted(named)
        run(
            """INSERT INTO mid (workspace_id, gen, h_mid, conversation_id)
               SELECT %s, %s, m.* FROM unnest(%s::bytea[], %s::bigint[]) AS m""",
            [workspace_id, gen, mids, [named[mid] for mid in mids]],
        )
