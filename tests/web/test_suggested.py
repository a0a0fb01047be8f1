"""People whom a member has written to and who are no contacts: suggested on Contacts, added or passed over."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowcrm.mail.exclusion import ListedKind, ListEntry
from flowcrm.pages.contacts.suggested import MOST
from flowcrm.store.db import rows
from flowcrm.store.levels import Level
from flowcrm.store.vaults import vault
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.exclusions import do_exclude
from flowcrm.store.writes.people import Written, do_begin_scan, do_scan_read
from flowcrm.store.writes.private import do_level, do_mark_email
from tests.mail_helper import START, Mail, connect, keep, raw
from tests.people import Someone, make_someone, make_workspace
from tests.web.conftest import Statements

pytestmark = pytest.mark.needs_postgres

MINE = "mara@acme.example"
ANNA, TOM = "Anna Berg <anna@nordlicht.example>", "tom@nordlicht.example"


def _page(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def _sent(to: str, **more: Any) -> bytes:
    return raw(sender=MINE, to=to, **more)


def _suggested(someone: Someone) -> list[tuple[str, str]]:
    """(name, key) of everybody in the card."""
    page = _page(someone.get("/contacts"))
    names = re.findall(r'aria-label="Add ([^"]*)"', page)
    return list(zip(names, re.findall(r'name="person" value="([0-9a-f]+)"', page), strict=True))


def _names(someone: Someone) -> list[str]:
    return [name for name, _key in _suggested(someone)]


def _decide(someone: Someone, name: str, what: str) -> str:
    key = dict(_suggested(someone))[name]
    return _page(someone.client.post("/contacts/suggested", {"person": key, "do": what}, follow=True))


def _undo(someone: Someone) -> str:
    return _page(someone.client.post("/contacts/restore", follow=True))


@pytest.fixture
def mailbox(member: Someone) -> int:
    return connect(member, MINE)


@pytest.fixture
def anna(member: Someone, mailbox: int) -> int:
    """An email to her."""
    (kept,) = keep(member.workspace_id, mailbox, _sent(ANNA))
    return kept


def test_without_anybody_there_is_no_card(member: Someone, mailbox: int) -> None:
    keep(member.workspace_id, mailbox, raw(sender=ANNA, to=MINE))
    assert 'id="suggested"' not in _page(member.get("/contacts"))


def test_those_written_to_most_come_first(member: Someone, mailbox: int, anna: int) -> None:
    later = Mail(_sent(f"{TOM}, eva.stein@nordlicht.example", headers=[("Bcc", TOM)]), minutes=-5)
    keep(member.workspace_id, mailbox, _sent(TOM), later)
    assert _names(member) == ["tom@nordlicht.example", "Anna Berg", "Eva Stein"]
    page = _page(member.get("/contacts"))
    assert "3 people you have written to are not contacts yet" in page
    assert "2 emails" in page


def test_whoever_is_added_is_a_contact_of_his_company(member: Someone, anna: int) -> None:
    with member.scope():
        do_create_company(workspace_id=member.workspace_id, name="Nordlicht Logistik", domains=("nordlicht.example",))
    page = _decide(member, "Anna Berg", "add")
    assert "1 contact was made." in page
    assert "Nordlicht Logistik" in page
    assert 'id="suggested"' not in page
    assert "1 contact was taken back." in _undo(member)
    assert _names(member) == ["Anna Berg"]


def test_whoever_is_passed_over_is_not_suggested_again(member: Someone, mailbox: int, anna: int) -> None:
    assert "Anna Berg is not suggested to you any more." in _decide(member, "Anna Berg", "not")
    keep(member.workspace_id, mailbox, _sent(ANNA))
    assert _names(member) == []
    assert "Suggested again." in _undo(member)
    assert _names(member) == ["Anna Berg"]
    assert "nothing left to bring back" in _undo(member)


@pytest.mark.parametrize("first", ["add", "not"])
@pytest.mark.parametrize("second", ["add", "not"])
def test_the_second_press_of_a_double_click_is_told_that_the_first_has_decided(
    member: Someone, anna: int, first: str, second: str
) -> None:
    [(name, key)] = _suggested(member)
    _decide(member, name, first)
    pressed = member.client.post("/contacts/suggested", {"person": key, "do": second}, follow=True)
    assert pressed.status_code == 200
    assert "Already decided." in _page(pressed)
    _undo(member)
    assert _names(member) == ["Anna Berg"], "the first can still be undone"


def test_of_whom_is_passed_over_a_keyed_hash_is_kept(member: Someone, anna: int) -> None:
    _decide(member, "Anna Berg", "not")
    with member.scope():
        [row] = rows("SELECT * FROM passed_over")
    assert "anna" not in repr(row)
    assert "anna" not in str(dict(member.client.session))


@pytest.mark.parametrize(
    "to",
    [
        *("info@nordlicht.example", "no-reply@nordlicht.example", "crew@lists.nordlicht.example"),
        *(MINE, ", ".join(f"p{n}.berg@nordlicht.example" for n in range(51))),
    ],
)
def test_machines_desks_lists_and_circulars_are_nobody(member: Someone, mailbox: int, to: str) -> None:
    keep(member.workspace_id, mailbox, _sent(to))
    assert _names(member) == []


@pytest.mark.parametrize("header", [("Auto-Submitted", "auto-replied"), ("List-Id", "<crew.nordlicht.example>")])
def test_what_a_program_or_a_list_sent_names_nobody(member: Someone, mailbox: int, header: tuple[str, str]) -> None:
    keep(member.workspace_id, mailbox, _sent(ANNA, headers=[header]))
    assert _names(member) == []


def test_contacts_and_colleagues_are_not_suggested(member: Someone, colleague: Someone, mailbox: int, anna: int) -> None:
    connect(colleague, "ben@acme.example")
    keep(member.workspace_id, mailbox, _sent(f"ben@acme.example, {colleague.person.email}"))
    member.contact("Anna", "anna@nordlicht.example")
    assert _names(member) == []


def test_who_works_where_members_work_is_not_suggested(member: Someone, mailbox: int) -> None:
    keep(
        member.workspace_id,
        mailbox,
        _sent("lea.fontaine@acme.example, ruben.acht@eu.acme.example, tom.berg@acme-tools.example"),
    )
    assert _names(member) == ["Tom Berg"]


def test_where_everybody_may_be_nobody_is_a_colleague(member: Someone) -> None:
    mailbox_id = connect(member, "mara.lindt@gmail.com")
    keep(member.workspace_id, mailbox_id, raw(sender="mara.lindt@gmail.com", to="tom.berg@gmail.com"))
    assert _names(member) == ["Tom Berg"]


@pytest.mark.parametrize("entry", [(ListedKind.ADDRESS, "anna@nordlicht.example"), (ListedKind.DOMAIN, "nordlicht.example")])
@pytest.mark.parametrize("own", [True, False])
def test_who_is_kept_out_is_not_suggested(member: Someone, mailbox: int, entry: tuple[ListedKind, str], own: bool) -> None:
    keys = vault(member.workspace_id)
    with member.scope():
        do_begin_scan(workspace_id=member.workspace_id, mailbox_id=mailbox)
        written = [Written(one, "", START) for one in ("anna@nordlicht.example", "eva@other.example")]
        do_scan_read(keys, mailbox_id=mailbox, ids=["1"], written=written)
        do_exclude(keys, member_id=member.member_id if own else None, entry=ListEntry(*entry))
    assert _names(member) == ["eva@other.example"]


def test_what_lies_in_the_bin_names_nobody(member: Someone, anna: int) -> None:
    member.post(f"/emails/message/{anna}/remove")
    assert _names(member) == []


def test_people_of_a_scan_stand_beside_those_of_stored_mail(member: Someone, mailbox: int, anna: int) -> None:
    with member.scope():
        do_begin_scan(workspace_id=member.workspace_id, mailbox_id=mailbox)
        written = [Written("anna@nordlicht.example", "A. Berg", START)] * 3 + [Written(TOM, "Tom Krüger", START)] * 2
        do_scan_read(vault(member.workspace_id), mailbox_id=mailbox, ids=["1"], written=written)
    assert _names(member) == ["A. Berg", "Tom Krüger"]
    _decide(member, "Tom Krüger", "not")
    assert _names(member) == ["A. Berg"]


@pytest.mark.parametrize("level", list(Level))
def test_a_member_is_offered_only_people_of_his_own_mail(
    member: Someone, colleague: Someone, mailbox: int, anna: int, level: Level
) -> None:
    with member.scope():
        do_level(workspace_id=member.workspace_id, mailbox_id=mailbox, level=level)
        do_mark_email(workspace_id=member.workspace_id, mailboxes=[mailbox], message_id=anna, private=True)
    [(name, key)] = _suggested(member)
    connect(colleague, "ben@acme.example")
    assert name == "Anna Berg"
    assert _names(colleague) == []
    for what in ("add", "not"):
        assert colleague.post("/contacts/suggested", {"person": key, "do": what}).status_code == 404


def test_passing_over_is_for_one_member(member: Someone, colleague: Someone, anna: int) -> None:
    keep(member.workspace_id, connect(colleague, "ben@acme.example"), raw(sender="ben@acme.example", to=ANNA))
    _decide(member, "Anna Berg", "not")
    assert _names(colleague) == ["Anna Berg"]
    _decide(colleague, "Anna Berg", "add")
    assert "Anna Berg" in _page(member.get("/contacts"))
    _undo(colleague)
    assert (_names(member), _names(colleague)) == ([], ["Anna Berg"])


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_suggested_are_those_written_to_who_are_nothing_else(data: st.DataObject) -> None:
    """Whatever befell them in whatever order, and whatever was undone."""
    who = make_someone(make_workspace(), role="admin", name="Mara Lindt")
    own = f"mara-{who.workspace_id}@acme.example"
    mailbox_id = connect(who, own)
    people = [f"p{n}@nordlicht.example" for n in range(4)]
    sent = data.draw(st.lists(st.sets(st.sampled_from(people), min_size=1), min_size=1, max_size=4))
    keep(who.workspace_id, mailbox_id, *(raw(sender=own, to=", ".join(sorted(some))) for some in sent))
    open_ones, undoable = set().union(*sent), set[str]()
    for step in data.draw(st.lists(st.sampled_from(["add", "not", "undo"]), max_size=6)):
        if step == "undo":
            _undo(who)
            open_ones, undoable = open_ones | undoable, set()
        elif open_ones:
            one = data.draw(st.sampled_from(sorted(open_ones)))
            _decide(who, one, step)
            open_ones, undoable = open_ones - {one}, {one}
        assert set(_names(who)) == open_ones


def test_a_stranger_adds_nobody(member: Someone, stranger: Someone, anna: int) -> None:
    [(_name, key)] = _suggested(member)
    connect(stranger, "sten@elsewhere.example")
    assert _names(stranger) == []
    for value in (key, "", "x", key.upper(), key[:-1], "é" * 32, "٠" * 32):
        assert stranger.post("/contacts/suggested", {"person": value, "do": "add"}).status_code == 404
    assert member.get("/contacts/suggested").status_code == 405


def test_it_stands_on_the_first_page_alone(member: Someone, anna: int) -> None:
    assert 'id="suggested"' not in _page(member.get("/contacts?q=a"))
    assert 'id="suggested"' not in _page(member.part("/contacts"))
    assert '<details class="card fold-card" id="suggested" open>' in _page(member.get("/contacts"))
    member.contact("Somebody")
    assert '<details class="card fold-card" id="suggested">' in _page(member.get("/contacts"))
    assert '<details class="card fold-card" id="suggested" open>' in _page(member.get("/contacts?suggested"))


def test_of_many_the_first_are_shown(member: Someone, mailbox: int) -> None:
    keep(member.workspace_id, mailbox, *_to_each(range(MOST + 5)))
    page = _page(member.get("/contacts"))
    assert f"{MOST + 5} people you have written to" in page
    assert "These are the ones to whom you wrote most." in page
    assert len(_names(member)) == MOST


def test_more_people_cost_no_more_statements(member: Someone, mailbox: int, statements: Statements) -> None:
    counts = []
    for number in (range(2), range(2, 20)):
        keep(member.workspace_id, mailbox, *_to_each(number))
        with statements() as seen:
            member.get("/contacts")
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[1] <= 13, seen


def test_each_look_is_recorded_with_its_mailboxes(member: Someone, mailbox: int, anna: int) -> None:
    member.get("/contacts")
    with member.scope():
        found = rows("SELECT verb, object_ids FROM audit WHERE surface = 'suggested'")
    assert found == [("people", [mailbox])]


def _to_each(numbers: Sequence[int]) -> list[Mail]:
    return [Mail(_sent(f"person{number}.berg@nordlicht.example"), minutes=number) for number in numbers]
