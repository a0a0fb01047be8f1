"""Help: every article is there, and every link in it leads somewhere."""

import re
from html import unescape

import pytest

from flowcrm.lib import clock
from flowcrm.mailboxes import states
from flowcrm.mailboxes.states import Shown
from flowcrm.pages.help.articles import ARTICLES
from flowcrm.pages.words import LEVELS
from flowcrm.store.db import run
from tests.mail_helper import connect, conversation_of, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres


def test_the_articles_have_their_numbers() -> None:
    assert [article.slug for article in ARTICLES] == ["kb-001", "kb-010", "kb-011", "kb-012", "kb-015"]


def test_every_link_of_every_article_leads_somewhere(member: Someone) -> None:
    for article in ARTICLES:
        page = member.get(f"/help/{article.slug}").content.decode()
        for link in set(re.findall(r'href="(/[^"]*)"', page)):
            if not link.startswith("/static/"):
                assert member.client.get(link, follow=True).status_code == 200, (article.slug, link)


def test_an_unknown_article_is_not_found(member: Someone) -> None:
    assert member.get("/help/kb-999").status_code == 404


def test_the_setup_article_says_what_is_not_there_yet(member: Someone) -> None:
    page = member.get("/help/kb-010").content.decode()
    for exact in ("Settings → Integrations", "Email Integration", "Connect Gmail", "10,000", "100,000", "50 MB", "100 MB"):
        assert exact in page
    assert page.count("Not there yet") >= 2


# What an article names -> the page on which its reader finds it. BOX and THREAD are a mailbox and a thread of his.
NAMED: dict[str, dict[str, tuple[str, ...]]] = {
    "kb-001": {
        "/settings/team": ("Make a link",),
        "/emails": ("Mine", "All"),
    },
    "kb-010": {
        "/settings/integrations": (
            *("Email Integration", "Connect Gmail", "Sync now", "Disconnect", "Why is an email (not) here?", "Settings"),
            "Emails not syncing?",
            *("Connection status", "Sync settings", "Permissions", "Quota limits"),
        ),
        "/settings/integrations/BOX/settings": (
            *("What to sync", "Contacts only", "Specific labels", "All emails", "Import since", "Sync frequency"),
            *("Every 5 minutes", "Every 15 minutes", "Every hour", "Sync direction", "One-way (Gmail → FlowCRM)"),
            *("When an email is deleted in Gmail", "When an email leaves the chosen labels", "Who may see it", "No-CRM"),
            *("Only me", "People and times", "Subject line too", "Everything"),
        ),
        "/emails/THREAD": ("Make private", "Remove and keep out"),
        "/settings/plan": ("10,000", "100,000", "50 MB", "100 MB"),
        "/settings/team": ("preselected when a mailbox is connected",),
    },
    "kb-012": {"/emails/THREAD": ("Remove and keep out",), "/settings/integrations": ("Why is an email (not) here?",)},
    "kb-015": {
        "/settings/audit": ("CSV",),
        "/settings/integrations/BOX/settings": ("Only me", "People and times", "Subject line too", "Everything"),
        "/emails/THREAD": ("Remove and keep out",),
    },
}


@pytest.fixture
def reader(member: Someone, colleague: Someone) -> tuple[Someone, dict[str, str]]:
    """An admin with a mailbox that is well and has a thread, one of them in the bin; a colleague shows his."""
    now = clock.now()
    mailbox_id, shared = connect(member, "mara@acme.example"), connect(colleague, "ben@acme.example")
    with member.scope():
        run("UPDATE mailbox SET import_from = %s, import_done_at = %s, synced_at = %s", [now, now, now])
        run("UPDATE mailbox SET level = 'everything' WHERE id = %s", [shared])
    kept, gone = keep(member.workspace_id, mailbox_id, raw("Stays"), raw("Goes"))
    keep(member.workspace_id, shared, raw("His"))
    member.client.post(f"/emails/message/{gone}/remove", follow=True)
    return member, {"BOX": str(mailbox_id), "THREAD": str(conversation_of(member.workspace_id, kept))}


@pytest.mark.parametrize("slug", NAMED)
def test_what_an_article_names_is_found_where_it_says(reader: tuple[Someone, dict[str, str]], slug: str) -> None:
    member, ids = reader
    article = _text(member, f"/help/{slug}")
    for path, names in NAMED[slug].items():
        for name, value in ids.items():
            path = path.replace(name, value)
        shown = _text(member, path)
        for name in names:
            assert name in article, (slug, name)
            assert name in shown, (path, name)


def test_every_state_of_a_mailbox_is_explained_by_its_word(member: Someone) -> None:
    article = _text(member, "/help/kb-012")
    every = [one for one in vars(states).values() if isinstance(one, Shown)]
    every += [*states._STATES.values(), *states._NOTES.values()]
    words = {str(one.word).format(who="Google", Who="Google") for one in every}
    assert len(words) > 15
    assert [word for word in sorted(words) if word not in article] == []


def test_every_level_is_explained_in_the_words_of_the_settings(member: Someone) -> None:
    article = _text(member, "/help/kb-015")
    for level in LEVELS.values():
        assert f"{level.title} {level.meaning}" in article


def test_links_into_an_article_lead_to_a_place_in_it(member: Someone) -> None:
    for article in ARTICLES:
        page = member.get(f"/help/{article.slug}").content.decode()
        for link, anchor in re.findall(r'href="(/[^"#]*)#([^"]*)"', page):
            assert f'id="{anchor}"' in member.get(link).content.decode(), (article.slug, link, anchor)


def test_a_user_is_led_nowhere_that_is_for_admins(colleague: Someone) -> None:
    for article in ARTICLES:
        page = colleague.get(f"/help/{article.slug}").content.decode()
        for link in set(re.findall(r'href="(/[^"#]*)', page)):
            if not link.startswith("/static/"):
                assert colleague.client.get(link, follow=True).status_code == 200, (article.slug, link)


def _text(someone: Someone, path: str) -> str:
    """What stands on a page, without its tags."""
    answer = someone.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    inside = answer.content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", inside)).split())
