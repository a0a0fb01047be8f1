"""Two contacts made one, one made two, and both taken back; their mail follows."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.jobs.upkeep import forget_old_things
from flowcrm.lib import clock
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.contacts import ContactRecord, access_contact
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.store.writes.merging import do_merge_contacts, do_split_contact, do_undo_contact
from tests.mail_helper import connect, keep, raw
from tests.people import Someone
from tests.store.pages import new_workspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]

ANNA, OLD = "anna@nordlicht.example", "anna@old.example"


def _page(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def _contact(someone: Someone, contact_id: int) -> ContactRecord:
    with someone.scope():
        return access_contact(someone.workspace_id, contact_id)


def _known(someone: Someone, contact_id: int) -> tuple[object, ...]:
    one = _contact(someone, contact_id)
    return one.id, one.name, one.title, one.phone, one.note, one.company_id, one.addresses


def _undo(someone: Someone, contact_id: int) -> Any:
    with someone.scope():
        [(undo_id,)] = rows("SELECT max(id) FROM contact_undo WHERE contact_id = %s", [contact_id])
    return someone.client.post(f"/contacts/{contact_id}/undo", {"undo": undo_id or 1}, follow=True)


@pytest.fixture
def pair(member: Someone) -> tuple[int, int]:
    """Anna twice, with an email of each of her addresses."""
    mailbox_id = connect(member, "mara@acme.example")
    keep(member.workspace_id, mailbox_id, raw("From the new one", sender=ANNA), raw("From the old one", sender=OLD))
    anna = member.contact("Anna Berg", ANNA, title="Buyer", note="Tall")
    return anna, member.contact("A. Berg", OLD, title="Head of Purchasing", phone="+49 381 555 01", note="Met in Hamburg")


def test_merging_keeps_what_was_chosen_and_the_addresses_of_both(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    assert f'href="?with={other}"' in _page(member.get(f"/contacts/{anna}/merge?q=a.%20b"))
    page = _page(member.get(f"/contacts/{anna}/merge?with={other}"))
    assert "Merge A. Berg into Anna Berg" in page
    assert 'name="phone" value="other" checked' in page
    member.post(f"/contacts/{anna}/merge", {"with": other, "name": "mine", "title": "other", "phone": "other", "note": "both"})

    merged = _contact(member, anna)
    assert (merged.name, merged.title, merged.phone) == ("Anna Berg", "Head of Purchasing", "+49 381 555 01")
    assert merged.note == "Tall\n\nMet in Hamburg"
    assert merged.addresses == (ANNA, OLD)
    with pytest.raises(NotFound):
        _contact(member, other)
    tab = _page(member.get(f"/contacts/{anna}/emails"))
    assert "From the new one" in tab
    assert "From the old one" in tab


def test_a_merge_is_taken_back_whole_until_something_was_changed(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    before = _known(member, anna), _known(member, other)
    member.post(f"/contacts/{anna}/merge", {"with": other, "name": "other"})
    clock.advance(29 * 24 * 3600)
    assert "was merged into this contact" in _page(member.get(f"/contacts/{anna}"))
    assert "Everything is as it was" in _page(_undo(member, anna))
    assert (_known(member, anna), _known(member, other)) == before
    assert "From the old one" not in _page(member.get(f"/contacts/{anna}/emails"))
    assert "From the old one" in _page(member.get(f"/contacts/{other}/emails"))

    member.post(f"/contacts/{anna}/merge", {"with": other})
    clock.advance(5)
    member.post(f"/contacts/{anna}/edit", {"name": "Anna B.", "addresses": [ANNA, OLD]})
    assert "was merged into this contact" not in _page(member.get(f"/contacts/{anna}"))
    assert "cannot be taken back any more" in _page(_undo(member, anna))
    assert _contact(member, anna).addresses == (ANNA, OLD)


def test_after_thirty_days_it_stays_as_it_is(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    member.post(f"/contacts/{anna}/merge", {"with": other})
    clock.advance(timedelta(days=31).total_seconds())
    assert "was merged into this contact" not in _page(member.get(f"/contacts/{anna}"))
    assert "cannot be taken back any more" in _page(_undo(member, anna))
    forget_old_things()
    with member.scope():
        assert rows("SELECT 1 FROM contact_undo") == []


PARTS = ("", "/emails", "/edit", "/remove", "/merge", "/split")


@pytest.mark.parametrize("part", PARTS)
def test_the_address_of_a_contact_that_was_merged_leads_to_where_it_is(
    member: Someone, stranger: Someone, pair: tuple[int, int], part: str
) -> None:
    anna, other = pair
    member.post(f"/contacts/{anna}/merge", {"with": other})
    answer = member.get(f"/contacts/{other}{part}?only=unread")
    assert (answer.status_code, answer["Location"]) == (302, f"/contacts/{anna}{part}?only=unread")
    assert stranger.get(f"/contacts/{other}{part}").status_code == 404
    assert member.post(f"/contacts/{other}/edit", {"name": "Somebody else"}).status_code == 404
    _undo(member, anna)
    assert member.get(f"/contacts/{other}{part}").status_code == 200


def test_it_leads_through_two_merges_and_back_through_one(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    third = member.contact("Third", "third@x.example")
    member.post(f"/contacts/{anna}/merge", {"with": other})
    member.post(f"/contacts/{third}/merge", {"with": anna})
    assert {member.get(f"/contacts/{one}")["Location"] for one in pair} == {f"/contacts/{third}"}
    _undo(member, third)
    assert member.get(f"/contacts/{other}")["Location"] == f"/contacts/{anna}"


def test_it_leads_nowhere_while_the_other_is_deleted(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    member.post(f"/contacts/{anna}/merge", {"with": other})
    member.post(f"/contacts/{anna}/delete")
    assert member.get(f"/contacts/{other}").status_code == 404
    member.post("/contacts/restore")
    assert member.get(f"/contacts/{other}")["Location"] == f"/contacts/{anna}"


def test_splitting_takes_an_address_with_its_mail_into_a_contact_of_its_own(member: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    member.post(f"/contacts/{anna}/merge", {"with": other})
    before = _known(member, anna)
    assert OLD in _page(member.get(f"/contacts/{anna}/split"))
    new = int(member.post(f"/contacts/{anna}/split", {"address": [OLD], "name": "Annika"})["Location"].split("/")[2])
    assert _contact(member, anna).addresses == (ANNA,)
    assert (_contact(member, new).name, _contact(member, new).addresses) == ("Annika", (OLD,))
    assert "From the old one" in _page(member.get(f"/contacts/{new}/emails"))
    assert "From the old one" not in _page(member.get(f"/contacts/{anna}/emails"))

    assert "Annika was taken out of this contact" in _page(member.get(f"/contacts/{anna}"))
    _undo(member, anna)
    assert _known(member, anna) == before
    assert member.get(f"/contacts/{new}").status_code == 404
    assert "From the old one" in _page(member.get(f"/contacts/{anna}/emails"))


@pytest.mark.parametrize(("addresses", "said"), [([], "Tick the addresses"), ([ANNA, OLD], "Leave at least one")])
def test_a_split_of_nothing_or_of_everything_is_refused(member: Someone, addresses: list[str], said: str) -> None:
    anna = member.contact("Anna", ANNA, OLD)
    answer = member.post(f"/contacts/{anna}/split", {"address": addresses})
    assert answer.status_code == 422
    assert said in _page(answer)
    assert _contact(member, anna).addresses == (ANNA, OLD)


def test_contacts_without_addresses_merge_too(member: Someone) -> None:
    one, other = member.contact("Anna"), member.contact("Anna Berg")
    member.post(f"/contacts/{one}/merge", {"with": other, "name": "other"})
    assert (_contact(member, one).name, _contact(member, one).addresses) == ("Anna Berg", ())
    assert member.get(f"/contacts/{one}/merge?with={one}").status_code == 404
    assert member.get(f"/contacts/{one}/merge?with=x").status_code == 404


def test_a_stranger_merges_splits_and_undoes_nothing(member: Someone, stranger: Someone, pair: tuple[int, int]) -> None:
    anna, other = pair
    theirs = stranger.contact("Sten", "sten@x.example")
    for path in (f"/contacts/{anna}/merge", f"/contacts/{anna}/split", f"/contacts/{anna}/undo"):
        assert stranger.post(path, {"with": other, "address": [ANNA], "undo": "1"}).status_code == 404
    assert stranger.post(f"/contacts/{theirs}/merge", {"with": anna}).status_code == 404
    assert _contact(member, anna).addresses == (ANNA,)
    assert _contact(stranger, theirs).addresses == ("sten@x.example",)


@given(st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_undo_of_a_merge_and_of_a_split_is_exact(mine: int, theirs: int, both: bool) -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        one, other = (
            do_create_contact(
                workspace_id=workspace_id, fields=ContactFields(name, tuple(f"{name}{n}@x.example" for n in range(count)))
            )
            for name, count in (("a", mine), ("b", theirs))
        )
        before = [(access_contact(workspace_id, id_).name, access_contact(workspace_id, id_).addresses) for id_ in (one, other)]
        do_merge_contacts(workspace_id=workspace_id, kept_id=one, other_id=other, chosen=ContactFields("ab"))
        merged = access_contact(workspace_id, one).addresses
        assert len(merged) == mine + theirs
        if both and len(merged) > 1:
            clock.advance(1)
            do_split_contact(workspace_id=workspace_id, contact_id=one, addresses=merged[1:], name="c")
            do_undo_contact(workspace_id=workspace_id, contact_id=one, undo_id=_last(one))
            assert access_contact(workspace_id, one).addresses == merged
            return
        do_undo_contact(workspace_id=workspace_id, contact_id=one, undo_id=_last(one))
        after = [(access_contact(workspace_id, id_).name, access_contact(workspace_id, id_).addresses) for id_ in (one, other)]
        assert after == before


def _last(contact_id: int) -> int:
    [(undo_id,)] = rows("SELECT max(id) FROM contact_undo WHERE contact_id = %s", [contact_id])
    return int(undo_id)
