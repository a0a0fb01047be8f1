"""The only door through which a person reads what came by mail.

Each function checks that the actor may read it, opens it with the vault, and writes the audit record: who, what (ids of
messages), how much of it (the verb), from where and on which surface. All run inside a workspace scope, and a caller that rolls
back rolls the record back with what it showed.

Raises NotFound for what the actor may not know of, and VaultError where keys or object store are out of reach.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from typing import Any

from flowcrm.mail import mime
from flowcrm.mail.types import Address, Role
from flowcrm.store.access import SHOWN_COPY, Actor
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import blob_store, vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.vault.seal import WorkspaceVault, open_packed, open_text

# Up to this size an original is parsed for its formatted text whenever the email is opened; above, only when asked for.
PARSED_AT_ONCE = 2 * 1024 * 1024


class Verb(StrEnum):
    """How much was opened. LIST: people, subject and first line. READ: the text. FILE: an attachment. ORIGINAL: all bytes."""

    LIST = "list"
    READ = "read"
    FILE = "file"
    ORIGINAL = "original"


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
class Opened:
    """One email, opened.

    html: the formatted text as it came, NOT cleaned; None where there is none. formatted_later: it was not looked for, since
    the original is large. whole: no part of the original was left at the provider. gone_at: since when the provider lacks it.
    """

    message_id: int
    conversation_id: int
    mailbox_id: int
    at: datetime
    ours: bool
    unread: bool
    gone_at: datetime | None
    whole: bool
    size: int
    head: Head
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    formatted_later: bool
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class OpenedFile:
    file: File
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Original:
    """An email byte for byte as the provider gave it. pieces needs no database: it may be read after the scope has closed.

    whole: False where attachments over the limit were left at the provider; they are missing in `pieces`, nothing else is.
    """

    message_id: int
    subject: str
    size: int
    whole: bool
    pieces: Iterator[bytes] = field(repr=False)


def reveal_heads(looking: Actor, copy_ids: Sequence[int], surface: str) -> dict[int, Head]:
    """The heads of these copies (those of them that may be read), by the copy's id. A page of a list is one record."""
    found = rows(
        """SELECT id, message_id, s_head FROM copy
           WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND mailbox_id = ANY(%s::bigint[])""",
        [looking.workspace_id, list(copy_ids), list(looking.mailboxes)],
    )
    keys = vault(looking.workspace_id)
    heads = {copy_id: _head(keys, copy_id, sealed) for copy_id, _, sealed in found}
    if heads:
        _record(looking, Verb.LIST, surface, sorted({message_id for _, message_id, _ in found}))
    return heads


def reveal_message(looking: Actor, message_id: int, surface: str, *, parse_at_most: int | None = PARSED_AT_ONCE) -> Opened:
    """One email with its text and its list of attachments. parse_at_most: bytes of an original that is parsed for its formatted
    text (None: any)."""
    keys, found = vault(looking.workspace_id), _shown(looking, message_id)
    html = None
    small = parse_at_most is None or found.body.size <= parse_at_most
    if small:
        html = mime.parse(_raw(keys, found.body)).html
    opened = Opened(
        message_id=message_id,
        conversation_id=found.conversation_id,
        mailbox_id=found.mailbox_id,
        at=found.at,
        ours=found.ours,
        unread=found.unread,
        gone_at=found.gone_at,
        whole=found.body.whole,
        size=found.body.size + len(found.body.s_headers),
        head=_head(keys, found.body.copy_id, found.s_head),
        text=open_text(keys, "body", found.variant_id, found.s_body),
        html=html,
        formatted_later=not small,
        files=tuple(_file(keys, one) for one in zip(*found.files, strict=True)),
    )
    _record(looking, Verb.READ, surface, [message_id])
    return opened


def reveal_attachment(looking: Actor, attachment_id: int, surface: str) -> OpenedFile:
    """One attachment, decoded. Raises NotFound also for one that was left at the provider."""
    found = row(
        f"""SELECT a.id, a.part, a.size, a.inline, a.over_limit, a.s_meta, v.message_id, {_BODY_COLUMNS}
            FROM attachment a
            JOIN variant v ON v.workspace_id = a.workspace_id AND v.id = a.variant_id
            CROSS JOIN LATERAL (
                SELECT o.* FROM copy o
                WHERE o.workspace_id = a.workspace_id AND o.variant_id = a.variant_id
                  AND o.mailbox_id = ANY(%(mailboxes)s::bigint[])
                ORDER BY o.body_whole DESC, o.id LIMIT 1) c
            JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body
            WHERE a.workspace_id = %(workspace)s AND a.id = %(id)s""",
        {"workspace": looking.workspace_id, "id": attachment_id, "mailboxes": list(looking.mailboxes)},
    )
    if found is None:
        raise NotFound
    keys = vault(looking.workspace_id)
    file = _file(keys, found[:1] + found[2:6])
    if file.over_limit:
        raise NotFound
    content = _decoded(_raw(keys, _Body(*found[7:])), found[1], file)
    _record(looking, Verb.FILE, surface, [found[6], attachment_id])
    return OpenedFile(file, content)


