"""Accounts and their members."""

from uuid import uuid4

import pytest

from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.members import account_name, counts, memberships, team
from flowcrm.store.vaults import vault
from flowcrm.store.writes.members import do_add_member, do_make_person, do_set_profile
from flowcrm.store.writes.workspaces import (
    LONGEST_NAME,
    AccountNameInvalid,
    AccountNameTaken,
    NewWorkspace,
    check_account_name,
    do_make_workspace,
)
from tests.store.pages import new_workspace

pytestmark = pytest.mark.needs_postgres


def _person() -> int:
    return do_make_person(email=f"{uuid4().hex[:12]}@Acme.example", name="Anna", password=uuid4().hex).pk


def test_a_new_account_can_seal_at_once() -> None:
    keys = vault(new_workspace())
    assert keys.open("contact", 1, keys.seal("contact", 1, b"hello")) == b"hello"


def test_a_name_belongs_to_one_account_for_good() -> None:
    slug = f"t{uuid4().hex[:20]}"
    workspace_id = do_make_workspace(NewWorkspace("Acme", check_account_name(slug.upper()), "starter", "UTC"))
    assert account_name(workspace_id) == slug
    with pytest.raises(AccountNameTaken):
        check_account_name(slug)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "a--b", "ä", "a.b", "a b", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_cannot_stand_in_an_address_is_refused(slug: str) -> None:
    with pytest.raises(AccountNameInvalid):
        check_account_name(slug)


def test_adding_somebody_again_changes_role_and_name_and_keeps_the_member() -> None:
    workspace_id, person_id = new_workspace(), _person()
    with workspace_scope(workspace_id):
        first = do_add_member(workspace_id=workspace_id, person_id=person_id, role="user", name="Anna", time_zone="UTC")
        again = do_add_member(workspace_id=workspace_id, person_id=person_id, role="admin", name="Anna Berg", time_zone="UTC")
        assert first == again
        (one,) = team(workspace_id)
    assert (one.name, one.role, one.mailboxes) == ("Anna Berg", "admin", 0)


def test_a_profile_changes_one_account_only() -> None:
    person_id, here, there = _person(), new_workspace(), new_workspace()
    for workspace_id in (here, there):
        with workspace_scope(workspace_id):
            do_add_member(workspace_id=workspace_id, person_id=person_id, role="user", name="Anna", time_zone="UTC")
    mine = memberships(person_id)[0].member
    with workspace_scope(here):
        do_set_profile(workspace_id=here, member_id=mine.id, name="Anna Berg", time_zone="Asia/Tokyo")
    assert [(one.member.name, one.member.time_zone) for one in memberships(person_id)] == [
        ("Anna Berg", "Asia/Tokyo"),
        ("Anna", "UTC"),
    ]


def test_an_empty_account_counts_nothing() -> None:
    workspace_id = new_workspace()
    with workspace_scope(workspace_id):
        assert (counts(workspace_id).contacts, counts(workspace_id).companies) == (0, 0)
