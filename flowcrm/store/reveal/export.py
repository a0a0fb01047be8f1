"""Messages as an export gives them, page by page in the order of their ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.mail.prepared import MessageFlag
from flowcrm.mail.types import Role
from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.reveal.bodies import BODY_COLUMNS, Body, open_headers, open_pieces
from flowcrm.store.reveal.files import open_file
from flowcrm.store.reveal.heads import open_head_values
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import WorkspaceVault, open_text

PAGE = 200


@dataclass(frozen=True, slots=True)
class ExportedCopy:
    """Where one copy lies. mailbox: its address."""

    id: int
    mailbox: str
    provider_id: str
    at: datetime
    unread: bool
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """One message. head: what a copy's seal says of it (people, subject, date); attachments: (name, type, size); copies: the
    actor's own."""

    id: int
    conversation_id: int
    at: datetime
    flags: tuple[str, ...]
    head: dict[str, Any]
    text: str
    attachments: tuple[tuple[str, str, int], ...]
    copies: tuple[ExportedCopy, ...]


def reveal_export(looking: Actor, surface: str) -> Iterator[list[ExportedMessage]]:
    """Pages of the messages that the actor may see whole. Each page is one audit record.

    Each page is a transaction of its own: an export of a million messages holds none open for long.
    """
    after = 0
    while True:
        with workspace_scope(looking.workspace_id):
            found = _messages(looking, after)
            if not found:
                return
            page = _opened(looking, found)
            record(looking, Verb.EXPORT, surface, [message.id for message in page])
        after = page[-1].id
        yield page


def reveal_copies(looking: Actor, message_id: int, surface: str) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The original of each copy in the actor's own mailboxes, with the copy's id: copies of one message may differ in headers,
    line ends and packing. One audit record; the pieces need no database, and each copy's are to be read before the next one's.
    """
    keys = vault(looking.workspace_id)
    with workspace_scope(looking.workspace_id):
        found = rows(
            f"""SELECT {BODY_COLUMNS} FROM copy c
                JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body
                WHERE c.workspace_id = %(workspace)s AND c.message_id = %(message)s AND {READABLE.format("c")} ORDER BY c.id""",
            {**looking.narrowed(None).values(), "message": message_id},
        )
        record(looking, Verb.ORIGINAL, surface, [message_id])
    for columns in found:
        body = Body(*columns)
        yield body.copy_id, open_pieces(keys, open_headers(keys, body), body)


def _messages(looking: Actor, after: int) -> list[tuple[Any, ...]]:
    return rows(
        f"""SELECT id, conversation_id, at, flags FROM message m
            WHERE workspace_id = %(workspace)s AND id > %(after)s AND EXISTS (
                SELECT 1 FROM copy c
                WHERE c.workspace_id = %(workspace)s AND c.message_id = m.id AND {READABLE.format("c")})
            ORDER BY id LIMIT %(page)s""",
        {**looking.values(Level.EVERYTHING), "after": after, "page": PAGE},
    )


def _opened(looking: Actor, found: list[tuple[Any, ...]]) -> list[ExportedMessage]:
    keys = vault(looking.workspace_id)
    copies = _copies(keys, looking, [message_id for message_id, *_ in found])
    variants = [shown[0] for shown in copies.values()]
    texts, files = _texts(keys, variants), _files(keys, variants)
    return [
        ExportedMessage(
            id=message_id,
            conversation_id=conversation_id,
            at=at,
            flags=tuple(flag.name.lower() for flag in MessageFlag if flag & flags and flag.name),
            head=head,
            text=texts[variant_id],
            attachments=files.get(variant_id, ()),
            copies=tuple(of_message),
        )
        for message_id, conversation_id, at, flags in found
        for variant_id, head, of_message in [copies[message_id]]
    ]


def _copies(
    keys: WorkspaceVault, looking: Actor, message_ids: list[int]
) -> dict[int, tuple[int, dict[str, Any], list[ExportedCopy]]]:
    """Message id -> the variant and head of his first copy, else of another's that he may see whole; and all copies of his."""
    found = rows(
        f"""SELECT c.message_id, c.id, c.variant_id, c.s_head, b.id, b.s_account, c.provider_id, c.at, c.unread, c.gone_at
            FROM copy c JOIN mailbox b ON b.workspace_id = c.workspace_id AND b.id = c.mailbox_id
            WHERE c.workspace_id = %(workspace)s AND c.message_id = ANY(%(ids)s) AND {READABLE.format("c")}
            ORDER BY c.mailbox_id = ANY(%(own)s::bigint[]) DESC, c.id""",
        {**looking.values(Level.EVERYTHING), "ids": message_ids},
    )
    copies: dict[int, tuple[int, dict[str, Any], list[ExportedCopy]]] = {}
    for message_id, copy_id, variant_id, s_head, mailbox_id, s_account, provider_id, at, unread, gone_at in found:
        own = mailbox_id in looking.own
        if message_id not in copies:
            head = open_head_values(keys, copy_id, s_head)
            copies[message_id] = (variant_id, head if own else head | {Role.BCC.value: []}, [])
        if not own:
            continue
        mailbox = keys.open("account", mailbox_id, bytes(s_account)).decode()
        copies[message_id][2].append(ExportedCopy(copy_id, mailbox, provider_id, at, unread, gone_at))
    return copies


def _texts(keys: WorkspaceVault, variant_ids: list[int]) -> dict[int, str]:
    found = rows("SELECT id, s_body FROM variant WHERE workspace_id = %s AND id = ANY(%s)", [keys.workspace_id, variant_ids])
    return {variant_id: open_text(keys, "body", variant_id, bytes(s_body)) for variant_id, s_body in found}


def _files(keys: WorkspaceVault, variant_ids: list[int]) -> dict[int, tuple[tuple[str, str, int], ...]]:
    found = rows(
        """SELECT variant_id, id, size, inline, over_limit, s_meta FROM attachment
           WHERE workspace_id = %s AND variant_id = ANY(%s) ORDER BY id""",
        [keys.workspace_id, variant_ids],
    )
    files: dict[int, tuple[tuple[str, str, int], ...]] = {}
    for variant_id, *sealed in found:
        file = open_file(keys, sealed)
        files[variant_id] = (*files.get(variant_id, ()), (file.name, file.type, file.size))
    return files
