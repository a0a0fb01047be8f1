"""Settings, Team: invitations by link, roles, and an account that never loses its last admin."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.test import Client

from flowcrm.lib import clock
from flowcrm.store.db import close_connections, row, rows, run, workspace_scope
from flowcrm.store.writes.invites import LIFE, InviteDead, LastAdmin, check_invite, check_role, do_invite, do_join
from tests.people import PASSWORD, Someone, colleague, make_person, make_someone, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

TEAM = "/settings/team"
TYPED = {"name": "Nora New", "password": PASSWORD, "time_zone": "Europe/Paris"}


def _link(admin: Someone, *, name: str = "Nora", role: str = "user") -> str:
    """The path of a new link."""
    page = admin.post(TEAM, {"what": "invite", "name": name, "role": role}).content.decode()
    found = re.search(r"(/join/\d+/[\w-]+)<", page)
    assert found
    return found[1]


def _email() -> str:
    return make_person().email.replace("@", "-new@")


def _members(someone: Someone) -> dict[str, str]:
    with someone.scope():
        return dict(rows("SELECT name, role FROM member"))


def test_a_link_is_shown_once_and_lets_somebody_new_in(member: Someone) -> None:
    link = _link(member, role="admin")
    secret = link.rsplit("/", 1)[1]
    assert secret not in member.get(TEAM).content.decode()
    assert "Nora" in member.get(TEAM).content.decode()
    with member.scope():
        stored = str(rows("SELECT * FROM invite"))
    assert secret not in stored

    browser = Client()
    assert "Join Acme on FlowCRM" in browser.get(link).content.decode()
    answer = browser.post(link, {**TYPED, "email": _email()})
    assert answer.status_code == 302
    assert _members(member)["Nora New"] == "admin"
    assert browser.get("/settings/team").status_code == 200
    assert "Nora</strong>" not in member.get(TEAM).content.decode()


def test_a_link_works_once_for_a_week_and_not_after_it_was_taken_back(member: Someone) -> None:
    used, revoked, old = _link(member), _link(member), _link(member)
    assert Client().post(used, {**TYPED, "email": _email()}).status_code == 302
    with member.scope():
        ids = [one for (one,) in rows("SELECT id FROM invite WHERE used_at IS NULL ORDER BY id")]
        rows("UPDATE invite SET expires_at = %s WHERE id = %s RETURNING 1", [clock.now() - timedelta(seconds=1), ids[1]])
    member.post(f"{TEAM}/invites/{ids[0]}/revoke")
    for link in (used, revoked, old, f"/join/{member.workspace_id}/nonsense", "/join/1/nonsense"):
        answer = Client().get(link)
        assert answer.status_code == 410, link
        assert "This link works no more" in answer.content.decode()
        assert Client().post(link, {**TYPED, "email": _email()}).status_code == 410
    assert timedelta(days=7) == LIFE


def test_who_is_signed_in_already_joins_by_a_button(member: Someone, stranger: Someone) -> None:
    link = _link(member)
    with stranger.scope():
        run("UPDATE member SET time_zone = 'Asia/Tokyo'")
    assert "You are signed in as" in stranger.get(link).content.decode()
    assert stranger.post(link).status_code == 302
    assert _members(member)["Sten Strange"] == "user"
    with member.scope():
        assert row("SELECT time_zone FROM member WHERE name = 'Sten Strange'") == ("Asia/Tokyo",), "as in his other account"
    assert "Elsewhere" in stranger.get("/settings/profile").content.decode()


def test_who_is_in_the_account_keeps_his_role(member: Someone) -> None:
    link = _link(member, role="user")
    assert member.post(link).status_code == 302
    assert _members(member)["Mara Lindt"] == "admin"


def test_what_is_wrong_is_said_at_its_field_and_uses_nothing_up(member: Someone, colleague: Someone) -> None:
    link = _link(member)
    known = Client().post(link, {**TYPED, "email": colleague.person.email})
    assert known.status_code == 422
    assert "Sign in, then open the link once more" in known.content.decode()
    weak = Client().post(link, {**TYPED, "email": _email(), "password": "1234"})
    assert weak.status_code == 422
    assert Client().get(link).status_code == 200
    assert "Enter whom the link is for" in member.post(TEAM, {"what": "invite", "role": "user"}).content.decode()


def test_users_see_the_team_and_change_nothing(member: Someone, colleague: Someone) -> None:
    page = colleague.get(TEAM).content.decode()
    assert "Mara Lindt" in page
    assert "Make an admin" not in page
    assert "Invite somebody" not in page
    assert colleague.post(TEAM, {"what": "invite", "name": "X", "role": "admin"}).status_code == 403
    assert colleague.post(f"{TEAM}/{colleague.member_id}/role", {"role": "admin"}).status_code == 403
    _link(member)
    with member.scope():
        [(invite,)] = rows("SELECT id FROM invite")
    assert colleague.post(f"{TEAM}/invites/{invite}/revoke").status_code == 403
    assert _members(member)["Ben Keller"] == "user"


def test_a_stranger_s_admin_changes_nothing_here(member: Someone, colleague: Someone, stranger: Someone) -> None:
    link = _link(member)
    with member.scope():
        [(invite,)] = rows("SELECT id FROM invite")
    assert stranger.post(f"{TEAM}/{colleague.member_id}/role", {"role": "admin"}).status_code == 404
    stranger.post(f"{TEAM}/invites/{invite}/revoke")
    assert Client().get(link).status_code == 200
    assert _members(member)["Ben Keller"] == "user"


def test_an_admin_gives_roles_and_the_last_one_stays(member: Someone, colleague: Someone) -> None:
    answer = member.post(f"{TEAM}/{member.member_id}/role", {"role": "user"}, follow=True)
    assert "An account needs an admin" in answer.content.decode()
    member.post(f"{TEAM}/{colleague.member_id}/role", {"role": "admin"})
    member.post(f"{TEAM}/{member.member_id}/role", {"role": "user"})
    assert _members(member) == {"Mara Lindt": "user", "Ben Keller": "admin"}
    with colleague.scope():
        assert [one for (one,) in rows("SELECT verb FROM audit WHERE verb = 'role'")] == ["role", "role"]


def test_of_two_admins_who_step_down_at_once_one_stays(member: Someone) -> None:
    other = make_someone(member.workspace_id, role="admin", name="Otto")
    together = Barrier(2)

    def step_down(one: Someone) -> bool:
        try:
            with workspace_scope(one.workspace_id):
                together.wait()
                check_role(workspace_id=one.workspace_id, member_id=one.member_id, role="user", by_id=one.member_id)
        except LastAdmin:
            return False
        finally:
            close_connections()
        return True

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(step_down, (member, other)))
    assert sorted(done) == [False, True]
    assert sorted(_members(member).values()) == ["admin", "user"]


def test_of_two_who_use_a_link_at_once_one_gets_in(member: Someone) -> None:
    with member.scope():
        _id, secret = do_invite(workspace_id=member.workspace_id, member_id=member.member_id, name="Nora", role="user")
    people, together = [make_person("One"), make_person("Two")], Barrier(2)

    def use(person_id: int) -> bool:
        try:
            together.wait()
            with workspace_scope(member.workspace_id):
                invite = check_invite(workspace_id=member.workspace_id, secret=secret)
                do_join(workspace_id=member.workspace_id, invite=invite, person_id=person_id, name="New", time_zone="UTC")
        except InviteDead:
            return False
        finally:
            close_connections()
        return True

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(use, [one.id for one in people]))
    assert sorted(done) == [False, True]
