"""Which message is this? Two keys that candidates share, hashes of the exact content, of its core, of its files (DESIGN 5)."""

from datetime import datetime

from flowcrm.ingest.core import core, folded_subject, normalised
from flowcrm.ingest.draft import Draft, Identity
from flowcrm.mail.types import Role


def identify(draft: Draft) -> Identity:
    """The mail's identity. Never of raw bytes: Received lines differ, and some providers write the MIME anew."""
    vault, parsed = draft.context.vault, draft.parsed
    files = b"".join(sorted(file.sha256 for file in parsed.attachments))
    content = vault.lookup_bytes("content", _joined(normalised(parsed.text), files))
    heart = vault.lookup_bytes("core", _joined(core(draft.own_lines, parsed.text), files))
    sender = ",".join(sorted(address.email for address in parsed.of(Role.FROM)))
    # Without a Date the provider's own time keeps two mails apart that say the same: a doubled row does less harm than a lost
    # one. The subject does so for programs that send many mails a second, all with the same text.
    # The recipients keep apart what a mail merge sends to many in one second (docs/why/identity.md).
    recipients = ",".join(sorted({one.email for role in (Role.TO, Role.CC) for one in parsed.of(role)}))
    second = _second(parsed.date or draft.fetched.at)
    by_content = vault.lookup_bytes("content_key", _joined(sender, recipients, second, folded_subject(parsed.subject), content))
    if parsed.message_id is None:
        return Identity(by_content, (by_content,), content, heart, vault.lookup_bytes("files", _joined(by_content, files)))
    id_key = vault.lookup_bytes("id_key", _joined(parsed.message_id.casefold(), sender, _second(parsed.date)))
    # Hashed with the key, so that equal attachments show in the database inside one candidate only.
    attached = vault.lookup_bytes("files", _joined(id_key, files))
    return Identity(id_key, (vault.lookup_bytes("id_core", _joined(id_key, heart)), by_content), content, heart, attached)


def _second(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _joined(*parts: str | bytes) -> bytes:
    """Unambiguous: each part is preceded by its length."""
    raw = [part if isinstance(part, bytes) else part.encode() for part in parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in raw)
