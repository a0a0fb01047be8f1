"""Walking the mailbox, newest first: the folders of the scope side by side, each from its largest UID down.

A folder is *opened up* once: what is in it is noted as told before its first mail is listed, so that whatever happens to its
mails later is a difference. Then the folder whose next mail is the newest gives a run of them, as long as no other folder has
newer ones; a day more is allowed, or two folders that take turns would cost two requests a mail.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from flowcrm.connectors.imap.api import Opened
from flowcrm.connectors.imap.criteria import any_of, is_plain
from flowcrm.connectors.imap.cursor import Cursor, Frontier, Told, figures_of, hour
from flowcrm.connectors.imap.errors import FolderAbsent
from flowcrm.connectors.imap.folders import UNFINISHED, Place
from flowcrm.connectors.imap.mails import Reader, arrived, look_at
from flowcrm.lib import clock
from flowcrm.mail.places import Sighting
from flowcrm.mail.types import Change, ChangePage, FolderRole, Scope

_SLACK = timedelta(days=1).total_seconds()
_ABOVE_ALL = 2**32
# RFC 9051 has English months, whatever the language of this machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Wanted = Callable[[Sighting], bool]


def start(reader: Reader) -> Cursor:
    """The bookmark before a first listing: the figures of every folder now."""
    places = reader.places()
    figures = reader.api.statuses(place.name for place in places.values())
    told = {
        place.id: Told(status.validity, figures=figures_of(status), looked=hour(), start=status.next)
        for place in places.values()
        if (status := figures.get(place.name)) is not None
    }
    return Cursor(told, begins=True)


@dataclass(slots=True)
class _Walk:
    """A page in the making."""

    reader: Reader
    places: dict[str, Place]
    scope: Scope
    cursor: Cursor
    fronts: dict[str, Frontier]
    room: int
    visits: int
    found: list[Change] = field(default_factory=list)

    def close(self, folder_id: str) -> None:
        """Nothing more is listed of it."""
        del self.fronts[folder_id]


def list_page(reader: Reader, cursor: Cursor, scope: Scope) -> ChangePage:
    """One page, and the place after it."""
    settings = reader.api.settings
    places = reader.places()
    fronts = _fronts(places, cursor, scope) if cursor.begins else dict(cursor.listing or {})
    walk = _Walk(reader, places, scope, cursor, fronts, settings.page, settings.examine)
    ends_at = clock.monotonic() + settings.page_seconds
    late = False
    while walk.fronts and walk.room > 0 and walk.visits > 0 and not late:
        walk.visits -= 1
        _step(walk)
        late = clock.monotonic() >= ends_at
    after = replace(walk.cursor, listing=walk.fronts or None, begins=False)
    newest_first = sorted(walk.found, key=lambda change: change.at or datetime.min.replace(tzinfo=UTC), reverse=True)
    # Even after the last page there is more: what happened while it was being listed.
    return ChangePage(tuple(newest_first), after.dump(), more=True, listing=True)


def _fronts(places: dict[str, Place], cursor: Cursor, scope: Scope) -> dict[str, Frontier]:
    """The folders to be walked; one that is made later is told by following."""
    if scope.addresses == ():
        return {}
    ids = places if scope.folder_ids is None else [one for one in scope.folder_ids if one in places]
    return {
        one: Frontier(_ABOVE_ALL)
        for one in ids
        if one in cursor.told and (scope.everywhere or places[one].role not in UNFINISHED)
    }


def _step(walk: _Walk) -> None:
    """Open one folder and go on with it."""
    folder_id, until = _next(walk)
    place = walk.places.get(folder_id)
    try:
        opened = walk.reader.api.examine(place.name) if place else None
    except FolderAbsent:
        opened = None
    told = walk.cursor.told[folder_id]
    if place is None or opened is None or opened.validity != told.validity:
        # Gone, or made anew: following tells what became of its mails.
        walk.close(folder_id)
        return
    if told.start:
        told = _open_up(walk, place, told, opened)
    _run(walk, place, told, opened, until)


def _next(walk: _Walk) -> tuple[str, float | None]:
    """The folder whose next mail is the newest, and down to which moment it may go; None: one mail's date is all that is asked,
    since there are folders of which not even that is known."""
    unknown = [one for one, front in walk.fronts.items() if front.date is None]
    if unknown and len(walk.fronts) > 1:
        inbox = [one for one in unknown if one in walk.places and walk.places[one].role is FolderRole.INBOX]
        return (inbox or unknown)[0], None
    newest, *others = sorted(walk.fronts, key=lambda one: walk.fronts[one].date or 0, reverse=True)
    return newest, (walk.fronts[others[0]].date or 0) - _SLACK if others else 0


def _open_up(walk: _Walk, place: Place, told: Told, opened: Opened) -> Told:
    api, next_uid = walk.reader.api, max(opened.next, told.start)
    there = api.search("UNDELETED", next_uid=next_uid)
    told = replace(told, uids=there, unseen=api.search("UNDELETED UNSEEN", next_uid=next_uid) & there, start=0)
    walk.cursor = walk.cursor.telling(place.id, told)
    return told


def _run(walk: _Walk, place: Place, told: Told, opened: Opened, until: float | None) -> None:
    api, front = walk.reader.api, walk.fronts[place.id]
    # What has come since the folder was opened up is told by following.
    there = api.search(_criteria(walk), next_uid=max(opened.next, told.start)) & told.uids
    uids = there.below(front.below).newest(1 if until is None else walk.room)
    if not uids:
        walk.close(place.id)
        return
    mails = look_at(walk.reader, place, told.validity, uids)
    if until is None:
        below = front.below if mails else uids[-1]
        walk.fronts[place.id] = Frontier(below, int(mails[0].at.timestamp()) if mails else None)
        return
    _take(walk, place, mails, uids, until)


def _take(walk: _Walk, place: Place, mails: list[Sighting], uids: tuple[int, ...], until: float) -> None:
    wanted, taken, below = _wanted(walk.scope), [], uids[-1]
    date = int(mails[-1].at.timestamp()) if mails else None
    for number, mail in enumerate(mails):
        if number and mail.at.timestamp() < until:
            below, date = mail.spot.uid + 1, int(mail.at.timestamp())
            break
        if wanted(mail):
            taken.append(mail)
    walk.fronts[place.id] = Frontier(below, date)
    walk.found += arrived(walk.reader.catalogue, taken)
    walk.room -= len(taken)


def _wanted(scope: Scope) -> Wanted:
    # INTERNALDATE has no fractions; whatever lies within a second is for the rules to say.
    since = None if scope.since is None else scope.since - timedelta(seconds=1)
    people = None if scope.addresses is None else frozenset(scope.addresses)

    def wanted(mail: Sighting) -> bool:
        if (since is not None and mail.at < since) or (scope.until is not None and mail.at > scope.until):
            return False
        return people is None or not people.isdisjoint(mail.people)

    return wanted


def _criteria(walk: _Walk) -> str:
    """What the server can leave out for us. SINCE and BEFORE go by its own days, so a day more is asked for at either end."""
    scope, words = walk.scope, ["UNDELETED"]
    if scope.since is not None:
        words.append(f"SINCE {_day(scope.since - timedelta(days=1))}")
    if scope.until is not None:
        words.append(f"BEFORE {_day(scope.until + timedelta(days=2))}")
    few = scope.addresses is not None and len(scope.addresses) <= walk.reader.api.settings.by_search
    if scope.addresses and few and all(is_plain(one) for one in scope.addresses):
        # One that is not plain is looked for in the headers.
        words.append(any_of([f'{key} "{one}"' for one in scope.addresses for key in _KEYS]))
    return " ".join(words)


_KEYS = ("FROM", "TO", "CC", "BCC", "HEADER REPLY-TO", "HEADER SENDER")


def _day(at: datetime) -> str:
    day = at.astimezone(UTC)
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}"
