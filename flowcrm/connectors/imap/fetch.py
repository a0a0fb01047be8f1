"""Mails by their ids: one UID FETCH a mail, since one answer may be as large as memory allows; headers in few.

BODY.PEEK, never RFC822 or BODY: those mark the mail as read (RFC 9051, 6.4.5).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from flowcrm.connectors.imap.api import Fields
from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.folders import Place
from flowcrm.connectors.imap.mails import Reader, date_of, is_unread, part_of
from flowcrm.connectors.imap.wire import AnswerTooLarge
from flowcrm.mail.errors import Gone, MailError, NeedsAdmin, NeedsLogin, Permanent, RateLimited, Transient
from flowcrm.mail.headers import read_block, text
from flowcrm.mail.places import Entry, Spot
from flowcrm.mail.types import Fetched, Headers, ItemFailed

# So many failures in a row are not the mails' fault.
_STRIKES = 3
_HEADERS = ("FLAGS", "INTERNALDATE", "BODY.PEEK[HEADER]")
_WHOLE = ("FLAGS", "INTERNALDATE", "BODY.PEEK[]")


class Shelf:
    """Opens the folders of mails, each once while its mails follow each other."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._opened: tuple[str, int] | None = None

    def open(self, spot: Spot) -> Place:
        """Raises Gone where the folder, or the validity of its UIDs, is no more."""
        folder_id, validity = spot.folder_id, spot.validity
        place = self._reader.place(folder_id)
        if place is None:
            raise gone()
        if self._opened is None or self._opened[0] != folder_id:
            self._opened = None
            try:
                self._opened = (folder_id, self._reader.api.examine(place.name).validity)
            except FolderAbsent:
                raise gone() from None
        if self._opened[1] != validity:
            raise gone()
        return place

    def forget(self) -> None:
        """The connection was lost, and with it what was opened."""
        self._opened = None


def headers(reader: Reader, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
    """One command for the mails of one folder."""
    shelf, found, spots = Shelf(reader), {}, reader.catalogue.spots(provider_ids)
    for group in by_folder(spots.values()):
        found.update(_headers_of(reader, shelf, group))
    return tuple(
        found.get(spots[one], ItemFailed(one, gone())) if one in spots else ItemFailed(one, gone()) for one in provider_ids
    )


def fetch(reader: Reader, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
    """See `Connector.fetch`."""
    shelf, spots = Shelf(reader), reader.catalogue.spots(provider_ids)
    answers: list[Fetched | ItemFailed] = []
    room, strikes = reader.api.settings.fetch_bytes, 0
    for provider_id in provider_ids:
        if room <= 0:
            return tuple(answers)
        answer = _fetch_one(reader, shelf, provider_id, spots.get(provider_id))
        answers.append(answer)
        if isinstance(answer, Fetched):
            room, strikes = room - len(answer.raw), 0
            continue
        strikes = strikes + 1 if isinstance(answer.error, Transient) else 0
        if isinstance(answer.error, RateLimited | NeedsLogin | NeedsAdmin) or strikes >= _STRIKES:
            # It concerns the mailbox: no use to go on asking.
            return (*answers, *(ItemFailed(one, answer.error) for one in provider_ids[len(answers) :]))
    return tuple(answers)


def by_folder(spots: Iterable[Spot]) -> Iterator[list[Spot]]:
    """Those of one folder, and one validity, together."""
    ordered = sorted(spots, key=lambda spot: (spot.folder_id, spot.validity, spot.uid))
    return (list(group) for _, group in groupby(ordered, key=lambda spot: (spot.folder_id, spot.validity)))


def _headers_of(reader: Reader, shelf: Shelf, spots: Sequence[Spot]) -> dict[Spot, Headers | ItemFailed]:
    entries = reader.catalogue.look_up(spots)
    try:
        shelf.open(spots[0])
        found = reader.api.fetch([spot.uid for spot in spots], _HEADERS)
    except AnswerTooLarge:
        return {spot: ItemFailed(entries[spot].mail_id, _too_large()) for spot in spots}
    except MailError as error:
        shelf.forget()
        return {spot: ItemFailed(entries[spot].mail_id, error) for spot in spots}
    return {spot: _headers(entries[spot], found[spot.uid]) for spot in spots if spot.uid in found}


def _headers(entry: Entry, fields: Fields) -> Headers:
    block = read_block(part_of(fields, b"BODY[HEADER") or b"")
    return Headers(
        provider_id=entry.mail_id,
        thread_id=entry.thread_id,
        folder_ids=entry.folder_ids,
        at=date_of(fields),
        unread=is_unread(fields),
        fields=tuple((name, text(value)) for name, values in block.fields.items() for value in values),
    )


def _fetch_one(reader: Reader, shelf: Shelf, provider_id: str, spot: Spot | None) -> Fetched | ItemFailed:
    if spot is None:
        return ItemFailed(provider_id, gone())
    try:
        shelf.open(spot)
        fields = reader.api.fetch([spot.uid], _WHOLE).get(spot.uid)
    except AnswerTooLarge:
        shelf.forget()
        return ItemFailed(provider_id, _too_large())
    except MailError as error:
        # After a refusal the folder is still open; asking again costs little, and a lost connection has none.
        shelf.forget()
        return ItemFailed(provider_id, error)
    entry = reader.catalogue.look_up([spot]).get(spot)
    if fields is None or entry is None:
        return ItemFailed(provider_id, gone())
    raw = part_of(fields, b"BODY[]")
    if raw is None:
        return ItemFailed(provider_id, Permanent("The mail server gives this email without its content.", code="no_content"))
    return Fetched(provider_id, entry.thread_id, entry.folder_ids, date_of(fields), is_unread(fields), raw)


def gone() -> MailError:
    """The mail lies nowhere."""
    return Gone("The email is no longer there.", code="gone")


def _too_large() -> MailError:
    return Permanent("The email is larger than what is read.", code="too_large")
