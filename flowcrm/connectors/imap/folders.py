"""Folders with their roles.

LIST with SPECIAL-USE (RFC 6154) says what a folder is for; where a server does not, the names that mail programs give it do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flowcrm.connectors.imap.api import Api
from flowcrm.connectors.imap.names import role_of
from flowcrm.mail.types import FolderRole

# An id from a kind ("folder", "mail") and a text: folders' names and Message-IDs are not for ids, which lie in the clear.
Key = Callable[[str, str], str]

_CANNOT_OPEN = {rb"\noselect", rb"\nonexistent"}
# Views of mail that lies elsewhere (RFC 6154): read, every mail would come twice.
_VIEWS = {rb"\all", rb"\flagged", rb"\important"}
_USES = {
    rb"\sent": FolderRole.SENT,
    rb"\drafts": FolderRole.DRAFTS,
    rb"\junk": FolderRole.SPAM,
    rb"\trash": FolderRole.TRASH,
    rb"\archive": FolderRole.ARCHIVE,
}
INBOX = "INBOX"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that can be opened. name: as the server takes it; shown: with "/" between its parts."""

    id: str
    name: str
    shown: str
    role: FolderRole


UNFINISHED = frozenset({FolderRole.DRAFTS, FolderRole.SPAM, FolderRole.TRASH})


def places_of(api: Api, key: Key) -> dict[str, Place]:
    """By folder id, in the server's order."""
    listed = api.list_folders()
    uses = {name: _use(flags) for flags, _, name in listed}
    taken = frozenset(use for use in uses.values() if use)
    found = {}
    for flags, delimiter, name in listed:
        low = frozenset(flag.lower() for flag in flags)
        if low & (_CANNOT_OPEN | _VIEWS):
            continue
        name = INBOX if name.upper() == INBOX else name
        shown = name.replace(delimiter.decode("ascii", "replace"), "/") if delimiter else name
        place = Place(key("folder", name), name, shown, _role(name, shown, uses.get(name), taken))
        found[place.id] = place
    return found


def _use(flags: Iterable[bytes]) -> FolderRole | None:
    return next((_USES[flag.lower()] for flag in flags if flag.lower() in _USES), None)


def _role(name: str, shown: str, use: FolderRole | None, taken: frozenset[FolderRole]) -> FolderRole:
    if name == INBOX:
        return FolderRole.INBOX
    if use:
        return use
    # What the server itself calls Sent is the one; another folder of such a name is somebody's own.
    guess = role_of(shown)
    return guess if guess and guess not in taken else FolderRole.LABEL
