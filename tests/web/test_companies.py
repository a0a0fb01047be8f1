"""Companies: list, record, create, change, and names for the contact's form."""

from typing import Any

import pytest

from flowcrm.store.queries.companies import access_company
from flowcrm.store.writes.companies import do_create_company
from tests.people import Someone
from tests.web.conftest import Statements

pytestmark = pytest.mark.needs_postgres


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _company(someone: Someone, name: str, *domains: str) -> int:
    with someone.scope():
        return do_create_company(workspace_id=someone.workspace_id, name=name, domains=domains)


def test_an_empty_list_says_what_to_do(member: Someone) -> None:
    assert "No companies yet" in _page(member.get("/companies"))


def test_a_new_company_has_its_domains_in_normal_form(member: Someone) -> None:
    answer = member.post(
        "/companies/new", {"name": "Nordlicht", "domains": ["https://www.Nordlicht.example/about", "@nord.example", ""]}
    )
    company_id = int(answer["Location"].rsplit("/", 1)[1])
    with member.scope():
        assert access_company(member.workspace_id, company_id).domains == ("nordlicht.example", "nord.example")


@pytest.mark.parametrize("domain", ["nordlicht", "nord licht.example", "-a.example", "a..example", "x" * 70 + ".example"])
def test_what_is_no_domain_is_named(member: Someone, domain: str) -> None:
    assert "is not a domain" in _page(member.post("/companies/new", {"name": "Nordlicht", "domains": [domain]}))


def test_a_name_and_a_domain_belong_to_one_company(member: Someone) -> None:
    first = _company(member, "Nordlicht", "nordlicht.example")
    page = _page(member.post("/companies/new", {"name": "NORDLICHT", "domains": ["nordlicht.example"]}))
    assert f'There is already a company called <a href="/companies/{first}">' in page
    assert f'nordlicht.example already belongs to <a href="/companies/{first}">Nordlicht</a>' in page


def test_a_company_keeps_its_own_name_and_domains_when_changed(member: Someone) -> None:
    company_id = _company(member, "Nordlicht", "nordlicht.example")
    answer = member.post(
        f"/companies/{company_id}/edit", {"name": "Nordlicht", "domains": ["nord.example", "nordlicht.example"]}
    )
    assert answer.status_code == 302
    with member.scope():
        assert access_company(member.workspace_id, company_id).domains == ("nord.example", "nordlicht.example")


def test_a_company_shows_its_contacts_and_no_others(member: Someone) -> None:
    company_id = _company(member, "Nordlicht")
    member.contact("Anna Berg", company_id=company_id)
    member.contact("Tom Krüger")
    page = _page(member.get(f"/companies/{company_id}"))
    assert "Anna Berg" in page
    assert "Tom Krüger" not in page


@pytest.mark.parametrize("typed", ["nord", "LOG", "hafen.ex"])
def test_the_filter_finds_beginnings_of_words_and_domains(member: Someone, typed: str) -> None:
    _company(member, "Nordlicht Logistik", "hafen.example")
    _company(member, "Viento Sur")
    rows = _page(member.part("/companies", data={"q": typed}))
    assert "Nordlicht Logistik" in rows
    assert "Viento Sur" not in rows


def test_the_contact_form_is_offered_names(member: Someone) -> None:
    _company(member, "Nordlicht <Logistik>")
    assert "Nordlicht &lt;Logistik&gt;" in _page(member.part("/companies/names", data={"company": "nord"}))


def test_a_longer_list_costs_no_more_statements(member: Someone, statements: Statements) -> None:
    counts = []
    for number in (2, 30):
        for extra in range(number):
            _company(member, f"Company {number} {extra}", f"c{number}-{extra}.example")
        with statements() as seen:
            member.get("/companies")
        counts.append(len(seen))
    assert counts[0] == counts[1]
