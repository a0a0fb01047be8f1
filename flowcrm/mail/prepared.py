"""What ingest hands to the store: one mail, keyed, sealed and ready to be written. Plain values; the store never opens them.

h_* are keyed look-up hashes (16 bytes) of the workspace's current generation; s_* are sealed and bound to the id beside them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag

from flowcrm.mail.types import Role


class MessageFlag(IntFlag):
    """ParsedMail.flags as the bits that a message row carries (the order is stored: only append)."""

    BOUNCE = 1
    AUTO_REPLY = 2
    LIST = 4
    INVITE = 8
    ENCRYPTED = 16
    SIGNED = 32
    TNEF = 64
    BAD_CHARSET = 128
    BAD_DATE = 256
    NO_FROM = 512
    MALFORMED = 1024
    SLOW_LANE = 2048
    HAS_FILES = 4096
    AT_PROVIDER = 8192


@dataclass(frozen=True, slots=True)
class PreparedPerson:
    """One person of the mail, as this copy's headers name them."""

    role: Role
    h_address: bytes
    h_domain: bytes


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """One attachment. id: its row, to which s_meta (JSON: name, type, content_id) is bound."""

    id: int
    part: str
    size: int
    inline: bool
    over_limit: bool
    s_meta: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One mail, ready for the page transaction.

    copy_id, variant_id, body_id: rows to be made (ids taken before, since sealing is bound to them). If the variant or the body
    is already there, its new id is left unused.
    h_candidate: the id key (Message-ID, From, Date second), else the content key.
    h_keys: what makes variants one message: (id key with core) and the content key; sharing either joins.
    h_content: exact hash of normalised text and attachments; h_core the same without quotes, signature, footers, banners.
    h_files: hash of the attachments, comparable inside one candidate only.
    h_mids: what makes messages one conversation: own Message-ID, the ids it names, the provider's thread in this mailbox.
    h_domains: of everybody's domain and the domains above it, for the rules; it is not stored.
    tokens: search tokens of all classes.
    body: the raw bytes after the header block; without the parts over the limit body_whole is False. h_body: their keyed hash.
    """

    provider_id: str
    thread_id: str | None
    folder_ids: frozenset[str]
    at: datetime
    unread: bool
    sent: bool
    flags: MessageFlag
    copy_id: int
    variant_id: int
    body_id: int
    gen: int
    h_candidate: bytes
    h_keys: tuple[bytes, ...]
    h_content: bytes
    h_core: bytes
    h_files: bytes
    h_mids: tuple[bytes, ...]
    people: tuple[PreparedPerson, ...]
    files: tuple[PreparedFile, ...]
    tokens: tuple[int, ...] = field(repr=False)
    s_head: bytes = field(repr=False)
    s_headers: bytes = field(repr=False)
    s_body: bytes = field(repr=False)
    h_body: bytes = field(repr=False)
    body: bytes = field(repr=False)
    body_whole: bool = True
    h_domains: frozenset[bytes] = frozenset()
