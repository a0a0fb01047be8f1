"""Where we are in a mailbox; the connector's cursor, as JSON.

What is kept of each folder is what was told of it: the UIDs that are there, and those of them that are unread. So what happened
since is the difference to what the server says now, on any server, however old it is; MODSEQ and the figures of STATUS only
spare us looking where nothing happened.
"""

import json
from dataclasses import dataclass, field, replace

from flowcrm.connectors.imap.api import Status
from flowcrm.connectors.imap.uids import NONE, Uids
from flowcrm.lib import clock
from flowcrm.mail.errors import CursorLost

# The figures of a folder that must be looked at, whatever they say.
STALE = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one folder.

    validity: its UIDVALIDITY; other UIDs belong to other mails. start: UIDNEXT when the mailbox was first listed, until the
    folder is opened: what is below is no news. figures: (UIDNEXT, MESSAGES, UNSEEN, HIGHESTMODSEQ) when all was told.
    looked: the hour (since 1970) when it was last opened.
    """

    validity: int
    uids: Uids = NONE
    unseen: Uids = NONE
    figures: tuple[int, int, int, int] = STALE
    looked: int = 0
    start: int = 0


@dataclass(frozen=True, slots=True)
class Frontier:
    """How far a folder is listed: all from `below` up. date: of the next mail in seconds since 1970, None before the first."""

    below: int
    date: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """told: by folder id. listing: the folders that are not listed to their end; None while following. begins: the listing is
    yet to begin."""

    told: dict[str, Told] = field(default_factory=dict)
    listing: dict[str, Frontier] | None = None
    begins: bool = False

    def dump(self) -> str:
        whole: dict[str, object] = {
            "told": {
                one: [told.validity, told.uids.dump(), told.unseen.dump(), told.figures, told.looked, told.start]
                for one, told in self.told.items()
            }
        }
        if self.begins:
            whole["begins"] = True
        if self.listing is not None:
            whole["listing"] = {one: [frontier.below, frontier.date] for one, frontier in self.listing.items()}
        return json.dumps(whole, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Cursor":
        """Raises CursorLost for what `dump` did not write."""
        try:
            whole = json.loads(text)
            told = {one: _told(*parts) for one, parts in whole["told"].items()}
            listing = whole.get("listing")
            begins = bool(whole.get("begins"))
            fronts = None if listing is None else {one: Frontier(*parts) for one, parts in listing.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise CursorLost("The bookmark cannot be read.", code="cursor") from None
        return cls(told, fronts, begins)

    def telling(self, folder_id: str, told: Told) -> "Cursor":
        return replace(self, told={**self.told, folder_id: told})

    def without(self, folder_id: str) -> "Cursor":
        return replace(self, told={one: told for one, told in self.told.items() if one != folder_id})


def figures_of(status: Status) -> tuple[int, int, int, int]:
    return status.next, status.messages, status.unseen, status.modseq


def hour() -> int:
    """This one, since 1970."""
    return int(clock.now().timestamp()) // 3600


def _told(validity: int, uids: str, unseen: str, figures: list[int], looked: int, start: int) -> Told:
    next_uid, messages, unread, modseq = figures
    known = (int(next_uid), int(messages), int(unread), int(modseq))
    return Told(int(validity), Uids.parse(uids), Uids.parse(unseen), known, int(looked), int(start))
