"""Labels count for the whole thread in a mailbox: No-CRM keeps it out, a chosen label brings what comes later (K11, K31)."""

from datetime import timedelta

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import row, rows, workspace_scope
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Team, letter
from tests.flow.threads import fetched, next_round, rename, thread

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


@pytest.mark.parametrize("name", ["No-CRM", "no crm", "NO_CRM", "nocrm", "Clients/No-CRM", "No-CRM/Legal"])
def test_a_thread_under_no_crm_is_never_fetched(team: Team, standin: GoogleStandin, name: str) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, name)
    out = thread(box, 3, [["INBOX"], ["INBOX", label]])
    other = box.deliver(letter("other"))
    box.choose("all")
    box.rest()
    assert box.kept() == {other}
    assert not fetched(standin, box) & set(out)


def test_a_reply_to_a_thread_under_no_crm_stays_out_unfetched(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    out = thread(box, 1, [["INBOX", label]])
    box.choose("all")
    box.rest()
    [reply] = thread(box, 2, first=1)
    next_round(box)
    assert box.kept() == set()
    assert not fetched(standin, box) & {*out, reply}


def test_no_crm_put_on_later_takes_the_whole_thread_out_and_nothing_is_left_of_it(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 3)
    other = box.deliver(letter("other"))
    box.choose("all")
    box.rest()
    assert box.kept() == {*ids, other}

    standin.label(box.address, [ids[1]], add=[label])
    next_round(box)
    assert box.kept() == {other}
    with workspace_scope(team.workspace_id):
        counts = {
            table: row(f"SELECT count(*) FROM {table}")
            for table in ("message", "variant", "blob", "copy", "search_row", "message_key")
        }
        people = row("SELECT count(DISTINCT copy_id) FROM participant")
        stored = row("SELECT stored FROM usage_total")
    assert counts == {**dict.fromkeys(counts, (1,)), "message_key": (2,)}
    assert (people, stored) == ((1,), (1,))


def test_no_crm_taken_off_again_brings_the_thread_back(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    box.rest()
    label = standin.create_label(box.address, "No-CRM")
    ids = thread(box, 3, [["INBOX", label]])
    clock.advance(1000)
    box.rest()
    assert box.kept() == set()
    standin.label(box.address, [ids[0]], remove=[label])
    next_round(box)
    assert box.kept() == set(ids)


def test_a_label_put_on_while_its_listing_is_read_is_noticed_on_the_mail_itself(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "No-CRM")
    thread(box, 3, [["INBOX"], ["INBOX", label]])
    # Gmail says for once that it does not know the label.
    standin.fault("gmail.messages.list", "status", status=404, reason="notFound", skip=1, count=1)
    box.choose("all")
    box.rest()
    assert box.kept() == set()


def test_what_a_colleague_has_stays_his(team: Team, standin: GoogleStandin) -> None:
    anna, ben = team.mailbox(""), team.mailbox("")
    label = standin.create_label(anna.address, "No-CRM")
    raw = letter("shared", to="anna@acme.example, ben@acme.example")
    mine, his = anna.deliver(raw), ben.deliver(raw)
    for box in (anna, ben):
        box.choose("all")
        box.rest()
    with workspace_scope(team.workspace_id):
        [[before]] = rows("SELECT cardinality(tok) FROM search_row")
    standin.label(anna.address, [mine], add=[label])
    next_round(anna)
    assert (anna.kept(), ben.kept()) == (set(), {his})
    with workspace_scope(team.workspace_id):
        [[after]] = rows("SELECT cardinality(tok) FROM search_row")
        assert row("SELECT stored FROM usage_total") == (1,)
    # Anna's mailbox and her two folders do not find it any more.
    assert after < before


def test_a_chosen_mail_brings_what_comes_later_and_what_was_sent(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    earlier, chosen, later, sent = thread(box, 4, [["INBOX"], ["INBOX", label], ["INBOX"], ["SENT"]])
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == {chosen, later, sent}
    assert earlier not in fetched(standin, box)

    [reply] = thread(box, 5, first=4)
    next_round(box)
    assert box.kept() == {chosen, later, sent, reply}


def test_what_was_sent_before_the_chosen_mail_comes_in_too(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    sent, chosen = thread(box, 2, [["SENT"], ["INBOX", label]])
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == {sent, chosen}


def test_a_mail_labelled_later_brings_its_thread(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    ids = thread(box, 3)
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == set()
    standin.label(box.address, [ids[1]], add=[label])
    next_round(box)
    assert box.kept() == set(ids[1:])


def test_no_crm_wins_over_a_chosen_label(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    crm, no_crm = standin.create_label(box.address, "CRM"), standin.create_label(box.address, "No-CRM")
    thread(box, 2, [["INBOX", crm], ["INBOX", no_crm]])
    box.choose("labels", labels=[crm])
    box.rest()
    assert box.kept() == set()


def test_a_label_that_is_called_no_crm_from_now_on_takes_out_what_bears_it(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "Private")
    ids = thread(box, 2, [["INBOX", label]])
    box.choose("all")
    box.rest()
    assert box.kept() == set(ids)
    rename(standin, box, label, "No CRM")
    assert box.kept() == set()


def test_a_no_crm_label_that_is_deleted_or_renamed_lets_nothing_in(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    first, second = standin.create_label(box.address, "No-CRM"), standin.create_label(box.address, "no crm")
    thread(box, 2, [["INBOX", first]])
    thread(box, 2, [["INBOX", second]], start=OLD + timedelta(days=5))
    box.choose("all")
    box.rest()
    standin.control("delete_label", account=box.address, label=first)
    rename(standin, box, second, "Private")
    # Listed anew, as after a change of settings.
    box.choose("all")
    box.rest()
    assert box.kept() == set()
