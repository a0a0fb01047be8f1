"""What ingest understands of a mail, for people and programs to look at. Needs neither keys nor database."""

from typing import Any

from flowcrm.mail import mime, quoting, snippet
from flowcrm.mail.types import Address, Attachment, Role


def inspect(raw: bytes) -> dict[str, Any]:
    """JSON values only. date: ISO 8601 in UTC, or None; text: all of it; own, quoted, signature: the same, split."""
    parsed = mime.parse(raw)
    split = quoting.split(parsed.text, parsed.html)
    return {
        "message_id": parsed.message_id,
        **{role.value: _people(parsed.of(role)) for role in Role},
        "date": parsed.date.isoformat() if parsed.date else None,
        "subject": parsed.subject,
        "text": parsed.text,
        "own": split.own,
        "quoted": split.quoted,
        "signature": split.signature,
        "snippet": snippet.snippet(parsed.text),
        "attachments": [_attachment(file) for file in parsed.attachments],
        "in_reply_to": list(parsed.in_reply_to),
        "references": list(parsed.references),
        "flags": sorted(parsed.flags),
    }


def _people(addresses: tuple[Address, ...]) -> list[dict[str, str]]:
    return [{"name": one.name, "email": one.email} for one in addresses]


def _attachment(file: Attachment) -> dict[str, Any]:
    return {
        "part": file.part,
        "name": file.name,
        "type": file.type,
        "size": file.size,
        "sha256": file.sha256.hex(),
        "content_id": file.content_id,
        "inline": file.inline,
    }
