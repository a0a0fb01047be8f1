"""Why is this email (not) here: what it says is what sync did, and its page says it in words."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from django.test import Client, override_settings

from flowcrm.lib import clock
from flowcrm.mail.exclusion import read_entry
from flowcrm.mail.types import Search
from flowcrm.mailboxes.open import open_connector
from flowcrm.mailboxes.snapshot import read_snapshot
from flowcrm.pages.integrations.why import as_id, as_search
from flowcrm.rules.decide import Verdict
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.vaults import vault
from flowcrm.store.writes.bin import BinReason, do_bin
from flowcrm.store.writes.exclusions import do_exclude
from flowcrm.sync.explain import MOST, Explained, Place, explain
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Box, Team, letter
from tests.people import make_someone

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock", "pages")]


@pytest.fixture
def pages() -> Iterator[None]:
    """As tests/web sets the product up."""
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


def _explain(box: Box, some_id: str) -> Explained:
    snapshot = read_snapshot(box.team.workspace_id, box.mailbox_id)
    assert snapshot is not None
    with closing(open_connector(snapshot)) as connector:
        return next(one for one in explain(snapshot, connector, some_id=some_id) if one.provider_id == some_id)


def _browser(box: Box) -> Client:
    with workspace_scope(box.team.workspace_id):
        [(person_id,)] = rows("SELECT person_id FROM member WHERE id = %s", [box.member_id])
    client = Client()
    client.force_login(Person.objects.get(id=person_id), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _page(box: Box, asked: str) -> str:
    answer = _browser(box).get(f"/settings/integrations/{box.mailbox_id}/why", {"q": asked})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def _all_kinds(box: Box, standin: GoogleStandin, crm: str) -> list[str]:
    """A mailbox with something for each rule, all of it at the provider before anybody looks."""
    no_crm = standin.create_label(box.address, "No-CRM")
    day = timedelta(days=1)
    return [
        box.deliver(letter("plain")),
        box.deliver(letter("of a contact", sender="carla@nordlicht.example")),
        box.deliver(letter("spam"), labels=["SPAM"]),
        box.deliver(letter("draft"), labels=["DRAFT"]),
        box.deliver(letter("ancient", at=OLD - 900 * day), at=OLD - 900 * day),
        box.deliver(letter("labelled", message_id="<l@x>"), labels=["INBOX", crm]),
        box.deliver(letter("Re: labelled", answers="<l@x>", at=OLD + day), at=OLD + day),
        box.deliver(letter("private", message_id="<p@x>"), labels=["INBOX", no_crm]),
        box.deliver(letter("Re: private", answers="<p@x>", at=OLD + day), at=OLD + day),
        box.deliver(letter("both", message_id="<b@x>"), labels=["INBOX", crm, no_crm]),
    ]


@pytest.mark.parametrize("selection", ["all", "contacts", "labels"])
@pytest.mark.parametrize("since", [None, OLD - timedelta(days=300)], ids=["ever", "since"])
def test_what_the_rules_are_said_to_say_is_what_sync_did(
    team: Team, standin: GoogleStandin, selection: str, since: object
) -> None:
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    crm = standin.create_label(box.address, "CRM")
    mails = _all_kinds(box, standin, crm)
    box.choose(selection, labels=[crm] if selection == "labels" else [], since=since)  # type: ignore[arg-type]
    box.rest()

    kept = box.kept()
    assert kept
    for mail in mails:
        found = _explain(box, mail)
        assert (found.decision.verdict is Verdict.KEEP) is (mail in kept), (mail, found)
        assert found.place is (Place.HERE if mail in kept else Place.NOWHERE)
        assert dict(found.decision.trace)[found.decision.rule if found.decision.rule != "kept" else "limit"]


def test_it_names_the_entry_of_the_list_that_keeps_it_out(team: Team) -> None:
    box = team.mailbox("all")
    for typed, member_id in (("shop.nordlicht.example", box.member_id), ("nordlicht.example", None)):
        entry = read_entry(typed)
        assert entry
        with workspace_scope(team.workspace_id):
            do_exclude(vault(team.workspace_id), member_id=member_id, entry=entry)
    mail, other = (
        box.deliver(letter("one", sender="a@shop.nordlicht.example")),
        box.deliver(letter("two", sender="a@x.example")),
    )
    box.rest()
    assert box.kept() == {other}
    assert _explain(box, mail).decision.rule == "exclusion_list"
    assert "On the list: shop.nordlicht.example (your own list), nordlicht.example (for everybody)." in _page(box, mail)
    assert "On the list" not in _page(box, other)


def test_a_label_that_was_made_a_moment_ago_counts(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    mail = box.deliver(letter("one"))
    box.rest()
    standin.label(box.address, [mail], add=[standin.create_label(box.address, "no crm")])
    assert _explain(box, mail).decision.rule == "excluded"


def test_nothing_of_it_is_stored_or_logged(team: Team, standin: GoogleStandin, caplog: pytest.LogCaptureFixture) -> None:
    box = team.mailbox("contacts")
    box.rest()
    box.deliver(letter("very secret subject"))
    with workspace_scope(team.workspace_id):
        before = [rows(f"SELECT count(*) FROM {table}") for table in ("copy", "work", "folder", "mark", "search_row")]
    page = _page(box, "very secret subject")
    assert "very secret subject" in page
    with workspace_scope(team.workspace_id):
        after = [rows(f"SELECT count(*) FROM {table}") for table in ("copy", "work", "folder", "mark", "search_row")]
    assert before == after
    assert "very secret" not in caplog.text


def test_the_page_tells_rule_by_rule_and_what_would_change_it(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("contacts")
    mail = box.deliver(letter("Budget for March", message_id="<budget@nordlicht.example>"))
    box.rest()
    for asked in ("budget for march", "<budget@nordlicht.example>", f"https://mail.google.com/mail/u/0/#inbox/{mail}"):
        page = _page(box, asked)
        assert "It is not here." in page, asked
        assert "By the rules it stays out." in page
        assert "Add one of its people as a contact" in page
        assert "(this decided)" in page
    standin.label(box.address, [mail], add=[standin.create_label(box.address, "No-CRM")])
    assert "Take No-CRM off" in _page(box, "budget for march")
    assert "There is no such email" in _page(box, "something else")


def test_it_says_where_an_email_is(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("all")
    mail = box.deliver(letter("Budget"))
    box.rest()
    assert "It is here." in _page(box, mail)
    assert "Open its thread" in _page(box, mail)
    with workspace_scope(team.workspace_id):
        copies = [one for (one,) in rows("SELECT id FROM copy")]
        do_bin(workspace_id=team.workspace_id, mailbox_id=box.mailbox_id, copy_ids=copies, reason=BinReason.DELETED)
    assert "It is in the bin." in _page(box, mail)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "status", "status": 503}, "Gmail cannot be reached right now"),
        ({"kind": "status", "status": 429}, "Gmail lets us ask no more just now"),
    ],
)
def test_trouble_is_said_and_loses_nothing(team: Team, standin: GoogleStandin, fault: dict[str, object], said: str) -> None:
    box = team.mailbox("all")
    box.rest()
    standin.fault("gmail.messages.list", **fault)  # type: ignore[arg-type]
    assert said in _page(box, "anything")


def test_a_mailbox_that_is_not_connected_says_so(team: Team) -> None:
    box = team.mailbox("all")
    with workspace_scope(team.workspace_id):
        rows("UPDATE mailbox SET state = 'disconnected' RETURNING 1")
    assert "is not connected right now" in _page(box, "anything")


def test_nobody_asks_about_another_s_mailbox(team: Team) -> None:
    box = team.mailbox("all")
    path = f"/settings/integrations/{box.mailbox_id}/why?q=x"
    colleague = make_someone(team.workspace_id, role="admin")
    assert colleague.get(path).status_code == 404
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize(
    ("asked", "some_id", "search"),
    [
        ("Budget", "", Search(subject="Budget")),
        ("<a@b.example>", "", Search(message_id="a@b.example")),
        ("18c2f3a4b5d6e7f8", "18c2f3a4b5d6e7f8", None),
        ("https://mail.google.com/mail/u/0/#inbox/18c2f3a4b5d6e7f8", "18c2f3a4b5d6e7f8", None),
        ("facade", "", Search(subject="facade")),
        ("write to a@b.example", "", Search(subject="write to a@b.example")),
    ],
)
def test_what_was_typed_is_told_apart(asked: str, some_id: str, search: Search | None) -> None:
    assert (as_id(asked), as_search(asked)) == (some_id, search)


def test_time_stands_still_for_the_rules(team: Team) -> None:
    """Asked again later, the same mail has the same reasons."""
    box = team.mailbox("all", since=OLD + timedelta(days=1))
    mail = box.deliver(letter("old"))
    box.rest()
    first = _explain(box, mail)
    clock.advance(3600)
    assert _explain(box, mail) == first
    assert first.decision.rule == "before_since"


def test_what_the_labels_of_a_thread_say_is_never_guessed(team: Team, standin: GoogleStandin) -> None:
    """A No-CRM label on another mail of the thread: while Gmail does not tell, there is no answer instead of a wrong one."""
    box = team.mailbox("all")
    no_crm = standin.create_label(box.address, "No-CRM")
    box.deliver(letter("private", message_id="<p@x>"), labels=["INBOX", no_crm])
    reply = box.deliver(letter("Re: private", answers="<p@x>"))
    box.rest()
    assert "out for good" not in _page(box, "Re: private")
    assert _explain(box, reply).decision.rule == "excluded"
    standin.fault("gmail.threads.get", kind="status", status=503)
    page = _page(box, "Re: private")
    assert "Gmail cannot be reached right now" in page
    assert "It is not here." not in page


def test_the_email_that_was_asked_for_comes_first_in_a_long_thread(team: Team) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("long", message_id="<0@x>"))
    for number in range(1, MOST + 3):
        later = OLD + timedelta(hours=number)
        box.deliver(letter("Re: long", message_id=f"<{number}@x>", answers="<0@x>", at=later), at=later)
    snapshot = read_snapshot(team.workspace_id, box.mailbox_id)
    assert snapshot is not None
    with closing(open_connector(snapshot)) as connector:
        found = explain(snapshot, connector, some_id=first)
    assert len(found) == MOST
    assert found[0].provider_id == first
    assert [one.at for one in found[1:]] == sorted((one.at for one in found[1:]), reverse=True)
