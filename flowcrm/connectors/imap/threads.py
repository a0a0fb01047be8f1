"""Whole threads, on servers that know none: what the catalogue has of them, and what the folders hold that was never listed.

A chosen folder is listed by itself; the replies lie in Sent. So the folders are searched for mails that name those we know, and
for those that they name, until nothing more is found.
"""

from collections.abc import Sequence
from itertools import islice

from flowcrm.connectors.imap.criteria import any_of, is_plain
from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.fetch import Shelf, by_folder, gone
from flowcrm.connectors.imap.folders import UNFINISHED, Place
from flowcrm.connectors.imap.mails import Reader, look_at
from flowcrm.mail.errors import Gone
from flowcrm.mail.places import Entry, Sighting
from flowcrm.mail.types import Change, ChangeKind, ItemFailed, Thread

# A thread is found in two rounds, unless somebody's program leaves out References.
_ROUNDS = 3
# Ids in one search: each is three conditions, and a command is one line.
_AT_ONCE = 20
# What one round may find in one folder: threads are small.
_MOST = 500


def threads(reader: Reader, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
    """See `Connector.threads`."""
    _gather(reader, thread_ids)
    known = reader.catalogue.threads(thread_ids)
    return tuple(_thread(one, known[one]) if known.get(one) else ItemFailed(one, gone()) for one in thread_ids)


def _thread(thread_id: str, entries: Sequence[Entry]) -> Thread:
    mails = (Change(ChangeKind.ARRIVED, one.mail_id, thread_id, one.folder_ids, at=one.at) for one in entries)
    return Thread(thread_id, tuple(mails))


def _gather(reader: Reader, thread_ids: Sequence[str]) -> None:
    """Place all mails of these threads, wherever they lie."""
    known = reader.catalogue.threads(thread_ids)
    found = _look_at_known(reader, [one.mail_id for entries in known.values() for one in entries])
    asked: set[str] = set()
    for _ in range(_ROUNDS):
        names = [name for mail in found for name in (mail.own_id, *mail.names) if name and name not in asked and is_plain(name)]
        if not names:
            return
        asked.update(names)
        found = [mail for place in _searched(reader) for mail in _in_folder(reader, place, list(dict.fromkeys(names)))]
        reader.catalogue.place(found)


def _look_at_known(reader: Reader, mail_ids: Sequence[str]) -> list[Sighting]:
    """Their headers once more: the catalogue has no id in the clear."""
    shelf, found = Shelf(reader), []
    for spots in by_folder(reader.catalogue.spots(mail_ids).values()):
        try:
            place = shelf.open(spots[0])
        except Gone:
            continue
        found += look_at(reader, place, spots[0].validity, [spot.uid for spot in spots])
    return found


def _searched(reader: Reader) -> list[Place]:
    return [place for place in reader.places().values() if place.role not in UNFINISHED]


def _in_folder(reader: Reader, place: Place, names: Sequence[str]) -> list[Sighting]:
    try:
        opened = reader.api.examine(place.name)
    except FolderAbsent:
        return []
    uids: set[int] = set()
    rest = iter(names)
    while some := list(islice(rest, _AT_ONCE)):
        terms = [f'HEADER {key} "{name}"' for name in some for key in ("MESSAGE-ID", "IN-REPLY-TO", "REFERENCES")]
        uids.update(reader.api.search(f"UNDELETED {any_of(terms)}", next_uid=opened.next))
    return look_at(reader, place, opened.validity, sorted(uids, reverse=True)[:_MOST])
