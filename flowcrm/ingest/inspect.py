"""What ingest makes of a mail, for people to look at."""

from typing import Any

from flowcrm.mail import mime
from flowcrm.mail.types import Address, Role


def inspect(raw: bytes) -> dict[str, Any]:
    """JSON values only."""
    parsed = mime.parse(raw)
    return {
        "message_id": parsed.message_id,
        **{role.value: _people(parsed.of(role)) for role in Role},
        "date": parsed.date.isoformat() if parsed.date else None,
        "subject": parsed.subject,
        "text": parsed.text,
        "attachments": [
            {
                "part": file.part,
                "name": file.name,
                "type": file.type,
                "size": file.size,
                "sha256": file.sha256.hex(),
                "inline": file.inline,
            }
            for file in parsed.attachments
        ],
        "in_reply_to": list(parsed.in_reply_to),
        "references": list(parsed.references),
        "flags": sorted(parsed.flags),
    }


def _people(addresses: tuple[Address, ...]) -> list[dict[str, str]]:
    return [{"name": one.name, "email": one.email} for one in addresses]