def reveal_original(looking: Actor, message_id: int, surface: str) -> Original:
    """The bytes of one email, header block of the copy that the actor is shown and all that follows, in a stream."""
    keys, found = vault(looking.workspace_id), _shown(looking, message_id)
    headers = _headers(keys, found.body)
    pieces = _pieces(keys, headers, found.body)
    # Read up to the first piece from the object store: what is missing there is to be said before an answer has begun.
    begun = list(islice(pieces, 2))
    _record(looking, Verb.ORIGINAL, surface, [message_id])
    return Original(
        message_id,
        _head(keys, found.body.copy_id, found.s_head).subject,
        len(headers) + found.body.size,
        found.body.whole,
        chain(begun, pieces),
    )


@dataclass(frozen=True, slots=True)
class _Body:
    """Where the bytes of one copy lie: its header block in the copy's row, the rest in a blob's row or in the object store."""

    copy_id: int
    s_headers: bytes
    whole: bool
    h_body: bytes
    blob_id: int
    size: int
    s_data: bytes | None
    ref: str | None


_BODY_COLUMNS = "c.id, c.s_headers, c.body_whole, c.h_body, b.id, b.size, b.s_data, b.ref"


@dataclass(frozen=True, slots=True)
class _Shown:
    """The copy of a message that the actor is shown, sealed. files: a column each of id, size, inline, over_limit, s_meta."""

    body: _Body
    files: tuple[Sequence[Any], ...]
    conversation_id: int
    ours: bool
    mailbox_id: int
    variant_id: int
    at: datetime
    unread: bool
    gone_at: datetime | None
    s_head: bytes
    s_body: bytes


def _shown(looking: Actor, message_id: int) -> _Shown:
    found = row(
        f"""SELECT m.conversation_id, m.ours, c.mailbox_id, c.variant_id, c.at, c.unread, c.gone_at, c.s_head, v.s_body,
                   f.ids, f.sizes, f.inlines, f.overs, f.metas, {_BODY_COLUMNS}
            FROM message m
            CROSS JOIN LATERAL ({SHOWN_COPY}) c
            JOIN variant v ON v.workspace_id = c.workspace_id AND v.id = c.variant_id
            JOIN blob b ON b.workspace_id = c.workspace_id AND b.gen = c.gen AND b.h_content = c.h_body
            CROSS JOIN LATERAL (
                SELECT array_agg(a.id) AS ids, array_agg(a.size) AS sizes, array_agg(a.inline) AS inlines,
                       array_agg(a.over_limit) AS overs, array_agg(a.s_meta) AS metas
                FROM (SELECT * FROM attachment WHERE workspace_id = v.workspace_id AND variant_id = v.id ORDER BY id) a) f
            WHERE m.workspace_id = %(workspace)s AND m.id = %(id)s""",
        {"workspace": looking.workspace_id, "id": message_id, "mailboxes": list(looking.mailboxes)},
    )
    if found is None:
        raise NotFound
    return _Shown(_Body(*found[14:]), tuple(one or () for one in found[9:14]), *found[:9])


def _head(keys: WorkspaceVault, copy_id: int, sealed: bytes) -> Head:
    opened: dict[str, Any] = json.loads(open_text(keys, "head", copy_id, bytes(sealed)))
    return Head(
        people={role: tuple(Address(name, email) for name, email in opened.get(role, ())) for role in Role},
        subject=opened["subject"],
        snippet=opened["snippet"],
        files=tuple(opened["files"]),
        date=datetime.fromisoformat(opened["date"]) if opened["date"] else None,
    )


def _file(keys: WorkspaceVault, found: Sequence[Any]) -> File:
    attachment_id, size, inline, over_limit, s_meta = found
    meta = json.loads(open_text(keys, "file", attachment_id, bytes(s_meta)))
    return File(attachment_id, meta["name"], meta["type"], size, meta["content_id"], inline, over_limit)


def _headers(keys: WorkspaceVault, body: _Body) -> bytes:
    return open_packed(keys, "headers", body.copy_id, bytes(body.s_headers))


def _pieces(keys: WorkspaceVault, headers: bytes, body: _Body) -> Iterator[bytes]:
    yield headers
    if body.ref is not None:
        yield from blob_store().stream(keys, bytes(body.h_body), body.ref)
    elif body.s_data is not None:
        yield open_packed(keys, "blob", body.blob_id, bytes(body.s_data))


def _raw(keys: WorkspaceVault, body: _Body) -> bytes:
    return b"".join(_pieces(keys, _headers(keys, body), body))


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


def _record(looking: Actor, verb: Verb, surface: str, object_ids: Sequence[int]) -> None:
    do_audit(
        workspace_id=looking.workspace_id,
        actor_id=looking.member_id,
        verb=verb,
        surface=surface,
        object_ids=object_ids,
        ip=looking.ip,
    )
