"""Contacts: list, filter, record, create, change, delete and bring back."""

from datetime import timedelta
from typing import Any

import pytest

from flowcrm.lib import clock
from flowcrm.store.levels import Level
from flowcrm.store.queries.contacts import ContactRecord, access_contact, contact_page
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, keep, raw
from tests.people import Someone
from tests.web.conftest import Statements

pytestmark = pytest.mark.needs_postgres


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _contact(someone: Someone, contact_id: int) -> ContactRecord:
    with someone.scope():
        return access_contact(someone.workspace_id, contact_id)


def _id_from(answer: Any) -> int:
    return int(answer["Location"].rsplit("/", 1)[1])


def test_an_empty_list_says_what_to_do(member: Someone) -> None:
    page = _page(member.get("/contacts"))
    assert "No contacts yet" in page
    assert 'href="/contacts/new"' in page


def test_a_new_contact_has_all_that_was_typed(member: Someone) -> None:
    typed = {
        "name": "  Anna   Berg ",
        "addresses": ["Anna.Berg@Nordlicht.example", "", "anna@private.example"],
        "company": "Nordlicht Logistik",
        "title": "Head of Operations",
        "phone": "+49 381 555 01",
        "note": "Prefers short emails.\nMet in Hamburg.",
    }
    contact = _contact(member, _id_from(member.post("/contacts/new", typed)))
    assert contact.name == "Anna Berg"
    assert contact.addresses == ("anna.berg@nordlicht.example", "anna@private.example")
    assert (contact.company, contact.title, contact.phone) == ("Nordlicht Logistik", "Head of Operations", "+49 381 555 01")
    page = _page(member.get(f"/contacts/{contact.id}"))
    assert "Head of Operations" in page
    assert "Met in Hamburg." in page


def test_the_company_named_twice_is_one_company(member: Someone) -> None:
    first = _contact(member, _id_from(member.post("/contacts/new", {"name": "Anna", "company": "Nordlicht"})))
    second = _contact(member, _id_from(member.post("/contacts/new", {"name": "Tom", "company": " NORDLICHT "})))
    assert first.company_id == second.company_id


def test_a_contact_without_a_name_is_refused_and_keeps_what_was_typed(member: Someone) -> None:
    answer = member.post("/contacts/new", {"name": " ", "addresses": ["anna@nordlicht.example"], "title": "Buyer"})
    page = _page(answer)
    assert answer.status_code == 200
    assert "A contact needs a name" in page
    assert 'value="anna@nordlicht.example"' in page
    assert 'value="Buyer"' in page


def test_a_broken_address_is_named(member: Someone) -> None:
    page = _page(member.post("/contacts/new", {"name": "Anna", "addresses": ["anna@", "tom@nordlicht.example"]}))
    assert "anna@ is not an email address" in page


def test_an_address_of_another_contact_is_refused_with_a_link_to_it(member: Someone) -> None:
    tom = member.contact("Tom <b>Krüger</b>", "tom@nordlicht.example")
    page = _page(member.post("/contacts/new", {"name": "Anna", "addresses": ["TOM@nordlicht.example"]}))
    assert f'tom@nordlicht.example already belongs to <a href="/contacts/{tom}">Tom &lt;b&gt;Krüger&lt;/b&gt;</a>' in page
    with member.scope():
        assert len(contact_page(member.workspace_id).contacts) == 1


def test_an_address_is_free_in_another_account(member: Someone, stranger: Someone) -> None:
    stranger.contact("Tom", "tom@nordlicht.example")
    assert member.post("/contacts/new", {"name": "Tom", "addresses": ["tom@nordlicht.example"]}).status_code == 302


def test_a_field_is_checked_when_it_is_left(member: Someone) -> None:
    member.contact("Tom", "tom@nordlicht.example")
    assert "already belongs to" in member.check("/contacts/new", "addresses", {"addresses": ["tom@nordlicht.example"]})
    assert "needs a name" in member.check("/contacts/new", "name", {"name": ""})
    assert "needs a name" not in member.check("/contacts/new", "addresses", {"addresses": ["x@nordlicht.example"]})
    assert member.post("/contacts/new", {"check": "nonsense"}).status_code == 400


def test_changing_keeps_the_own_addresses_and_frees_the_removed_ones(member: Someone) -> None:
    anna = member.contact("Anna", "anna@nordlicht.example", "old@nordlicht.example")
    page = _page(member.get(f"/contacts/{anna}/edit"))
    assert 'value="old@nordlicht.example"' in page
    answer = member.post(
        f"/contacts/{anna}/edit", {"name": "Anna Berg", "addresses": ["new@nordlicht.example", "anna@nordlicht.example"]}
    )
    assert answer.status_code == 302
    assert _contact(member, anna).addresses == ("new@nordlicht.example", "anna@nordlicht.example")
    member.contact("Tom", "old@nordlicht.example")


