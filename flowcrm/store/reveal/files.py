"""Attachments: what is known of one, and its content."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flowcrm.mail import mime
from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import row
from flowcrm.store.errors import NotFound
from flowcrm.store.levels import Level
from flowcrm.store.reveal.bodies import BODY_COLUMNS, Body, open_raw
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text


@dataclass(frozen=True, slots=True)
class File:
    """One attachment. over_limit: it was left at the provider. inline: shown inside the formatted text by its content id."""

    id: int
    name: str
    type: str
    size: int
    content_id: str
    inline: bool
    over_limit: bool


@dataclass(frozen=True, slots=True)
class OpenedFile:
    file: File
    content: bytes = field(repr=False)


def reveal_attachment(looking: Actor, attachment_id: int, surface: str) -> OpenedFile:
    """One attachment, decoded. Raises NotFound also for one that was left at the provider."""
    found = row(
        f"""SELECT a.id, a.part, a.size, a.inline, a.over_limit, a.s_meta, v.message_id, {BODY_COLUMNS}
            FROM attachment a
            JOIN variant v ON v.workspace_id = a.workspace_id AND v.id = a.variant_id
            CROSS JOIN LATERAL (
                SELECT o.* FROM copy o
                WHERE o.workspace_id = a.workspace_id AND o.variant_id = a.variant_id AND {READABLE.format("o")}
                ORDER BY o.body_whole DESC, o.id LIMIT 1) c
            JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body
            WHERE a.workspace_id = %(workspace)s AND a.id = %(id)s""",
        {**looking.values(Level.EVERYTHING), "id": attachment_id},
    )
    if found is None:
        raise NotFound
    keys = vault(looking.workspace_id)
    file = open_file(keys, found[:1] + found[2:6])
    if file.over_limit:
        raise NotFound
    content = _decoded(open_raw(keys, Body(*found[7:])), found[1], file)
    record(looking, Verb.FILE, surface, [found[6], attachment_id])
    return OpenedFile(file, content)


def open_file(keys: WorkspaceVault, found: Sequence[Any]) -> File:
    attachment_id, size, inline, over_limit, s_meta = found
    meta = json.loads(open_text(keys, "file", attachment_id, bytes(s_meta)))
    return File(attachment_id, meta["name"], meta["type"], size, meta["content_id"], inline, over_limit)


def _decoded(raw: bytes, part: str, file: File) -> bytes:
    """The attachment's bytes. Copies of one content may be built differently, so what lies at `part` must also be it."""
    with suppress(mime.NoSuchPart):
        found, content = mime.part(raw, part)
        if (found.name, found.size) == (file.name, file.size):
            return content
    for one in mime.parse(raw).attachments:
        if (one.name, one.size) == (file.name, file.size):
            return mime.part(raw, one.part)[1]
    raise NotFound
