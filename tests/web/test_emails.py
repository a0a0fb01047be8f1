"""Emails: the list, a contact's and a company's tab, a thread and what is folded in it; who sees it, and what is recorded."""

import re
from typing import Any

import pytest

from flowcrm.lib import clock
from flowcrm.store.db import rows, run
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.workspaces import do_set_plan
from tests.mail_helper import START, Mail, connect, conversation_of, keep, raw
from tests.people import Someone
from tests.web.conftest import Statements

pytestmark = pytest.mark.needs_postgres

ANNA = "Anna Berg <anna@nordlicht.example>"
MARA = "Mara Lindt <mara@acme.example>"


def _page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def _thread(someone: Someone, message_id: int) -> str:
    return f"/emails/{conversation_of(someone.workspace_id, message_id)}"


def _exchange(someone: Someone) -> tuple[int, int, int]:
    """A question, its answer by the mailbox's owner, and another thread; the ids of their messages."""
    question, answer, other = keep(
        someone.workspace_id,
        connect(someone, "mara@acme.example"),
        Mail(raw("Quote for Rostock", "Could you send it?", sender=ANNA, to=MARA, message_id="<q@x>"), 1),
        Mail(raw("Re: Quote for Rostock", "Here it is.", sender=MARA, to=ANNA, reply_to="<q@x>"), 2),
        Mail(raw("Lunch", "At noon?", sender="Tom <tom@elbe.example>", files=[("menu.txt", "text/plain", b"x")]), 3, True),
    )
    return question, answer, other


def _records(someone: Someone) -> list[tuple[Any, ...]]:
    with someone.scope():
        return rows("SELECT verb, surface, object_ids, actor_id, host(ip) FROM audit ORDER BY id", [])


def test_a_line_says_who_how_many_what_and_when(member: Someone) -> None:
    question, _answer, _other = _exchange(member)
    page = _page(member.get("/emails"))
    assert "<bdi>me, Anna</bdi>" in page
    assert '<span class="quiet number">2</span>' in page
    assert "Re: Quote for Rostock" in page
    assert "Here it is." in page
    assert page.index("Lunch") < page.index("Re: Quote")
    assert f'href="{_thread(member, question)}"' in page
    assert 'datetime="2026-11-02T09:02:00+01:00"' in page


def test_a_line_marks_files_direction_and_what_is_unread(member: Someone) -> None:
    _exchange(member)
    page = _page(member.get("/emails"))
    lunch, quote = page.split('<li data-row class="thread')[1:]
    assert lunch.startswith(" unread")
    assert "With files" in lunch
    assert "Theirs" in lunch
    assert quote.startswith('"')
    assert "With files" not in quote
    assert "Ours" in quote


@pytest.mark.parametrize(
    ("mail", "people"),
    [
        (raw(sender=ANNA, to=MARA), "Anna Berg"),
        (raw(sender=MARA, to=ANNA), "me → Anna"),
        (raw(sender=MARA, to=f"{ANNA}, Tom Kruger <tom@x.example>"), "me → Anna, Tom"),
        (raw(sender="Berg, Anna <anna@x.example>", to=MARA), "Berg, Anna"),
        (raw(sender="no-reply@shop.example", to=MARA), "no-reply@shop.example"),
        (raw(sender=MARA, to="a@x.example, b@x.example, c@x.example, d@x.example"), "me → a, b, c +1"),
        (raw(sender=MARA, to="Dr. Eva Roth <eva@x.example>"), "me → Eva"),
        (b"Subject: nobody\r\n\r\nhello", "nobody"),
    ],
)
def test_people_are_called_as_their_reader_calls_them(member: Someone, mail: bytes, people: str) -> None:
    keep(member.workspace_id, connect(member, "mara@acme.example"), mail)
    assert f"<bdi>{people}</bdi>" in _page(member.get("/emails"))


def test_filters_stand_in_the_address(member: Someone) -> None:
    _exchange(member)
    for only in ("unread", "files"):
        page = _page(member.get(f"/emails?only={only}"))
        assert "Lunch" in page
        assert "Quote for Rostock" not in page
    with member.scope():
        run("UPDATE copy SET unread = false WHERE workspace_id = %s", [member.workspace_id])
    assert "Nothing unread" in _page(member.get("/emails?only=unread"))
    assert "Quote for Rostock" in _page(member.get("/emails?only=nonsense"))


