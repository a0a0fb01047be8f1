"""The first page of a fresh installation. These tests have their own database: all others' have accounts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from django.test import Client
from psycopg import sql

from flowcrm.ops import postgres
from flowcrm.ops.home import OWNER_ROLE, Home
from flowcrm.store.models import Person
from flowcrm.store.queries.members import any_workspace, memberships
from flowcrm.store.vaults import key_store, vault
from flowcrm.store.writes.setup import (
    WRONG_TRIES,
    CodeDead,
    CodeWrong,
    FirstPerson,
    check_setup_code,
    do_set_up,
    new_setup_code,
)
from flowcrm.store.writes.workspaces import NewWorkspace

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("empty_database")]


@pytest.fixture
def empty_database(server: Home, database: dict[str, str]) -> Iterator[None]:
    """A migrated database without any account."""
    name, url = f"empty_{uuid4().hex[:12]}", postgres.maintenance_url(server)
    with postgres.alone(server), psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template_flowcrm OWNER {}").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE)
            )
        )
    former = _point_at(dict.fromkeys(connections, name))
    key_store().create_instance()
    yield
    _point_at(former)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _point_at(names: dict[str, str]) -> dict[str, str]:
    former = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    connections.close_all()
    for alias, name in names.items():
        connections[alias].settings_dict["NAME"] = name
    return former


def _form(code: str, **other: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": "Mara Lindt",
        "email": "Mara@Acme.example",
        "password": "correct horse battery",
        "title": "Acme Logistics",
        "slug": "acme",
        "time_zone": "Europe/Berlin",
        "plan": "professional",
        "default_level": "people_and_times",
    } | other


_PERSON = FirstPerson("Mara Lindt", "mara@acme.example", "correct horse battery")
_WORKSPACE = NewWorkspace("Acme", "acme", "professional", "Europe/Berlin")


def _page(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize("path", ["/", "/contacts", "/settings/plan"])
def test_every_page_of_an_empty_installation_leads_to_the_set_up(path: str) -> None:
    assert Client().get(path)["Location"] == "/setup"


def test_one_page_makes_the_account_and_signs_in() -> None:
    client = Client()
    answer = client.post("/setup", _form(new_setup_code().lower()))
    assert answer["Location"] == "/settings/integrations"
    person = Person.objects.get(email="mara@acme.example")
    (membership,) = memberships(person.pk)
    assert (membership.member.role, membership.member.time_zone) == ("admin", "Europe/Berlin")
    workspace = membership.workspace
    assert (workspace.title, workspace.plan, workspace.default_level) == ("Acme Logistics", "professional", "people_and_times")
    assert vault(workspace.id).generation == 1
    assert "Your account is ready." in _page(client.get("/settings/integrations"))


def test_the_code_can_come_with_the_link() -> None:
    assert 'value="ABCD-EFGH-JKLM"' in _page(Client().get("/setup?code=ABCD-EFGH-JKLM"))


def test_a_used_code_is_dead_and_the_page_is_gone() -> None:
    code = new_setup_code()
    Client().post("/setup", _form(code))
    assert Client().get("/setup")["Location"] == "/"
    with pytest.raises(CodeDead):
        check_setup_code(code)
    assert Client().post("/setup", _form(code, email="eve@evil.example", slug="evil"))["Location"] == "/"
    assert not Person.objects.filter(email="eve@evil.example").exists()


def test_a_wrong_code_makes_nothing_and_counts() -> None:
    code = new_setup_code()
    page = _page(Client().post("/setup", _form("WRONG")))
    assert f"{WRONG_TRIES - 1} tries are left" in page
    assert 'value="Acme Logistics"' in page
    assert not any_workspace()
    assert not Person.objects.exists()
    assert Client().post("/setup", _form(code)).status_code == 302


def test_after_five_wrong_codes_the_right_one_is_dead_until_a_new_one_is_made() -> None:
    code = new_setup_code()
    for left in range(WRONG_TRIES - 1, -1, -1):
        with pytest.raises(CodeWrong) as refused:
            check_setup_code("WRONG")
        assert refused.value.tries_left == left
    page = _page(Client().post("/setup", _form(code)))
    assert "This code no longer works." in page
    assert not any_workspace()
    assert Client().post("/setup", _form(new_setup_code())).status_code == 302


def test_without_a_code_nobody_sets_up() -> None:
    assert "This code no longer works." in _page(Client().post("/setup", _form("ABCD-EFGH-JKLM")))


def test_the_database_never_holds_the_code() -> None:
    code = new_setup_code()
    stored = connections["default"].cursor().execute("SELECT string_agg(s_value::text, '') FROM instance_setting").fetchone()
    assert code.encode().hex() not in stored[0]
    assert code.replace("-", "").encode().hex() not in stored[0]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter your name"),
        ("email", "mara", "That is not an email address."),
        ("password", "short", "too short"),
        ("password", "password123", "too common"),
        ("password", "mara@acme.example", "too similar"),
        ("title", "", "Enter what your account is called."),
        ("slug", "a--b", "Only a to z"),
        ("slug", "-acme", "Only a to z"),
        ("slug", "acmé", "Only a to z"),
        ("time_zone", "Mars/Olympus", "Select a valid choice."),
        ("plan", "free", "Select a valid choice."),
        ("default_level", "all", "Select a valid choice."),
    ],
)
def test_each_field_says_what_is_wrong_without_costing_a_try(field: str, value: str, sentence: str) -> None:
    code = new_setup_code()
    for _ in range(WRONG_TRIES + 1):
        assert sentence in _page(Client().post("/setup", _form("WRONG", **{field: value})))
    check_setup_code(code)


def test_the_account_name_is_checked_while_it_is_typed() -> None:
    def said(slug: str) -> str:
        return _page(Client().post("/setup", _form("", slug=slug) | {"check": "slug"}, headers={"HX-Request": "true"}))

    assert "acme is free." in said("Acme")
    assert "Only a to z" in said("ac me")
    assert not any_workspace()


def test_an_upper_case_account_name_is_stored_in_lower_case() -> None:
    Client().post("/setup", _form(new_setup_code(), slug="ACME-2"))
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT slug FROM account_name")
        assert cursor.fetchall() == [("acme-2",)]


def test_of_two_people_with_the_code_one_is_faster() -> None:
    check_setup_code(new_setup_code())
    do_set_up(person=_PERSON, workspace=_WORKSPACE)
    with pytest.raises(CodeDead):
        do_set_up(person=replace(_PERSON, email="tom@acme.example"), workspace=replace(_WORKSPACE, slug="other"))
    assert Person.objects.count() == 1
