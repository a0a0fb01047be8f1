"""Heads: what a list shows of an email, as far as the viewer may see it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flowcrm.mail.types import Address, Role
from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text


@dataclass(frozen=True, slots=True)
class Head:
    """What a list shows of an email, from the headers of one copy: its Bcc is for that mailbox's owner alone. date: as the
    sender wrote it. sight: how much of it is told; what is not is empty. mailbox_id: whose copy it is from."""

    people: Mapping[Role, tuple[Address, ...]]
    subject: str
    snippet: str
    files: tuple[str, ...]
    date: datetime | None
    sight: Level = Level.EVERYTHING
    mailbox_id: int = 0

    def of(self, role: Role) -> tuple[Address, ...]:
        return self.people.get(role, ())


def reveal_heads(looking: Actor, copy_ids: Sequence[int], surface: str) -> dict[int, Head]:
    """The heads of these copies (those of them that he may know of), by the copy's id. A page of a list is one record."""
    found = rows(
        f"""SELECT c.id, c.message_id, c.mailbox_id, c.s_head FROM copy c
            WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s::bigint[]) AND {READABLE.format("c")}""",
        {**looking.values(), "ids": list(copy_ids)},
    )
    keys = vault(looking.workspace_id)
    heads = {copy_id: told(looking, mailbox_id, open_head(keys, copy_id, sealed)) for copy_id, _, mailbox_id, sealed in found}
    if heads:
        record(looking, Verb.LIST, surface, sorted({message_id for _, message_id, *_ in found}))
    return heads


def reveal_binned(looking: Actor, copy_ids: Sequence[int]) -> dict[int, Head]:
    """The heads of these copies in the actor's own bin. A page of it is one record."""
    found = rows(
        """SELECT c.id, c.message_id, c.s_head FROM copy c
           WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s::bigint[]) AND c.mailbox_id = ANY(%(own)s::bigint[])
             AND c.binned_at IS NOT NULL""",
        {**looking.values(), "ids": list(copy_ids)},
    )
    keys = vault(looking.workspace_id)
    heads = {copy_id: open_head(keys, copy_id, sealed) for copy_id, _, sealed in found}
    if heads:
        record(looking, Verb.LIST, "bin", sorted({message_id for _, message_id, _ in found}))
    return heads


def told(looking: Actor, mailbox_id: int, head: Head) -> Head:
    """Of a copy's head what the actor may see. The copy is one that he may know of."""
    if mailbox_id in looking.own:
        return replace(head, mailbox_id=mailbox_id)
    sight = looking.sight(mailbox_id) or Level.PEOPLE
    return Head(
        people={role: people for role, people in head.people.items() if role is not Role.BCC},
        subject=head.subject if sight.shows(Level.SUBJECT) else "",
        snippet=head.snippet if sight is Level.EVERYTHING else "",
        files=head.files if sight is Level.EVERYTHING else (),
        date=head.date,
        sight=sight,
        mailbox_id=mailbox_id,
    )


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