def _asks(page: str, name: str) -> str:
    """The query with `name` by which a page asks for more."""
    found = re.search(rf'hx-get="\?([^"]*\b{name}=[^"]*)"', page)
    assert found, name
    return found[1].replace("&amp;", "&")


def test_what_came_in_since_is_said_and_nothing_moves(member: Someone) -> None:
    mailbox_id = connect(member)
    empty = _asks(_page(member.get("/emails")), "newer")
    assert member.part(f"/emails?{empty}").status_code == 204
    keep(member.workspace_id, mailbox_id, Mail(raw("First"), 5))
    assert "New emails – show" in _page(member.part(f"/emails?{empty}"))
    shown = _asks(_page(member.get("/emails")), "newer")
    # Older mail, of an import that is under way, is not new.
    keep(member.workspace_id, mailbox_id, Mail(raw("Older"), 1))
    records = _records(member)
    assert member.part(f"/emails?{shown}").status_code == 204
    keep(member.workspace_id, mailbox_id, Mail(raw("Newer"), 9))
    assert 'href="?only=all"' in _page(member.part(f"/emails?{shown}"))
    assert _records(member) == records
    assert "newer=" not in _page(member.get("/emails?after=1:2030-01-01T00:00:00Z"))


def test_a_contact_s_tab_learns_of_its_own_emails_only(member: Someone) -> None:
    mailbox_id, contact_id = connect(member), member.contact("Anna Berg", "anna@nordlicht.example")
    company_id = _company_of(member, contact_id)
    tabs = (f"/contacts/{contact_id}/emails", f"/companies/{company_id}/emails")
    asks = {tab: f"{tab}?{_asks(_page(member.get(tab)), 'newer')}" for tab in tabs}
    keep(member.workspace_id, mailbox_id, raw("Lunch", sender="Tom <tom@elbe.example>"))
    assert {member.part(ask).status_code for ask in asks.values()} == {204}
    keep(member.workspace_id, mailbox_id, raw("Quote", sender=ANNA))
    for ask in asks.values():
        assert "New emails – show" in _page(member.part(ask))


def _company_of(someone: Someone, contact_id: int) -> int:
    with someone.scope():
        company_id = do_create_company(workspace_id=someone.workspace_id, name="Nordlicht")
        run("UPDATE contact SET company_id = %s WHERE id = %s", [company_id, contact_id])
    return company_id


@pytest.mark.parametrize("newer", ["", "x", "1:", "1:2026-01-01T00:00:00"])
def test_a_place_that_nobody_was_shown_is_before_everything(member: Someone, newer: str) -> None:
    _exchange(member)
    assert "New emails – show" in _page(member.part(f"/emails?newer={newer}"))


def test_the_next_page_follows_without_a_gap(member: Someone) -> None:
    keep(member.workspace_id, connect(member), *(Mail(raw(f"Number {n:02}"), n) for n in range(60)))
    first = _page(member.get("/emails"))
    link = _asks(first, "after")
    rest = _page(member.part(f"/emails?{link}"))
    assert [f"Number {n:02}" in first for n in (59, 10, 9)] == [True, True, False]
    assert [f"Number {n:02}" in rest for n in (10, 9, 0)] == [False, True, True]
    assert "<html" not in rest
    assert "Show more" not in rest
    assert "Number 09" in _page(member.get(f"/emails?{link}"))


@pytest.mark.parametrize("after", ["x", "1:", "1:2026", "1:2026-01-01T00:00:00", f"{'9' * 30}:2026-01-01T00:00:00Z", "%00"])
def test_an_address_nobody_made_is_the_first_page(member: Someone, after: str) -> None:
    _exchange(member)
    assert "Quote for Rostock" in _page(member.get(f"/emails?after={after}"))


