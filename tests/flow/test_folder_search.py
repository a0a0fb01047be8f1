"""Mail is found by the folders that it lies in now: what happens to labels at the provider reaches the search index."""

import pytest

from flowcrm.lib import clock
from flowcrm.mail.words import FOLDER, SUBJECT, folder_word
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import vault
from tests.flow.acme import OLD, Box, Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def found(box: Box, folder: str, word: str) -> bool:
    """Whether a search by that word of the subject, among what lies in that folder of the mailbox, finds exactly one email."""
    keys = vault(box.team.workspace_id)
    with workspace_scope(box.team.workspace_id):
        hits = rows(
            "SELECT message_id FROM find_messages(%s::bigint[], %s::bigint[], %s, 0, 50)",
            [[[keys.token(SUBJECT, word)]], [keys.token(FOLDER, folder_word(box.mailbox_id, folder))], clock.now()],
        )
    assert len(hits) <= 1
    return bool(hits)


def sync(box: Box) -> None:
    clock.advance(301)
    box.rest()


def test_a_relabelled_mail_is_found_by_its_new_labels_and_not_by_those_it_left(team: Team) -> None:
    box = team.mailbox("all")
    crm, later = (team.google.create_label(box.address, name) for name in ("CRM", "Later"))
    offer = box.deliver(letter("offer"), labels=["INBOX", later])
    box.deliver(letter("invoice"), labels=["INBOX", later])
    box.rest()
    assert [found(box, folder, "offer") for folder in ("INBOX", later, crm)] == [True, True, False]

    team.google.label(box.address, [offer], add=[crm], remove=["INBOX"])
    sync(box)

    assert [found(box, folder, "offer") for folder in ("INBOX", later, crm)] == [False, True, True]
    assert [found(box, folder, "invoice") for folder in ("INBOX", later, crm)] == [True, True, False]

    team.google.label(box.address, [offer], add=["INBOX"], remove=[crm, later])
    sync(box)

    assert [found(box, folder, "offer") for folder in ("INBOX", later, crm)] == [True, False, False]


def test_a_mail_that_lies_in_a_mailbox_twice_is_found_by_a_label_until_both_have_left_it(team: Team) -> None:
    box = team.mailbox("all")
    raw = letter("offer")
    first, second = (box.deliver(raw, labels=["INBOX"]) for _ in range(2))
    box.rest()

    team.google.label(box.address, [first], remove=["INBOX"])
    sync(box)
    assert found(box, "INBOX", "offer")

    team.google.label(box.address, [second], remove=["INBOX"])
    sync(box)
    assert not found(box, "INBOX", "offer")


def test_filing_in_one_mailbox_changes_nothing_for_the_same_mail_in_another(team: Team) -> None:
    mine, hers = team.mailbox("all"), team.mailbox("all")
    raw = letter("offer")
    filed = mine.deliver(raw, labels=["INBOX"])
    hers.deliver(raw, labels=["INBOX"])
    mine.rest()
    hers.rest()

    team.google.label(mine.address, [filed], remove=["INBOX"])
    sync(mine)

    assert not found(mine, "INBOX", "offer")
    assert found(hers, "INBOX", "offer")


def test_labels_that_changed_while_the_provider_forgot_our_place_are_searched_as_they_are_now(team: Team) -> None:
    box = team.mailbox("all")
    crm = team.google.create_label(box.address, "CRM")
    offer = box.deliver(letter("offer"), labels=["INBOX"], at=OLD)
    box.rest()

    team.google.label(box.address, [offer], add=[crm], remove=["INBOX"])
    team.google.expire_history(box.address)
    sync(box)

    assert [found(box, folder, "offer") for folder in ("INBOX", crm)] == [False, True]
