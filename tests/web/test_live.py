"""Live streams: who may listen, what they are told and what not, and what happens when something on the way goes away."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest
from django.test import Client

from flowcrm.pages.live.app import MOST_STREAMS
from flowcrm.pages.live.streams import ALL, MOST_WORDS, Stream
from flowcrm.pages.live.viewer import Viewer
from flowcrm.store.db import close_connections, run, workspace_scope
from flowcrm.store.tidings import CHANNEL, Tiding
from flowcrm.store.writes.tell import do_tell
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, make_person
from tests.web.listening import QUICK, Browser, serving

pytestmark = pytest.mark.needs_postgres


def _go(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def _meanwhile(act: Callable[..., Any], *values: Any) -> None:
    """What somebody else does, in a thread of its own."""

    def acting() -> None:
        try:
            act(*values)
        finally:
            close_connections()

    await asyncio.to_thread(acting)


async def _tell(someone: Someone, mailbox_id: int) -> None:
    def telling() -> None:
        with someone.scope():
            do_tell(workspace_id=someone.workspace_id, mailbox_id=mailbox_id)

    await _meanwhile(telling)


@pytest.fixture
def own(member: Someone) -> int:
    """The member's mailbox."""
    return connect(member)


def test_a_member_hears_of_his_own_mailbox_and_first_that_anything_may_have_changed(member: Someone, own: int) -> None:
    async def test() -> None:
        async with serving() as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            assert page.status == 200
            assert page.headers[b"content-type"].startswith(b"text/event-stream")
            assert page.headers[b"cache-control"] == b"no-store"
            assert page.headers[b"x-accel-buffering"] == b"no"
            await _tell(member, own)
            assert await page.word() == f"mailbox-{own}"
            await page.leave()

    _go(test())


def test_a_mail_that_comes_in_is_told_to_lists_and_to_the_card_once(member: Someone, own: int) -> None:
    async def test() -> None:
        async with serving() as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            for mails in ([raw("One"), raw("Two")], [raw("Three")]):
                await _meanwhile(keep, member.workspace_id, own, *mails)
                assert [await page.word() for _ in range(2)] == ["emails", f"mailbox-{own}"]
            await page.leave()

    _go(test())


def test_nobody_hears_of_anothers_mailbox_not_even_an_admin_of_the_account(
    member: Someone, colleague: Someone, stranger: Someone, own: int
) -> None:
    others = {one: connect(one) for one in (colleague, stranger)}

    async def test() -> None:
        async with serving() as live:
            pages = {one: Browser(live, one.client) for one in (member, colleague, stranger)}
            for page in pages.values():
                assert await page.word() == ALL
            # The same mailbox's id, said of another account, is another mailbox.
            await _meanwhile(_told_of_account, stranger.workspace_id, own)
            for one, mailbox_id in [(member, own), *others.items()] * 2:
                await _tell(one, mailbox_id)
                assert await pages[one].word() == f"mailbox-{mailbox_id}"
            for page in pages.values():
                await page.leave()

    _go(test())


def _told_of_account(workspace_id: int, mailbox_id: int) -> None:
    with workspace_scope(workspace_id):
        do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id, emails=True)


def test_who_is_not_signed_in_or_belongs_to_no_account_gets_no_stream(member: Someone) -> None:
    homeless = Client()
    homeless.force_login(make_person(), backend="allauth.account.auth_backends.AuthenticationBackend")

    async def test() -> None:
        async with serving() as live:
            for client, status in ((Client(), 401), (homeless, 403)):
                page = Browser(live, client)
                assert await page.opened() == status
                assert await page.word() is None
                await page.leave()

    _go(test())


def test_signing_out_ends_the_stream(member: Someone) -> None:
    async def test() -> None:
        async with serving(QUICK) as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            await _meanwhile(member.post, "/sign-out/")
            assert await page.word() is None

    _go(test())


def test_leaving_the_account_ends_the_stream(member: Someone, colleague: Someone) -> None:
    def removed() -> None:
        with member.scope():
            run("DELETE FROM member WHERE id = %s", [colleague.member_id])

    async def test() -> None:
        async with serving(QUICK) as live:
            page = Browser(live, colleague.client)
            assert await page.word() == ALL
            await _meanwhile(removed)
            assert await page.word() is None

    _go(test())


def test_a_mailbox_that_is_connected_meanwhile_is_heard_of(member: Someone) -> None:
    async def test() -> None:
        async with serving(QUICK) as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            mailbox_id = await asyncio.to_thread(_connected, member)
            assert await page.word() == ALL
            await _tell(member, mailbox_id)
            assert await page.word() == f"mailbox-{mailbox_id}"
            await page.leave()

    _go(test())