def test_before_an_address_goes_it_is_said_what_becomes_of_its_emails(member: Someone, colleague: Someone) -> None:
    anna = member.contact("Anna", "anna@nordlicht.example", "old@nordlicht.example")
    mine, theirs = connect(member, "mara@acme.example"), connect(colleague, "ben@acme.example")
    keep(member.workspace_id, mine, raw(sender="old@nordlicht.example"), raw(sender="anna@nordlicht.example"))
    keep(member.workspace_id, theirs, raw(sender="old@nordlicht.example"))
    with member.scope():
        do_level(workspace_id=member.workspace_id, mailbox_id=theirs, level=Level.PEOPLE)
    edit = f"/contacts/{anna}/edit"
    said = member.check(edit, "addresses", {"addresses": ["Anna@nordlicht.example", "new@nordlicht.example"]})
    assert "old@nordlicht.example will be taken off." in said
    assert "Emails stay in FlowCRM, but no longer stand on this contact." in said
    assert "You have 1." in said
    assert "Colleagues hold 1 more." in said
    both = ["anna@nordlicht.example", "old@nordlicht.example"]
    assert "taken off" not in member.check(edit, "addresses", {"addresses": both})
    assert "taken off" not in member.check("/contacts/new", "addresses", {"addresses": ["x@nordlicht.example"]})


def test_a_deleted_contact_comes_back_whole(member: Someone) -> None:
    anna = member.contact("Anna Berg", "anna@nordlicht.example", "a@private.example", title="Buyer", note="Tall")
    before = _contact(member, anna)
    page = _page(member.client.post(f"/contacts/{anna}/delete", follow=True))
    assert "Anna Berg was deleted" in page
    assert 'action="/contacts/restore"' in page
    assert member.get(f"/contacts/{anna}").status_code == 404

    page = _page(member.client.post("/contacts/restore", follow=True))
    assert "Anna Berg is back." in page
    after = _contact(member, anna)
    assert (after.name, after.addresses, after.title, after.note) == (before.name, before.addresses, before.title, before.note)


def test_what_came_to_belong_to_another_contact_stays_there(member: Someone) -> None:
    anna = member.contact("Anna", "anna@nordlicht.example", "info@nordlicht.example")
    member.post(f"/contacts/{anna}/delete")
    member.contact("Tom", "info@nordlicht.example")
    page = _page(member.client.post("/contacts/restore", follow=True))
    assert "info@nordlicht.example now belongs to another contact" in page
    assert _contact(member, anna).addresses == ("anna@nordlicht.example",)


def test_undo_is_for_an_hour(member: Someone, moving_clock: None) -> None:
    anna = member.contact("Anna")
    member.post(f"/contacts/{anna}/delete")
    clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert "nothing left to bring back" in _page(member.client.post("/contacts/restore", follow=True))
    assert member.get(f"/contacts/{anna}").status_code == 404


def test_a_deleted_contact_does_not_lie_open_in_the_session(member: Someone) -> None:
    anna = member.contact("Anna Berg", "anna@nordlicht.example", note="Tall")
    member.post(f"/contacts/{anna}/delete")
    assert "anna@nordlicht.example" not in str(dict(member.client.session))
    assert "Tall" not in str(dict(member.client.session))


@pytest.mark.parametrize("typed", ["ber", "BER", "émi", "emi", "emile@nord"])
def test_the_filter_finds_beginnings_of_words_and_addresses(member: Someone, typed: str) -> None:
    member.contact("Émile Berger", "emile@nordlicht.example")
    member.contact("Tom Krüger", "tom@nordlicht.example")
    rows = _page(member.part("/contacts", data={"q": typed}))
    assert "Émile Berger" in rows
    assert "Tom Krüger" not in rows
    assert "<html" not in rows


@pytest.mark.parametrize("typed", ["erger", "%", "_", "\\", "'", "\x00", "nord"])
def test_the_filter_finds_nothing_within_words(member: Someone, typed: str) -> None:
    member.contact("Émile Berger", "emile@nordlicht.example")
    rows = _page(member.part("/contacts", data={"q": typed}))
    assert ("Émile Berger" in rows) == (typed == "\x00"), "only the empty filter shows everybody"


def test_pages_follow_each_other_without_gap_or_repetition(member: Someone) -> None:
    names = [f"Person {number:03}" for number in range(120)]
    for name in reversed(names):
        member.contact(name)
    seen, after = [], None
    with member.scope():
        while True:
            page = contact_page(member.workspace_id, after=after)
            seen += [contact.name for contact in page.contacts]
            if (after := page.after) is None:
                break
    assert seen == names
    first = _page(member.get("/contacts"))
    assert "Person 049" in first
    assert "Person 050" not in first
    assert "Show more" in first


@pytest.mark.parametrize("after", ["x", "1", "99999999999999999999:a", ":", "١:a"])
def test_a_made_up_place_shows_a_page_and_no_error(member: Someone, after: str) -> None:
    assert member.get("/contacts", data={"after": after}).status_code == 200


def test_a_longer_list_costs_no_more_statements(member: Someone, statements: Statements) -> None:
    counts = []
    for number in (2, 30):
        for extra in range(number):
            member.contact(f"Person {number} {extra}", f"p{number}.{extra}@nordlicht.example")
        with statements() as seen:
            member.get("/contacts")
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[1] <= 8, seen


def test_a_record_costs_few_statements(member: Someone, statements: Statements) -> None:
    anna = member.contact("Anna", *(f"anna{number}@nordlicht.example" for number in range(20)))
    with statements() as seen:
        member.get(f"/contacts/{anna}")
    assert len(seen) <= 8, seen
