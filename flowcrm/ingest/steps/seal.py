"""Seal what comes from mail: head and header block for the copy, text for the variant."""

import json

from flowcrm.ingest.draft import Draft
from flowcrm.mail.snippet import snippet
from flowcrm.mail.types import Role
from flowcrm.vault.seal import seal_packed, seal_text


def seal_head(draft: Draft, copy_id: int) -> bytes:
    """What lists show of this copy: people (its own Bcc too), subject, one line, file names."""
    parsed = draft.parsed
    head = {
        **{role.value: [[one.name, one.email] for one in parsed.of(role)] for role in Role},
        "subject": parsed.subject,
        "snippet": snippet(parsed.text, draft.own_lines),
        "files": [file.name for file in parsed.attachments if not file.inline],
        "date": parsed.date.isoformat() if parsed.date else None,
        "message_id": parsed.message_id,
    }
    return seal_text(draft.context.vault, "head", copy_id, json.dumps(head, ensure_ascii=False))


def seal_headers(draft: Draft, copy_id: int) -> bytes:
    """The header block, byte for byte."""
    return seal_packed(draft.context.vault, "headers", copy_id, draft.parsed.headers)


def seal_body(draft: Draft, variant_id: int) -> bytes:
    """The readable text."""
    return seal_text(draft.context.vault, "body", variant_id, draft.parsed.text)
