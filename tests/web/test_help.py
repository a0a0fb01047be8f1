"""Help: every article is there, and every link in it leads somewhere."""

import re

import pytest

from flowcrm.pages.help.articles import ARTICLES
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
