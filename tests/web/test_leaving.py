"""A member is deactivated by an admin: he gets in no more, nothing is read in his name, others see what they saw."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.test import Client

from flowcrm.mailboxes.leaving import check_leave
from flowcrm.store.db import close_connections, rows, workspace_scope
from flowcrm.store.errors import NotFound
from flowcrm.store.levels import Level
from flowcrm.store.queries.members import memberships
from flowcrm.store.writes.invites import LastAdmin
from flowcrm.store.writes.members import do_add_member
from flowcrm.store.writes.private import do_level
from tests.mail_helper import connect, keep, raw
from tests.people import PASSWORD, Someone, colleague, make_person, make_someone, make_workspace, member, stranger
from tests.web.listening import QUICK, Browser, serving

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

TEAM = "/settings/team"


def _deactivate(admin: Someone, who: Someone) -> str:
    answer = admin.post(f"{TEAM}/{who.member_id}/deactivate", follow=True)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def _verbs(someone: Someone, *verbs: str) -> list[tuple[str, int | None, list[int]]]:
    with someone.scope():
        return rows("SELECT verb, actor_id, object_ids FROM audit WHERE verb = ANY(%s) ORDER BY id", [list(verbs)])


def test_the_page_before_says_what_will_happen_and_changes_nothing(member: Someone, colleague: Someone) -> None:
    connect(colleague)
    connect(colleague, kind="archive", state="archive")
    page = member.get(f"{TEAM}/{colleague.member_id}/deactivate").content.decode()
    assert "Deactivate Ben Keller?" in page
    assert "One mailbox is disconnected" in page
    assert "see of them what they see today" in page
    assert colleague.get("/emails").status_code == 200


def test_a_deactivated_member_gets_in_no_more_from_his_next_request_on(member: Someone, colleague: Someone) -> None:
    assert colleague.get("/emails").status_code == 200
    assert "Ben Keller gets in no more." in _deactivate(member, colleague)
    answer = colleague.get("/emails")
    assert answer.status_code == 403
    assert "belong to no account" in answer.content.decode()
    assert colleague.part("/notices/latest").status_code == 403
    assert colleague.post("/settings/profile", {"name": "X", "time_zone": "UTC"}).status_code == 403
    # A new sign-in leads no further.
    fresh = Client()
    fresh.force_login(colleague.person, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert fresh.get("/emails").status_code == 403
    assert memberships(colleague.person.id) == ()


def test_his_other_account_is_not_touched(member: Someone, colleague: Someone) -> None:
    second = make_workspace("Second")
    with workspace_scope(second):
        do_add_member(workspace_id=second, person_id=colleague.person.id, role="user", name="Ben", time_zone="UTC")
    _deactivate(member, colleague)
    assert "Second" in colleague.get("/emails").content.decode()


def test_an_open_page_hears_nothing_more(member: Someone, colleague: Someone) -> None:
    def deactivated() -> None:
        try:
            _deactivate(member, colleague)
        finally:
            close_connections()

    async def test() -> None:
        async with serving(QUICK) as live:
            page = Browser(live, colleague.client)
            assert await page.word() == "all"
            await asyncio.to_thread(deactivated)
            while (word := await page.word()) is not None:
                assert word in {"all", "notices"}

    asyncio.run(test())


def test_his_mailboxes_are_disconnected_with_their_grants_and_stay_as_they_are(member: Someone, colleague: Someone) -> None:
    on, paused = connect(colleague), connect(colleague, state="paused")
    archive = connect(colleague, kind="archive", state="archive")
    before = _levels(colleague)
    _deactivate(member, colleague)
    with member.scope():
        states = dict(rows("SELECT id, state FROM mailbox"))
        due = rows("SELECT mailbox_id FROM mailbox_due")
    assert states == {on: "disconnected", paused: "disconnected", archive: "archive"}
    assert due == []
    assert _levels(colleague) == before
    assert _verbs(member, "disconnect") == [("disconnect", member.member_id, [one]) for one in (on, paused)]
    assert _verbs(member, "deactivate") == [("deactivate", member.member_id, [colleague.member_id])]


def _levels(someone: Someone) -> dict[int, str]:
    with someone.scope():
        return dict(rows("SELECT id, level FROM mailbox"))


def test_colleagues_see_what_they_saw_and_no_more(member: Someone, colleague: Someone) -> None:
    shared, closed = connect(colleague), connect(colleague)
    with colleague.scope():
        do_level(workspace_id=colleague.workspace_id, mailbox_id=shared, level=Level.EVERYTHING)
    [seen] = keep(colleague.workspace_id, shared, raw("Seen by all", "the seen text"))
    [unseen] = keep(colleague.workspace_id, closed, raw("Seen by none"))
    otto = make_someone(member.workspace_id, name="Otto")
    for _ in range(2):
        for one in (member, otto):
            assert one.get(f"/emails/message/{seen}").status_code in (200, 302)
            assert one.get(f"/emails/message/{unseen}").status_code == 404
        if colleague.get("/emails").status_code == 200:
            _deactivate(member, colleague)


def test_he_comes_back_in_his_role_and_connects_his_mailboxes_himself(member: Someone) -> None:
    second = make_someone(member.workspace_id, role="admin", name="Otto")
    mailbox_id = connect(second)
    _deactivate(member, second)
    page = member.get(TEAM).content.decode()
    assert "Deactivated" in page
    assert "Let Otto in again" in page
    answer = member.post(f"{TEAM}/{second.member_id}/reactivate", follow=True)
    assert "stay disconnected until their owner connects them" in answer.content.decode()
    assert second.get("/settings/audit").status_code == 200
    with second.scope():
        assert rows("SELECT state FROM mailbox WHERE id = %s", [mailbox_id]) == [("disconnected",)]
    assert _verbs(member, "reactivate") == [("reactivate", member.member_id, [second.member_id])]
    assert member.post(f"{TEAM}/{second.member_id}/reactivate").status_code == 404


def test_colleagues_who_are_no_admins_do_not_read_of_who_left(member: Someone, colleague: Someone) -> None:
    otto = make_someone(member.workspace_id, name="Otto")
    _deactivate(member, otto)
    assert "Otto" not in colleague.get(TEAM).content.decode()


def test_links_that_he_made_work_no_more_and_no_link_lets_him_in_again(member: Someone) -> None:
    second = make_someone(member.workspace_id, role="admin", name="Otto")
    his, hers = _link(second), _link(member)
    assert "One invitation that this member made" in member.get(f"{TEAM}/{second.member_id}/deactivate").content.decode()
    _deactivate(member, second)
    assert Client().get(his).status_code == 410
    for answer in (second.get(hers), second.post(hers)):
        assert answer.status_code == 403
        assert "an admin of the account can" in answer.content.decode()
    # It is not used up by that.
    typed = {"name": "Nora", "email": make_person().email.replace("@", "-n@"), "password": PASSWORD, "time_zone": "UTC"}
    assert Client().post(hers, typed).status_code == 302


def _link(admin: Someone) -> str:
    page = admin.post(TEAM, {"what": "invite", "name": "Nora", "role": "user"}).content.decode()
    return "/join/" + page.split("/join/")[1].split("<")[0]


def test_nobody_deactivates_himself_and_only_admins_others(member: Someone, colleague: Someone, stranger: Someone) -> None:
    assert "cannot deactivate yourself" in _deactivate(member, member)
    assert f"{TEAM}/{member.member_id}/deactivate" not in member.get(TEAM).content.decode()
    for what in ("deactivate", "reactivate"):
        path = f"{TEAM}/{colleague.member_id}/{what}"
        assert colleague.post(path).status_code == 403
        assert stranger.post(path).status_code == 404
    assert colleague.get(f"{TEAM}/{member.member_id}/deactivate").status_code == 403
    assert stranger.get(f"{TEAM}/{colleague.member_id}/deactivate").status_code == 404
    assert colleague.get("/emails").status_code == 200


def test_who_left_counts_as_no_admin_and_hears_of_nothing(member: Someone) -> None:
    second = make_someone(member.workspace_id, role="admin", name="Otto")
    _deactivate(member, second)
    answer = member.post(f"{TEAM}/{member.member_id}/role", {"role": "user"}, follow=True)
    assert "An account needs an admin" in answer.content.decode()
    assert member.post(f"{TEAM}/{second.member_id}/role", {"role": "user"}).status_code == 404
    assert member.post(f"{TEAM}/{second.member_id}/deactivate").status_code == 404
    with member.scope():
        assert rows("SELECT 1 FROM notice WHERE member_id = %s", [second.member_id]) == []


def test_of_two_admins_who_deactivate_each_other_at_once_one_stays(member: Someone) -> None:
    for third in (False, True):
        one, two = (make_someone(member.workspace_id, role="admin", name=name) for name in ("One", "Two"))
        if not third:
            member.post(f"{TEAM}/{member.member_id}/role", {"role": "user"})
        together = Barrier(2)

        def act(by: Someone, who: Someone, together: Barrier = together) -> bool:
            try:
                with workspace_scope(by.workspace_id):
                    together.wait()
                    check_leave(workspace_id=by.workspace_id, member_id=who.member_id, by_id=by.member_id)
            except (LastAdmin, NotFound):
                return False
            finally:
                close_connections()
            return True

        with ThreadPoolExecutor(2) as both:
            done = list(both.map(act, (one, two), (two, one)))
        assert sorted(done) == [False, True]
        with member.scope():
            rows("UPDATE member SET role = 'admin', deactivated_at = NULL RETURNING 1")
