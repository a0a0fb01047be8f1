"""Which copy of a message an actor is shown, still sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.store.access import SHOWN_COPY, Actor
from flowcrm.store.db import row
from flowcrm.store.errors import NotFound
from flowcrm.store.levels import Level
from flowcrm.store.reveal.bodies import BODY_COLUMNS, Body


@dataclass(frozen=True, slots=True)
class Shown:
    """The copy of a message that the actor is shown, sealed. files: a column each of id, size, inline, over_limit, s_meta."""

    body: Body
    files: tuple[Sequence[Any], ...]
    conversation_id: int
    ours: bool
    mailbox_id: int
    variant_id: int
    at: datetime
    unread: bool
    gone_at: datetime | None
    private: bool
    provider_id: str
    s_head: bytes
    s_body: bytes


def read_shown(looking: Actor, message_id: int) -> Shown:
    """Only of an email that the actor may see whole. Raises NotFound."""
    found = row(
        f"""SELECT m.conversation_id, m.ours, c.mailbox_id, c.variant_id, c.at, c.unread, c.gone_at, c.private,
                   c.provider_id, c.s_head, v.s_body, f.ids, f.sizes, f.inlines, f.overs, f.metas, {BODY_COLUMNS}
            FROM message m
            CROSS JOIN LATERAL ({SHOWN_COPY}) c
            JOIN variant v ON v.workspace_id = c.workspace_id AND v.id = c.variant_id
            JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body
            CROSS JOIN LATERAL (
                SELECT array_agg(a.id) AS ids, array_agg(a.size) AS sizes, array_agg(a.inline) AS inlines,
                       array_agg(a.over_limit) AS overs, array_agg(a.s_meta) AS metas
                FROM (SELECT * FROM attachment WHERE workspace_id = v.workspace_id AND variant_id = v.id ORDER BY id) a) f
            WHERE m.workspace_id = %(workspace)s AND m.id = %(id)s""",
        {**looking.values(Level.EVERYTHING), "id": message_id},
    )
    if found is None:
        raise NotFound
    return Shown(Body(*found[16:]), tuple(one or () for one in found[11:16]), *found[:11])
