"""What a browser may load, on every page and on every error; and that our pages live by it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from flowcrm.store.queries.contacts import contact_page
from flowcrm.store.writes.contacts import ContactFields, do_create_contact
from flowcrm.urls import urlpatterns as our_urlpatterns
from tests.people import Someone
from tests.web.pages import PLAIN, of_contact

pytestmark = pytest.mark.needs_postgres


def _breaks(request: HttpRequest) -> HttpResponse:
    """Writes, then fails."""
    workspace = request.workspace  # type: ignore[attr-defined]
    do_create_contact(workspace_id=workspace.id, fields=ContactFields("Half done"))
    raise RuntimeError("broken on purpose")


urlpatterns = [*our_urlpatterns, path("breaks", _breaks)]


class _Inline(HTMLParser):
    """Finds what our policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.ids += [names["id"] or ""] if "id" in names else []
        if tag == "style" or (tag == "script" and "src" not in names and names.get("type") != "application/json"):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]


def _pages(member: Someone) -> Iterator[tuple[str, str]]:
    contact_id = member.contact("Anna Berg", "anna@nordlicht.example", note="Tall")
    for address in (*PLAIN, *of_contact(contact_id)):
        yield address, member.get(address).content.decode()
    yield "/sign-in/", Client().get("/sign-in/").content.decode()


def _policy(answer: Any) -> dict[str, str]:
    parts = (part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    return dict(parts)


def test_the_policy_allows_our_own_files_only(member: Someone) -> None:
    policy = _policy(member.get("/contacts"))
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)


def test_errors_carry_the_policy_too(member: Someone) -> None:
    member.client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        broken = member.get("/breaks")
    for answer, status in ((broken, 500), (member.get("/nowhere"), 404), (Client().get("/sign-in/"), 200)):
        assert answer.status_code == status
        assert _policy(answer)["default-src"] == "'self'"
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_view_that_fails_leaves_nothing_half_done(member: Someone) -> None:
    member.client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        page = member.get("/breaks").content.decode()
    assert "What you did last was not saved" in page
    with member.scope():
        assert contact_page(member.workspace_id).contacts == ()


def test_what_a_member_saw_is_not_kept_by_the_browser(member: Someone) -> None:
    assert member.get("/contacts")["Cache-Control"] == "no-store"


def test_no_page_has_inline_script_or_style(member: Someone) -> None:
    for address, page in _pages(member):
        parsed = _Inline()
        parsed.feed(page)
        assert parsed.found == [], address


def test_no_page_uses_an_id_twice(member: Someone) -> None:
    for address, page in _pages(member):
        parsed = _Inline()
        parsed.feed(page)
        assert len(parsed.ids) == len(set(parsed.ids)), address


def test_our_word_is_email(member: Someone) -> None:
    for address, page in _pages(member):
        assert "e-mail" not in page.lower(), address
