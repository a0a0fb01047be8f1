"""Mails by their ids: one UID FETCH a mail, since one answer may be as large as memory allows; headers and threads in few.

BODY.PEEK, never RFC822 or BODY: those mark the mail as read (RFC 9051, 6.4.5).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from flowcrm.connectors.imap.api import Fields
from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.mails import Member, Reader, date_of, is_unread, mail_id, part_of, split_id, tie_of
from flowcrm.connectors.imap.wire import AnswerTooLarge
from flowcrm.mail.errors import Gone, MailError, NeedsAdmin, NeedsLogin, Permanent, RateLimited, Transient
from flowcrm.mail.headers import read_block, text
from flowcrm.mail.types import Change, ChangeKind, Fetched, Headers, ItemFailed, Thread

# So many failures in a row are not the mails' fault.
_STRIKES = 3
_HEADERS = ("FLAGS", "INTERNALDATE", "BODY.PEEK[HEADER]")
_WHOLE = ("FLAGS", "INTERNALDATE", "BODY.PEEK[]")


class Shelf:
    """Opens the folders of mails, each once while its mails follow each other."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._opened: tuple[str, int] | None = None

    def open(self, folder_id: str, validity: int) -> None:
        """Raises Gone where the folder, or the validity of its UIDs, is no more."""
        place = self._reader.place(folder_id)
        if place is None:
            raise _gone()
        if self._opened is None or self._opened[0] != folder_id:
            self._opened = None
            try:
                self._opened = (folder_id, self._reader.api.examine(place.name).validity)
            except FolderAbsent:
                raise _gone() from None
        if self._opened[1] != validity:
            raise _gone()

    def forget(self) -> None:
        """The connection was lost, and with it what was opened."""
        self._opened = None


def headers(reader: Reader, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
    """One command for the mails of one folder."""
    shelf, found = Shelf(reader), {}
    for (folder_id, validity), uids in _by_folder(provider_ids):
        found.update(_headers_of(reader, shelf, folder_id, validity, uids))
    return tuple(found.get(one) or ItemFailed(one, _gone()) for one in provider_ids)


def fetch(reader: Reader, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
    """See `Connector.fetch`."""
    shelf = Shelf(reader)
    answers: list[Fetched | ItemFailed] = []
    room, strikes = reader.api.settings.fetch_bytes, 0
    for provider_id in provider_ids:
        if room <= 0:
            return tuple(answers)
        answer = _fetch_one(reader, shelf, provider_id)
        answers.append(answer)
        if isinstance(answer, Fetched):
            room, strikes = room - len(answer.raw), 0
            continue
        strikes = strikes + 1 if isinstance(answer.error, Transient) else 0
        if isinstance(answer.error, RateLimited | NeedsLogin | NeedsAdmin) or strikes >= _STRIKES:
            # It concerns the mailbox: no use to go on asking.
            return (*answers, *(ItemFailed(one, answer.error) for one in provider_ids[len(answers) :]))
    return tuple(answers)


def threads(reader: Reader, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
    """From the map of what was listed; that a mail of it is gone shows when it is asked for."""
    known = reader.threads.members(thread_ids)
    return tuple(_thread(one, known[one]) if known.get(one) else ItemFailed(one, _gone()) for one in thread_ids)


def _thread(thread_id: str, members: Sequence[Member]) -> Thread:
    parts = ((member, split_id(member.provider_id)) for member in members)
    return Thread(
        thread_id,
        tuple(
            Change(ChangeKind.ARRIVED, member.provider_id, thread_id, frozenset({part[0]}), at=member.at)
            for member, part in parts
            if part is not None
        ),
    )


def _headers_of(
    reader: Reader, shelf: Shelf, folder_id: str, validity: int, uids: Sequence[int]
) -> dict[str, Headers | ItemFailed]:
    ids = [mail_id(folder_id, validity, uid) for uid in uids]
    try:
        shelf.open(folder_id, validity)
        found = reader.api.fetch(uids, _HEADERS)
    except AnswerTooLarge:
        return {one: ItemFailed(one, _too_large()) for one in ids}
    except MailError as error:
        shelf.forget()
        return {one: ItemFailed(one, error) for one in ids}
    return {one: _headers(reader, folder_id, one, found[uid]) for one, uid in zip(ids, uids, strict=True) if uid in found}


def _headers(reader: Reader, folder_id: str, provider_id: str, fields: Fields) -> Headers:
    block, at = read_block(part_of(fields, b"BODY[HEADER") or b""), date_of(fields)
    [thread_id] = reader.threads.place([tie_of(provider_id, at, block)])
    return Headers(
        provider_id=provider_id,
        thread_id=thread_id,
        folder_ids=frozenset({folder_id}),
        at=at,
        unread=is_unread(fields),
        fields=tuple((name, text(value)) for name, values in block.fields.items() for value in values),
    )


def _fetch_one(reader: Reader, shelf: Shelf, provider_id: str) -> Fetched | ItemFailed:
    part = split_id(provider_id)
    if part is None:
        return ItemFailed(provider_id, _gone())
    folder_id, validity, uid = part
    try:
        shelf.open(folder_id, validity)
        fields = reader.api.fetch([uid], _WHOLE).get(uid)
    except AnswerTooLarge:
        shelf.forget()
        return ItemFailed(provider_id, _too_large())
    except MailError as error:
        # After a refusal the folder is still open; asking again costs little, and a lost connection has none.
        shelf.forget()
        return ItemFailed(provider_id, error)
    if fields is None:
        return ItemFailed(provider_id, _gone())
    raw = part_of(fields, b"BODY[]")
    if raw is None:
        return ItemFailed(provider_id, Permanent("The mail server gives this email without its content.", code="no_content"))
    at = date_of(fields)
    [thread_id] = reader.threads.place([tie_of(provider_id, at, read_block(raw))])
    return Fetched(provider_id, thread_id, frozenset({folder_id}), at, is_unread(fields), raw)


def _by_folder(provider_ids: Iterable[str]) -> Iterator[tuple[tuple[str, int], list[int]]]:
    parts = sorted(part for one in provider_ids if (part := split_id(one)) is not None)
    for key, group in groupby(parts, key=lambda part: part[:2]):
        yield key, [uid for _, _, uid in group]


def _gone() -> MailError:
    return Gone("The email is no longer there.", code="gone")


def _too_large() -> MailError:
    return Permanent("The email is larger than what is read.", code="too_large")
