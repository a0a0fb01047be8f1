"""What is read of a mail without its body: where it lies, since when, whether it was read, and what ties it to others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from flowcrm.connectors.imap.api import Api, Fields
from flowcrm.connectors.imap.folders import KeyName, Place, places_of
from flowcrm.connectors.imap.wire import AnswerTooLarge
from flowcrm.mail import addresses, references
from flowcrm.mail.headers import Block, read_block
from flowcrm.mail.types import Change, ChangeKind

_PEOPLE = ("from", "sender", "reply-to", "to", "cc", "bcc")
_FIELDS = " ".join(("message-id", "in-reply-to", "references", *_PEOPLE)).upper()
_BARE = ("FLAGS", "INTERNALDATE")
_ITEMS = (*_BARE, f"BODY.PEEK[HEADER.FIELDS ({_FIELDS})]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tie:
    """A mail by the ids in its header, in the clear: they are keyed before they are kept."""

    provider_id: str
    at: datetime
    own_id: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A mail of a thread, as it was last placed."""

    provider_id: str
    at: datetime


class ThreadMap(Protocol):
    """The threads of one mailbox, which IMAP does not know: mails that name each other, directly or by others between them."""

    def place(self, ties: Sequence[Tie]) -> tuple[str, ...]:
        """The thread id of each; a mail that ties two threads together makes them one."""

    def members(self, thread_ids: Sequence[str]) -> dict[str, tuple[Member, ...]]:
        """What was placed in these threads, without threads of which nothing is known."""


@dataclass(slots=True)
class Reader:
    """What all calls of one connector share. known: the folders, as they were last listed."""

    api: Api
    key: KeyName
    threads: ThreadMap
    known: dict[str, Place] = field(default_factory=dict)

    def places(self) -> dict[str, Place]:
        """The folders now."""
        self.known = places_of(self.api, self.key)
        return self.known

    def place(self, folder_id: str) -> Place | None:
        """One folder, asked for where it is new to us; None where there is none."""
        return self.known.get(folder_id) or self.places().get(folder_id)


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail in a listing. people: everybody whom its header names, normalised."""

    uid: int
    at: datetime
    unread: bool
    tie: Tie
    people: frozenset[str]


def mail_id(folder_id: str, validity: int, uid: int) -> str:
    """(folder, UIDVALIDITY, UID): the only thing that names a mail on every server (RFC 9051, 2.3.1.1)."""
    return f"{folder_id}.{validity}.{uid}"


def split_id(provider_id: str) -> tuple[str, int, int] | None:
    """(folder id, UIDVALIDITY, UID), or None for what `mail_id` did not make."""
    folder_id, _, rest = provider_id.partition(".")
    validity, _, uid = rest.partition(".")
    if not (folder_id and validity.isascii() and validity.isdecimal() and uid.isascii() and uid.isdecimal()):
        return None
    return folder_id, int(validity), int(uid)


def look_at(api: Api, place: Place, validity: int, uids: Iterable[int]) -> list[Seen]:
    """In the opened folder, in the order of `uids`; one that has gone meanwhile is missing."""
    wanted = list(uids)
    found = _read(api, place, wanted)
    return [_seen(place, validity, uid, found[uid]) for uid in wanted if uid in found]


def _read(api: Api, place: Place, uids: Sequence[int]) -> dict[int, Fields]:
    """Of a mail whose header alone is too much, only its place and time."""
    try:
        return api.fetch(uids, _ITEMS)
    except AnswerTooLarge:
        api.examine(place.name)
        if len(uids) == 1:
            return api.fetch(uids, _BARE)
        middle = len(uids) // 2
        return _read(api, place, uids[:middle]) | _read(api, place, uids[middle:])


def arrived(threads: ThreadMap, place: Place, mails: Sequence[Seen]) -> list[Change]:
    """Each as an arrival, in its thread."""
    thread_ids = threads.place([one.tie for one in mails])
    return [
        Change(ChangeKind.ARRIVED, one.tie.provider_id, thread_id, frozenset({place.id}), one.unread, at=one.at)
        for one, thread_id in zip(mails, thread_ids, strict=True)
    ]


def tie_of(provider_id: str, at: datetime, block: Block) -> Tie:
    """By its header; addresses are no ids, whatever old mailers wrote into In-Reply-To."""
    named = (*block.all("references"), *block.all("in-reply-to"))
    return Tie(provider_id, at, references.own_id(block.first("message-id")), references.ids(named, _people(block)))


def is_unread(fields: Fields) -> bool:
    return not any(flag.lower() == rb"\seen" for flag in fields.get(b"FLAGS") or ())


def date_of(fields: Fields) -> datetime:
    """INTERNALDATE: when the server got the mail, with seconds. 1970 where it gives none."""
    at = fields.get(b"INTERNALDATE")
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else _EPOCH


def part_of(fields: Fields, section: bytes) -> bytes | None:
    """The text of a section, whatever of its name the server repeats (BODY[], BODY[HEADER], BODY[HEADER.FIELDS (…)])."""
    return next((value for name, value in fields.items() if name.startswith(section) and isinstance(value, bytes)), None)


def _seen(place: Place, validity: int, uid: int, fields: Fields) -> Seen:
    block = read_block(part_of(fields, b"BODY[HEADER") or b"")
    at = date_of(fields)
    tie = tie_of(mail_id(place.id, validity, uid), at, block)
    return Seen(uid, at, is_unread(fields), tie, _people(block))


def _people(block: Block) -> frozenset[str]:
    lines = (line for name in _PEOPLE for line in block.all(name))
    return frozenset(one.email for line in lines for one in addresses.parse(line) if one.email)
