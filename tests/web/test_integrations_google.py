"""Google set-up: for admins, guided, tested at once, its secret never shown."""

from collections.abc import Iterator
from typing import Any

import pytest

from flowcrm.store.db import rows, run
from flowcrm.store.writes.instance import instance_setting
from standins.google.client import READONLY, GoogleStandin
from tests.people import Someone
from tests.web.google import CLIENT_ID, SECRET, google_at_work

pytestmark = pytest.mark.needs_postgres

PAGE = "/settings/integrations/google"


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    run("DELETE FROM instance_setting WHERE key = 'google_app'")
    with google_at_work(set_up=False) as standin:
        yield standin


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def _save(someone: Someone, client_id: str = CLIENT_ID, secret: str = SECRET) -> str:
    return _page(someone.client.post(PAGE, {"client_id": client_id, "client_secret": secret}, follow=True))


def test_the_page_gives_what_google_wants_to_know(member: Someone, google: GoogleStandin) -> None:
    page = _page(member.get(PAGE))
    assert "http://127.0.0.1:8000/settings/integrations/connect/gmail/return" in page
    assert READONLY in page
    assert "Google ends every permission after 7 days" in page
    assert "Not set up" in page
    assert page.count("data-copy=") == 2


def test_the_right_client_is_tested_and_said_to_work(member: Someone, google: GoogleStandin) -> None:
    page = _save(member)
    assert "Google knows this client ID and secret." in page
    assert "Works" in page
    stored = instance_setting("google_app")
    assert stored is not None
    assert (stored["client_id"], stored["client_secret"]) == (CLIENT_ID, SECRET)


@pytest.mark.parametrize(("client_id", "secret"), [(CLIENT_ID, "wrong"), ("nobody.apps.googleusercontent.com", SECRET)])
def test_a_wrong_client_is_told_apart_from_a_right_one(
    member: Someone, google: GoogleStandin, client_id: str, secret: str
) -> None:
    page = _save(member, client_id, secret)
    assert "Refused by Google" in page
    assert "Google does not know this client ID with this secret" in page
    assert "invalid_client" in page


def test_when_google_is_down_nothing_typed_is_lost_and_the_test_can_be_repeated(member: Someone, google: GoogleStandin) -> None:
    google.fault("oauth.token", "status", status=503, count=1)
    assert "Google did not answer" in _save(member)
    page = _page(member.client.post(f"{PAGE}/test", follow=True))
    assert "Google knows this client ID and secret." in page


def test_the_secret_is_sealed_and_never_shown(member: Someone, google: GoogleStandin) -> None:
    assert SECRET not in _save(member)
    assert SECRET not in _page(member.get(PAGE))
    ((sealed,),) = rows("SELECT s_value FROM instance_setting WHERE key = 'google_app'")
    assert SECRET.encode() not in bytes(sealed)


def test_an_empty_secret_keeps_the_stored_one_for_the_same_client_only(member: Someone, google: GoogleStandin) -> None:
    _save(member)
    assert "Works" in _save(member, secret="")
    stored = instance_setting("google_app")
    assert stored is not None
    assert stored["client_secret"] == SECRET
    refused = member.post(PAGE, {"client_id": "other.apps.googleusercontent.com", "client_secret": ""})
    assert refused.status_code == 422
    assert "Another client ID needs its own secret." in _page(refused)


@pytest.mark.parametrize(
    ("client_id", "secret", "sentence"),
    [
        ("", SECRET, "Enter the client ID"),
        ("GOCSPX-abc", SECRET, "That is not a client ID"),
        (CLIENT_ID, "", "Enter the client secret"),
    ],
)
def test_what_cannot_be_is_said_at_the_field(
    member: Someone, google: GoogleStandin, client_id: str, secret: str, sentence: str
) -> None:
    answer = member.post(PAGE, {"client_id": client_id, "client_secret": secret})
    assert answer.status_code == 422
    assert sentence in _page(answer)
    assert instance_setting("google_app") is None


def test_only_an_admin_sets_it_up(member: Someone, colleague: Someone, google: GoogleStandin) -> None:
    for answer in (colleague.client.get(PAGE, follow=True), colleague.client.post(f"{PAGE}/test", follow=True)):
        assert "Only an admin can set up Google." in _page(answer)
    colleague.post(PAGE, {"client_id": CLIENT_ID, "client_secret": SECRET})
    assert instance_setting("google_app") is None


def test_the_set_up_is_recorded(member: Someone, google: GoogleStandin) -> None:
    _save(member)
    with member.scope():
        assert rows("SELECT verb, actor_id FROM audit", []) == [("google_setup", member.member_id)]