def _connected(someone: Someone) -> int:
    try:
        return connect(someone)
    finally:
        close_connections()


def test_an_open_stream_gives_signs_of_life(member: Someone) -> None:
    async def test() -> None:
        async with serving(QUICK) as live:
            page = Browser(live, member.client)
            assert [await page.sign() for _ in range(3)].count("beat") >= 2
            await page.leave()

    _go(test())


def test_a_lost_listener_comes_back_and_pages_look_again(member: Someone, own: int, database: dict[str, str]) -> None:
    def kill() -> None:
        with psycopg.connect(database["app"], autocommit=True) as connection:
            killed = connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = 'flowcrm-live' AND datname = current_database()"""
            ).fetchall()
        assert killed == [(True,)]

    async def test() -> None:
        async with serving() as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            await _meanwhile(kill)
            assert await page.word() == ALL
            await _tell(member, own)
            assert await page.word() == f"mailbox-{own}"
            await page.leave()

    _go(test())


def test_what_is_not_understood_makes_pages_look_again(member: Someone, database: dict[str, str]) -> None:
    """An upgrade under way: a newer release tells of more."""

    def told() -> None:
        with psycopg.connect(database["app"], autocommit=True) as connection:
            connection.execute("SELECT pg_notify(%s, '7 contact 3 changed')", [CHANNEL])

    async def test() -> None:
        async with serving() as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            await _meanwhile(told)
            assert await page.word() == ALL
            await page.leave()

    _go(test())


def test_a_slow_reader_is_told_each_thing_once(member: Someone, own: int) -> None:
    def flood() -> None:
        for _ in range(200):
            with member.scope():
                do_tell(workspace_id=member.workspace_id, mailbox_id=own, emails=True)

    async def test() -> None:
        async with serving() as live:
            slow, quick = Browser(live, member.client), Browser(live, member.client)
            assert [await slow.word(), await quick.word()] == [ALL, ALL]
            slow.stall()
            await _meanwhile(flood)
            assert await quick.word() == "emails"
            await quick.leave()
            slow.read_on()
            heard = [await slow.word(), await slow.word()]
            live.streams.stop()
            while (word := await slow.word()) is not None:
                heard.append(word)
            # What was on its way when it stopped to read, and all the rest at once.
            assert len(heard) <= 6

    _go(test())


def test_too_much_to_say_is_said_in_one_word() -> None:
    async def test() -> None:
        mailboxes = range(1, MOST_WORDS + 10)
        stream = Stream(Viewer(1, 1, frozenset(mailboxes), frozenset()))
        for mailbox_id in mailboxes:
            stream.hear(Tiding(1, mailbox_id, emails=True))
        assert await stream.news(0) == (ALL,)
        stream.hear(Tiding(1, 2, emails=False))
        assert await stream.news(0) == ("mailbox-2",)

    _go(test())


def test_a_member_has_so_many_streams_and_others_have_their_own(member: Someone, colleague: Someone) -> None:
    async def test() -> None:
        async with serving() as live:
            pages = [Browser(live, member.client) for _ in range(MOST_STREAMS)]
            for page in pages:
                assert await page.opened() == 200
            assert await Browser(live, member.client).opened() == 429
            assert await Browser(live, colleague.client).opened() == 200
            await pages[0].leave()
            assert await Browser(live, member.client).opened() == 200

    _go(test())


def test_a_process_that_stops_ends_its_streams_and_opens_no_more(member: Someone) -> None:
    async def test() -> None:
        async with serving() as live:
            page = Browser(live, member.client)
            assert await page.word() == ALL
            live.streams.stop()
            assert await page.word() is None
            assert await Browser(live, member.client).opened() == 503

    _go(test())


def test_everything_else_is_django_s(member: Someone) -> None:
    assert member.get("/live").json()["member"] == member.member_id
    assert member.post("/live").status_code == 405
    assert Client().get("/live").status_code == 302


def test_a_colleague_hears_of_a_shared_mailbox_s_emails_and_not_of_its_card() -> None:
    async def test() -> None:
        stream = Stream(Viewer(1, 1, frozenset({10}), frozenset({20})))
        stream.hear(Tiding(1, 20, emails=False))
        assert await stream.news(0) == ()
        stream.hear(Tiding(1, 20, emails=True))
        assert await stream.news(0) == ("emails",)
        stream.hear(Tiding(1, 30, emails=True))
        stream.hear(Tiding(2, 20, emails=True))
        assert await stream.news(0) == ()
        stream.hear(Tiding(1, 10, emails=True))
        assert await stream.news(0) == ("emails", "mailbox-10")

    _go(test())
