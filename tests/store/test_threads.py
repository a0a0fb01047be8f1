"""Lists of conversations: what is in them, in which order, page by page; and that they cost no more than their lines."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from flowcrm.store import access, reveal
from flowcrm.store.access import Actor, access_conversation
from flowcrm.store.db import rows, run
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Member
from flowcrm.store.queries import threads
from flowcrm.store.queries.threads import (
    Only,
    ThreadPage,
    emails_of,
    threads_of_company,
    threads_of_contact,
    threads_of_mine,
)
from flowcrm.store.reveal import files as reveal_files
from flowcrm.store.reveal import heads as reveal_heads
from flowcrm.store.reveal import shown as reveal_shown
from flowcrm.store.writes.companies import do_create_company
from tests.mail_helper import START, Mail, connect, conversation_of, keep, raw
from tests.people import Someone, colleague, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

ANNA = "Anna Berg <anna@nordlicht.example>"
TOM = "Tom Kruger <tom@elbe.example>"


def _actor(someone: Someone) -> Actor:
    return access.actor(Member.objects.get(id=someone.member_id))


def _mine(someone: Someone, **asked: Any) -> ThreadPage:
    with someone.scope():
        return threads_of_mine(_actor(someone), **asked)


def _of(someone: Someone, contact_id: int, **asked: Any) -> ThreadPage:
    with someone.scope():
        return threads_of_contact(_actor(someone), contact_id, **asked)


def _messages(page: ThreadPage) -> list[int]:
    return [row.message_id for row in page.threads]


def _walk(list_page: Any) -> Iterator[int]:
    """All messages of a list, page after page."""
    page = list_page(after=None)
    while True:
        yield from _messages(page)
        if page.after is None:
            return
        page = list_page(after=page.after)


def test_newest_conversation_comes_first_with_what_holds_for_all_of_it(member: Someone) -> None:
    mailbox = connect(member, "mara@acme.example")
    first, reply, other = keep(
        member.workspace_id,
        mailbox,
        Mail(raw("Quote", sender=ANNA, message_id="<q@x>"), 1, unread=True),
        Mail(raw("Re: Quote", sender="mara@acme.example", to=ANNA, reply_to="<q@x>"), 30),
        Mail(raw("Lunch", sender=TOM, files=[("menu.txt", "text/plain", b"soup")]), 10),
    )
    page = _mine(member)
    assert _messages(page) == [reply, other]
    quote, lunch = page.threads
    assert (quote.emails, quote.unread, quote.files, quote.ours, quote.answered) == (2, True, False, True, True)
    assert (lunch.emails, lunch.unread, lunch.files, lunch.ours, lunch.answered) == (1, False, True, False, False)
    assert quote.at == START + timedelta(minutes=30)
    assert quote.conversation_id == conversation_of(member.workspace_id, first)


def test_pages_hold_every_conversation_once_also_where_many_have_the_same_moment(member: Someone) -> None:
    mailbox = connect(member)
    kept = keep(member.workspace_id, mailbox, *(Mail(raw(f"S{n}", sender=ANNA), n // 4) for n in range(23)))
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    assert sorted(_walk(lambda after: _mine(member, after=after, size=5))) == sorted(kept)
    assert sorted(_walk(lambda after: _of(member, contact_id, after=after, size=5))) == sorted(kept)


def test_a_page_of_a_contact_is_full_however_many_emails_its_newest_conversation_has(member: Someone) -> None:
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    long = [Mail(raw(f"S{n}", sender=ANNA, message_id=f"<{n}@x>", reply_to="<0@x>" if n else ""), 10 + n) for n in range(40)]
    short = [Mail(raw(f"T{n}", sender=ANNA), n) for n in range(4)]
    *_, newest, last, third, second, first = keep(member.workspace_id, connect(member), *long, *short)
    page = _of(member, contact_id, size=3)
    assert _messages(page) == [newest, first, second]
    assert _messages(_of(member, contact_id, size=3, after=page.after)) == [third, last]


def test_filters_show_only_conversations_that_hold_such_an_email(member: Someone) -> None:
    mailbox = connect(member)
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    unread, _answer, files = keep(
        member.workspace_id,
        mailbox,
        Mail(raw("News", sender=ANNA, message_id="<n@x>"), 1, unread=True),
        Mail(raw("Re: News", sender=ANNA, reply_to="<n@x>"), 2),
        Mail(raw("Plan", sender=ANNA, files=[("plan.pdf", "application/pdf", b"%PDF")]), 3),
    )
    for only, shown in ((Only.UNREAD, [unread]), (Only.FILES, [files])):
        assert _messages(_mine(member, only=only)) == shown
        assert _messages(_of(member, contact_id, only=only)) == shown
    assert len(_mine(member).threads) == len(_of(member, contact_id).threads) == 2


def test_a_contact_has_the_conversations_that_name_one_of_its_addresses(member: Someone) -> None:
    mailbox = connect(member, "mara@acme.example")
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example", "anna@private.example")
    from_her, to_her, copied, reply_to, _other = keep(
        member.workspace_id,
        mailbox,
        Mail(raw("One", sender="ANNA@Nordlicht.example"), 5),
        Mail(raw("Two", sender="mara@acme.example", to="anna@private.example"), 4),
        Mail(raw("Three", sender=TOM, headers=[("Cc", ANNA)]), 3),
        Mail(raw("Four", sender="form@web.example", headers=[("Reply-To", ANNA)]), 2),
        Mail(raw("Five", sender=TOM), 1),
    )
    assert _messages(_of(member, contact_id)) == [from_her, to_her, copied, reply_to]


def test_a_contact_of_several_addresses_in_one_email_has_it_once(member: Someone) -> None:
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example", "anna@private.example")
    (both,) = keep(member.workspace_id, connect(member), raw("One", sender=ANNA, to="anna@private.example"))
    assert _messages(_of(member, contact_id)) == [both]


def test_a_contact_without_addresses_has_nothing(member: Someone) -> None:
    keep(member.workspace_id, connect(member), raw())
    assert _of(member, member.contact("Nobody")) == ThreadPage((), None)


def test_a_company_has_the_conversations_of_all_its_contacts(member: Someone) -> None:
    with member.scope():
        company_id = do_create_company(workspace_id=member.workspace_id, name="Nordlicht")
    member.contact("Anna Berg", "anna@nordlicht.example", company_id=company_id)
    member.contact("Tom Kruger", "tom@elbe.example", company_id=company_id)
    one, two, _other = keep(
        member.workspace_id,
        connect(member),
        Mail(raw("One", sender=ANNA), 3),
        Mail(raw("Two", sender=TOM), 2),
        Mail(raw("Three", sender="eve@other.example"), 1),
    )
    with member.scope():
        page = threads_of_company(_actor(member), company_id)
    assert _messages(page) == [one, two]


def test_a_bcc_shows_only_to_whose_copy_bears_it(member: Someone, colleague: Someone) -> None:
    secret = [("Bcc", "tom@elbe.example")]
    contact_id = member.contact("Tom Kruger", "tom@elbe.example")
    sent = raw("Plan", "Here it is.", sender="mara@acme.example", to="ben@acme.example", message_id="<p@x>", headers=secret)
    received = raw("Plan", "Here it is.", sender="mara@acme.example", to="ben@acme.example", message_id="<p@x>")
    (mine,) = keep(member.workspace_id, connect(member, "mara@acme.example"), sent)
    (his,) = keep(member.workspace_id, connect(colleague, "ben@acme.example"), received)
    assert mine == his
    assert _messages(_of(member, contact_id)) == [mine]
    assert _messages(_of(colleague, contact_id)) == []


def test_only_the_owner_of_a_mailbox_sees_its_emails(member: Someone, colleague: Someone, stranger: Someone) -> None:
    """The member is an admin, and sees no more than others."""
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    (his,) = keep(colleague.workspace_id, connect(colleague), raw("Hers", sender=ANNA))
    conversation = conversation_of(colleague.workspace_id, his)
    assert _messages(_mine(colleague)) == _messages(_of(colleague, contact_id)) == [his]
    assert _mine(member) == _of(member, contact_id) == ThreadPage((), None)
    for other in (member, stranger):
        with other.scope(), pytest.raises(NotFound):
            access_conversation(_actor(other), conversation)


def test_an_archive_is_read_by_its_owner_only(member: Someone, colleague: Someone) -> None:
    archive = connect(colleague, kind="archive", state="archive")
    (old,) = keep(colleague.workspace_id, archive, raw("Old", sender=ANNA))
    assert _messages(_mine(colleague)) == [old]
    assert _mine(member) == ThreadPage((), None)


def test_a_shared_conversation_shows_each_reader_his_own_part(member: Someone, colleague: Someone) -> None:
    question, answer = raw("Plan", sender=ANNA, message_id="<a@x>"), raw("Re: Plan", sender=TOM, reply_to="<a@x>")
    (both,) = keep(member.workspace_id, connect(member), Mail(question, 1))
    keep(colleague.workspace_id, connect(colleague), Mail(question, 1), Mail(answer, 9))
    (row,) = _mine(member).threads
    assert (row.message_id, row.emails) == (both, 1)
    assert _mine(colleague).threads[0].emails == 2
    with member.scope():
        conversation = access_conversation(_actor(member), conversation_of(member.workspace_id, both))
        assert [one.message_id for one in emails_of(_actor(member), conversation).emails] == [both]


def test_an_email_in_two_of_my_mailboxes_is_one_line_and_one_email(member: Someone) -> None:
    mail = raw("Both", sender=ANNA, message_id="<b@x>")
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    (first,) = keep(member.workspace_id, connect(member), Mail(mail, 1))
    (second,) = keep(member.workspace_id, connect(member), Mail(mail, 2, unread=True))
    assert first == second
    for page in (_mine(member), _of(member, contact_id)):
        (row,) = page.threads
        assert (row.emails, row.unread, row.at) == (1, True, START + timedelta(minutes=2))


def test_a_merged_conversation_is_found_under_its_former_id(member: Someone) -> None:
    mailbox = connect(member)
    one, two = keep(member.workspace_id, mailbox, raw("A", message_id="<a@x>"), raw("B", message_id="<b@x>"))
    former = [conversation_of(member.workspace_id, each) for each in (one, two)]
    keep(member.workspace_id, mailbox, raw("C", headers=[("References", "<a@x> <b@x>")]))
    with member.scope():
        found = {access_conversation(_actor(member), each) for each in former}
        assert found == {min(former)}
        assert len(emails_of(_actor(member), found.pop()).emails) == 3


def test_a_long_conversation_is_read_from_its_end(member: Someone) -> None:
    mails = [Mail(raw(f"S{n}", message_id=f"<{n}@x>", reply_to="<0@x>" if n else ""), n) for n in range(7)]
    kept = keep(member.workspace_id, connect(member), *mails)
    with member.scope():
        looking, conversation = _actor(member), conversation_of(member.workspace_id, kept[0])
        newest = emails_of(looking, conversation, size=3)
        assert ([one.message_id for one in newest.emails], newest.earlier) == (kept[4:], kept[4])
        earlier = emails_of(looking, conversation, before=newest.earlier, size=3)
        assert [one.message_id for one in earlier.emails] == kept[1:4]
        assert earlier.earlier is not None
        assert emails_of(looking, conversation, before=earlier.earlier, size=3).earlier is None


def test_what_the_provider_no_longer_has_stays_and_says_since_when(member: Someone) -> None:
    (gone,) = keep(member.workspace_id, connect(member), raw())
    with member.scope():
        run("UPDATE copy SET gone_at = %s WHERE workspace_id = %s", [START, member.workspace_id])
        (email,) = emails_of(_actor(member), conversation_of(member.workspace_id, gone)).emails
    assert email.gone_at == START
    assert _messages(_mine(member)) == [gone]


@pytest.mark.parametrize("only", list(Only))
def test_no_list_and_no_opening_reads_a_whole_table(member: Someone, only: Only, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the application's role, under row-level security: with sequential scans priced out, one that is left has no index."""
    for _ in range(3):
        (kept,) = keep(member.workspace_id, connect(member), raw(sender=ANNA))
    contact_id, conversation = member.contact("Anna Berg", "anna@nordlicht.example"), conversation_of(member.workspace_id, kept)
    plans: list[str] = []

    def explained(sql: str, params: Any) -> list[tuple[Any, ...]]:
        plans.append("\n".join(line for (line,) in rows(f"EXPLAIN {sql}", params)))
        return rows(sql, params)

    def none(sql: str, params: Any) -> None:
        explained(sql, params)

    with member.scope():
        looking = _actor(member)
        run("SET LOCAL enable_seqscan = off")
        for module in (access, threads, reveal_heads, reveal_files, reveal_shown):
            monkeypatch.setattr(module, "rows", explained, raising=False)
            monkeypatch.setattr(module, "row", none, raising=False)
        threads_of_mine(looking, only=only)
        threads_of_contact(looking, contact_id, only=only)
        threads_of_company(looking, 1, only=only)
        emails_of(looking, conversation)
        reveal.reveal_heads(looking, [1], "test")
        for door in (reveal.reveal_message, reveal.reveal_original, reveal.reveal_attachment):
            with pytest.raises(NotFound):
                door(looking, kept, "test")
        with pytest.raises(NotFound):
            access_conversation(looking, conversation)
    assert len(plans) == 9
    for plan in plans:
        assert "Seq Scan" not in plan, plan
