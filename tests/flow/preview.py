"""Random mailboxes at the stand-in, random settings for them, and what these would keep, as plainly as it can be said."""

import base64
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import getaddresses

from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.queries.changes import last_change, read_settings
from flowcrm.store.writes.changes import do_change
from flowcrm.store.writes.kept_out import do_remove_email, do_remove_thread
from flowcrm.store.writes.mailbox import Selection
from flowcrm.sync.folders import refresh_folders
from flowcrm.sync.preview import Ahead, look_ahead, proposed
from flowcrm.sync.preview_place import Place
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Box, Team, letter

# Some contain others: a provider's search by words finds more than it was asked for.
PEOPLE = (
    *("ann@x.example", "mary.ann@x.example", "x@ann.example", "carla@nordlicht.example", "tom@globex.example"),
    *("ingrid@acme.example", "anna@acme.example"),
)
_UNFINISHED = frozenset({"DRAFT", "SPAM", "TRASH"})
_PLACES = (("INBOX",), ("INBOX",), ("INBOX", "UNREAD"), ("SENT",), ("SPAM",), ("TRASH",), ("DRAFT",), ())
# A search takes whole seconds: some mails lie right beside.
SINCE = OLD - timedelta(days=30) + timedelta(milliseconds=300)
_AGES = (timedelta(0), timedelta(days=3), timedelta(days=29), timedelta(days=31), timedelta(days=400))
_BESIDE = (-1300, -400, -1, 0, 1, 650, 1000)


@dataclass(frozen=True)
class House:
    """A mailbox with labels, contacts, and mail of every kind."""

    box: Box
    chance: random.Random
    google: GoogleStandin
    labels: tuple[str, ...]
    no_crm: str
    contacts: frozenset[str]
    delivered: list[str] = field(default_factory=list)

    def deliver(self, count: int) -> None:
        for _ in range(count):
            message_id = f"<{self.box.mailbox_id}-{len(self.delivered)}@x.example>"
            answers = self.chance.choice(["", *self.delivered[-6:]])
            self.delivered.append(message_id)
            self.box.deliver(self._mail(message_id, answers), self._labels(), self._at())

    def meddle(self, count: int) -> None:
        """What people do to mail that is there."""
        mails = [one["id"] for one in self.google.snapshot(self.box.address)["mails"]]
        for mail in self.chance.sample(mails, min(count, len(mails))):
            labels = self.chance.choice([["TRASH"], ["SPAM"], [self.no_crm], list(self.labels[:1]), ["STARRED"]])
            self.google.label(self.box.address, [mail], add=labels)

    def remove(self) -> None:
        """Remove one of those that are here, or its thread, and keep it out."""
        workspace_id, mailboxes = self.box.team.workspace_id, [self.box.mailbox_id]
        with workspace_scope(workspace_id):
            found = rows("SELECT id, conversation_id FROM message ORDER BY id")
            if found:
                message_id, conversation_id = self.chance.choice(found)
                if self.chance.random() < 0.5:
                    do_remove_email(workspace_id=workspace_id, mailboxes=mailboxes, message_id=message_id)
                else:
                    do_remove_thread(workspace_id=workspace_id, mailboxes=mailboxes, conversation_id=conversation_id)

    def settings(self) -> Selection:
        selection = self.chance.choice(["all", "labels", "contacts"])
        labels = frozenset(self.chance.sample(self.labels, self.chance.randrange(1, len(self.labels) + 1)))
        since = self.chance.choice([None, SINCE, SINCE, OLD - timedelta(days=365)])
        return Selection(selection, since, 300, labels if selection == "labels" else frozenset())

    def _mail(self, message_id: str, answers: str) -> bytes:
        people = self.chance.sample([*PEOPLE, self.box.address], 4)
        extra = self.chance.random()
        return letter(
            "about everything",
            sender=people[0],
            to=people[1],
            cc=people[2] if extra < 0.4 else "",
            reply_to=people[3] if extra > 0.7 else "",
            message_id=message_id,
            answers=answers,
        )

    def _labels(self) -> Sequence[str]:
        own = [one for one in self.labels if self.chance.random() < 0.15]
        return [*self.chance.choice(_PLACES), *own, *([self.no_crm] if self.chance.random() < 0.03 else [])]

    def _at(self) -> datetime:
        if self.chance.random() < 0.25:
            return SINCE + timedelta(milliseconds=self.chance.choice(_BESIDE))
        return OLD - self.chance.choice(_AGES) + timedelta(minutes=self.chance.randrange(5000))


