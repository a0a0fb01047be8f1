"""Whose archive the command line means, and a local account where there is none yet."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from flowcrm.ops.accounts import account_id
from flowcrm.ops.errors import Refused
from flowcrm.store.db import router_rows, row, rows, workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace

LOCAL_EMAIL = "me@local.invalid"
LOCAL_NAME = "local"


@dataclass(frozen=True, slots=True)
class Owner:
    """A member, for whom the command line works."""

    workspace_id: int
    member_id: int
    email: str
    account: str


def owner_of(email: str, account: str) -> Owner:
    """The named member; without a name the only one, and on an empty database a local account on the Enterprise plan."""
    if not router_rows("SELECT 1 FROM account_name LIMIT 1"):
        _make_local()
    workspace_id = account_id(account)
    with workspace_scope(workspace_id):
        found = rows("SELECT id, person_id FROM member ORDER BY id")
        title = row("SELECT title FROM workspace")
    people = dict(Person.objects.filter(id__in=[person_id for _, person_id in found]).values_list("id", "email"))
    wanted = [
        (member_id, people[person_id]) for member_id, person_id in found if not email or people[person_id] == email.lower()
    ]
    if not wanted:
        raise Refused(f"{email} is not a member of that account. See: flowcrm member add")
    if len(wanted) > 1:
        raise Refused(f"There are several members; name one with --member: {', '.join(one for _, one in wanted)}")
    return Owner(workspace_id, *wanted[0], account=title[0] if title else "")


def _make_local() -> None:
    """An account of one person, who signs in nowhere until `flowcrm member` gives a password."""
    key_store().create_instance()
    with transaction.atomic():
        person = do_make_person(email=LOCAL_EMAIL, name="Me", password=secrets.token_urlsafe(24))
        workspace_id = do_make_workspace(NewWorkspace(title="Local", slug=LOCAL_NAME, plan="enterprise", time_zone="UTC"))
        with workspace_scope(workspace_id):
            do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Me", time_zone="UTC")
