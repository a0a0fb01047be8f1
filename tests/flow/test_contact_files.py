"""Contacts from a file: their past comes in as with contacts made by hand, asked for many addresses at a time."""

import pytest

from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.uploads import ReadPerson
from flowcrm.store.vaults import vault
from flowcrm.store.writes.uploads import Made, do_import_contacts, do_unmake_import
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


@pytest.fixture
def box(team: Team) -> Box:
    """A mailbox that keeps contacts' mail only, at rest."""
    found = team.mailbox("contacts")
    team.contact("known@nordlicht.example")
    found.rest()
    return found


def _import(box: Box, *emails: str) -> Made:
    people = [ReadPerson(email, (email,)) for email in emails]
    with workspace_scope(box.team.workspace_id):
        return do_import_contacts(vault(box.team.workspace_id), people=people)[0]


def test_the_past_of_imported_contacts_comes_in(box: Box, standin: GoogleStandin) -> None:
    wanted = {box.deliver(letter(who, sender=f"{who}@nordlicht.example")) for who in ("p0", "p7", "p99")}
    box.deliver(letter("private", sender="mum@home.example"))
    box.rest()
    assert box.kept() == set()
    standin.clear_log()
    _import(box, *(f"p{number}@nordlicht.example" for number in range(100)))
    box.rest()
    assert box.kept() == wanted
    assert len([one for one in standin.operations() if one == "gmail.messages.list"]) <= 20


def test_one_imported_contact_is_like_one_made_by_hand(box: Box) -> None:
    wanted = box.deliver(letter("only", sender="p0@nordlicht.example"))
    box.rest()
    _import(box, "p0@nordlicht.example")
    box.rest()
    assert box.kept() == {wanted}


def test_an_import_that_is_taken_back_before_it_was_read_brings_nothing(box: Box) -> None:
    box.deliver(letter("p0", sender="p0@nordlicht.example"))
    box.rest()
    made = _import(box, "p0@nordlicht.example", "p1@nordlicht.example")
    with workspace_scope(box.team.workspace_id):
        do_unmake_import(workspace_id=box.team.workspace_id, made=made)
    box.rest()
    assert box.kept() == set()
