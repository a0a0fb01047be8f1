"""Labels that count for threads, where it is hard: renamed, deleted, reconnected, listed anew, under a worker's hands."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flowcrm.connectors.gmail import changes
from flowcrm.lib import clock
from flowcrm.mailboxes import open as opening
from flowcrm.store.db import row, run, workspace_scope
from flowcrm.store.writes.marks import do_let_in
from flowcrm.sync import engine, listing
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Team, connect, letter
from tests.flow.threads import fetched, next_round, rename, thread

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def test_a_chosen_label_that_is_renamed_to_no_crm_takes_out_what_it_brought(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 2, [["INBOX", label]])
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == set(ids)
    rename(standin, box, label, "No CRM")
    assert box.kept() == set()


def test_a_label_that_was_let_in_and_is_called_no_crm_again_takes_out(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 2, [["INBOX", label]])
    box.choose("all")
    box.rest()
    rename(standin, box, label, "Private")
    with workspace_scope(team.workspace_id):
        assert do_let_in(workspace_id=team.workspace_id, mailbox_id=box.mailbox_id, folder_id=label)
    next_round(box)
    assert box.kept() == set(ids)
    rename(standin, box, label, "No-CRM")
    assert box.kept() == set()


def test_a_label_deleted_just_now_lets_nothing_in_when_its_mail_is_read(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 2, [["INBOX", "UNREAD", label]])
    box.choose("all")
    box.rest()
    assert box.kept() == set()
    standin.control("delete_label", account=box.address, label=label)
    standin.label(box.address, [ids[0]], remove=["UNREAD"])
    next_round(box)
    assert box.kept() == set()


def test_a_label_deleted_just_now_lets_nothing_in(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    thread(box, 2, [["INBOX", label]])
    box.choose("all")
    box.rest()
    standin.control("delete_label", account=box.address, label=label)
    next_round(box)
    clock.advance(1000)
    box.rest()
    assert box.kept() == set()


def test_a_labelled_mail_that_is_deleted_goes_on_keeping_its_thread_out(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 3, [["INBOX"], ["TRASH", label], ["INBOX"]])
    box.choose("all")
    box.rest()
    assert box.kept() == set()
    standin.delete(box.address, [ids[1]])
    next_round(box)
    assert box.kept() == set()


def test_an_earlier_start_brings_the_later_mails_of_a_chosen_thread(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 3, [["INBOX", label], ["INBOX"], ["SENT"]])
    box.choose("labels", labels=[label], since=OLD + timedelta(days=10))
    box.rest()
    assert box.kept() == set()
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == set(ids)


def test_settings_saved_again_lose_no_mail_of_a_chosen_thread(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 3, [["INBOX", label], ["INBOX"], ["SENT"]])
    box.choose("labels", labels=[label])
    real = engine.look_at_threads

    def then_end(*args: Any) -> None:  # the slice is spent right after the look
        real(*args)
        monkeypatch.setattr(engine, "SLICE_MAILS", 0)

    monkeypatch.setattr(engine, "look_at_threads", then_end)
    box.slice()
    monkeypatch.setattr(engine, "look_at_threads", real)
    monkeypatch.setattr(engine, "SLICE_MAILS", 500)
    assert set(box.work()) == set(ids)  # the look has named all three, and none is fetched yet
    box.choose("labels", labels=[label])  # saved once more
    box.rest()
    assert box.kept() == set(ids)


def test_away_from_labels_and_back_brings_what_came_meanwhile(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 1, [["INBOX", label]])
    box.choose("labels", labels=[label])
    box.rest()
    box.choose("contacts")
    box.rest()
    ids += thread(box, 2, first=1)
    next_round(box)
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == set(ids)


def test_a_label_renamed_while_labels_are_listed_is_listed_in_trash_too(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label becomes No-CRM while a label listing is under way: its own listing must look into trash, too."""
    box = team.mailbox("")
    standin.create_label(box.address, "No-CRM")
    second = standin.create_label(box.address, "Private")
    thread(box, 2, [["INBOX"], ["TRASH", second]])
    box.choose("all")
    real = listing.refresh_folders

    def rename(*args: Any) -> None:
        standin.control("rename_label", account=box.address, label=second, name="No CRM")
        real(*args)

    monkeypatch.setattr(listing, "refresh_folders", rename)
    box.rest()
    clock.advance(1000)
    box.rest()
    assert box.kept() == set()


