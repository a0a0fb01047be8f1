"""What a mailbox's caller keeps for us: which mail lies where, and which mails make a thread.

IMAP names a mail by its place (folder, UIDVALIDITY, UID), and gives it another name when it is moved. To everybody else a mail
is one mail, wherever it lies: its id is made of what stays the same, and the catalogue knows the places. So a move, a renamed
folder and UIDs that begin anew are what they are to people: the same mails elsewhere.
"""

from collections.abc import Sequence
from typing import Protocol

from flowcrm.mail.places import Entry, Sighting, Spot


class Catalogue(Protocol):
    """One mailbox's. Nothing is forgotten at once, so that a page that is read again gives the same answers."""

    def place(self, sightings: Sequence[Sighting]) -> None:
        """These mails lie there. A mail that ties two threads together makes them one."""

    def displace(self, spots: Sequence[Spot]) -> None:
        """Nothing lies there any more."""

    def look_up(self, spots: Sequence[Spot]) -> dict[Spot, Entry]:
        """The mails that lie there, or lay there before they were displaced; without those that were never placed."""

    def spots(self, mail_ids: Sequence[str]) -> dict[str, Spot]:
        """One place of each of these mails; without those that lie nowhere."""

    def threads(self, thread_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
        """What lies in these threads; without threads of which nothing is known."""
