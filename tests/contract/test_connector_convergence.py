"""The promise behind all others: whoever follows a connector knows in the end what the mailbox holds."""

import random

import pytest

from flowcrm.mail.errors import CursorLost, Gone, Transient
from flowcrm.mail.types import ChangeKind, Headers, ItemFailed
from tests.contract.provider import Operation, Provider, State, Trouble
from tests.contract.reading import EVERYTHING, deliver_many, mail

PAGED = (Operation.LIST, Operation.FOLLOW)
PAGES = (Trouble.REPEATED, Trouble.EMPTY, Trouble.SHUFFLED, Trouble.VANISHED)
ODD = [Trouble.DOWN, Trouble.CUT, Trouble.NO_ANSWER, Trouble.THROTTLED, Trouble.GARBLED, *PAGES]


class Reader:
    """Somebody who follows a mailbox as the sync engine does: page by page, asking again after every error."""

    def __init__(self, provider: Provider) -> None:
        self._mailbox = provider.connect()
        self._cursor: str | None = None
        self.knows: dict[str, State] = {}

    def read_page(self) -> bool:
        """Take the next page in, or stay where we are; True while there is more to read now."""
        try:
            page = self._mailbox.changes(self._cursor, EVERYTHING)
            facts = {change.provider_id: change for change in page.changes}
            wanted = [
                change.provider_id
                for change in facts.values()
                if (change.folder_ids is None or change.unread is None) and change.kind is not ChangeKind.GONE
            ]
            found = self._mailbox.headers(wanted)
        except CursorLost:
            self._cursor, self.knows = None, {}
            return True
        except Transient:
            return True
        if any(isinstance(answer, ItemFailed) and not isinstance(answer.error, Gone) for answer in found):
            return True
        states = {
            answer.provider_id: State(answer.folder_ids, answer.unread) for answer in found if isinstance(answer, Headers)
        }
        for change in page.changes:
            self.knows.pop(change.provider_id, None)
            if change.folder_ids is not None and change.unread is not None:
                self.knows[change.provider_id] = State(change.folder_ids, change.unread)
            elif change.provider_id in states:
                self.knows[change.provider_id] = states[change.provider_id]
        self._cursor = page.cursor
        return page.more


def live(provider: Provider, chance: random.Random, own: str) -> None:
    """One thing that an owner does on a working day."""
    ids = sorted(provider.holds())
    match chance.choice(["arrive", "arrive", "file", "mark", "delete", "spam", "forget"] if ids else ["arrive"]):
        case "arrive":
            provider.deliver(mail(str(chance.random())), chance.choice([provider.inbox, own, provider.spam]))
        case "file":
            provider.file(chance.choice(ids), add=[chance.choice([own, provider.inbox])])
        case "mark":
            provider.mark(chance.choice(ids), unread=chance.random() < 0.5)
        case "delete":
            provider.delete(chance.choice(ids))
        case "spam":
            provider.file(chance.choice(ids), add=[provider.spam], remove=[provider.inbox])
        case "forget" if provider.forgets and chance.random() < 0.2:
            provider.forget_changes()


@pytest.mark.parametrize("seed", range(12))
def test_whoever_follows_knows_in_the_end_what_the_mailbox_holds(provider: Provider, seed: int) -> None:
    """Trouble at random, changes between any two pages; when both rest, knowledge and mailbox are equal."""
    chance = random.Random(seed)
    own = provider.create_folder("Own")
    deliver_many(provider, 8)
    for number, operation in enumerate((Operation.LIST, Operation.FOLLOW, Operation.HEADERS)):
        possible = [kind for kind in ODD if kind not in PAGES or (operation in PAGED and kind in provider.odd_pages)]
        for kind in chance.sample(possible, 2):
            provider.trouble(kind, operation, count=0, chance=0.1, seed=100 * seed + number)
    reader = Reader(provider)
    for _ in range(40):
        reader.read_page()
        if chance.random() < 0.7:
            live(provider, chance, own)
    provider.no_trouble()
    while reader.read_page():
        pass
    truth = provider.holds()
    must_know = {mail_id: state for mail_id, state in truth.items() if provider.spam not in state.folder_ids}
    assert must_know.items() <= reader.knows.items()
    # What lies in spam was perhaps never listed, but what the reader knows of it must be true.
    assert reader.knows.items() <= truth.items()
