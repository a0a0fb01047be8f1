"""The vocabulary of mail: plain frozen values that travel between the stages. No behaviour beyond what a name promises."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flowcrm.mail.errors import MailError


class Role(StrEnum):
    """In which header a person stands."""

    FROM = "from"
    SENDER = "sender"
    REPLY_TO = "reply_to"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True)
class Address:
    """One person in a header. `name` is for reading only. `email` is normalised for comparison (see `mail.addresses`); it is ""
    where the header gives only a name."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One leaf of the MIME tree that is not the text of the mail.

    part: dotted path in the tree, as IMAP counts ("2.1"), stable for one body; a file uuencoded inside a text is "1.u1".
    size: bytes after decoding.
    sha256: of the decoded bytes.
    inline: shown inside the HTML by its content id.
    """

    part: str
    name: str
    type: str
    size: int
    sha256: bytes
    content_id: str
    inline: bool


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What the bytes of one mail mean. Never partial: what could not be read is empty and named in `flags`.

    message_id, in_reply_to, references: ids without angle brackets, as written otherwise.
    date: the Date header in UTC, or None; it is data, not order (the provider's time orders).
    text: the readable text: text/plain, else the HTML as text. No NUL, no lone surrogates.
    html: the HTML part as it came (decoded to str), or None.
    flags: bounce, auto_reply, list, invite, encrypted, signed, tnef, bad_charset, bad_date, no_from, malformed.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    people: tuple[tuple[Role, Address], ...]
    date: datetime | None
    subject: str
    text: str
    html: str | None
    attachments: tuple[Attachment, ...]
    headers: bytes = field(repr=False)
    flags: frozenset[str] = frozenset()

    def of(self, role: Role) -> tuple[Address, ...]:
        return tuple(address for place, address in self.people if place is role)


# -- what a connector says ---------------------------------------------------------------------------------------------


class FolderRole(StrEnum):
    """What a folder is for, in any language; LABEL is everything that people made themselves."""

    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    SPAM = "spam"
    TRASH = "trash"
    ARCHIVE = "archive"
    SYSTEM = "system"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Folder:
    """A Gmail label, or a folder elsewhere. `provider_id` survives renaming."""

    provider_id: str
    name: str
    role: FolderRole


@dataclass(frozen=True, slots=True)
class Account:
    """Whose mailbox this is. identities: all addresses that the owner sends as (normalised, `address` and aliases included)."""

    address: str
    identities: tuple[str, ...]
    messages_total: int | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What to list. Each None means "no restriction"; several restrictions are joined by AND, inside one by OR.

    since, until: to the second, roughly: what lies a second outside may be listed too.
    addresses: people in From, To, Cc or Bcc (what providers can search; Reply-To is not searchable anywhere). Searches go by
    words: what they find for ann@x.example may be of mary.ann@x.example.
    everywhere: also drafts, spam and trash.
    """

    since: datetime | None = None
    until: datetime | None = None
    folder_ids: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    everywhere: bool = False


class ChangeKind(StrEnum):
    ARRIVED = "arrived"
    FOLDERS = "folders"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one mail. folder_ids, unread and at (its time) are None where the provider did not say.

    left_ids: of FOLDERS, the folders that the mail was taken out of (what it is not in any more may matter: spam).
    """

    kind: ChangeKind
    provider_id: str
    thread_id: str | None = None
    folder_ids: frozenset[str] | None = None
    unread: bool | None = None
    left_ids: frozenset[str] = frozenset()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of changes and the bookmark after it.

    listing: the page comes from walking the mailbox (newest first), not from what changed since the bookmark.
    again: the provider lost its place, and what it listed last comes once more.
    more: there is a next page now; without it, come back at the next interval.
    """

    changes: tuple[Change, ...]
    cursor: str
    more: bool
    listing: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class Headers:
    """The header fields of one mail, read without its body. fields: (name, value) in order; values as the provider
    gives them, which may be decoded: good for deciding what to fetch, not for what is stored."""

    provider_id: str
    thread_id: str | None
    folder_ids: frozenset[str]
    at: datetime
    unread: bool
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as the provider holds it. raw: RFC 5322 bytes, untouched. at: the provider's own time, UTC."""

    provider_id: str
    thread_id: str | None
    folder_ids: frozenset[str]
    at: datetime
    unread: bool
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """All mails of one of the provider's threads, without their content: each ARRIVED, with folders and time."""

    thread_id: str
    mails: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What a person knows of a mail that he looks for: its Message-ID without brackets, or words of its subject."""

    message_id: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ThreadMarks:
    """What labels that count for a whole thread say of it, in one mailbox.

    excluded: a mail of it bears an excluded one. chosen: one bears a chosen one; chosen_at: the time of the earliest of those,
    None while it is not known.
    """

    excluded: bool = False
    chosen: bool = False
    chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """The error of one item (a mail, or a thread), in its place in a batch: it must not cost the other ninety-nine."""

    provider_id: str
    error: MailError


class Security(StrEnum):
    """How a connection to a mail server is closed to others. NONE only to this machine, for stand-ins."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServerLogin:
    """A mailbox at a server that its owner named, and how he signs in there. host: checked by who took it in."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An OAuth grant as a value. refresh is None where an answer did not carry one: keep the one you have."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]
