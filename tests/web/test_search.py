"""Search on the page of all emails: what is found, how it is shown, and that it keeps to what its viewer may read."""

import re
from html import unescape

import pytest

from flowcrm.mail.words import BODY
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.levels import Level
from flowcrm.store.reveal.found import MOST_FOUND
from flowcrm.store.vaults import vault
from flowcrm.store.writes.private import do_level
from tests.mail_helper import Mail, connect, conversation_of, keep, raw
from tests.people import Someone, colleague, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres


def _found(someone: Someone, typed: str, **more: str) -> list[int]:
    """Conversations on the page, in their order."""
    answer = someone.client.get("/emails", {"q": typed, **more})
    assert answer.status_code == 200
    page = answer.content.decode()
    return list(dict.fromkeys(int(one) for one in re.findall(r'href="/emails/(\d+)\?open=\d+"', page)))


def _page(someone: Someone, typed: str) -> str:
    return unescape(someone.client.get("/emails", {"q": typed}).content.decode())


def _thread(someone: Someone, message: int) -> int:
    return conversation_of(someone.workspace_id, message)


@pytest.mark.parametrize(
    "typed",
    [
        "tyres",
        "TYRES",
        "winter nordlicht",
        "Anna",
        "anna@nordlicht.example",
        "Grusse",
        "Grüße",
        "résumé",
        "見積書",
        '"winter tyres"',
        "“winter tyres”",
        "mara secret.example",
    ],
)
def test_an_email_is_found_by_people_subject_text_and_names_of_files(member: Someone, typed: str) -> None:
    mail = raw(
        "Winter tyres",
        "Viele Grüße aus 東京の見積書です",
        files=[("resume.pdf", "application/pdf", b"x")],
        headers=[("Bcc", "Mara <mara@secret.example>")],
    )
    box = connect(member)
    wanted, _other = keep(member.workspace_id, box, mail, raw("Summer tires", sender="Carl <carl@other.example>"))
    assert _found(member, typed) == [_thread(member, wanted)]


@pytest.mark.parametrize("typed", ["tyre", "winter summer", '"tyres winter"', "anna@other.example", "?", "nothing"])
def test_what_is_not_in_it_finds_nothing_and_the_page_says_what_was_looked_for(member: Someone, typed: str) -> None:
    keep(member.workspace_id, connect(member), raw("Winter tyres"), raw("Summer tires"))
    assert _found(member, typed) == []
    page = _page(member, typed)
    assert f"Nothing found for “{typed}”" in page
    assert "Whole words are found" in page
    assert f'name="q" value="{typed}"' in page


def test_all_words_must_stand_in_one_email_of_a_conversation(member: Someone) -> None:
    box = connect(member)
    first = raw("Offer", "alpha", message_id="<1@x>")
    answer = raw("Re: Offer", "beta", message_id="<2@x>", reply_to="<1@x>")
    one, _ = keep(member.workspace_id, box, first, answer)
    assert _found(member, "alpha offer") == [_thread(member, one)]
    assert _found(member, "alpha beta") == []


def test_a_conversation_stands_once_by_its_newest_email_that_is_meant_and_opens_there(member: Someone) -> None:
    box = connect(member)
    first = Mail(raw("Offer", "about tyres, first", message_id="<1@x>"), minutes=1)
    second = Mail(raw("Re: Offer", "about tyres, again", message_id="<2@x>", reply_to="<1@x>"), minutes=2)
    third = Mail(raw("Re: Offer", "thanks", message_id="<3@x>", reply_to="<2@x>"), minutes=3)
    other = Mail(raw("Tyres", "once more"), minutes=0)
    ids = keep(member.workspace_id, box, first, second, third, other)
    assert _found(member, "tyres") == [_thread(member, ids[0]), _thread(member, ids[3])]
    page = _page(member, "tyres")
    assert f"?open={ids[1]}" in page
    assert "…about <mark>tyres</mark>, again…" in page
    opened = member.part(f"/emails/{_thread(member, ids[0])}?open={ids[1]}").content.decode()
    assert "about tyres, again" in opened


