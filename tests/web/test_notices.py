"""The bell: who hears of what, once, live, and not of what is not his to know."""

import asyncio
from datetime import date, timedelta

import pytest
from django.test import Client

from flowcrm.jobs.upkeep import drop_notices
from flowcrm.lib import clock
from flowcrm.mail.types import Folder, FolderRole
from flowcrm.mailboxes.states import BROKEN
from flowcrm.store.db import close_connections, rows, run
from flowcrm.store.plans import Plan
from flowcrm.store.vaults import vault
from flowcrm.store.writes.mailbox import Selection, do_checked, do_folders, do_settings, do_state
from flowcrm.store.writes.notices import TROUBLES, Kind, do_notice, do_notice_limits
from tests.mail_helper import connect
from tests.people import PASSWORD, Someone, colleague, make_person, make_someone, member, stranger
from tests.web.listening import Browser, serving

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

TINY = Plan("tiny", "Tiny", True, 10, 5, 1)
TODAY = date(2026, 11, 23)


def _state(owner: Someone, mailbox_id: int, state: str) -> None:
    with owner.scope():
        do_state(workspace_id=owner.workspace_id, mailbox_id=mailbox_id, state=state)


def _page(someone: Someone) -> str:
    return str(someone.get("/notices").content.decode())


def _unread(someone: Someone) -> int:
    """What the bell says, on any page."""
    page = someone.get("/contacts").content.decode()
    said = page.split('name="shown" value="')[1]
    return int(said.split('"')[0])


def _topics(someone: Someone) -> list[str]:
    with someone.scope():
        return [one for (one,) in rows("SELECT topic FROM notice WHERE member_id = %s ORDER BY id", [someone.member_id])]


@pytest.fixture
def own(colleague: Someone) -> int:
    """The colleague's mailbox; he is no admin."""
    return connect(colleague, "ben@acme.example")


def test_the_states_that_are_told_are_those_that_do_not_pass_by_themselves() -> None:
    assert frozenset(BROKEN) == TROUBLES


@pytest.mark.parametrize("state", sorted(TROUBLES))
def test_trouble_is_told_to_the_owner_and_to_admins_in_their_own_words(
    state: str, member: Someone, colleague: Someone, stranger: Someone, own: int
) -> None:
    other = make_someone(member.workspace_id, name="Otto")
    _state(colleague, own, state)
    assert [_unread(one) for one in (colleague, member, other, stranger)] == [1, 1, 0, 0]
    assert "ben@acme.example:" in _page(colleague)
    assert "ben@acme.example of Ben Keller:" in _page(member)
    for one in (other, stranger):
        assert "ben@acme.example" not in _page(one)
        assert "Nothing to report" in _page(one)


def test_the_same_trouble_does_not_pile_up_and_says_when_it_is_over(member: Someone, colleague: Someone, own: int) -> None:
    for _ in range(3):
        _state(colleague, own, "reauthorize")
    assert _unread(colleague) == 1
    _state(colleague, own, "permission_missing")
    assert _unread(colleague) == 1
    assert "Permission missing" in _page(colleague)
    _state(colleague, own, "on")
    assert [_unread(one) for one in (colleague, member)] == [0, 0]
    assert "Over:" in _page(colleague)
    # It begins again: the old line is the new one.
    _state(colleague, own, "reauthorize")
    assert _unread(colleague) == 1
    assert len(_topics(colleague)) == 1
    assert "Over:" not in _page(colleague)


def test_who_is_no_admin_any_more_reads_no_more_of_others_mailboxes(member: Someone, colleague: Someone, own: int) -> None:
    second = make_someone(member.workspace_id, role="admin", name="Otto")
    _state(colleague, own, "reauthorize")
    assert _unread(second) == 1
    member.post(f"/settings/team/{second.member_id}/role", {"role": "user"})
    assert "ben@acme.example" not in _page(second)
    with second.scope():
        [(notice_id,)] = rows("SELECT id FROM notice WHERE member_id = %s AND kind = 'trouble'", [second.member_id])
    assert second.get(f"/notices/{notice_id}").status_code == 404


def test_opening_a_notice_reads_it_and_leads_to_where_it_is_mended(colleague: Someone, own: int) -> None:
    _state(colleague, own, "reauthorize")
    _state(colleague, connect(colleague), "reauthorize")
    with colleague.scope():
        [(first,), _] = rows("SELECT id FROM notice WHERE member_id = %s ORDER BY id", [colleague.member_id])
    assert f'href="/notices/{first}"' in _page(colleague)
    answer = colleague.get(f"/notices/{first}")
    assert (answer.status_code, answer["Location"]) == (302, "/settings/integrations")
    assert _unread(colleague) == 1
    assert colleague.post("/notices/read", follow=True).status_code == 200
    assert _unread(colleague) == 0
    assert "Mark all read" not in _page(colleague)


