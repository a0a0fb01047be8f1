"""Heads: what a list shows of an email."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.mail.types import Address, Role
from flowcrm.store.access import Actor
from flowcrm.store.db import rows
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text


@dataclass(frozen=True, slots=True)
class Head:
    """What a list shows of an email, from the headers of one copy: its Bcc is that copy's own. date: as the sender wrote it."""

    people: Mapping[Role, tuple[Address, ...]]
    subject: str
    snippet: str
    files: tuple[str, ...]
    date: datetime | None

    def of(self, role: Role) -> tuple[Address, ...]:
        return self.people.get(role, ())


def reveal_heads(looking: Actor, copy_ids: Sequence[int], surface: str) -> dict[int, Head]:
    """The heads of these copies (those of them that may be read), by the copy's id. A page of a list is one record."""
    found = rows(
        """SELECT id, message_id, s_head FROM copy
           WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND mailbox_id = ANY(%s::bigint[])""",
        [looking.workspace_id, list(copy_ids), list(looking.mailboxes)],
    )
    keys = vault(looking.workspace_id)
    heads = {copy_id: open_head(keys, copy_id, sealed) for copy_id, _, sealed in found}
    if heads:
        record(looking, Verb.LIST, surface, sorted({message_id for _, message_id, _ in found}))
    return heads


def open_head(keys: WorkspaceVault, copy_id: int, sealed: bytes) -> Head:
    opened = open_head_values(keys, copy_id, sealed)
    return Head(
        people={role: tuple(Address(name, email) for name, email in opened.get(role, ())) for role in Role},
        subject=opened["subject"],
        snippet=opened["snippet"],
        files=tuple(opened["files"]),
        date=datetime.fromisoformat(opened["date"]) if opened["date"] else None,
    )


def open_head_values(keys: WorkspaceVault, copy_id: int, sealed: bytes) -> dict[str, Any]:
    """The same as it lies in the seal (ingest/steps/seal.py), with the Message-ID."""
    opened: dict[str, Any] = json.loads(open_text(keys, "head", copy_id, bytes(sealed)))
    return opened