def test_a_contact_s_tab_shows_its_threads_and_opens_them(member: Someone) -> None:
    """K28."""
    question, _answer, _other = _exchange(member)
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    tab = _page(member.get(f"/contacts/{contact_id}/emails"))
    assert "Quote for Rostock" in tab
    assert "Lunch" not in tab
    inside = _page(member.part(_thread(member, question)))
    assert "<html" not in inside
    assert "Could you send it?" in inside
    assert "Here it is." in inside


def test_a_company_s_tab_shows_the_threads_of_all_its_contacts(member: Someone) -> None:
    _exchange(member)
    with member.scope():
        company_id = do_create_company(workspace_id=member.workspace_id, name="Nordlicht")
    member.contact("Anna Berg", "anna@nordlicht.example", company_id=company_id)
    tab = _page(member.get(f"/companies/{company_id}/emails"))
    assert "Quote for Rostock" in tab
    assert "Lunch" not in tab


def test_a_thread_shows_all_folded_and_the_newest_open(member: Someone) -> None:
    question, answer, _other = _exchange(member)
    page = _page(member.get(_thread(member, question)))
    assert "<h1><bdi>Quote for Rostock</bdi></h1>" in page
    folded, opened = page.split('<details class="mail"')[1:]
    assert f'hx-get="/emails/message/{question}"' in folded
    assert "Could you send it?" in folded
    assert opened.startswith(" open>")
    assert '<div class="mail-text">Here it is.</div>' in opened
    assert f'id="email-{answer}"' in page


def test_a_folded_email_opens_by_itself_and_without_script_too(member: Someone) -> None:
    question, _answer, _other = _exchange(member)
    assert '<div class="mail-text">Could you send it?</div>' in _page(member.part(f"/emails/message/{question}"))
    page = _page(member.get(f"{_thread(member, question)}?open={question}"))
    assert page.count('<details class="mail" open>') == 2


def test_the_address_of_a_merged_thread_leads_to_where_it_is_now(member: Someone) -> None:
    mailbox = connect(member)
    _one, two = keep(member.workspace_id, mailbox, raw("A", message_id="<a@x>"), raw("B", message_id="<b@x>"))
    former = _thread(member, two)
    keep(member.workspace_id, mailbox, raw("C", headers=[("References", "<a@x> <b@x>")]))
    assert former != _thread(member, two)
    assert member.get(former)["Location"] == _thread(member, two)
    assert "thread-inside" in _page(member.part(former))


def test_details_name_everybody_with_address_time_and_mailbox(member: Someone) -> None:
    mail = raw("Plan", sender=MARA, to=ANNA, headers=[("Cc", "Tom <tom@x.example>"), ("Bcc", "boss@acme.example")])
    (kept,) = keep(member.workspace_id, connect(member, "mara@acme.example"), Mail(mail, 300))
    page = _page(member.part(f"/emails/message/{kept}"))
    for text in (
        "Anna Berg &lt;anna@nordlicht.example&gt;",
        "Tom &lt;tom@x.example&gt;",
        "boss@acme.example",
        "Monday, 2 November 2026, 14:00",
        "As the sender wrote it",
        "Monday, 2 November 2026, 09:00",
        "<dd>mara@acme.example</dd>",
    ):
        assert text in page


def test_quotes_and_signature_are_folded(member: Someone) -> None:
    quote = "On Mon, 2 Nov 2026 at 08:00, Mara <mara@acme.example> wrote:\n> Shall I?\n"
    text = f"Yes, please.\n\n-- \nAnna Berg\nNordlicht\n\n{quote}"
    (kept,) = keep(member.workspace_id, connect(member), raw(text=text))
    page = _page(member.part(f"/emails/message/{kept}"))
    own, _fold, rest = page.partition('<details class="mail-rest">')
    assert '<div class="mail-text">Yes, please.</div>' in own
    assert "Shall I?" not in own
    assert "Shall I?" in rest
    assert "Nordlicht" in rest


def test_links_in_plain_text_can_be_followed_and_tell_their_target_nothing(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), raw(text='See (https://x.example/a?b=1&c=2), or "http://y.example".'))
    page = _page(member.part(f"/emails/message/{kept}"))
    assert '<a href="https://x.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">' in page
    assert ">http://y.example</a>&quot;." in page


