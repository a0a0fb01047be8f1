"""Which of the page's mails are which messages (DESIGN section 5, Identity).

A message is a connected component: variants that share a key (id key with core, or content key) are one. Components do not
depend on the order of arrival, so neither does the store. A mail whose keys lead to two messages shows that those were one
all along: the later is merged into the first stored, whose id stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowcrm.store.db import next_ids, rows
from flowcrm.store.writes.merge import do_move_rows
from flowcrm.store.writes.usage import Room, read_asleep

if TYPE_CHECKING:
    from flowcrm.store.writes.page import Kept


@dataclass(frozen=True, slots=True)
class Placed:
    """A mail and where it belongs. variant_id is the mail's own new one, or that of the equal variant already stored."""

    kept: "Kept"
    message_id: int
    variant_id: int


@dataclass(slots=True)
class Resolved:
    """new_messages: message id -> the mail that brought it. merged: loser -> winner. asleep: stored messages of the page that
    lay in the bin with all their copies, and are at rest now. stored: change of messages at rest."""

    placed: list[Placed] = field(default_factory=list)
    waiting: "list[Kept]" = field(default_factory=list)
    new_messages: "dict[int, Kept]" = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    asleep: int = 0

    @property
    def stored(self) -> int:
        return len(self.new_messages) - len(self.merged) + self.asleep

    @property
    def merged_stored(self) -> dict[int, int]:
        """Those of the losers that have rows: this very page invented the others. A winner of theirs is always stored, since
        ids ascend in commit order."""
        return {loser: _root(self, loser) for loser in self.merged if loser not in self.new_messages}


def do_resolve(workspace_id: int, kept: "Sequence[Kept]", room: Room) -> Resolved:
    """Place each mail in the page's order; mails that would be new messages beyond the room are left waiting."""
    resolved = Resolved()
    if not kept:
        return resolved
    by_key, by_variant = _known_keys(workspace_id, kept), _known_variants(workspace_id, kept)
    fresh = iter(next_ids(len(kept)))
    for one in kept:
        mail = one.mail
        candidates = {_root(resolved, by_key[key]) for key in mail.h_keys if key in by_key}
        if not candidates:
            if not room.allows(importing=one.importing, taken=len(resolved.new_messages)):
                resolved.waiting.append(one)
                continue
            message_id = next(fresh)
            resolved.new_messages[message_id] = one
        else:
            message_id = min(candidates)
            for loser in candidates - {message_id}:
                resolved.merged[loser] = message_id
        by_key.update(dict.fromkeys(mail.h_keys, message_id))
        variant_id = by_variant.setdefault((mail.h_candidate, mail.h_content), mail.variant_id)
        resolved.placed.append(Placed(one, message_id, variant_id))
    resolved.placed = [Placed(one.kept, _root(resolved, one.message_id), one.variant_id) for one in resolved.placed]
    touched = {one.message_id for one in resolved.placed} | resolved.merged.keys()
    resolved.asleep = read_asleep(workspace_id, touched - resolved.new_messages.keys())
    do_move_rows(workspace_id, resolved.merged_stored)
    return resolved


def _root(resolved: Resolved, message_id: int) -> int:
    while message_id in resolved.merged:
        message_id = resolved.merged[message_id]
    return message_id


def _known_keys(workspace_id: int, kept: "Sequence[Kept]") -> dict[bytes, int]:
    found = rows(
        "SELECT h_key, message_id FROM message_key WHERE workspace_id = %s AND gen = %s AND h_key = ANY(%s)",
        [workspace_id, kept[0].mail.gen, sorted({key for one in kept for key in one.mail.h_keys})],
    )
    return {bytes(key): message_id for key, message_id in found}


def _known_variants(workspace_id: int, kept: "Sequence[Kept]") -> dict[tuple[bytes, bytes], int]:
    found = rows(
        """SELECT h_candidate, h_content, id FROM variant WHERE workspace_id = %s AND gen = %s AND h_candidate = ANY(%s)""",
        [workspace_id, kept[0].mail.gen, sorted({one.mail.h_candidate for one in kept})],
    )
    return {(bytes(candidate), bytes(content)): variant_id for candidate, content, variant_id in found}
