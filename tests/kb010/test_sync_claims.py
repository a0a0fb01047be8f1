"""What the article says of syncing: selection, permissions, revoked access, limits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flowcrm.lib import clock
from flowcrm.mailboxes.connect import OtherAddress
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.plans import MIB, PLANS
from flowcrm.store.writes.workspaces import do_set_plan
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Team, connect, letter
from tests.kb010.words import condition

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def test_K08_one_way_leaves_the_mailbox_byte_identical_after_a_day_of_syncs(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    for n in range(20):
        box.deliver(letter(f"mail {n}"))
    before = standin.snapshot(box.address)["digest"]

    box.choose("all")
    box.rest()
    for _ in range(24 * 12):
        clock.advance(300)
        box.rest()

    assert standin.snapshot(box.address)["digest"] == before
    writes = {line.method for line in standin.log() if line.path.startswith("/gmail/")} - {"GET"}
    assert writes == set()


def test_K10_all_emails_means_all_but_drafts_spam_and_trash(team: Team) -> None:
    box = team.mailbox("")
    kept = {box.deliver(letter(f"mail {n}")) for n in range(5)} | {box.deliver(letter("sent"), labels=["SENT"])}
    for label in ("DRAFT", "SPAM", "TRASH"):
        box.deliver(letter(label), labels=[label])

    box.choose("all")
    box.rest()

    assert box.kept() == kept
    assert box.work() == {}
    assert box.state() == ("on", "")


def test_K11_a_label_counts_for_the_thread_and_is_followed_by_id(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    first = box.deliver(letter("offer", message_id="<1@nordlicht.example>"), labels=["INBOX", label])
    box.deliver(letter("other"))
    box.choose("labels", labels=[label])
    box.rest()
    assert box.kept() == {first}

    day = timedelta(days=1)
    reply = box.deliver(letter("Re: offer", answers="<1@nordlicht.example>", at=OLD + day), at=OLD + day)
    mine = letter("Re: offer", sender=box.address, answers="<1@nordlicht.example>", at=OLD + 2 * day)
    sent = box.deliver(mine, labels=["SENT"], at=OLD + 2 * day)
    standin.control("rename_label", account=box.address, label=label, name="Customers")
    clock.advance(1000)
    box.rest()
    later = box.deliver(letter("by its new name"), labels=["INBOX", label])
    clock.advance(301)
    box.rest()
    assert box.kept() == {first, reply, sent, later}


def test_K11_a_label_that_is_deleted_at_the_provider_asks_to_choose_again(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    label = standin.create_label(box.address, "CRM")
    first = box.deliver(letter("offer"), labels=["INBOX", label])
    box.choose("labels", labels=[label])
    box.rest()
    assert condition(box).dot == "good"

    standin.control("delete_label", account=box.address, label=label)
    clock.advance(1000)
    box.rest()
    asked = condition(box)
    assert (str(asked.word), asked.button, asked.dot) == ("Label deleted", "choose", "wait")
    assert box.kept() == {first}

    box.choose("all")
    box.rest()
    assert condition(box).dot == "good"


def test_K31_the_label_no_crm_keeps_a_thread_out_before_and_after(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("private", message_id="<1@nordlicht.example>"))
    box.rest()
    assert box.kept() == {first}

    label = standin.create_label(box.address, "no_crm")
    standin.label(box.address, [first], add=[label])
    standin.clear_log()
    box.deliver(letter("Re: private", answers="<1@nordlicht.example>"))
    clock.advance(1000)
    box.rest()
    assert box.kept() == set()
    assert [one for one in standin.operations() if one.startswith("gmail.messages.get")] == []


def test_K12_contacts_only_looks_at_every_address_field(team: Team) -> None:
    box = team.mailbox("contacts")
    team.contact("carla@nordlicht.example")
    box.rest()
    kept = {
        box.deliver(letter("from")),
        box.deliver(letter("to", sender=box.address, to="carla@nordlicht.example"), labels=["SENT"]),
        box.deliver(letter("cc", sender="x@y.example", cc="Carla <CARLA@Nordlicht.example>")),
        box.deliver(letter("reply-to", sender="form@web.example", reply_to="carla@nordlicht.example")),
    }
    box.deliver(letter("a colleague of hers", sender="dora@nordlicht.example"))

    clock.advance(301)
    box.rest()

    assert box.kept() == kept


def test_K12_a_new_contact_brings_past_email(team: Team) -> None:
    box = team.mailbox("contacts")
    past = {box.deliver(letter(f"past {n}", sender="new@person.example")) for n in range(3)}
    box.deliver(letter("private", sender="mum@home.example"))
    box.rest()
    assert box.kept() == set()

    contact_id = team.contact("someone@else.example")
    team.add_address(contact_id, "someone@else.example", "new@person.example")
    box.rest()

    assert box.kept() == past


def test_K36_revoked_access_is_said_loses_nothing_and_catches_up_after_re_authorizing(
    team: Team, standin: GoogleStandin
) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    standin.revoke(box.address)
    second = box.deliver(letter("second"))

    clock.advance(3700)
    box.rest()
    assert condition(box).button == "reauthorize"
    assert box.kept() == {first}

    connect(team, box.member_id, box.address, box.mailbox_id)
    box.rest()
    assert box.kept() == {first, second}
    assert condition(box).dot == "good"


def test_K37_a_changed_password_asks_to_reconnect_and_another_address_is_refused_by_name(
    team: Team, standin: GoogleStandin
) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    standin.control("change_password", account=box.address)
    clock.advance(3700)
    box.rest()
    assert condition(box).button == "reauthorize"
    standin.create_account("other@acme.example")

    with pytest.raises(OtherAddress) as refused:
        connect(team, box.member_id, "other@acme.example", box.mailbox_id)
    assert refused.value.wanted == box.address

    standin.clear_log()
    connect(team, box.member_id, box.address, box.mailbox_id)
    box.rest()
    assert box.kept() == {first}
    # It goes on from its cursor: settings and mail stayed.
    assert "gmail.messages.list" not in standin.operations()


def test_K38_beyond_the_days_limit_it_pauses_loses_nothing_and_goes_on_by_itself(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], sync_per_day=10))
    box = team.mailbox("")
    ids = {box.deliver(letter(f"mail {n}")) for n in range(20)}
    box.choose("all")
    box.rest()
    said = condition(box)
    assert len(box.kept()) == 8
    assert str(said.word) == "Limit reached"

    for _ in range(4):
        clock.advance(24 * 3600)
        box.rest()

    assert box.kept() == ids
    assert condition(box).dot == "good"


def test_K46_professional_is_10000_a_day_counted_once_per_email_for_the_whole_account(team: Team) -> None:
    assert PLANS["professional"].sync_per_day == 10_000
    one, other = team.mailbox("all"), team.mailbox("all")
    raw = letter("to both")
    one.deliver(raw)
    other.deliver(raw)
    other.deliver(letter("spam"), labels=["SPAM"])

    one.rest()
    other.rest()
    clock.advance(301)
    one.rest()

    with workspace_scope(team.workspace_id):
        assert rows("SELECT used FROM usage_day") == [(1,)]


def test_K47_professional_stores_100000_emails_and_then_sync_waits(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PLANS["professional"].stored == 100_000
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], stored=3))
    box = team.mailbox("")
    for n in range(5):
        box.deliver(letter(f"mail {n}"))
    box.choose("all")

    box.rest()

    assert len(box.kept()) == 3
    assert str(condition(box).word) == "Storage full"
    with workspace_scope(team.workspace_id):
        assert row("SELECT stored FROM usage_total") == (3,)


def test_K48_an_attachment_over_50_mb_is_listed_and_left_while_the_email_is_kept(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PLANS["professional"].attachment_bytes == 50 * MIB
    monkeypatch.setitem(PLANS, "enterprise", replace(PLANS["enterprise"], attachment_bytes=1000))
    box = team.mailbox("")
    box.deliver(letter("two files", files={"small.bin": b"s" * 1000, "large.bin": b"l" * 1001}))
    box.choose("all")

    box.rest()

    with workspace_scope(team.workspace_id):
        assert rows("SELECT size, over_limit FROM attachment ORDER BY size") == [(1000, False), (1001, True)]
        assert rows("SELECT body_whole FROM copy") == [(False,)]
        assert rows("SELECT size < 3000 FROM blob") == [(True,)]


def test_K49_enterprise_has_no_limit_but_100_mb_an_attachment(team: Team) -> None:
    with workspace_scope(team.workspace_id):
        do_set_plan(workspace_id=team.workspace_id, plan="enterprise")
    box = team.mailbox("all")
    box.deliver(letter("mail"))
    box.rest()

    plan = PLANS["enterprise"]
    assert (plan.sync_per_day, plan.stored, plan.attachment_bytes) == (None, None, 100 * MIB)
    assert condition(box).dot == "good"