def test_attachments_are_listed_with_their_size(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), raw(files=[("plan.pdf", "application/pdf", b"x" * 2048)]))
    page = _page(member.part(f"/emails/message/{kept}"))
    assert "plan.pdf" in page
    assert "2.0\xa0KB" in page


def test_what_the_provider_no_longer_has_says_since_when(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), raw())
    with member.scope():
        run("UPDATE copy SET gone_at = %s WHERE workspace_id = %s", [START, member.workspace_id])
    assert "No longer in Gmail since 2 Nov 2026" in _page(member.part(f"/emails/message/{kept}"))


def test_a_known_sender_leads_to_the_contact_and_an_unknown_one_becomes_one(member: Someone, colleague: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member, "mara@acme.example"), raw(sender=ANNA))
    assert "Add anna@nordlicht.example as a contact" in _page(member.part(f"/emails/message/{kept}"))
    answer = member.post(f"/emails/message/{kept}/contact")
    contact_id = int(answer["Location"].split("/")[2])
    assert "Anna Berg" in _page(member.get(f"/contacts/{contact_id}"))
    page = _page(member.part(f"/emails/message/{kept}"))
    assert f'href="/contacts/{contact_id}"' in page
    assert "as a contact" not in page
    assert member.post(f"/emails/message/{kept}/contact")["Location"] == f"/contacts/{contact_id}"


def test_a_colleague_need_not_become_a_contact(member: Someone, colleague: Someone) -> None:
    connect(colleague, "ben@acme.example")
    (kept,) = keep(member.workspace_id, connect(member), raw(sender="Ben <ben@acme.example>"))
    assert "as a contact" not in _page(member.part(f"/emails/message/{kept}"))


def test_the_five_reasons_why_a_list_is_empty_are_told_apart(member: Someone) -> None:
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    path = f"/contacts/{contact_id}/emails"
    assert "No mailbox is connected" in _page(member.get(path))
    mailbox_id, now = connect(member, "mara@acme.example"), clock.now()
    with member.scope():
        run("UPDATE mailbox SET import_from = %s WHERE id = %s", [now, mailbox_id])
    assert "Still importing" in _page(member.get(path))
    with member.scope():
        run(
            """INSERT INTO cursor (workspace_id, mailbox_id, scope, listing, listed, updated_at)
               VALUES (%s, %s, 'main', false, 4, %s)""",
            [member.workspace_id, mailbox_id, now],
        )
    assert "Still importing: 100 %" in _page(member.get(path))
    assert "No email address" in _page(member.get(f"/contacts/{member.contact('Nobody')}/emails"))
    with member.scope():
        run("UPDATE mailbox SET import_done_at = %s WHERE id = %s", [now, mailbox_id])
    assert "Nothing exchanged yet" in _page(member.get(path))
    assert "Nothing has come in yet" in _page(member.get("/emails"))


def test_a_company_whose_contacts_have_no_address_says_so(member: Someone) -> None:
    connect(member)
    with member.scope():
        company_id = do_create_company(workspace_id=member.workspace_id, name="Nordlicht")
    assert "No contact here has an email address" in _page(member.get(f"/companies/{company_id}/emails"))


def test_a_plan_without_email_integration_says_so_and_keeps_what_is_here(member: Someone) -> None:
    """K01: a downgrade deletes nothing."""
    with member.scope():
        do_set_plan(workspace_id=member.workspace_id, plan="starter")
    assert "Your plan has no email integration" in _page(member.get("/emails"))
    with member.scope():
        do_set_plan(workspace_id=member.workspace_id, plan="professional")
    question, _answer, _other = _exchange(member)
    with member.scope():
        do_set_plan(workspace_id=member.workspace_id, plan="starter")
    assert "Quote for Rostock" in _page(member.get("/emails"))
    assert "Here it is." in _page(member.get(_thread(member, question)))


