"""One account at the provider, connected in several workspaces or again: Disconnect takes nothing from the others."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from flowcrm.connectors import oauth
from flowcrm.lib import clock
from flowcrm.mail.errors import NeedsLogin
from flowcrm.mailboxes.connect import do_disconnect
from flowcrm.mailboxes.leaving import check_leave
from flowcrm.mailboxes.open import google_app
from flowcrm.mailboxes.states import State
from flowcrm.store.db import router_rows, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.vaults import vault
from flowcrm.store.writes.leaving import check_reactivate
from flowcrm.store.writes.mailbox import do_state
from flowcrm.store.writes.members import do_add_member, do_make_person
from flowcrm.store.writes.secrets import read_tokens
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, connect, letter

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


@dataclass(frozen=True)
class Twice:
    """The same account at Google, in two workspaces."""

    here: Box
    there: Box


@pytest.fixture
def twice(team: Team) -> Twice:
    here, other = team.mailbox("all"), Team(team.google)
    person = do_make_person(email=f"{uuid4().hex}@acme.example", name="Anna", password=uuid4().hex)
    with workspace_scope(other.workspace_id):
        member_id = do_add_member(
            workspace_id=other.workspace_id, person_id=person.id, role="user", name="Anna", time_zone="UTC"
        )
    there = Box(other, member_id, connect(other, member_id, here.address), here.address)
    there.choose("all")
    return Twice(here, there)


def disconnect(box: Box) -> None:
    do_disconnect(workspace_id=box.team.workspace_id, member_id=box.member_id, mailbox_id=box.mailbox_id)


def refresh_token(box: Box) -> str:
    with workspace_scope(box.team.workspace_id):
        stored = read_tokens(vault(box.team.workspace_id), mailbox_id=box.mailbox_id)
    assert stored is not None
    assert stored.tokens.refresh is not None
    return stored.tokens.refresh


def test_disconnecting_in_one_workspace_leaves_the_other_ones_grant(twice: Twice) -> None:
    disconnect(twice.here)
    clock.advance(3700)
    twice.there.slice()
    assert twice.there.state() == ("on", "")


def test_the_last_one_to_disconnect_gives_the_grant_back(twice: Twice) -> None:
    tokens = [refresh_token(twice.here), refresh_token(twice.there)]
    disconnect(twice.here)
    disconnect(twice.there)
    for token in tokens:
        with pytest.raises(NeedsLogin):
            oauth.refresh(google_app(), token)


def test_another_account_holds_nothing_up(team: Team, standin: GoogleStandin) -> None:
    box, _ = team.mailbox("all"), team.mailbox("all")
    token = refresh_token(box)
    disconnect(box)
    with pytest.raises(NeedsLogin):
        oauth.refresh(google_app(), token)


def test_connecting_again_before_the_provider_was_asked_keeps_the_new_grant(team: Team) -> None:
    box = team.mailbox("all")
    # The provider is asked after the commit; here the member is as quick as that.
    with workspace_scope(team.workspace_id):
        disconnect(box)
        connect(team, box.member_id, box.address, box.mailbox_id)
    clock.advance(3700)
    box.slice()
    assert box.state() == ("on", "")


def test_a_dead_grant_elsewhere_keeps_nothing_alive(twice: Twice) -> None:
    token = refresh_token(twice.here)
    with workspace_scope(twice.there.team.workspace_id):
        do_state(
            workspace_id=twice.there.team.workspace_id, mailbox_id=twice.there.mailbox_id, state=State.REAUTHORIZE, code="x"
        )
    disconnect(twice.here)
    with pytest.raises(NeedsLogin):
        oauth.refresh(google_app(), token)


def test_what_routes_between_workspaces_is_one_hash_for_the_account(twice: Twice) -> None:
    ids = [twice.here.mailbox_id, twice.there.mailbox_id]
    found = router_rows("SELECT mailbox_id, h_account FROM mailbox_grant WHERE mailbox_id = ANY(%s)", [ids])
    assert {mailbox_id for mailbox_id, _ in found} == set(ids)
    assert len({bytes(value) for _, value in found}) == 1
    disconnect(twice.here)
    assert router_rows("SELECT mailbox_id FROM mailbox_grant WHERE mailbox_id = ANY(%s)", [ids]) == [(twice.there.mailbox_id,)]


def _leaves(box: Box) -> None:
    workspace_id = box.team.workspace_id
    with workspace_scope(workspace_id):
        person = do_make_person(email=f"{uuid4().hex}@acme.example", name="Ada", password=uuid4().hex)
        admin = do_add_member(workspace_id=workspace_id, person_id=person.id, role="admin", name="Ada", time_zone="UTC")
        assert check_leave(workspace_id=workspace_id, member_id=box.member_id, by_id=admin) == 1


def test_a_member_who_is_deactivated_leaves_no_grant_behind_here_or_at_the_provider(team: Team) -> None:
    box = team.mailbox("all")
    kept = box.deliver(letter("kept"))
    box.rest()
    token = refresh_token(box)
    _leaves(box)
    with pytest.raises(NeedsLogin):
        oauth.refresh(google_app(), token)
    with workspace_scope(team.workspace_id):
        assert read_tokens(vault(team.workspace_id), mailbox_id=box.mailbox_id) is None
    box.deliver(letter("too late"))
    assert box.due() is None
    box.slice()
    assert box.kept() == {kept}


def test_whoever_is_deactivated_while_at_the_provider_connects_nothing(team: Team) -> None:
    box = team.mailbox("all")
    _leaves(box)
    with pytest.raises(NotFound):
        connect(team, box.member_id, box.address, box.mailbox_id)
    assert box.state() == (State.DISCONNECTED, "")


def test_whoever_is_let_in_again_connects_and_goes_on_where_he_was(team: Team) -> None:
    box = team.mailbox("all")
    first = box.deliver(letter("first"))
    box.rest()
    _leaves(box)
    second = box.deliver(letter("second"))
    with workspace_scope(team.workspace_id):
        check_reactivate(workspace_id=team.workspace_id, member_id=box.member_id)
    connect(team, box.member_id, box.address, box.mailbox_id)
    box.rest()
    assert box.kept() == {first, second}
