"""What is read of a mail without its body: where it lies, since when, whether it was read, and what ties it to others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flowcrm.connectors.imap.api import Api, Fields
from flowcrm.connectors.imap.catalogue import Catalogue
from flowcrm.connectors.imap.folders import Key, Place, places_of
from flowcrm.connectors.imap.wire import AnswerTooLarge
from flowcrm.mail import addresses, references
from flowcrm.mail.headers import Block, read_block
from flowcrm.mail.places import Sighting, Spot
from flowcrm.mail.types import Change, ChangeKind

_PEOPLE = ("from", "sender", "reply-to", "to", "cc", "bcc")
_FIELDS = " ".join(("message-id", "in-reply-to", "references", "date", "subject", *_PEOPLE)).upper()
_BARE = ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
# What `sighting` is made of.
ITEMS = (*_BARE, f"BODY.PEEK[HEADER.FIELDS ({_FIELDS})]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Reader:
    """What all calls of one connector share. known: the folders, as they were last listed."""

    api: Api
    key: Key
    catalogue: Catalogue
    known: dict[str, Place] = field(default_factory=dict)

    def places(self) -> dict[str, Place]:
        """The folders now."""
        self.known = places_of(self.api, self.key)
        return self.known

    def place(self, folder_id: str) -> Place | None:
        """One folder, asked for where it is new to us; None where there is none."""
        return self.known.get(folder_id) or self.places().get(folder_id)


def look_at(reader: Reader, place: Place, validity: int, uids: Iterable[int]) -> list[Sighting]:
    """In the opened folder, in the order of `uids`; one that has gone meanwhile is missing."""
    wanted = list(uids)
    found = _read(reader.api, place, wanted)
    return [sighting(reader.key, Spot(place.id, validity, uid), found[uid]) for uid in wanted if uid in found]


def _read(api: Api, place: Place, uids: Sequence[int]) -> dict[int, Fields]:
    """Of a mail whose header alone is too much, only its place and time."""
    try:
        return api.fetch(uids, ITEMS)
    except AnswerTooLarge:
        api.examine(place.name)
        if len(uids) == 1:
            return api.fetch(uids, _BARE)
        middle = len(uids) // 2
        return _read(api, place, uids[:middle]) | _read(api, place, uids[middle:])


def sighting(key: Key, spot: Spot, fields: Fields) -> Sighting:
    """From the answer to `ITEMS`. The mail's id: its Message-ID (without one, what its header says), its size, and the moment
    when the server got it, all of which it keeps wherever it is moved (RFC 9051, 6.4.7). Mails that have reused ids differ in
    the rest."""
    raw = part_of(fields, b"BODY[HEADER") or b""
    block, at = read_block(raw), date_of(fields)
    own_id, people = references.own_id(block.first("message-id")), people_of(block)
    named = (*block.all("references"), *block.all("in-reply-to"))
    text = own_id or raw.decode("latin-1")
    return Sighting(
        spot=spot,
        mail_id=key("mail", f"{fields.get(b'RFC822.SIZE')} {int(at.timestamp())} {text}"),
        at=at,
        unread=is_unread(fields),
        own_id=own_id,
        # Addresses are no ids, whatever old mailers wrote into In-Reply-To.
        names=references.ids(named, people),
        people=people,
    )


def arrived(catalogue: Catalogue, sightings: Sequence[Sighting]) -> list[Change]:
    """Each as an arrival, in its thread."""
    catalogue.place(sightings)
    known = catalogue.look_up([one.spot for one in sightings])
    return [
        Change(ChangeKind.ARRIVED, entry.mail_id, entry.thread_id, entry.folder_ids, one.unread, at=one.at)
        for one in sightings
        if (entry := known.get(one.spot)) is not None
    ]


def is_unread(fields: Fields) -> bool:
    return not any(flag.lower() == rb"\seen" for flag in fields.get(b"FLAGS") or ())


def date_of(fields: Fields) -> datetime:
    """INTERNALDATE: when the server got the mail, with seconds. 1970 where it gives none."""
    at = fields.get(b"INTERNALDATE")
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else _EPOCH


def part_of(fields: Fields, section: bytes) -> bytes | None:
    """The text of a section, whatever of its name the server repeats (BODY[], BODY[HEADER], BODY[HEADER.FIELDS (…)])."""
    return next((value for name, value in fields.items() if name.startswith(section) and isinstance(value, bytes)), None)


def people_of(block: Block) -> frozenset[str]:
    """Everybody whom a header names, normalised."""
    lines = (line for name in _PEOPLE for line in block.all(name))
    return frozenset(one.email for line in lines for one in addresses.parse(line) if one.email)
