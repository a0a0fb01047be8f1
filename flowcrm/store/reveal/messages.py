"""One email with its text."""

from dataclasses import dataclass, field
from datetime import datetime

from flowcrm.mail import mime
from flowcrm.store.access import Actor
from flowcrm.store.reveal.bodies import open_raw
from flowcrm.store.reveal.files import File, open_file
from flowcrm.store.reveal.heads import Head, open_head, told
from flowcrm.store.reveal.records import Verb, record
from flowcrm.store.reveal.shown import read_shown
from flowcrm.store.vaults import vault
from flowcrm.vault.seal import open_text

# Up to this size an original is parsed for its formatted text whenever the email is opened; above, only when asked for.
PARSED_AT_ONCE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """One email, opened.

    html: the formatted text as it came, NOT cleaned; None where there is none. formatted_later: it was not looked for, since
    the original is large. own: it lies in a mailbox of the actor's. whole: no part of the original was left at the provider.
    gone_at: since when the provider lacks it.
    """

    message_id: int
    conversation_id: int
    mailbox_id: int
    at: datetime
    ours: bool
    own: bool
    private: bool
    provider_id: str
    unread: bool
    gone_at: datetime | None
    whole: bool
    size: int
    head: Head
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    formatted_later: bool
    files: tuple[File, ...]


def reveal_message(looking: Actor, message_id: int, surface: str, *, parse_at_most: int | None = PARSED_AT_ONCE) -> Opened:
    """One email with its text and its list of attachments. parse_at_most: bytes of an original that is parsed for its formatted
    text (None: any)."""
    keys, found = vault(looking.workspace_id), read_shown(looking, message_id)
    html = None
    small = parse_at_most is None or found.body.size <= parse_at_most
    if small:
        html = mime.parse(open_raw(keys, found.body)).html
    opened = Opened(
        message_id=message_id,
        conversation_id=found.conversation_id,
        mailbox_id=found.mailbox_id,
        at=found.at,
        ours=found.ours,
        own=found.mailbox_id in looking.own,
        private=found.private,
        provider_id=found.provider_id,
        unread=found.unread,
        gone_at=found.gone_at,
        whole=found.body.whole,
        size=found.body.size + len(found.body.s_headers),
        head=told(looking, found.mailbox_id, open_head(keys, found.body.copy_id, found.s_head)),
        text=open_text(keys, "body", found.variant_id, found.s_body),
        html=html,
        formatted_later=not small,
        files=tuple(open_file(keys, one) for one in zip(*found.files, strict=True)),
    )
    record(looking, Verb.READ, surface, [message_id])
    return opened
