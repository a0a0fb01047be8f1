"""Attachments: listed always; those over the plan's limit are left at the provider."""

import json
from dataclasses import dataclass, field

from flowcrm.ingest.draft import Draft
from flowcrm.mail import mime
from flowcrm.mail.prepared import PreparedFile
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
    limit, raw = draft.context.attachment_limit, draft.fetched.raw
    listed = tuple(_listed(draft, file, over=file.size > limit) for file in draft.parsed.attachments)
    over = {file.part for file in listed if file.over_limit}
    stored = mime.without(raw, over) if over else raw
    return Files(listed, stored[len(draft.parsed.headers) :], whole=not over)


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
