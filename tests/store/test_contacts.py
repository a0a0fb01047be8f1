"""Contacts as the store keeps them: addresses tied to mail by keyed hashes, each on one contact, past mail asked for."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.store.db import rows, run, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.contacts import access_contact
from flowcrm.store.vaults import vault
from flowcrm.store.writes.contacts import (
    AddressInvalid,
    AddressTaken,
    ContactFields,
    DeletedContact,
    check_addresses,
    do_change_contact,
    do_create_contact,
    do_delete_contact,
    do_restore_contact,
)
from tests.store.pages import new_hold, new_workspace

pytestmark = pytest.mark.needs_postgres


def _create(workspace_id: int, name: str, *addresses: str) -> int:
    with workspace_scope(workspace_id):
        known = check_addresses(workspace_id=workspace_id, addresses=addresses)
        return do_create_contact(workspace_id=workspace_id, fields=ContactFields(name, known))


def _past_asked_for(workspace_id: int) -> set[str]:
    with workspace_scope(workspace_id):
        return {scope for (scope,) in rows("SELECT scope FROM cursor WHERE workspace_id = %s AND listing", [workspace_id])}


def _importing_mailbox(workspace_id: int) -> None:
    hold = new_hold(workspace_id)
    with workspace_scope(workspace_id):
        run("UPDATE mailbox SET import_from = %s WHERE id = %s", [datetime(2026, 6, 1, tzinfo=UTC), hold.mailbox_id])


def test_an_address_is_found_by_its_hash_as_mail_writes_it() -> None:
    workspace_id = new_workspace()
    _create(workspace_id, "Anna", " Anna.Berg@Nordlicht.Example ")
    keys = vault(workspace_id)
    known, unknown = keys.lookup("address", "anna.berg@nordlicht.example"), keys.lookup("address", "tom@nordlicht.example")
    with workspace_scope(workspace_id):
        assert contact_hashes(workspace_id, [known, unknown]) == {known}


def test_a_new_address_asks_for_its_past_and_nothing_else_does() -> None:
    workspace_id = new_workspace()
    _importing_mailbox(workspace_id)
    _create(workspace_id, "Nobody")
    assert _past_asked_for(workspace_id) == set()
    anna = _create(workspace_id, "Anna", "anna@nordlicht.example")
    assert _past_asked_for(workspace_id) == {f"contact:{anna}"}
    with workspace_scope(workspace_id):
        run("DELETE FROM cursor WHERE workspace_id = %s", [workspace_id])
        fields = ContactFields("Anna Berg", ("anna@nordlicht.example",))
        do_change_contact(workspace_id=workspace_id, contact_id=anna, fields=fields)
    assert _past_asked_for(workspace_id) == set()
    with workspace_scope(workspace_id):
        fields = ContactFields("Anna Berg", ("anna@nordlicht.example", "a@private.example"))
        do_change_contact(workspace_id=workspace_id, contact_id=anna, fields=fields)
    assert _past_asked_for(workspace_id) == {f"contact:{anna}"}


def test_an_address_that_is_taken_names_its_owner() -> None:
    workspace_id = new_workspace()
    anna = _create(workspace_id, "Anna", "anna@nordlicht.example")
    with pytest.raises(AddressTaken) as refused:
        _create(workspace_id, "Tom", "ANNA@nordlicht.example")
    assert (refused.value.contact_id, refused.value.contact_name) == (anna, "Anna")


def test_two_people_cannot_give_one_address_to_two_contacts() -> None:
    workspace_id = new_workspace()
    begin, outcomes = threading.Barrier(2), []

    def give(name: str) -> None:
        try:
            begin.wait()
            _create(workspace_id, name, "info@nordlicht.example")
            outcomes.append("created")
        except AddressTaken:
            outcomes.append("taken")
        finally:
            connection.close()

    people = [threading.Thread(target=give, args=[name]) for name in ("Anna", "Tom")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(outcomes) == ["created", "taken"]


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "@nordlicht.example", "anna@localhost", "a b@x.example", "a@x.example,b@x.example"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id), pytest.raises(AddressInvalid):
        check_addresses(workspace_id=workspace_id, addresses=[address])


@pytest.fixture(scope="module")
def anywhere(database: dict[str, str]) -> int:
    """One account for all examples of a property."""
    return new_workspace()


@given(address=st.text(max_size=60))
def test_any_text_is_an_address_or_is_refused(anywhere: int, address: str) -> None:
    with workspace_scope(anywhere):
        try:
            (normal,) = check_addresses(workspace_id=anywhere, addresses=[address])
        except AddressInvalid:
            return
        assert check_addresses(workspace_id=anywhere, addresses=[normal]) == (normal,)


def test_the_same_address_twice_is_one_address() -> None:
    workspace_id = new_workspace()
    anna = _create(workspace_id, "Anna", "anna@x.example", "ANNA@x.example", "b@x.example")
    with workspace_scope(workspace_id):
        assert access_contact(workspace_id, anna).addresses == ("anna@x.example", "b@x.example")


def test_a_deleted_contact_comes_back_under_its_id_and_once() -> None:
    workspace_id = new_workspace()
    anna = _create(workspace_id, "Anna", "anna@x.example")
    with workspace_scope(workspace_id):
        deleted = DeletedContact.from_json(do_delete_contact(workspace_id=workspace_id, contact_id=anna).as_json())
        with pytest.raises(NotFound):
            access_contact(workspace_id, anna)
        assert do_restore_contact(workspace_id=workspace_id, deleted=deleted) == ()
        assert do_restore_contact(workspace_id=workspace_id, deleted=deleted) == ()
        assert access_contact(workspace_id, anna).addresses == ("anna@x.example",)
