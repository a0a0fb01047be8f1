"""Signing in at a provider: what is asked, what comes back, and who must act when it is refused."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flowcrm.connectors import oauth
from flowcrm.lib import clock
from flowcrm.lib.http import HostRules
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, PermissionMissing, RateLimited, Transient
from flowcrm.mail.types import Tokens
from tests.unit.connectors.gmail.mailbox import in_turn
from tests.unit.scripted_server import CLOSE, ScriptedServer, reply, reply_json

READ, SEND = "https://mail.example/read", "https://mail.example/send"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

APP = oauth.OAuthApp(
    client_id="client",
    client_secret="hush",
    auth_url="https://accounts.example/auth",
    token_url="https://accounts.example/token",
    revoke_url="https://accounts.example/revoke",
    scopes=(READ,),
)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@contextmanager
def provider(*answers: Iterable[bytes]) -> Iterator[tuple[oauth.OAuthApp, ScriptedServer]]:
    with ScriptedServer(in_turn(*answers)) as server:
        here = HostRules(loopback=True)
        yield replace(APP, token_url=f"{server.url}/token", revoke_url=f"{server.url}/revoke", hosts=here), server


def granted(**changed: Any) -> list[bytes]:
    usual = {"access_token": "access", "refresh_token": "refresh", "expires_in": 3599, "scope": READ, "token_type": "Bearer"}
    return reply_json({name: value for name, value in {**usual, **changed}.items() if value is not None})


def refused(error: str, status: int = 400, description: str = "", **headers: str) -> list[bytes]:
    return reply_json({"error": error, "error_description": description}, status, **headers)


# -- leaving for the provider ---------------------------------------------------------------------------------------------


def sent(login_hint: str | None = None) -> dict[str, list[str]]:
    url = oauth.authorization_url(APP, "https://crm.example/back", "state-1", "v" * 50, login_hint, (READ, SEND))
    assert url.startswith("https://accounts.example/auth?")
    return parse_qs(urlsplit(url).query)


def test_the_url_asks_for_a_code_with_pkce_and_state() -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 50).digest()).decode().rstrip("=")
    assert sent() == {
        "response_type": ["code"],
        "client_id": ["client"],
        "redirect_uri": ["https://crm.example/back"],
        "scope": [f"{READ} {SEND}"],
        "state": ["state-1"],
        "code_challenge": [digest],
        "code_challenge_method": ["S256"],
        "access_type": ["offline"],
        "prompt": ["consent select_account"],
        "include_granted_scopes": ["false"],
    }


def test_a_known_address_is_preselected() -> None:
    assert sent("anna+crm@acme.example")["login_hint"] == ["anna+crm@acme.example"]


def test_verifiers_are_fresh_and_long_enough() -> None:
    verifiers = {oauth.new_verifier() for _ in range(20)}
    assert len(verifiers) == 20
    assert all(43 <= len(verifier) <= 128 for verifier in verifiers)


# -- coming back ----------------------------------------------------------------------------------------------------------


def test_a_code_becomes_tokens() -> None:
    with provider(granted()) as (app, server):
        tokens = oauth.exchange(app, "code/1", "verifier", "https://crm.example/back")
    assert tokens == Tokens("access", "refresh", NOW + timedelta(seconds=3599), frozenset({READ}))
    assert (server.seen[0].method, server.seen[0].path) == ("POST", "/token")
    assert server.seen[0].form == {
        "grant_type": "authorization_code",
        "code": "code/1",
        "code_verifier": "verifier",
        "redirect_uri": "https://crm.example/back",
        "client_id": "client",
        "client_secret": "hush",
    }


def test_a_refresh_token_becomes_a_new_access_token() -> None:
    with provider(granted(access_token="new", refresh_token=None)) as (app, server):
        tokens = oauth.refresh(app, "refresh")
    assert (tokens.access, tokens.refresh) == ("new", None)
    assert server.seen[0].form["grant_type"] == "refresh_token"
    assert server.seen[0].form["refresh_token"] == "refresh"


def test_a_rotated_refresh_token_is_given_on() -> None:
    with provider(granted(refresh_token="second")) as (app, _):
        assert oauth.refresh(app, "first").refresh == "second"


@pytest.mark.parametrize(("expires_in", "seconds"), [(None, 3600), ("1800", 1800), ("soon", 3600), (-5, 0)])
def test_a_life_that_is_not_told_is_the_usual_one(expires_in: Any, seconds: int) -> None:
    with provider(granted(expires_in=expires_in)) as (app, _):
        assert oauth.refresh(app, "r").expires_at == NOW + timedelta(seconds=seconds)


def test_a_permission_left_unticked_is_named() -> None:
    with provider(granted(scope=f"openid {SEND}")) as (app, _), pytest.raises(PermissionMissing) as caught:
        oauth.exchange(app, "c", "v", "u")
    assert caught.value.scope == READ


def test_more_permissions_than_asked_for_are_fine_and_told() -> None:
    with provider(granted(scope=f"{SEND} {READ}")) as (app, _):
        assert oauth.refresh(app, "r").scopes == {READ, SEND}


def test_an_answer_without_scope_grants_what_was_asked_for() -> None:
    with provider(granted(scope=None)) as (app, _):
        assert oauth.refresh(app, "r").scopes == {READ}


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(APP)
    with provider(refused("invalid_client", 401)) as (app, _), pytest.raises(NeedsAdmin) as caught:
        oauth.refresh(app, "the-refresh-token")
    assert "hush" not in str(caught.value)
    assert "the-refresh-token" not in str(caught.value)


# -- refusals -------------------------------------------------------------------------------------------------------------

TABLE = [
    (refused("invalid_grant", description="Token has been expired or revoked."), NeedsLogin, "invalid_grant"),
    (refused("interaction_required"), NeedsLogin, "interaction_required"),
    (refused("invalid_client", 401, "Unauthorized"), NeedsAdmin, "invalid_client"),
    (refused("unauthorized_client", 401), NeedsAdmin, "unauthorized_client"),
    (refused("redirect_uri_mismatch"), NeedsAdmin, "redirect_uri_mismatch"),
    (refused("admin_policy_enforced", 403), NeedsAdmin, "admin_policy_enforced"),
    (refused("invalid_request"), NeedsAdmin, "invalid_request"),
    (refused("rate_limit_exceeded", 403), RateLimited, "rate_limit_exceeded"),
    (refused("invalid_grant", 429), RateLimited, "429"),
    (reply("", 429), RateLimited, "429"),
    (refused("invalid_grant", 500), Transient, "500"),
    (reply("<html>", 503), Transient, "503"),
    (refused("temporarily_unavailable"), Transient, "temporarily_unavailable"),
    (refused("something_new"), Transient, "something_new"),
    (reply("<html>Welcome to the hotel</html>", 400), Transient, "unreadable"),
    (reply("<html>Welcome to the hotel</html>", 200), Transient, "unreadable"),
    (reply("[]", 400), Transient, "unreadable"),
    (reply(b"x" * 300_000, 200), Transient, "unreadable"),
    (reply_json({}), Transient, ""),
    (refused("invalid_grant", 200), NeedsLogin, "invalid_grant"),
    (reply("", 302, Location="https://portal.example"), Transient, "unreadable"),
    ([CLOSE], Transient, "cut"),
]


@pytest.mark.parametrize(("answer", "kind", "code"), TABLE)
def test_each_refusal_says_who_must_act(answer: list[bytes], kind: type[MailError], code: str) -> None:
    with provider(answer) as (app, _), pytest.raises(MailError) as caught:
        oauth.refresh(app, "r")
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_an_outage_is_not_a_bad_password() -> None:
    with provider() as (app, _):
        pass
    with pytest.raises(Transient) as caught:
        oauth.refresh(app, "r")
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("answer", [reply("", 429, Retry_After="60"), refused("slow_down", 400, Retry_After="60")])
def test_a_request_for_patience_says_how_long(answer: list[bytes]) -> None:
    with provider(answer) as (app, _), pytest.raises(RateLimited) as caught:
        oauth.refresh(app, "r")
    assert caught.value.retry_at == NOW + timedelta(seconds=60)


def test_the_endpoint_is_asked_once() -> None:
    with provider(reply("", 503)) as (app, server), pytest.raises(Transient):
        oauth.refresh(app, "r")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("error", "kind"), [("access_denied", NeedsLogin), ("admin_policy_enforced", NeedsAdmin), ("odd", Transient)]
)
def test_the_error_in_the_redirect_is_of_the_same_table(error: str, kind: type[MailError]) -> None:
    assert type(oauth.refusal(error)) is kind


# -- giving back ----------------------------------------------------------------------------------------------------------


def test_a_grant_is_given_back() -> None:
    with provider(reply("{}")) as (app, server):
        oauth.revoke(app, "refresh/1")
    assert (server.seen[0].path, server.seen[0].form) == ("/revoke", {"token": "refresh/1"})


def test_a_token_that_is_dead_already_is_as_good_as_revoked() -> None:
    with provider(refused("invalid_token")) as (app, _):
        oauth.revoke(app, "r")


def test_a_revocation_that_failed_is_told() -> None:
    with provider(reply("", 503)) as (app, _), pytest.raises(Transient):
        oauth.revoke(app, "r")
