"""Which message is this? Two keys that candidates share, an exact hash of the content, and one of its core (DESIGN 5)."""

from flowcrm.ingest.core import core, normalised
from flowcrm.ingest.draft import Draft, Identity
from flowcrm.mail.types import Role


def identify(draft: Draft) -> Identity:
    """The mail's identity. Never of raw bytes: Received lines differ, and some providers write the MIME anew."""
    vault, parsed = draft.context.vault, draft.parsed
    files = b"".join(sorted(file.sha256 for file in parsed.attachments))
    content = vault.lookup_bytes("content", _joined(normalised(parsed.text).encode("utf-8", "replace"), files))
    heart = vault.lookup_bytes("core", _joined(core(parsed.text).encode("utf-8", "replace"), files))
    sender = ",".join(sorted(address.email for address in parsed.of(Role.FROM)))
    second = parsed.date.isoformat(timespec="seconds") if parsed.date else ""
    by_content = vault.lookup_bytes("content_key", _joined(sender.encode(), second.encode(), content))
    if parsed.message_id is None:
        return Identity(by_content, (by_content,), content, heart)
    id_key = vault.lookup_bytes("id_key", _joined(parsed.message_id.casefold().encode(), sender.encode(), second.encode()))
    return Identity(id_key, (vault.lookup_bytes("id_core", _joined(id_key, heart)), by_content), content, heart)


def _joined(*parts: bytes) -> bytes:
    """Unambiguous: each part is preceded by its length."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)
