"""People you have written to: found in headers alone, counted once, seen by the mailbox's owner, made contacts by ticks."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from flowcrm.jobs.upkeep import forget_old_things
from flowcrm.lib import clock
from flowcrm.store.access import Actor
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Person as SignIn
from flowcrm.store.queries.people import read_progress
from flowcrm.store.reveal import Person, reveal_people
from flowcrm.store.writes import people as people_writes
from flowcrm.store.writes.lease import take
from flowcrm.store.writes.people import do_begin_scan
from flowcrm.sync.written import run_scan
from standins.google.client import Delivery, GoogleStandin
from tests.flow.acme import Box, Team, letter
from tests.people import make_someone, make_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock", "pages")]

DAY = timedelta(days=1)


@pytest.fixture
def pages() -> Iterator[None]:
    """As tests/web sets the product up."""
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.fixture
def box(team: Team) -> Box:
    """A mailbox that is on, with nothing to read."""
    found = team.mailbox("contacts")
    found.rest()
    return found


def send(box: Box, *to: str, days: float = 1, cc: str = "", labels: tuple[str, ...] = ("SENT",), **more: Any) -> str:
    """Something that the mailbox's owner sent, so many days ago."""
    at = clock.now() - days * DAY
    return box.deliver(letter("secret", sender=box.address, to=", ".join(to), cc=cc, at=at, **more), labels=labels, at=at)


def begin(box: Box) -> None:
    with workspace_scope(box.team.workspace_id):
        do_begin_scan(workspace_id=box.team.workspace_id, mailbox_id=box.mailbox_id)


def go_on(box: Box) -> str:
    """One slice; the state afterwards."""
    lease = take(box.team.workspace_id, box.mailbox_id, "people", "test")
    assert lease is not None
    run_scan(lease)
    with workspace_scope(box.team.workspace_id):
        found = row("SELECT state FROM people_scan WHERE mailbox_id = %s", [box.mailbox_id])
    return found[0] if found else ""


def scan(box: Box) -> dict[str, tuple[str, int]]:
    """A whole scan: address -> name, how often."""
    begin(box)
    assert go_on(box) == "ready"
    return {one.email: (one.name, one.written) for one in found(box)}


def found(box: Box) -> tuple[Person, ...]:
    with workspace_scope(box.team.workspace_id):
        return reveal_people(Actor(box.team.workspace_id, box.member_id, (box.mailbox_id,)), box.mailbox_id)


