"""Contacts from a file: many in a few statements, those who are there left alone, one listing of their past, taken back."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError

from flowcrm.jobs.upkeep import forget_old_things
from flowcrm.lib import clock
from flowcrm.store.db import close_connections, row, rows, run, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.queries.companies import company_page
from flowcrm.store.queries.contacts import access_contact, contact_page
from flowcrm.store.queries.uploads import ReadPerson, access_upload
from flowcrm.store.vaults import vault
from flowcrm.store.writes.companies import do_create_company, do_name_companies
from flowcrm.store.writes.contacts import ContactFields, do_change_contact, do_create_contact
from flowcrm.store.writes.uploads import do_import_contacts, do_keep_upload, do_unmake_import
from tests.store.pages import new_hold, new_workspace

pytestmark = pytest.mark.needs_postgres

FILE = b"Name,Email\r\nAnna Berg,anna@nordlicht.example\r\n"


def _names(workspace_id: int) -> list[str]:
    return [one.name for one in contact_page(workspace_id).contacts]


def _member(workspace_id: int) -> int:
    hold = new_hold(workspace_id)
    with workspace_scope(workspace_id):
        ((member_id,),) = rows("SELECT member_id FROM mailbox WHERE id = %s", [hold.mailbox_id])
    return int(member_id)


def test_a_file_lies_sealed_for_its_member_and_an_hour(moving_clock: None) -> None:
    workspace_id = new_workspace()
    member_id, keys = _member(workspace_id), vault(workspace_id)
    with workspace_scope(workspace_id):
        upload_id = do_keep_upload(keys, member_id=member_id, content=FILE)
        assert access_upload(keys, upload_id, member_id=member_id) == FILE
        with pytest.raises(NotFound):
            access_upload(keys, upload_id, member_id=member_id + 1)
        (sealed,) = row("SELECT s_file FROM contact_upload WHERE id = %s", [upload_id]) or (b"",)
        assert b"anna" not in bytes(sealed).lower()
    clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    with workspace_scope(workspace_id), pytest.raises(NotFound):
        access_upload(keys, upload_id, member_id=member_id)
    forget_old_things()
    with workspace_scope(workspace_id):
        assert not rows("SELECT 1 FROM contact_upload")


def test_a_newer_file_takes_the_place_of_the_members_former_one() -> None:
    workspace_id = new_workspace()
    member_id, keys = _member(workspace_id), vault(workspace_id)
    with workspace_scope(workspace_id):
        do_keep_upload(keys, member_id=member_id, content=FILE)
        do_keep_upload(keys, member_id=member_id, content=FILE)
        assert len(rows("SELECT 1 FROM contact_upload")) == 1


def test_who_is_there_already_stays_as_he_is() -> None:
    workspace_id = new_workspace()
    keys = vault(workspace_id)
    with workspace_scope(workspace_id):
        anna = do_create_contact(workspace_id=workspace_id, fields=ContactFields("Anna", ("anna@nordlicht.example",)))
        do_create_contact(workspace_id=workspace_id, fields=ContactFields("Tom Krüger"))
        people = [
            ReadPerson("Anna Berg", ("a@private.example", "anna@nordlicht.example")),
            ReadPerson("TOM KRUGER"),
            ReadPerson("Lena Voss", ("lena@nordlicht.example", "l@private.example"), "Nordlicht", "Buyer", "1", "Tall"),
            ReadPerson("Anna"),
        ]
        made, ids = do_import_contacts(keys, people=people)
        assert made.contacts == len(ids) == 2
        assert access_contact(workspace_id, anna).name == "Anna"
        lena = access_contact(workspace_id, ids[0])
        assert lena.addresses == ("lena@nordlicht.example", "l@private.example")
        assert (lena.company, lena.title, lena.phone, lena.note) == ("Nordlicht", "Buyer", "1", "Tall")
        again, _ids = do_import_contacts(keys, people=people)
        assert again.contacts == 0


def test_companies_are_found_by_their_names_and_made_once() -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        there = do_create_company(workspace_id=workspace_id, name="Nordlicht")
        named = do_name_companies(workspace_id=workspace_id, names=["NORDLICHT ", "", "Zeta  AG", "zeta ag", " "])
        assert named["NORDLICHT "] == there
        assert named["Zeta  AG"] == named["zeta ag"]
        assert set(named) == {"NORDLICHT ", "Zeta  AG", "zeta ag"}
        assert [one.name for one in company_page(workspace_id).companies] == ["Nordlicht", "Zeta AG"]


def test_the_past_of_many_is_one_listing() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    people = [ReadPerson(f"P{number}", (f"p{number}@nordlicht.example",)) for number in range(300)]
    with workspace_scope(workspace_id):
        run("UPDATE mailbox SET import_from = %s WHERE id = %s", [clock.now(), hold.mailbox_id])
        _made, ids = do_import_contacts(vault(workspace_id), people=people)
        scopes = rows("SELECT scope FROM cursor WHERE workspace_id = %s AND listing", [workspace_id])
        assert scopes == [(f"contact:{ids[0]}-{ids[-1]}",)]


def test_an_import_that_fails_leaves_nothing() -> None:
    workspace_id = new_workspace()
    # The reader never lets an address through twice; here the database stops it, after companies and contacts were written.
    people = [ReadPerson(name, ("same@nordlicht.example",), "Nordlicht") for name in ("Anna", "Tom")]
    with pytest.raises(DatabaseError), workspace_scope(workspace_id):
        do_import_contacts(vault(workspace_id), people=people)
    with workspace_scope(workspace_id):
        assert _names(workspace_id) == []
        assert company_page(workspace_id).companies == ()


def test_the_same_file_imported_twice_at_once_makes_everybody_once() -> None:
    workspace_id = new_workspace()
    people = [ReadPerson(f"P{number}", (f"p{number}@nordlicht.example",), "Nordlicht") for number in range(40)]
    counts: list[int] = []

    def work() -> None:
        with workspace_scope(workspace_id):
            counts.append(do_import_contacts(vault(workspace_id), people=people)[0].contacts)
        close_connections()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 40]
    with workspace_scope(workspace_id):
        assert len(_names(workspace_id)) == 40
        assert len(company_page(workspace_id).companies) == 1


def test_an_import_is_taken_back_but_for_what_was_changed_or_was_there() -> None:
    workspace_id = new_workspace()
    keys = vault(workspace_id)
    with workspace_scope(workspace_id):
        do_create_contact(workspace_id=workspace_id, fields=ContactFields("Before"))
    with workspace_scope(workspace_id):
        people = [ReadPerson("Anna", company="One"), ReadPerson("Tom", company="Two"), ReadPerson("Lena")]
        made, ids = do_import_contacts(keys, people=people)
    with workspace_scope(workspace_id):
        do_create_contact(workspace_id=workspace_id, fields=ContactFields("After"))
        fields = ContactFields("Tomas", company_id=access_contact(workspace_id, ids[1]).company_id)
        do_change_contact(workspace_id=workspace_id, contact_id=ids[1], fields=fields)
        assert do_unmake_import(workspace_id=workspace_id, made=made) == 2
        assert _names(workspace_id) == ["After", "Before", "Tomas"]
        assert [one.name for one in company_page(workspace_id).companies] == ["Two"]


def test_an_import_of_nobody_takes_nobody_back() -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        do_create_contact(workspace_id=workspace_id, fields=ContactFields("Before"))
        made, _ids = do_import_contacts(vault(workspace_id), people=[])
        assert do_unmake_import(workspace_id=workspace_id, made=made) == 0
        assert _names(workspace_id) == ["Before"]