def test_each_list_and_each_opening_is_recorded_with_who_what_and_where(member: Someone) -> None:
    """K53: ids only."""
    question, answer, other = _exchange(member)
    member.get("/emails", REMOTE_ADDR="192.0.2.9")
    member.get(_thread(member, question), REMOTE_ADDR="192.0.2.9")
    member.part(f"/emails/message/{question}", REMOTE_ADDR="192.0.2.9")
    who = (member.member_id, "192.0.2.9")
    assert _records(member) == [
        ("list", "emails", sorted([answer, other]), *who),
        ("list", "thread", sorted([question, answer]), *who),
        ("read", "thread", [answer], *who),
        ("read", "thread", [question], *who),
    ]


@pytest.mark.parametrize("path", ["", "/formatted", "/original"])
def test_nobody_else_opens_an_email(member: Someone, colleague: Someone, stranger: Someone, path: str) -> None:
    """An admin neither: the member is one."""
    (kept,) = keep(colleague.workspace_id, connect(colleague), raw())
    assert colleague.get(f"/emails/message/{kept}{path}").status_code == 200
    for other in (member, stranger):
        assert other.get(f"/emails/message/{kept}{path}").status_code == 404
        assert other.part(_thread(colleague, kept)).status_code == 404
        assert other.get(_thread(colleague, kept)).status_code == 404
        assert other.post(f"/emails/message/{kept}/contact").status_code == 404


def test_nobody_else_downloads_a_file(member: Someone, colleague: Someone, stranger: Someone) -> None:
    keep(colleague.workspace_id, connect(colleague), raw(files=[("a.txt", "text/plain", b"x")]))
    with colleague.scope():
        ((file_id,),) = rows("SELECT id FROM attachment", [])
    assert colleague.get(f"/emails/files/{file_id}").status_code == 200
    assert member.get(f"/emails/files/{file_id}").status_code == 404
    assert stranger.get(f"/emails/files/{file_id}").status_code == 404


def test_lists_show_nobody_anything_of_others(member: Someone, colleague: Someone, stranger: Someone) -> None:
    _exchange(colleague)
    contact_id = colleague.contact("Anna Berg", "anna@nordlicht.example")
    for other in (member, stranger):
        assert "Quote for Rostock" not in _page(other.get("/emails"))
    assert "Quote for Rostock" not in _page(member.get(f"/contacts/{contact_id}/emails"))
    assert stranger.get(f"/contacts/{contact_id}/emails").status_code == 404


def test_pages_with_mail_keep_the_browser_s_rules(member: Someone) -> None:
    """No script or style in the page, no id twice, and our word is Email."""
    html = raw("Formatted", html="<p style='color:red'>Hi</p>", files=[("a.txt", "text/plain", b"x")])
    (kept,) = keep(member.workspace_id, connect(member), html)
    _exchange(member)
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example")
    for path in ("/emails", f"/contacts/{contact_id}/emails", _thread(member, kept), "/settings/integrations"):
        page = _page(member.get(path))
        ids = re.findall(r'\bid="([^"]*)"', page)
        assert len(ids) == len(set(ids)), path
        assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=", page), path
        assert "e-mail" not in page.lower(), path


def test_a_hot_page_asks_at_most_twelve_things(member: Someone, statements: Statements) -> None:
    _exchange(member)
    with member.scope():
        company_id = do_create_company(workspace_id=member.workspace_id, name="Nordlicht")
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example", company_id=company_id)
    for path in ("/emails", f"/contacts/{contact_id}/emails", f"/companies/{company_id}/emails"):
        member.get(path)
        with statements() as seen:
            member.get(path)
        asked = [one for one in seen if not one.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
        assert len(asked) <= 12, "\n".join(asked)


def test_a_thread_costs_the_same_however_long_it_is(member: Someone, statements: Statements) -> None:
    mailbox = connect(member)
    costs = []
    for length in (1, 12):
        first = f"<{length}@x>"
        replies = [Mail(raw(f"S{n}", reply_to=first), n) for n in range(1, length)]
        kept = keep(member.workspace_id, mailbox, raw("S0", message_id=first), *replies)
        member.get(_thread(member, kept[0]))
        with statements() as seen:
            member.get(_thread(member, kept[0]))
        costs.append(len(seen))
    assert costs[0] == costs[1]
