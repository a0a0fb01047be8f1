"""What other settings would mean for a mailbox, before they are saved: what comes in, and what of the stored would not fit.

A mailbox may hold a hundred thousand mails, and estimates of providers are wrong by multiples: so ids are counted, a slice
at a time, and the page says "at least" until it is over. Where a look has come to is a `Place`, which the page carries along:
nothing is stored, and no text is fetched.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from flowcrm.connectors.base import Connector
from flowcrm.lib import clock
from flowcrm.mail.errors import MailError
from flowcrm.mail.types import Headers, ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.facts import MailboxRules
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.changes import Settings
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.queries.stored import StoredMail, stored_page
from flowcrm.store.writes.mailbox import Selection
from flowcrm.sync.fate import fates
from flowcrm.sync.preview_place import Example, Place, Stage
from flowcrm.sync.preview_walk import EXAMPLES, Asked, step

# Somebody waits for the first words.
SLICE = timedelta(seconds=1.5)
STORED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ahead:
    """How far it has come. error: of the provider, why no further for now."""

    place: Place
    error: MailError | None = None

    @property
    def coming(self) -> int:
        """Mails that come in, or come back from the bin, for certain: all of them where `counted`, else there may be more."""
        return sum(self.place.coming.values()) + self.place.back

    @property
    def most(self) -> int:
        """What they are at most, once everything has been listed: an address decides on the rest."""
        return self.coming + self.place.open

    @property
    def counted(self) -> bool:
        return self.place.stage is Stage.OVER and self.weighed

    @property
    def going(self) -> int:
        """Stored mails that do not fit: all of them where `weighed`."""
        return self.place.going

    @property
    def weighed(self) -> bool:
        return self.place.after is None

    @property
    def over(self) -> bool:
        return self.counted


def proposed(mailbox: Snapshot, chosen: Selection | Settings) -> Snapshot:
    """The mailbox as it would be with these settings."""
    rules: MailboxRules = mailbox.rules
    return replace(mailbox, rules=replace(rules, selection=chosen.selection, since=chosen.since, chosen_ids=chosen.folder_ids))


def look_ahead(
    mailbox: Snapshot, connector: Connector, place: Place, *, within: timedelta = SLICE, undoes: int | None = None
) -> Ahead:
    """Go on from `place` for a slice of time; `mailbox` as `proposed` gives it, `undoes` as for `fates`. Never raises the tree
    of mail.errors: what was found before is in the answer."""
    asked, until = Asked(mailbox, connector), clock.monotonic() + within.total_seconds()
    try:
        while not Ahead(place).over:
            place = _weigh(mailbox, place, undoes)
            if place.stage is not Stage.OVER:
                place = step(asked, place)
            if clock.monotonic() >= until:
                break
        place = _show(connector, place)
    except MailError as error:
        return Ahead(place, error)
    return Ahead(place)


def _weigh(mailbox: Snapshot, place: Place, undoes: int | None) -> Place:
    """Look at some more of what is stored. Where threads decide, all of them must be known before."""
    if place.after is None or (mailbox.rules.selection == "labels" and place.stage is not Stage.OVER):
        return place
    key = (mailbox.workspace_id, mailbox.mailbox_id)
    with workspace_scope(mailbox.workspace_id):
        mails = stored_page(*key, after=place.after, size=STORED_AT_ONCE)
        marks = read_marks(*key, {one.thread_id for one in mails})

    def marks_of(mail: StoredMail) -> ThreadMarks:
        excluded = mail.thread_id is not None and marks[mail.thread_id].excluded
        brought = mail.copy_id in place.stay
        return ThreadMarks(excluded, brought, mail.at if brought else None)

    found = fates(mailbox, mails, marks_of, undoes=undoes)
    return replace(
        place,
        after=mails[-1].provider_id if len(mails) == STORED_AT_ONCE else None,
        going=place.going + len(found.going),
        back=place.back + len(found.returning),
        leaving=(*place.leaving, *found.going)[:EXAMPLES],
    )


def _show(connector: Connector, place: Place) -> Place:
    """Ask by what a person knows a few of those that come in."""
    missing = place.some[len(place.shown) :]
    if not missing:
        return place
    had = [one for one in connector.headers(missing) if isinstance(one, Headers)]
    # What could not be had is no example.
    some = (*place.some[: len(place.shown)], *(one.provider_id for one in had))
    return replace(place, some=some, shown=(*place.shown, *(_example(one) for one in had)))


def _example(mail: Headers) -> Example:
    named = {name.lower(): value for name, value in reversed(mail.fields)}
    return Example(named.get("from", ""), named.get("subject", ""), mail.at)
