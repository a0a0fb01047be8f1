"""Whose archive the command line means, and a local account where there is none yet."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from flowcrm.ops.accounts import account_id
from flowcrm.ops.errors import Refused
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.models import Person
from flowcrm.store.plans import PLANS, Plan
from flowcrm.store.queries.members import any_workspace
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.workspaces import NewWorkspace, do_make_workspace

LOCAL_EMAIL = "me@local.invalid"
LOCAL_NAME = "local"
_NOBODY = "That account has no members yet. Add one: flowcrm member add EMAIL"


@dataclass(frozen=True, slots=True)
class Owner:
    """A member, for whom the command line works. plan: of his account."""

    workspace_id: int
    member_id: int
    email: str
    account: str
    plan: Plan


def owner_of(email: str, account: str) -> Owner:
    """The named member; without a name the only one. Raises Refused."""
    workspace_id = account_id(account)
    with workspace_scope(workspace_id):
        found = rows("SELECT id, person_id FROM member ORDER BY id")
        told = row("SELECT title, plan FROM workspace")
    people = dict(Person.objects.filter(id__in=[person_id for _, person_id in found]).values_list("id", "email"))
    sign_in = email.strip().lower()
    wanted = [(member_id, people[person_id]) for member_id, person_id in found if not sign_in or people[person_id] == sign_in]
    if not wanted:
        raise Refused(f"{email} is not a member of that account. See: flowcrm member add" if email else _NOBODY)
    if len(wanted) > 1:
        raise Refused(f"There are several members; name one by sign-in: {', '.join(one for _, one in wanted)}")
    title, plan = told or ("", "")
    return Owner(workspace_id, *wanted[0], account=title, plan=PLANS[plan])


def owner_or_local(email: str, account: str) -> Owner:
    """As `owner_of`; on an empty database a local account on the Enterprise plan, unless somebody else is named."""
    if not any_workspace() and email.strip().lower() in ("", LOCAL_EMAIL) and account.strip().lower() in ("", LOCAL_NAME):
        _make_local()
    return owner_of(email, account)


def _make_local() -> None:
    """An account of one person, who signs in nowhere until `flowcrm member` gives a password."""
    key_store().create_instance()
    with transaction.atomic():
        person = do_make_person(email=LOCAL_EMAIL, name="Me", password=secrets.token_urlsafe(24))
        workspace_id = do_make_workspace(NewWorkspace(title="Local", slug=LOCAL_NAME, plan="enterprise", time_zone="UTC"))
        with workspace_scope(workspace_id):
            do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Me", time_zone="UTC")
