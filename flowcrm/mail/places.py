"""Where a mail lies, at providers that name mails by their places."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of one mail (RFC 9051, 2.3.1.1)."""

    folder_id: str
    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mail seen at a place. own_id, names: ids of its header, in the clear; they are keyed before they are kept. people:
    everybody whom the header names, normalised."""

    spot: Spot
    mail_id: str
    at: datetime
    unread: bool
    own_id: str | None
    names: tuple[str, ...]
    people: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a mail. folder_ids: where it lies, nothing where it is gone."""

    mail_id: str
    thread_id: str
    folder_ids: frozenset[str]
    at: datetime