def test_the_sheet_below_the_bell_marks_all_read_in_place(colleague: Someone, own: int) -> None:
    _state(colleague, own, "reauthorize")
    assert "Mark all read" in colleague.part("/notices/latest").content.decode()
    answer = colleague.post("/notices/read", headers={"HX-Request": "true"}).content.decode()
    assert "Mark all read" not in answer
    assert "ben@acme.example" in answer
    assert 'hx-swap-oob="true" hidden' in answer


def test_the_bell_says_nothing_twice(colleague: Someone, own: int) -> None:
    assert colleague.part("/notices/bell?shown=0").status_code == 204
    _state(colleague, own, "reauthorize")
    answer = colleague.part("/notices/bell?shown=0")
    assert "Notices, 1 unread" in answer.content.decode()
    assert colleague.part("/notices/bell?shown=1").status_code == 204


def test_nobody_opens_or_reads_the_notices_of_others(member: Someone, colleague: Someone, stranger: Someone, own: int) -> None:
    _state(colleague, own, "reauthorize")
    with colleague.scope():
        [(notice_id,)] = rows("SELECT id FROM notice WHERE member_id = %s", [colleague.member_id])
    for one in (member, stranger):
        assert one.get(f"/notices/{notice_id}").status_code == 404
        one.post("/notices/read")
    assert _unread(colleague) == 1


def test_every_page_has_the_bell_also_those_outside_of_our_scope(member: Someone) -> None:
    for path in ("/emails", "/help", "/sign-in/password/", "/settings/team"):
        assert 'id="bell-said"' in member.get(path).content.decode(), path


def test_an_import_that_has_finished_is_told_to_its_owner_once_for_each_time(
    member: Someone, colleague: Someone, own: int
) -> None:
    def checked() -> None:
        with colleague.scope():
            do_checked(workspace_id=colleague.workspace_id, mailbox_id=own, synced=True, import_done=True)

    def chosen() -> None:
        with colleague.scope():
            what = Selection("all", None, 300, frozenset())
            do_settings(workspace_id=colleague.workspace_id, mailbox_id=own, chosen=what)

    checked()
    assert _topics(colleague) == []
    chosen()
    checked()
    checked()
    assert [_unread(one) for one in (colleague, member)] == [1, 0]
    assert "import finished" in _page(colleague)
    colleague.post("/notices/read")
    chosen()
    checked()
    assert _unread(colleague) == 1
    assert len(_topics(colleague)) == 1


def test_a_chosen_label_that_is_gone_is_told_until_somebody_chooses_again(colleague: Someone, own: int) -> None:
    keys = vault(colleague.workspace_id)
    clients, other = Folder("L1", "Clients", FolderRole.LABEL), Folder("L2", "Other", FolderRole.LABEL)

    def there(*folders: Folder) -> None:
        with colleague.scope():
            do_folders(keys, mailbox_id=own, folders=folders)

    def choose(*ids: str) -> None:
        with colleague.scope():
            what = Selection("labels", None, 300, frozenset(ids))
            do_settings(workspace_id=colleague.workspace_id, mailbox_id=own, chosen=what)

    there(clients, other)
    choose("L1")
    there(clients)
    assert _unread(colleague) == 0
    there(other)
    there(other)
    assert _unread(colleague) == 1
    page = _page(colleague)
    assert "a label that you chose is gone" in page
    assert "Clients" not in page
    with colleague.scope():
        [(notice_id,)] = rows("SELECT id FROM notice")
    assert colleague.get(f"/notices/{notice_id}")["Location"] == f"/settings/integrations/{own}/settings"
    choose("L2")
    assert "Over:" in _page(colleague)


def _waiting(owner: Someone, mailbox_id: int) -> None:
    with owner.scope():
        run(
            """INSERT INTO work (workspace_id, id, mailbox_id, provider_id, lane, sort, due_at)
               VALUES (%s, nextval('flow_id'), %s, nextval('flow_id')::text, 0, 1, %s)""",
            [owner.workspace_id, mailbox_id, clock.now()],
        )