def browser(box: Box) -> Client:
    with workspace_scope(box.team.workspace_id):
        [(person_id,)] = rows("SELECT person_id FROM member WHERE id = %s", [box.member_id])
    client = Client()
    client.force_login(SignIn.objects.get(id=person_id), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(box: Box, part: str = "") -> str:
    return f"/settings/integrations/{box.mailbox_id}/people{part}"


def contacts(box: Box) -> dict[str, str]:
    with workspace_scope(box.team.workspace_id):
        return dict(rows("SELECT a.address, c.name FROM contact c JOIN contact_address a ON a.contact_id = c.id"))


def test_people_are_counted_by_what_was_sent_to_them(box: Box) -> None:
    for days in (1, 2, 3):
        send(box, "Carla Stein <carla@nordlicht.example>", cc="tom@nordlicht.example" if days == 1 else "", days=days)
    send(box, "carla <CARLA@nordlicht.example>", days=4)
    send(box, "eva@nordlicht.example", days=89)
    send(box, "old@nordlicht.example", days=92)
    box.deliver(letter("never answered", sender="dora@nordlicht.example"), at=clock.now() - DAY)

    assert scan(box) == {
        "carla@nordlicht.example": ("Carla Stein", 4),
        "tom@nordlicht.example": ("", 1),
        "eva@nordlicht.example": ("", 1),
    }
    carla = found(box)[0]
    assert carla.email == "carla@nordlicht.example"
    assert abs(carla.last_at - (clock.now() - DAY)) < timedelta(hours=1)


def test_lists_desks_colleagues_contacts_and_oneself_are_left_out(team: Team, box: Box) -> None:
    colleague = team.mailbox("")
    team.contact("known@nordlicht.example")
    send(box, "carla@nordlicht.example", "info@nordlicht.example", "no-reply@x.example", "crew@lists.x.example")
    send(box, box.address, colleague.address, "known@nordlicht.example")
    assert set(scan(box)) == {"carla@nordlicht.example"}


def test_what_bears_no_crm_or_was_removed_names_nobody(standin: GoogleStandin, box: Box) -> None:
    label = standin.create_label(box.address, "No-CRM")
    send(box, "doctor@praxis.example", labels=("SENT", label))
    first = send(box, "mum@home.example", message_id="<1@x.example>")
    box.deliver(letter("Re: secret", sender="mum@home.example", answers="<1@x.example>"), labels=["INBOX", label])
    send(box, "thrown@away.example", labels=("SENT", "TRASH"))
    send(box, "carla@nordlicht.example")
    clock.advance(1000)
    box.rest()
    assert first
    assert set(scan(box)) == {"carla@nordlicht.example"}


def test_headers_are_asked_for_and_nothing_else(standin: GoogleStandin, box: Box) -> None:
    for n in range(30):
        send(box, f"person{n}@nordlicht.example", text="the text of it")
    standin.clear_log()
    assert len(scan(box)) == 30

    # The history, once: the listing has come to its end, and says so there.
    ids = {"gmail.getProfile", "gmail.messages.list", "gmail.history.list"}
    assert set(standin.operations()) - ids == {"gmail.messages.get:metadata"}
    reads = [line for line in standin.log() if line.operation == "gmail.messages.get"]
    assert len(reads) == 30


def test_nothing_of_it_lies_in_the_database_but_sealed(box: Box) -> None:
    send(box, "Carla Stein <carla@nordlicht.example>")
    begin(box)
    assert go_on(box) == "ready"
    with workspace_scope(box.team.workspace_id):
        stored = "".join(repr(rows(f"SELECT * FROM {table}")) for table in ("people_found", "people_mail", "people_scan"))
    assert box.address not in stored
    for secret in ("carla", "Stein", "nordlicht", "secret"):
        assert secret not in stored


def test_a_scan_that_is_killed_goes_on_and_counts_nobody_twice(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(60):
        send(box, f"person{n % 7}@nordlicht.example")
    begin(box)

    def killed(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    for step in ("_do_count", "do_tell"):
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(people_writes, step, killed)
            go_on(box)
    assert go_on(box) == "ready"
    assert sum(one.written for one in found(box)) == 60
    assert len(found(box)) == 7


def test_an_outage_and_a_refusal_cost_time_only(standin: GoogleStandin, box: Box) -> None:
    for n in range(60):
        send(box, f"person{n}@nordlicht.example")
    standin.fault("gmail.messages.get", "status", status=429, skip=20, count=1)
    standin.fault("gmail.messages.get", "status", status=503, skip=33, count=4)
    begin(box)
    for _ in range(30):
        if go_on(box) == "ready":
            break
        clock.advance(60)
    assert len(found(box)) == 60
    assert {one.written for one in found(box)} == {1}


def test_a_mailbox_that_nobody_lets_be_read_stops_and_goes_on_when_asked(box: Box) -> None:
    send(box, "carla@nordlicht.example")
    client = browser(box)
    client.post(address(box))
    box.set(state="paused")
    assert go_on(box) == "stopped"
    assert "The mailbox is paused" in client.get(address(box)).content.decode()
    box.set(state="on")
    client.post(address(box), {"again": "1"})
    assert go_on(box) == "ready"


def test_from_the_question_to_contacts_with_their_past_and_back(box: Box) -> None:
    past = box.deliver(letter("from her", sender="carla@nordlicht.example"), at=clock.now() - DAY)
    mine = {send(box, "Carla Stein <carla@nordlicht.example>", days=days) for days in (1, 2)}
    send(box, "tom.ekdal@nordlicht.example", "eva@nordlicht.example")
    client = browser(box)
    page = client.get(address(box)).content.decode()
    assert "no text is opened" in page

    answer = client.post(address(box))
    assert answer["Location"] == address(box)
    assert "Looking for what you sent" in client.get(address(box)).content.decode()
    assert go_on(box) == "ready"
    page = client.get(address(box)).content.decode()
    assert page.count("data-tick ") + page.count("data-tick>") == 3
    assert page.count("data-tick checked>") == 1
    ids = {one.email: one.id for one in found(box)}

    answer = client.post(
        address(box, "/decide"), {"person": [ids["carla@nordlicht.example"], ids["tom.ekdal@nordlicht.example"]]}, follow=True
    )
    assert "2 contacts were made" in answer.content.decode()
    assert contacts(box) == {"carla@nordlicht.example": "Carla Stein", "tom.ekdal@nordlicht.example": "Tom Ekdal"}
    with workspace_scope(box.team.workspace_id):
        assert read_progress(box.team.workspace_id, box.mailbox_id) is None
        assert rows("SELECT 1 FROM people_found") == []
    box.rest()
    assert box.kept() >= {past, *mine}

    with workspace_scope(box.team.workspace_id):
        [(tom,)] = rows("SELECT contact_id FROM contact_address WHERE address LIKE 'tom%%'")
    clock.advance(5)
    client.post(f"/contacts/{tom}/edit", {"name": "Tom", "addresses": ["tom.ekdal@nordlicht.example"]})
    page = client.post("/contacts/restore", follow=True).content.decode()
    assert "1 contact was taken back" in page
    assert "1 was changed meanwhile" in page
    assert contacts(box) == {"tom.ekdal@nordlicht.example": "Tom"}


def test_a_contact_made_by_ticks_is_of_the_company_with_its_domain(box: Box) -> None:
    client = browser(box)
    client.post("/companies/new", {"name": "Nordlicht", "domains": ["nordlicht.example"]})
    send(box, "carla@nordlicht.example")
    scan(box)
    client.post(address(box, "/decide"), {"person": [one.id for one in found(box)]})
    with workspace_scope(box.team.workspace_id):
        assert rows("SELECT o.name FROM contact c JOIN company o ON o.id = c.company_id") == [("Nordlicht",)]


def test_skipping_forgets_it_all_and_so_do_thirty_days(box: Box) -> None:
    send(box, "carla@nordlicht.example")
    for _ in range(2):
        scan(box)
        browser(box).post(address(box, "/decide"), {"skip": "1"})
        with workspace_scope(box.team.workspace_id):
            assert rows("SELECT 1 FROM people_scan UNION ALL SELECT 1 FROM people_found") == []
    scan(box)
    clock.advance(29 * 24 * 3600)
    forget_old_things()
    assert len(found(box)) == 1
    clock.advance(2 * 24 * 3600)
    forget_old_things()
    assert found(box) == ()
    assert contacts(box) == {}


def test_only_the_owner_of_the_mailbox_sees_it(box: Box) -> None:
    send(box, "carla@nordlicht.example")
    scan(box)
    admin = make_someone(box.team.workspace_id, role="admin")
    stranger = make_someone(make_workspace("Elsewhere"), role="admin")
    for someone in (admin, stranger):
        assert someone.get(address(box)).status_code == 404
        assert someone.post(address(box)).status_code == 404
        assert someone.post(address(box, "/decide"), {"person": [one.id for one in found(box)]}).status_code == 404
    with workspace_scope(box.team.workspace_id), pytest.raises(NotFound):
        reveal_people(Actor(box.team.workspace_id, admin.member_id, ()), box.mailbox_id)
    assert len(found(box)) == 1


def test_ids_of_another_mailbox_make_no_contacts(team: Team, box: Box) -> None:
    other = team.mailbox("contacts")
    other.rest()
    send(box, "carla@nordlicht.example")
    scan(box)
    scan(other)
    browser(other).post(address(other, "/decide"), {"person": [one.id for one in found(box)]})
    assert contacts(box) == {}


def test_a_new_page_is_asked_for_only_where_none_is_ticked_yet(box: Box) -> None:
    send(box, "carla@nordlicht.example")
    client = browser(box)
    client.post(address(box))
    part = {"HX-Request": "true"}
    assert client.get(f"{address(box)}?shown=0", headers=part).headers.get("HX-Refresh") is None
    assert go_on(box) == "ready"
    assert client.get(f"{address(box)}?shown=0", headers=part)["HX-Refresh"] == "true"
    ticking = client.get(f"{address(box)}?shown=1", headers=part)
    assert ticking.headers.get("HX-Refresh") is None


@pytest.mark.slow
def test_ten_thousand_sent_mails_are_looked_through(standin: GoogleStandin, box: Box) -> None:
    at = clock.now() - DAY
    raw = [letter("x", sender=box.address, to=f"Person {n} <person{n}@nordlicht.example>", at=at) for n in range(400)]
    stamp = int(at.timestamp() * 1000)
    mails = [Delivery(raw[n % 400].replace(b"Message-ID: <", b"Message-ID: <%d." % n), ("SENT",), stamp) for n in range(10_000)]
    standin.deliver_many(box.address, mails)
    begin(box)
    for _ in range(100):
        if go_on(box) == "ready":
            break
    assert {one.written for one in found(box)} == {25}
    assert len(found(box)) == 400