def test_pages_follow_each_other_and_end_with_the_newest_hundreds(member: Someone) -> None:
    box = connect(member)
    ids = keep(member.workspace_id, box, *(Mail(raw(f"Tyre {n}", "rubber"), minutes=n) for n in range(MOST_FOUND + 5)))
    newest_first = [_thread(member, one) for one in reversed(ids)]
    shown: list[int] = []
    begins = 0
    while True:
        page = member.client.get(
            "/emails", {"q": "rubber", "from": str(begins)}, headers={"HX-Request": "true"}
        ).content.decode()
        shown += [int(one) for one in re.findall(r'<a class="row-link[^>]*href="/emails/(\d+)\?open', page)]
        following = re.search(r'hx-get="\?q=rubber&amp;from=(\d+)"', page)
        if following is None:
            break
        begins = int(following[1])
    assert shown == newest_first[:MOST_FOUND]
    assert f"These are the newest {MOST_FOUND} conversations." in page


@pytest.mark.parametrize(("typed", "found"), [('"side by side"', 0), ("rubber", 2)])
def test_where_not_everything_was_looked_at_that_is_said_and_no_empty_page_offered(
    member: Someone, monkeypatch: pytest.MonkeyPatch, typed: str, found: int
) -> None:
    monkeypatch.setattr("flowcrm.store.reveal.found._AT_ONCE", 2)
    monkeypatch.setattr("flowcrm.store.reveal.found.MOST_PROPOSED", 2)
    keep(member.workspace_id, connect(member), *(raw(f"Tyre {n}", f"side {n} rubber by by side") for n in range(5)))
    assert len(_found(member, typed)) == found
    page = _page(member, typed)
    assert "emails that may be meant were looked at. A rarer word finds what is older." in page
    assert "Show more" not in page


def test_htmx_gets_the_part_and_the_list_again_when_the_word_is_taken_out(member: Someone) -> None:
    keep(member.workspace_id, connect(member), raw("Winter tyres"))
    part = member.part("/emails?q=tyres").content.decode()
    assert "<html" not in part
    assert "Winter tyres" in part
    whole = member.part("/emails?q=").content.decode()
    assert "<html" not in whole
    assert "Winter tyres" in whole
    assert "Which emails" in whole


def test_what_is_more_than_a_line_is_cut_and_that_is_said(member: Someone) -> None:
    keep(member.workspace_id, connect(member), raw("Winter tyres"))
    assert "Only the first 16 words were looked for." in _page(member, " ".join(f"w{n}" for n in range(40)))


@pytest.mark.parametrize("typed", ["\x00tyres", "tyres\x00", "' OR 1=1 --", "%", "{}", "x" * 10_000])
def test_anything_may_be_typed(member: Someone, typed: str) -> None:
    keep(member.workspace_id, connect(member), raw("Winter tyres"))
    assert member.client.get("/emails", {"q": typed, "from": "-1"}).status_code == 200


def test_nobody_elsewhere_finds_it(member: Someone, colleague: Someone, stranger: Someone) -> None:
    box = connect(member)
    connect(stranger)
    connect(colleague)
    (message,) = keep(member.workspace_id, box, raw("Winter tyres", "rubber"))
    with member.scope():
        do_level(workspace_id=member.workspace_id, mailbox_id=box, level=Level.ONLY_ME)
    assert _found(colleague, "rubber") == []
    assert _found(stranger, "rubber") == []
    with member.scope():
        do_level(workspace_id=member.workspace_id, mailbox_id=box, level=Level.SUBJECT)
    assert _found(colleague, "rubber") == []
    assert _found(colleague, "winter") == [_thread(member, message)]
    assert _found(stranger, "winter") == []


def test_a_search_is_in_the_audit_log_without_its_words(member: Someone) -> None:
    (message,) = keep(member.workspace_id, connect(member), raw("Winter tyres", "rubber"))
    _found(member, "rubber")
    with workspace_scope(member.workspace_id):
        found = rows("SELECT verb, surface, object_ids FROM audit WHERE surface = 'search' ORDER BY verb")
    assert found == [("list", "search", [message]), ("search", "search", [message])]
    assert "Found emails by a search" in member.get("/settings/audit").content.decode()


def test_the_index_only_proposes(member: Someone) -> None:
    """A token that is not true of the email, as an old variant leaves one behind, makes nobody find it."""
    (message,) = keep(member.workspace_id, connect(member), raw("Winter tyres", "rubber"))
    with member.scope():
        token = vault(member.workspace_id).token(BODY, "forgotten")
        rows("UPDATE search_row SET tok = tok || %s::bigint WHERE message_id = %s RETURNING 1", [token, message])
    assert _found(member, "forgotten") == []
    assert _found(member, "rubber") == [_thread(member, message)]