def _limits(owner: Someone, mailbox_id: int, today: date = TODAY) -> None:
    with owner.scope():
        do_notice_limits(workspace_id=owner.workspace_id, mailbox_id=mailbox_id, plan=TINY, today=today)


def test_the_day_s_limit_is_told_once_a_day_and_only_while_emails_wait(member: Someone, colleague: Someone, own: int) -> None:
    second, other = connect(colleague), make_someone(member.workspace_id, name="Otto")
    with colleague.scope():
        for day in (TODAY, TODAY + timedelta(days=1)):
            run("INSERT INTO usage_day VALUES (%s, %s, 10, 0)", [colleague.workspace_id, day])
    _limits(colleague, own)
    assert _unread(colleague) == 0
    for mailbox_id in (own, second):
        for _ in range(3):
            _waiting(colleague, mailbox_id)
            _limits(colleague, mailbox_id)
    assert [_unread(one) for one in (colleague, member, other)] == [1, 1, 0]
    assert "goes on after midnight" in _page(colleague)
    _limits(colleague, own, TODAY + timedelta(days=1))
    assert _unread(colleague) == 2


def test_full_storage_is_told_until_there_is_room(colleague: Someone, own: int) -> None:
    def stored(count: int) -> None:
        with colleague.scope():
            run("UPDATE usage_total SET stored = %s", [count])

    _waiting(colleague, own)
    stored(5)
    _limits(colleague, own)
    assert _unread(colleague) == 1
    colleague.post("/notices/read")
    # A mail less and one more, again and again: nothing new to read.
    for _ in range(2):
        stored(4)
        _limits(colleague, own)
        assert "Over:" in _page(colleague)
        stored(5)
        _limits(colleague, own)
        assert "Over:" not in _page(colleague)
    assert _unread(colleague) == 0


def test_who_joins_is_told_to_whoever_invited_him_and_a_role_to_its_member(member: Someone, colleague: Someone) -> None:
    page = member.post("/settings/team", {"what": "invite", "name": "Nora", "role": "user"}).content.decode()
    link = "/join/" + page.split("/join/")[1].split("<")[0]
    nora = make_person().email.replace("@", "-new@")
    typed = {"name": "Nora New", "email": nora, "password": PASSWORD, "time_zone": "UTC"}
    assert Client().post(link, typed).status_code == 302
    assert "Nora New has joined" in _page(member)
    assert _unread(colleague) == 0

    member.post(f"/settings/team/{colleague.member_id}/role", {"role": "admin"})
    member.post(f"/settings/team/{colleague.member_id}/role", {"role": "admin"})
    assert _unread(colleague) == 1
    assert "You are an admin now" in _page(colleague)
    assert "Changed by Mara Lindt" in _page(colleague)
    # His own doing is no news to him.
    colleague.post(f"/settings/team/{colleague.member_id}/role", {"role": "user"})
    assert "You are a user now" not in _page(colleague)


def test_notices_are_kept_for_90_days_and_standing_trouble_as_long_as_it_stands(colleague: Someone, own: int) -> None:
    _state(colleague, own, "reauthorize")
    over = connect(colleague)
    _state(colleague, over, "reauthorize")
    _state(colleague, over, "on")
    with colleague.scope():
        do_notice(workspace_id=colleague.workspace_id, members=[colleague.member_id], kind=Kind.ROLE, detail="user")
        run("UPDATE notice SET at = %s", [clock.now() - timedelta(days=90, seconds=1)])
        do_notice(workspace_id=colleague.workspace_id, members=[colleague.member_id], kind=Kind.IMPORTED)
    drop_notices()
    assert _topics(colleague) == [f"trouble {own}", "imported"]


def test_an_open_page_hears_of_its_member_s_notices_only(member: Someone, colleague: Someone, stranger: Someone) -> None:
    def noticed(*who: Someone) -> None:
        try:
            for one in who:
                with one.scope():
                    do_notice(workspace_id=one.workspace_id, members=[one.member_id], kind=Kind.ROLE, again=True)
        finally:
            close_connections()

    async def test() -> None:
        async with serving() as live:
            pages = {one: Browser(live, one.client) for one in (member, colleague, stranger)}
            for page in pages.values():
                assert await page.word() == "all"
            await asyncio.to_thread(noticed, member)
            assert await pages[member].word() == "notices"
            # Had the others heard of hers, this would be their second word.
            await asyncio.to_thread(noticed, colleague, stranger)
            for one in (colleague, stranger):
                assert await pages[one].word() == "notices"
                await pages[one].leave()
            await pages[member].leave()

    asyncio.run(test())
