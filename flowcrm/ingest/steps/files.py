"""Attachments: listed always; those over the plan's limit are left at the provider."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from flowcrm.ingest.draft import Draft
from flowcrm.mail import tree
from flowcrm.mail.prepared import PreparedFile
from flowcrm.mail.tree import Part
from flowcrm.mail.types import Attachment
from flowcrm.vault.seal import seal_text


@dataclass(frozen=True, slots=True)
class Files:
    """The listed attachments, and the body that may be stored: whole, or without the parts over the limit."""

    listed: tuple[PreparedFile, ...]
    body: bytes = field(repr=False)
    whole: bool


def take_files(draft: Draft) -> Files:
    """List every attachment; cut the content of those over the limit out of the body."""
    limit = draft.context.attachment_limit
    listed = tuple(_listed(draft, file, over=file.size > limit) for file in draft.parsed.attachments)
    over = {file.part for file in listed if file.over_limit}
    if not over:
        return Files(listed, draft.body, whole=True)
    return Files(listed, _without(draft, over), whole=False)


def _listed(draft: Draft, file: Attachment, *, over: bool) -> PreparedFile:
    file_id = draft.context.next_id()
    meta = json.dumps({"name": file.name, "type": file.type, "content_id": file.content_id})
    return PreparedFile(
        id=file_id,
        part=file.part,
        size=file.size,
        inline=file.inline,
        over_limit=over,
        s_meta=seal_text(draft.context.vault, "file", file_id, meta),
    )


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _without(draft: Draft, numbers: set[str]) -> bytes:
    """The body with those leaves empty; their headers stay, so that the structure and the other parts are as they were."""
    raw = draft.fetched.raw
    kept, at = [], len(raw) - len(draft.body)
    for part in sorted(_leaves(tree.read(raw).root), key=lambda leaf: leaf.start):
        if part.number in numbers and part.start >= at:
            kept.append(raw[at : part.start])
            at = part.end
    kept.append(raw[at:])
    return b"".join(kept)