def make_house(team: Team, google: GoogleStandin, seed: int) -> House:
    """An account with labels and mail, connected; nothing is chosen yet."""
    chance = random.Random(seed)
    box = team.mailbox("")
    labels = tuple(google.create_label(box.address, name) for name in ("Kunden", "Angebote", "Team"))
    no_crm = google.create_label(box.address, "no crm")
    contacts = frozenset(chance.sample(PEOPLE, chance.randrange(4)))
    for one in sorted(contacts):
        team.contact(one)
    house = House(box, chance, google, labels, no_crm, contacts)
    house.deliver(chance.randrange(6, 40))
    return house


def slices(
    box: Box,
    chosen: Selection,
    *,
    place: Place | None = None,
    within: timedelta = timedelta(0),
    undoes: int | None = None,
) -> Iterator[Ahead]:
    """As a page does it: a slice at a time, and between them only what the page carries."""
    snapshot = read_snapshot(box.team.workspace_id, box.mailbox_id)
    assert snapshot is not None
    dumped = (place or Place()).dump()
    for _ in range(2000):
        with closing(open_connector(snapshot)) as connector:
            ahead = look_ahead(proposed(snapshot, chosen), connector, Place.load(dumped), within=within, undoes=undoes)
        yield ahead
        if ahead.over:
            return
        dumped = ahead.place.dump()
    raise AssertionError("the preview does not come to its end")


def preview(
    box: Box,
    chosen: Selection,
    *,
    slice_: timedelta = timedelta(0),
    troubled: bool = False,
    undoes: int | None = None,
) -> Ahead:
    """From its beginning to its end. troubled: the provider has a bad day."""
    before = last = Ahead(Place())
    for last in slices(box, chosen, within=slice_, undoes=undoes):
        assert troubled or last.error is None, last.error
        assert troubled or last.coming >= before.coming, "what was certain is certain"
        assert last.going >= before.going
        before = last
    return last


def change(box: Box, chosen: Selection, *, bins: bool = False, undoes: int | None = None) -> None:
    """As the page saves it; and sync comes to rest."""
    with workspace_scope(box.team.workspace_id):
        values = {"workspace_id": box.team.workspace_id, "mailbox_id": box.mailbox_id}
        now = read_settings(**values)
        wanted = replace(now, selection=chosen.selection, since=chosen.since, folder_ids=chosen.folder_ids)
        do_change(**values, wanted=wanted, bins=bins, undoes=undoes)
    box.rest()


def last(box: Box) -> tuple[int, Selection] | None:
    """The change that can be undone, and the selection before it."""
    with workspace_scope(box.team.workspace_id):
        found = last_change(box.team.workspace_id, box.mailbox_id)
    if found is None:
        return None
    return found.id, Selection(found.before.selection, found.before.since, found.before.interval_s, found.before.folder_ids)


def look_at_labels(box: Box) -> None:
    """As the page of the settings has them."""
    snapshot = read_snapshot(box.team.workspace_id, box.mailbox_id)
    assert snapshot is not None
    with closing(open_connector(snapshot)) as connector:
        refresh_folders(snapshot, connector)


def here(box: Box) -> set[str]:
    """Ids of what is stored and not in the bin."""
    with workspace_scope(box.team.workspace_id):
        found = rows("SELECT provider_id FROM copy WHERE mailbox_id = %s AND binned_at IS NULL", [box.mailbox_id])
    return {one for (one,) in found}


def fits(house: House, chosen: Selection) -> set[str]:
    """Ids of what these settings would let in, were it neither a draft nor spam nor in the trash: nothing of the product's."""
    mails = house.google.snapshot(house.box.address)["mails"]
    threads: dict[str, list[int]] = {}
    for one in mails:
        if set(one["labels"]) & chosen.folder_ids and not set(one["labels"]) & _UNFINISHED:
            threads.setdefault(one["threadId"], []).append(int(one["internalDate"]))

    def selected(one: dict[str, object]) -> bool:
        if chosen.selection == "contacts":
            return bool(_people(house, str(one["id"])) & house.contacts)
        if chosen.selection == "labels":
            labels, brought = set(one["labels"]), threads.get(str(one["threadId"]), [])  # type: ignore[call-overload]
            later = bool(brought) and ("SENT" in labels or int(str(one["internalDate"])) >= min(brought))
            return bool(labels & chosen.folder_ids) or later
        return True

    since = int(chosen.since.timestamp() * 1000) if chosen.since else 0
    return {one["id"] for one in mails if int(one["internalDate"]) >= since and selected(one)}


def _people(house: House, mail: str) -> set[str]:
    raw = house.google.server.controls.raw(house.box.address, mail)["raw"]
    parsed = message_from_bytes(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    fields = [str(value) for name in ("from", "to", "cc", "bcc", "reply-to") for value in parsed.get_all(name, [])]
    return {address for _, address in getaddresses(fields)}
