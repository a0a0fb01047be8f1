"""Unknown people on the Emails page, and what a contact's changed addresses do to its tab."""

from typing import Any

import pytest

from flowcrm.store.levels import Level
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

MINE = "mara@acme.example"
MARK = "is no contact yet: add"


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def test_an_unknown_person_is_marked_and_added_from_the_list(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member, MINE), raw(sender="Anna Berg <anna@nordlicht.example>", to=MINE))
    assert f"anna@nordlicht.example {MARK}" in _page(member.get("/emails"))
    answer = member.post(f"/emails/message/{kept}/contact", {"address": "anna@nordlicht.example"})
    contact_id = int(answer["Location"].split("/")[2])
    assert "Anna Berg" in _page(member.get(f"/contacts/{contact_id}"))
    assert MARK not in _page(member.get("/emails"))
    assert 'class="row-link thread-text' in _page(member.get(f"/contacts/{contact_id}/emails"))


def test_of_what_was_sent_the_person_it_went_to_is_marked(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member, MINE), raw(sender=MINE, to="Tom <tom@nordlicht.example>"))
    assert f"tom@nordlicht.example {MARK}" in _page(member.get("/emails"))
    member.post(f"/emails/message/{kept}/contact", {"address": "tom@nordlicht.example"})
    assert MARK not in _page(member.get("/emails"))


@pytest.mark.parametrize("sender", ["info@nordlicht.example", "no-reply@nordlicht.example", "crew@lists.nordlicht.example"])
def test_machines_desks_and_lists_are_not_marked(member: Someone, sender: str) -> None:
    keep(member.workspace_id, connect(member, MINE), raw(sender=sender, to=f"{MINE}, tom@nordlicht.example"))
    assert MARK not in _page(member.get("/emails"))


def test_a_colleague_is_not_marked(member: Someone, colleague: Someone) -> None:
    connect(colleague, "ben@acme.example")
    keep(member.workspace_id, connect(member, MINE), raw(sender="ben@acme.example", to=MINE))
    assert MARK not in _page(member.get("/emails"))


@pytest.mark.parametrize("level", list(Level))
def test_whose_address_a_colleague_may_see_he_may_add(member: Someone, colleague: Someone, level: Level) -> None:
    mailbox_id = connect(member, MINE)
    mail = raw("Secret", sender=MINE, to="Tom <tom@nordlicht.example>", headers=[("Bcc", "eva@nordlicht.example")])
    (kept,) = keep(member.workspace_id, mailbox_id, mail)
    with member.scope():
        do_level(workspace_id=member.workspace_id, mailbox_id=mailbox_id, level=level)
    seen = level is not Level.ONLY_ME
    assert (f"tom@nordlicht.example {MARK}" in _page(colleague.get("/emails"))) is seen
    assert colleague.post(f"/emails/message/{kept}/contact", {"address": "eva@nordlicht.example"}).status_code == 404
    assert colleague.post(f"/emails/message/{kept}/contact", {"address": "other@nordlicht.example"}).status_code == 404
    answer = colleague.post(f"/emails/message/{kept}/contact", {"address": "tom@nordlicht.example"})
    assert answer.status_code == (302 if seen else 404)
    assert member.post(f"/emails/message/{kept}/contact", {"address": "eva@nordlicht.example"}).status_code == 302


def test_a_stranger_adds_nobody(member: Someone, stranger: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member, MINE), raw(sender="anna@nordlicht.example", to=MINE))
    assert stranger.post(f"/emails/message/{kept}/contact", {"address": "anna@nordlicht.example"}).status_code == 404


def test_mail_follows_the_addresses_of_a_contact(member: Someone) -> None:
    keep(member.workspace_id, connect(member, MINE), raw("From the old one", sender="old@nordlicht.example", to=MINE))
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    tab, edit = f"/contacts/{contact_id}/emails", f"/contacts/{contact_id}/edit"
    assert "From the old one" not in _page(member.get(tab))
    member.post(edit, {"name": "Anna Berg", "addresses": ["anna@nordlicht.example", "old@nordlicht.example"]})
    assert "From the old one" in _page(member.get(tab))
    member.post(edit, {"name": "Anna Berg", "addresses": ["anna@nordlicht.example"]})
    assert "From the old one" not in _page(member.get(tab))
    assert "From the old one" in _page(member.get("/emails"))


def test_a_contact_without_an_address_has_no_mail(member: Someone) -> None:
    keep(member.workspace_id, connect(member, MINE), raw("Hello you", sender="anna@nordlicht.example", to=MINE))
    contact_id = member.contact("Anna Berg")
    assert "Hello you" not in _page(member.get(f"/contacts/{contact_id}/emails"))
