"""Three people for tests of pages: a member, a colleague in the same account, and a stranger who must never see any of it.

Accounts and sign-ins are made by the product's own writes, and every test gets new ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings

from flowcrm.store.db import workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.writes.contacts import ContactFields, check_addresses, do_create_contact
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace

PASSWORD = "correct horse battery"
_ZONE = "Europe/Berlin"
# The product's own hash takes half a second on purpose; tests make hundreds of people.
_QUICK = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@dataclass(frozen=True)
class Someone:
    """A member of an account, signed in. `client` is his browser."""

    person: Person
    member_id: int
    workspace_id: int
    client: Client = field(repr=False)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Inside the account, as the application's role."""
        with workspace_scope(self.workspace_id):
            yield

    def get(self, path: str, **extra: Any) -> Any:
        return self.client.get(path, **extra)

    def post(self, path: str, data: dict[str, Any] | None = None, **extra: Any) -> Any:
        return self.client.post(path, data or {}, **extra)

    def part(self, path: str, **extra: Any) -> Any:
        """What htmx asks for."""
        return self.client.get(path, headers={"HX-Request": "true"}, **extra)

    def check(self, path: str, name: str, data: dict[str, Any]) -> str:
        """What a form says about one field when it is left."""
        answer = self.client.post(path, {**data, "check": name}, headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.status_code
        return str(answer.content.decode())

    def contact(self, name: str, *addresses: str, **more: Any) -> int:
        """A contact of his account."""
        with self.scope():
            known = check_addresses(workspace_id=self.workspace_id, addresses=addresses)
            return do_create_contact(workspace_id=self.workspace_id, fields=ContactFields(name, known, **more))


def make_workspace(title: str = "Acme", *, plan: str = "professional") -> int:
    """A new account."""
    return do_make_workspace(NewWorkspace(title=title, slug=f"t{uuid4().hex[:20]}", plan=plan, time_zone=_ZONE))


def make_someone(workspace_id: int, *, role: str = "user", name: str = "Anna Berg") -> Someone:
    """A new person in the account, signed in."""
    person = make_person(name)
    with workspace_scope(workspace_id):
        member_id = do_add_member(workspace_id=workspace_id, person_id=person.id, role=role, name=name, time_zone=_ZONE)
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return Someone(person, member_id, workspace_id, client)


def make_person(name: str = "Anna Berg") -> Person:
    """A sign-in that belongs to no account."""
    with override_settings(PASSWORD_HASHERS=_QUICK):
        return do_make_person(email=f"{uuid4().hex[:12]}@acme.example", name=name, password=PASSWORD)


@pytest.fixture
def member() -> Someone:
    """An admin of a new account."""
    return make_someone(make_workspace(), role="admin", name="Mara Lindt")


@pytest.fixture
def colleague(member: Someone) -> Someone:
    """A user of the member's account."""
    return make_someone(member.workspace_id, name="Ben Keller")


@pytest.fixture
def stranger() -> Someone:
    """An admin of another account."""
    return make_someone(make_workspace("Elsewhere"), role="admin", name="Sten Strange")