def test_a_reply_in_a_gap_of_the_history_comes_in(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 1, [["INBOX", label]])
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == set(ids)
    ids += thread(box, 2, first=1)
    standin.control("expire_history", account=box.address)
    next_round(box)
    box.rest()
    assert box.kept() == set(ids)


def test_a_label_let_in_and_chosen_later_brings_replies(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 1, [["INBOX", label]])
    box.choose("all")
    box.rest()
    rename(standin, box, label, "Clients")
    with workspace_scope(team.workspace_id):
        assert do_let_in(workspace_id=team.workspace_id, mailbox_id=box.mailbox_id, folder_id=label)
    next_round(box)
    assert box.kept() == set(ids)
    box.choose("labels", labels=[label])
    box.rest()
    ids += thread(box, 2, first=1)
    next_round(box)
    assert box.kept() == set(ids)


def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    real = opening.gmail_settings
    monkeypatch.setattr(opening, "gmail_settings", lambda: replace(real(), list_page=1))


@pytest.mark.parametrize("name", ["No-CRM", "Plain"])
def test_pages_that_are_lost_again_and_again_are_left_alone(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No-CRM: pages of a label's listing are lost. Plain, for comparison: pages of the main listing are."""
    box = team.mailbox("")
    label = standin.create_label(box.address, name)
    thread(box, 2, [["INBOX", label], ["INBOX", label]])
    box.choose("all")
    _small_pages(monkeypatch)
    monkeypatch.setattr(engine, "SLICE_TIME", timedelta(seconds=4))
    real = changes._list
    asked: list[Any] = []

    def lossy(api: Any, place: Any, number: int, scope: Any) -> Any:
        asked.append(place)
        lost = place.page and (name == "Plain" or scope.folder_ids)
        return changes._again(place) if lost else real(api, place, number, scope)

    monkeypatch.setattr(changes, "_list", lossy)
    box.slice()
    assert len(asked) < 20


def test_what_a_colleague_still_has_is_dated_by_his_copy(team: Team, standin: GoogleStandin) -> None:
    anna, ben = team.mailbox(""), team.mailbox("")
    label = standin.create_label(anna.address, "No-CRM")
    mid = "<two@nordlicht.example>"
    mine = anna.deliver(letter("shared", message_id=mid), at=OLD - timedelta(days=3))
    ben.deliver(letter("shared", message_id=mid), at=OLD)
    for box in (anna, ben):
        box.choose("all")
        box.rest()
    standin.label(anna.address, [mine], add=[label])
    next_round(anna)
    with workspace_scope(team.workspace_id):
        assert row("SELECT count(*) FROM message") == (1,)
        assert row("SELECT at FROM message") == (OLD,)
        assert row("SELECT at FROM search_row") == (OLD,)


def test_a_label_that_reconnecting_has_found_counts_in_the_slice_under_way(
    team: Team, standin: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody connects the mailbox again while a slice reads: the new No-CRM label is unknown to the slice, which goes on."""
    box = team.mailbox("all")
    box.rest()
    label = standin.create_label(box.address, "No-CRM")
    real = engine.next_scope
    done: list[str] = []

    def reconnect(*args: Any) -> Any:
        if not done:
            connect(team, box.member_id, box.address, box.mailbox_id)
        found = real(*args)
        done.append(found.name if found else "")
        if done == [f"label:{label}", f"label:{label}", "main"]:
            box.deliver(letter("private"), ["INBOX", label])
        return found

    clock.advance(301)
    monkeypatch.setattr(engine, "next_scope", reconnect)
    box.rest()
    clock.advance(1000)
    box.rest()
    clock.advance(1000)
    box.rest()
    assert box.kept() == set()


def test_the_thread_of_the_fetched_mail_decides(team: Team, standin: GoogleStandin) -> None:
    """The work row knows another thread (or none): the mail's own is asked for its marks."""
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    thread(box, 1, [["INBOX", label]])
    box.choose("all")
    box.rest()
    [reply] = thread(box, 2, first=1)
    with workspace_scope(team.workspace_id):
        run(
            """INSERT INTO work (workspace_id, id, mailbox_id, provider_id, thread_id, lane, sort, due_at)
               VALUES (%s, nextval('flow_id'), %s, %s, NULL, 0, 0, %s)""",
            [team.workspace_id, box.mailbox_id, reply, clock.now()],
        )
    next_round(box)
    assert box.kept() == set()


def test_a_label_that_is_made_and_used_at_once_is_known_in_time(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    label = standin.create_label(box.address, "No-CRM")
    one = box.deliver(letter("private"), ["INBOX", label])
    next_round(box)
    assert one not in fetched(standin, box)
