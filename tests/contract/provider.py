"""What the conformance suite needs of a provider: a mailbox that its owner moves, connectors to it, and trouble on demand.

A new provider is one class that fits `Provider`, and one line in the fixture of test_connector_conformance.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from flowcrm.connectors.base import Connector


class Operation(StrEnum):
    """What a connector asks of its provider, as far as the suite can tell it apart."""

    CHECK = "check"
    FOLDERS = "folders"
    LIST = "list"
    FOLLOW = "follow"
    HEADERS = "headers"
    FETCH = "fetch"


class Trouble(StrEnum):
    """What may come back instead of an answer; the last four are answers, but odd ones, of operations that give pages."""

    THROTTLED = "throttled"
    SIGNED_OUT = "signed out"
    DOWN = "down"
    NO_ANSWER = "no answer"
    CUT = "cut in the middle"
    LATE = "later than the time-out"
    GARBLED = "not what it should be"
    REPEATED = "the page again"
    EMPTY = "a page without anything, and more after it"
    SHUFFLED = "a page in no order"
    VANISHED = "a mail of the page is deleted at this moment"


@dataclass(frozen=True, slots=True)
class State:
    """Where a mail is, as its owner sees it."""

    folder_ids: frozenset[str]
    unread: bool


class Provider(Protocol):
    """One mailbox at a provider's stand-in.

    address, alias: the owner's own; alias is a further address that he sends as. inbox, sent, drafts, spam, trash: folder ids.
    page: how many mails, or changes, one page of a connector made here holds; small, so that paging is always tested.
    has_many_folders: a mail may lie in several folders at once.
    keeps_folder_ids: a folder that is renamed has the id that it had.
    forgets: a bookmark may be forgotten. says_when: who is throttled is told until when. charges: it counts units.
    shows_unlisted: its threads hold what is not listed (drafts, spam and trash), too.
    odd_pages: which of the last four troubles can befall its pages.
    """

    address: str
    alias: str
    inbox: str
    sent: str
    drafts: str
    spam: str
    trash: str
    page: int
    has_many_folders: bool
    keeps_folder_ids: bool
    forgets: bool
    says_when: bool
    charges: bool
    shows_unlisted: bool
    odd_pages: frozenset[Trouble]

    def connect(self, spend: Callable[[int], None] | None = None) -> Connector:
        """A connector with a fresh token. It is closed at the end of the test."""

    def connect_with_less_permission(self) -> Connector:
        """A connector whose owner did not allow reading."""

    # -- the owner's hand ----------------------------------------------------------------------------------------------

    def deliver(self, raw: bytes, folder: str | None = None, at: datetime | None = None, *, unread: bool = True) -> str:
        """A mail arrives (in the inbox, now); its provider id."""

    def held(self, raw: bytes) -> bytes:
        """What becomes of such bytes when they are delivered here."""

    def create_folder(self, name: str) -> str: ...

    def rename_folder(self, folder_id: str, name: str) -> None: ...

    def delete_folder(self, folder_id: str) -> None: ...

    def file(self, provider_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Put into folders and take out of folders; where a mail lies in one only, move it to the one that is added."""

    def mark(self, provider_id: str, *, unread: bool) -> None: ...

    def delete(self, provider_id: str) -> None:
        """For good."""

    # -- the weather ---------------------------------------------------------------------------------------------------

    def forget_changes(self) -> None:
        """Every bookmark handed out so far is lost."""

    def trouble(
        self, kind: Trouble, operation: Operation, *, skip: int = 0, count: int = 1, chance: float = 1.0, seed: int = 0
    ) -> None:
        """The next requests of an operation meet trouble: spare `skip`, then hit `count` (0: for ever) with this chance."""

    def no_trouble(self) -> None: ...

    # -- what really happened --------------------------------------------------------------------------------------------

    def holds(self) -> Mapping[str, State]:
        """Every mail in the mailbox, whatever its folder."""

    def digest(self) -> str:
        """Equal before and after: not a byte, flag, folder or mail was changed in between."""

    def units(self) -> int:
        """What the provider charged so far."""

    def requests(self) -> int:
        """How many requests it saw."""

    def writes(self) -> list[str]:
        """The requests that could have changed the mailbox."""
