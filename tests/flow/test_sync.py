"""Import and sync of a Gmail mailbox, from the provider to the store."""

from datetime import timedelta

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import row, workspace_scope
from flowcrm.store.writes.workspaces import do_set_plan
from standins.google.client import Delivery, GoogleStandin
from tests.flow.acme import OLD, Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def fetches(standin: GoogleStandin) -> int:
    return standin.operations().count("gmail.messages.get:raw")


def test_new_mail_read_state_labels_and_deletion_follow(team: Team) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    label = team.google.create_label(box.address, "CRM")

    second = box.deliver(letter("second"))
    team.google.label(box.address, [first], add=[label], remove=["UNREAD", "INBOX"])
    clock.advance(301)
    box.rest()
    assert box.kept() == {first, second}
    assert box.folders(first) == {label}
    assert box.unread() == {second}

    team.google.delete(box.address, [second])
    clock.advance(301)
    box.rest()
    assert box.kept(gone=True) == {second}
    assert box.kept(gone=False) == {first}


def test_a_mail_taken_out_of_spam_comes_in(team: Team) -> None:
    box = team.mailbox("all")
    spam = box.deliver(letter("not spam at all"), labels=["SPAM"])
    box.rest()
    assert box.kept() == set()

    team.google.label(box.address, [spam], add=["INBOX"], remove=["SPAM"])
    clock.advance(301)
    box.rest()

    assert box.kept() == {spam}


def test_nothing_older_than_import_since_is_even_fetched(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    box.deliver(letter("old"), at=OLD - timedelta(days=400))
    young = box.deliver(letter("young"))
    standin.clear_log()

    box.choose("all", since=OLD - timedelta(days=30))
    box.rest()

    assert box.kept() == {young}
    assert fetches(standin) == 1


def test_only_chosen_labels_come_in_and_a_mail_labelled_later_too(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = team.google.create_label(box.address, "CRM")
    chosen = box.deliver(letter("chosen"), labels=["INBOX", label])
    other = box.deliver(letter("other"))
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == {chosen}
    assert fetches(standin) == 1

    team.google.label(box.address, [other], add=[label])
    clock.advance(301)
    box.rest()

    assert box.kept() == {chosen, other}


def test_contacts_only_fetches_no_mail_that_the_search_or_its_headers_rule_out(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    by_contact = box.deliver(letter("from a contact"))
    to_contact = box.deliver(letter("copied", sender="x@y.example", cc="Carla <CARLA@Nordlicht.example>"))
    box.deliver(letter("private", sender="mum@home.example"))
    box.choose("contacts")
    box.rest()
    assert box.kept() == {by_contact, to_contact}
    assert fetches(standin) == 2

    later = box.deliver(letter("later"))
    by_reply_to = box.deliver(letter("form", sender="form@web.example", reply_to="carla@nordlicht.example"))
    box.deliver(letter("private", sender="dad@home.example"))
    clock.advance(301)
    box.rest()

    assert box.kept() == {by_contact, to_contact, later, by_reply_to}
    assert fetches(standin) == 4
    assert box.skipped()["not_selected"] == 1


def test_a_mailbox_larger_than_a_page_comes_in_completely_newest_first(team: Team) -> None:
    box = team.mailbox("")
    mails = [Delivery(letter(f"mail {n}"), at_ms=int((OLD + timedelta(minutes=n)).timestamp() * 1000)) for n in range(620)]
    ids = team.google.deliver_many(box.address, mails)
    box.choose("all")

    box.slice()
    first = box.kept()
    assert first
    assert first <= set(ids[-len(first) :])

    box.rest()
    assert box.kept() == set(ids)


def test_a_lost_cursor_is_reconciled_without_a_loss_or_a_second_fetch(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    old = [box.deliver(letter(f"old {n}")) for n in range(4)]
    box.rest()
    missed = box.deliver(letter("missed"))
    team.google.delete(box.address, [old[0]])
    team.google.label(box.address, [old[1]], remove=["UNREAD"])
    team.google.expire_history(box.address)
    standin.clear_log()

    clock.advance(301)
    box.rest()

    assert box.kept() == {*old, missed}
    assert box.kept(gone=True) == {old[0]}
    assert old[1] not in box.unread()
    assert fetches(standin) == 1
    assert box.state() == ("on", "")


def test_the_same_mail_in_two_mailboxes_is_stored_and_counted_once(team: Team) -> None:
    one, other = team.mailbox("all"), team.mailbox("all")
    raw = letter("to both")
    one.deliver(raw)
    other.deliver(raw)

    one.rest()
    other.rest()

    with workspace_scope(team.workspace_id):
        assert row("SELECT count(*) FROM message") == (1,)
        assert row("SELECT count(*) FROM copy") == (2,)
        assert row("SELECT stored FROM usage_total") == (1,)


def test_a_plan_without_email_integration_pauses_and_deletes_nothing(team: Team) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    with workspace_scope(team.workspace_id):
        do_set_plan(workspace_id=team.workspace_id, plan="starter")

    box.deliver(letter("second"))
    clock.advance(301)
    box.rest()
    assert box.kept() == {first}

    with workspace_scope(team.workspace_id):
        do_set_plan(workspace_id=team.workspace_id, plan="professional")
    clock.advance(301)
    box.rest()
    assert len(box.kept()) == 2


def test_reading_and_archiving_mail_that_was_left_out_costs_no_fetch(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("contacts")
    team.contact("carla@nordlicht.example")
    private = box.deliver(letter("private", sender="mum@home.example"))
    box.rest()
    standin.clear_log()

    team.google.label(box.address, [private], remove=["UNREAD"])
    team.google.label(box.address, [private], add=["STARRED"], remove=["INBOX"])
    clock.advance(301)
    box.rest()

    assert [one for one in standin.operations() if one.startswith("gmail.messages")] == []
