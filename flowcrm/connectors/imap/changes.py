"""What is in the mailbox, and what changed since.

    None ──> listing (listing.py), newest first ──> following: what differs from what was told, again and again

Following asks for the figures of all folders, and opens those whose figures moved: mails that were told and are there no more
are gone, others have arrived, and where the unread ones differ somebody has read. Expunged mails are in no report of servers
without QRESYNC, and flags in none of servers without CONDSTORE; the difference finds both on every server.
A mail that was moved is gone from one folder and has arrived in another; the catalogue knows that it is the same.
"""

from dataclasses import dataclass, field, replace

from flowcrm.connectors.imap.api import Status
from flowcrm.connectors.imap.cursor import STALE, Cursor, Told, figures_of, hour
from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.events import Events
from flowcrm.connectors.imap.folders import Place
from flowcrm.connectors.imap.listing import list_page, start
from flowcrm.connectors.imap.mails import Reader, look_at
from flowcrm.connectors.imap.uids import NONE, Uids
from flowcrm.lib import clock
from flowcrm.mail.places import Spot
from flowcrm.mail.types import ChangePage, FolderRole, Scope

# Without MODSEQ two changes may leave the figures as they were: every folder is opened once a day, the INBOX each time.
_HOURS = 24


def changes(reader: Reader, cursor: str | None, scope: Scope) -> ChangePage:
    """See `Connector.changes`."""
    place = start(reader) if cursor is None else Cursor.load(cursor)
    is_listing = place.listing is not None or place.begins
    page = list_page(reader, place, scope) if is_listing else _follow(reader, place)
    reader.api.leave()
    return page


def relist(cursor: str) -> str:
    """See `Connector.relist`."""
    return replace(Cursor.load(cursor), listing=None, begins=True).dump()


@dataclass(slots=True)
class _Page:
    """A page in the making. room: changes that it still takes; visits: folders that may still be opened for it, until `ends_at`
    (monotonic), but one in any case."""

    cursor: Cursor
    room: int
    visits: int
    ends_at: float
    begun: bool = False
    events: Events = field(default_factory=Events)
    more: bool = False

    @property
    def full(self) -> bool:
        return self.room <= 0 or self.visits <= 0 or (self.begun and clock.monotonic() >= self.ends_at)


def _follow(reader: Reader, cursor: Cursor) -> ChangePage:
    settings = reader.api.settings
    places = reader.places()
    figures = reader.api.statuses(place.name for place in places.values())
    page = _Page(cursor, settings.page, settings.examine, clock.monotonic() + settings.page_seconds)
    for folder_id in [one for one in cursor.told if one not in places]:
        _close(page, folder_id)
    for place in places.values():
        status = figures.get(place.name)
        if status is not None and _may_have_changed(page.cursor.told.get(place.id), status, place):
            _visit(reader, page, place, status)
    return ChangePage(page.events.settle(reader.catalogue), page.cursor.dump(), more=page.more, listing=False)


def _may_have_changed(told: Told | None, status: Status, place: Place) -> bool:
    if told is None or told.validity != status.validity or told.figures != figures_of(status):
        return True
    return not status.modseq and (place.role is FolderRole.INBOX or told.looked + _HOURS <= hour())


def _close(page: _Page, folder_id: str) -> None:
    """The folder is there no more, nor is what lay in it."""
    if page.full:
        page.more = True
        return
    page.begun = True
    rest = _tell_gone(page, folder_id, page.cursor.told[folder_id], NONE)
    if rest.uids:
        page.cursor, page.more = page.cursor.telling(folder_id, rest), True
    else:
        page.cursor = page.cursor.without(folder_id)


def _visit(reader: Reader, page: _Page, place: Place, status: Status) -> None:
    if page.full:
        page.more = True
        return
    page.visits -= 1
    page.begun = True
    told = page.cursor.told.get(place.id, Told(status.validity))
    try:
        opened = reader.api.examine(place.name)
    except FolderAbsent:
        # It may be there again, with all that we know of it; gone is what LIST does not name any more.
        return
    if opened.validity != told.validity:
        # First all that is gone; what the folder holds now is told from its next visit on.
        rest = _tell_gone(page, place.id, told, NONE)
        told, whole, page.more = rest if rest.uids else Told(opened.validity), False, True
    else:
        told, whole = _difference(reader, page, place, told, max(opened.next, status.next))
    figures = figures_of(status) if whole else STALE
    page.cursor = page.cursor.telling(place.id, replace(told, figures=figures, looked=hour()))


def _difference(reader: Reader, page: _Page, place: Place, told: Told, next_uid: int) -> tuple[Told, bool]:
    """What was told after this, and whether that is all there is to tell."""
    there = reader.api.search("UNDELETED", next_uid=next_uid)
    unseen = reader.api.search("UNDELETED UNSEEN", next_uid=next_uid) & there
    if told.start:
        # Never opened before: what was there when the mailbox was first listed is no news.
        known = there.below(told.start)
        told = replace(told, uids=known, unseen=known & unseen, start=0)
    told = _tell_gone(page, place.id, told, there)
    told = _tell_arrived(reader, page, place, told, there, unseen)
    told = _tell_read(page, place.id, told, unseen)
    whole = told.uids == there and told.unseen == unseen
    page.more = page.more or not whole
    return told, whole


def _tell_gone(page: _Page, folder_id: str, told: Told, there: Uids) -> Told:
    gone = Uids.of((told.uids - there).oldest(max(page.room, 0)))
    page.events.gone += [Spot(folder_id, told.validity, uid) for uid in gone]
    page.room -= len(gone)
    return replace(told, uids=told.uids - gone, unseen=told.unseen - gone)


def _tell_arrived(reader: Reader, page: _Page, place: Place, told: Told, there: Uids, unseen: Uids) -> Told:
    fresh = Uids.of((there - told.uids).oldest(max(page.room, 0)))
    if fresh:
        page.events.arrived += look_at(reader, place, told.validity, fresh)
        page.room -= len(fresh)
    return replace(told, uids=told.uids | fresh, unseen=told.unseen | (fresh & unseen))


def _tell_read(page: _Page, folder_id: str, told: Told, unseen: Uids) -> Told:
    differ = Uids.of(((told.unseen ^ unseen) & told.uids).oldest(max(page.room, 0)))
    page.events.unread |= {Spot(folder_id, told.validity, uid): uid in unseen for uid in differ}
    page.room -= len(differ)
    return replace(told, unseen=(told.unseen - differ) | (differ & unseen))
