"""A new contact's company, found by the domain of the address."""

from typing import Any

import pytest

from flowcrm.store.queries.companies import access_company, company_page
from flowcrm.store.queries.contacts import ContactRecord, access_contact
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.made import NewPerson, do_make_contacts
from tests.mail_helper import connect, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

NEW = "/contacts/new"


def _page(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def _company(someone: Someone, name: str, *domains: str) -> int:
    with someone.scope():
        return do_create_company(workspace_id=someone.workspace_id, name=name, domains=domains)


def _made(someone: Someone, answer: Any) -> ContactRecord:
    assert answer.status_code == 302
    with someone.scope():
        return access_contact(someone.workspace_id, int(answer["Location"].split("/")[2].split("?")[0]))


def _companies(someone: Someone) -> dict[str, tuple[str, ...]]:
    with someone.scope():
        return {one.name: one.domains for one in company_page(someone.workspace_id).companies}


def _typed(*addresses: str, company: str = "", seen: str = "", filled: str = "") -> dict[str, Any]:
    return {"name": "Anna", "addresses": addresses, "company": company, "company_domain": seen, "company_filled": filled}


@pytest.mark.parametrize("address", ["anna@globex.example", "Anna@EU.Globex.example"])
def test_a_company_that_is_there_is_linked_by_itself(member: Someone, address: str) -> None:
    globex = _company(member, "Globex", "globex.example")
    assert _made(member, member.post(NEW, _typed(address))).company_id == globex


def test_of_two_companies_the_nearer_one_counts(member: Someone) -> None:
    _company(member, "Globex", "globex.example")
    labs = _company(member, "Globex Labs", "labs.globex.example")
    assert _made(member, member.post(NEW, _typed("a@x.labs.globex.example"))).company_id == labs


def test_the_company_is_filled_in_when_the_address_is_left(member: Someone) -> None:
    _company(member, "Globex <AG>", "globex.example")
    said = member.check(NEW, "addresses", _typed("anna@globex.example"))
    assert 'data-value="Globex &lt;AG&gt;"' in said
    assert "globex.example belongs to Globex &lt;AG&gt;." in said
    assert _companies(member) == {"Globex <AG>": ("globex.example",)}


def test_a_new_company_is_made_only_of_what_stands_in_the_field(member: Someone) -> None:
    said = member.check(NEW, "addresses", _typed("anna@acme-tools.co.uk"))
    assert 'data-value="Acme Tools"' in said
    assert "From acme-tools.co.uk, which a new company gets" in said
    assert _made(member, member.post(NEW, _typed("anna@acme-tools.co.uk"))).company_id is None
    answer = member.post(NEW, _typed("ben@acme-tools.co.uk", company="Acme Tools Ltd", seen="acme-tools.co.uk"))
    assert _made(member, answer).company == "Acme Tools Ltd"
    assert _companies(member) == {"Acme Tools Ltd": ("acme-tools.co.uk",)}


def test_a_company_that_was_cleared_stays_cleared(member: Someone) -> None:
    _company(member, "Globex", "globex.example")
    cleared = _typed("anna@globex.example", seen="globex.example", filled="Globex")
    assert "data-fills" not in member.check(NEW, "addresses", cleared)
    assert 'name="company_domain" value="globex.example"' in member.check(NEW, "addresses", cleared)
    assert _made(member, member.post(NEW, cleared)).company_id is None


def test_what_somebody_typed_stays(member: Someone) -> None:
    _company(member, "Globex", "globex.example")
    said = member.check(NEW, "addresses", _typed("anna@globex.example", company="Initech"))
    assert "data-fills" not in said
    assert "globex.example belongs to Globex." in said
    assert _made(member, member.post(NEW, _typed("anna@globex.example", company="Initech"))).company == "Initech"
    assert _companies(member) == {"Globex": ("globex.example",), "Initech": ()}


def test_another_address_fills_in_another_company_or_none(member: Someone) -> None:
    before = {"company": "Globex", "filled": "Globex", "seen": "globex.example"}
    assert 'data-value="Initech"' in member.check(NEW, "addresses", _typed("anna@initech.example", **before))
    assert 'data-value=""' in member.check(NEW, "addresses", _typed("anna@gmail.com", **before))


def test_a_company_of_the_domains_name_is_named_and_keeps_its_domains(member: Someone) -> None:
    _company(member, "Globex", "globex.com")
    assert "Globex, from globex.example: there is a company of that name." in member.check(
        NEW, "addresses", _typed("anna@globex.example")
    )
    member.post(NEW, _typed("anna@globex.example", company="Globex", seen="globex.example", filled="Globex"))
    assert _companies(member) == {"Globex": ("globex.com",)}


@pytest.mark.parametrize("address", ["anna@gmail.com", "anna@web.de", "anna@vip.qq.com", "anna@co.uk", "no address"])
def test_free_mail_tells_no_company(member: Someone, address: str) -> None:
    said = member.check(NEW, "addresses", _typed(address))
    assert "belongs to" not in said
    assert "From " not in said
    member.post(NEW, _typed(address, company="Gmail", seen=address.partition("@")[2], filled="Gmail"))
    assert set(_companies(member).values()) <= {()}


def test_changing_a_contact_gives_it_no_company_by_itself(member: Someone) -> None:
    _company(member, "Globex", "globex.example")
    anna = member.contact("Anna", "anna@old.example")
    member.post(f"/contacts/{anna}/edit", _typed("anna@globex.example"))
    with member.scope():
        assert access_contact(member.workspace_id, anna).company_id is None


def test_who_is_added_out_of_an_email_gets_his_company(member: Someone) -> None:
    globex, mailbox_id = _company(member, "Globex", "globex.example"), connect(member, "mara@acme.example")
    known, unknown = keep(
        member.workspace_id, mailbox_id, raw(sender="anna@eu.globex.example"), raw(sender="Tom <tom@initech.example>")
    )
    assert _made(member, member.post(f"/emails/message/{known}/contact")).company_id == globex

    answer = member.post(f"/emails/message/{unknown}/contact")
    assert _made(member, answer).company_id is None
    page = _page(member.get(answer["Location"]))
    assert 'value="Initech"' in page
    assert "From initech.example, which a new company gets" in page
    assert "Initech" not in _page(member.get(answer["Location"].partition("?")[0]))
    assert set(_companies(member)) == {"Globex"}


def test_many_at_once_get_companies_that_are_there_and_make_none(member: Someone) -> None:
    globex = _company(member, "Globex", "globex.example")
    emails = ("a@globex.example", "b@mail.globex.example", "c@initech.example", "d@gmail.com")
    with member.scope():
        made = do_make_contacts(workspace_id=member.workspace_id, people=[NewPerson(one, one) for one in emails])
        companies = [access_contact(member.workspace_id, one).company_id for one in made]
    assert companies == [globex, globex, None, None]
    assert set(_companies(member)) == {"Globex"}


@pytest.mark.parametrize("domain", ["gmail.com", "@web.de", "https://mail.yahoo.co.jp/x"])
def test_a_company_cannot_have_everybodys_domain(member: Someone, domain: str) -> None:
    page = _page(member.post("/companies/new", {"name": "Bob", "domains": [domain]}))
    assert "anybody can have an address, so it cannot tell who belongs to a company" in page
    assert _companies(member) == {}


@pytest.mark.parametrize("domain", ["co.uk", "com.br"])
def test_a_company_cannot_have_what_nobody_can_register(member: Someone, domain: str) -> None:
    assert f"{domain} is not a domain" in _page(member.post("/companies/new", {"name": "Bob", "domains": [domain]}))


def test_international_domains_are_one_however_they_are_written(member: Someone) -> None:
    answer = member.post("/companies/new", {"name": "Straße", "domains": ["Straße.example"]})
    company_id = int(answer["Location"].rsplit("/", 1)[1])
    with member.scope():
        assert access_company(member.workspace_id, company_id).domains == ("xn--strae-oqa.example",)
    assert _made(member, member.post(NEW, _typed("anna@straße.example"))).company_id == company_id


def test_a_stranger_is_told_no_company(member: Someone, stranger: Someone) -> None:
    _company(member, "Very Secret Name", "globex.example")
    assert "Very Secret" not in stranger.check(NEW, "addresses", _typed("anna@globex.example"))
    assert _made(stranger, stranger.post(NEW, _typed("anna@globex.example"))).company_id is None
