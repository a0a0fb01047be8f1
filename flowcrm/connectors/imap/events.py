"""What happened at places, told of mails: one change for each."""

from dataclasses import dataclass, field, replace

from flowcrm.connectors.imap.catalogue import Catalogue
from flowcrm.connectors.imap.mails import arrived
from flowcrm.mail.places import Entry, Sighting, Spot
from flowcrm.mail.types import Change, ChangeKind


@dataclass(slots=True)
class Events:
    """Of one page of following. unread: of mails whose mark changed, as they are now."""

    gone: list[Spot] = field(default_factory=list)
    arrived: list[Sighting] = field(default_factory=list)
    unread: dict[Spot, bool] = field(default_factory=dict)

    def settle(self, catalogue: Catalogue) -> tuple[Change, ...]:
        """Write into the catalogue what lies where, and tell of each mail what became of it.

        A mail that has arrived somewhere is an arrival, also where it was known: whoever asked for it while it was being moved
        was told that it is gone.
        """
        changes = {change.provider_id: change for change in arrived(catalogue, self.arrived)}
        catalogue.displace(self.gone)
        known = catalogue.look_up([*self.gone, *self.unread, *(one.spot for one in self.arrived)])
        for spot in self.gone:
            if (entry := known.get(spot)) is not None:
                changes[entry.mail_id] = _left(changes.get(entry.mail_id), entry, spot.folder_id)
        for spot, unread in self.unread.items():
            if (entry := known.get(spot)) is not None and entry.folder_ids:
                changes[entry.mail_id] = replace(changes.get(entry.mail_id) or _filed(entry), unread=unread)
        return tuple(_where_it_is(changes, {entry.mail_id: entry for entry in known.values()}))


def _where_it_is(changes: dict[str, Change], entries: dict[str, Entry]) -> list[Change]:
    """With the folders as they are after all that happened."""
    return [
        replace(change, folder_ids=entries[mail_id].folder_ids) if change.kind is not ChangeKind.GONE else change
        for mail_id, change in changes.items()
    ]


def _left(change: Change | None, entry: Entry, folder_id: str) -> Change:
    if not entry.folder_ids:
        return Change(ChangeKind.GONE, entry.mail_id, entry.thread_id)
    change = change or _filed(entry)
    return replace(change, left_ids=(change.left_ids | {folder_id}) - entry.folder_ids)


def _filed(entry: Entry) -> Change:
    return Change(ChangeKind.FOLDERS, entry.mail_id, entry.thread_id, entry.folder_ids)
