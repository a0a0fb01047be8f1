"""How the stand-in's grants live and end, and who it says has signed in."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from flowcrm.lib import clock
from standins.google.client import MODIFY, READONLY, GoogleStandin
from standins.google.oauth.scopes import TITLES
from standins.google.world import DEFAULT_CLIENT_ID
from tests.contract.google_standin import ANN, LABELS, Http, Person, refusal, running, signed_in
from tests.shared import shared


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def person(google: GoogleStandin) -> Iterator[Person]:
    someone = Person(google)
    yield someone
    someone.http.close()


@pytest.mark.usefixtures("moving_clock")
def test_an_access_token_lives_an_hour_and_a_refresh_token_renews_it(google: GoogleStandin) -> None:
    tokens = google.tokens(ANN)
    http = Http(google.url, tokens["access_token"])
    person = Person(google)
    assert http.get("/gmail/v1/users/me/profile").status == 200

    clock.advance(3600)
    late = http.get("/gmail/v1/users/me/profile")
    renewed = person.refreshes(tokens["refresh_token"]).json

    assert (late.status, late.reason, late.json["error"]["status"]) == (401, "authError", "UNAUTHENTICATED")
    assert set(renewed) == {"access_token", "expires_in", "scope", "token_type"}
    again = Http(google.url, renewed["access_token"])
    assert again.get("/gmail/v1/users/me/profile").status == 200
    for opened in (http, again, person.http):
        opened.close()


@pytest.mark.parametrize(
    ("control", "arguments", "description"),
    [
        ("revoke", {}, "Token has been expired or revoked."),
        ("change_password", {}, "Token has been expired or revoked."),
        ("revoke", {"subtype": "invalid_rapt"}, "reauth related error (invalid_rapt)"),
    ],
)
def test_a_dead_grant_refuses_both_tokens(
    google: GoogleStandin, person: Person, control: str, arguments: dict[str, Any], description: str
) -> None:
    tokens = google.tokens(ANN)
    http = Http(google.url, tokens["access_token"])

    google.control(control, account=ANN, **arguments)

    refused = person.refreshes(tokens["refresh_token"])
    assert refusal(refused) == (400, "invalid_grant", description)
    assert refused.json.get("error_subtype", "") == arguments.get("subtype", "")
    assert http.get("/gmail/v1/users/me/profile").status == 401
    http.close()


def test_the_app_revokes_by_either_token_and_the_next_consent_gives_a_refresh_token_again(person: Person) -> None:
    answer = person.exchanges(person.consents()).json

    assert person.http.form("/revoke", token=answer["access_token"]).status == 200

    assert person.refreshes(answer["refresh_token"]).json["error"] == "invalid_grant"
    assert refusal(person.http.form("/revoke", token=answer["refresh_token"])) == (
        400,
        "invalid_token",
        "Token expired or revoked",
    )
    assert "refresh_token" in person.exchanges(person.consents()).json


def test_a_refresh_token_belongs_to_its_client(google: GoogleStandin, person: Person) -> None:
    google.control("create_client", client_id="other", secret="s")
    token = google.tokens(ANN)["refresh_token"]

    assert person.refreshes(token, client_id="other", client_secret="s").json["error"] == "invalid_grant"
    assert person.refreshes(token, client_secret="").json["error_description"] == "client_secret is missing."


@pytest.mark.usefixtures("moving_clock")
def test_in_testing_a_refresh_token_dies_after_a_week(google: GoogleStandin, person: Person) -> None:
    google.control("create_client", client_id="trial", secret="s", testing=True)
    token = google.control("token", account=ANN, scopes=[READONLY], client_id="trial")["refresh_token"]
    ours = {"client_id": "trial", "client_secret": "s"}

    clock.advance(7 * 86400 - 60)
    assert person.refreshes(token, **ours).status == 200
    clock.advance(120)
    assert person.refreshes(token, **ours).json["error"] == "invalid_grant"


def test_the_hundred_and_first_refresh_token_kills_the_oldest(google: GoogleStandin, person: Person) -> None:
    tokens = [google.tokens(ANN)["refresh_token"] for _ in range(101)]

    assert person.refreshes(tokens[0]).json["error"] == "invalid_grant"
    assert person.refreshes(tokens[1]).status == 200


def test_a_refresh_may_ask_for_less_but_not_for_more(google: GoogleStandin, person: Person) -> None:
    token = google.tokens(ANN, [READONLY, LABELS])["refresh_token"]

    assert person.refreshes(token, scope=LABELS).json["scope"] == LABELS
    assert person.refreshes(token, scope=MODIFY).json["error"] == "invalid_scope"


@pytest.mark.parametrize(("status", "error"), [(429, "rate_limit_exceeded"), (500, "internal_failure"), (503, "backend_error")])
def test_the_token_endpoint_can_fail_for_a_while(google: GoogleStandin, person: Person, status: int, error: str) -> None:
    token = google.tokens(ANN)["refresh_token"]
    google.fault("oauth.token", "status", status=status, retry_after="7", count=2)

    replies = [person.refreshes(token) for _ in range(3)]

    assert [reply.status for reply in replies] == [status, status, 200]
    assert (replies[0].json["error"], replies[0].headers["retry-after"]) == (error, "7")


# -- who signed in -----------------------------------------------------------------------------------------------------


def test_userinfo_tells_what_was_permitted_and_no_more(google: GoogleStandin) -> None:
    with signed_in(google, READONLY) as gmail:
        http = Http(google.url)
        assert http.get("/oauth2/v2/userinfo").status == 401
        token = google.access_token(ANN, ["openid", "https://www.googleapis.com/auth/userinfo.email"])
        told = http.call("GET", "/v1/userinfo", headers={"Authorization": f"Bearer {token}"}).json
        http.close()
        assert gmail.get("/profile").status == 200

    assert (told["email"], told["email_verified"], "name" in told) == (ANN, True, False)


def test_an_id_token_is_signed_with_the_published_key(person: Person) -> None:
    answer = person.exchanges(person.consents(scope="openid email", nonce="n-1")).json
    head, claims, signature = answer["id_token"].split(".")
    key = person.http.get("/oauth2/v3/certs").json["keys"][0]

    power = pow(_number(signature), _number(key["e"]), _number(key["n"]))
    told = json.loads(_bytes(claims))

    assert power.to_bytes(256, "big").endswith(hashlib.sha256(f"{head}.{claims}".encode()).digest())
    assert (told["aud"], told["email"], told["nonce"]) == (DEFAULT_CLIENT_ID, ANN, "n-1")
    assert told["iss"] == "https://accounts.google.com"


def test_the_published_configuration_leads_to_this_server(google: GoogleStandin, person: Person) -> None:
    told = person.http.get("/.well-known/openid-configuration").json

    assert told["token_endpoint"] == google.settings()["GOOGLE_TOKEN_URL"]
    assert person.http.get(urlsplit(told["jwks_uri"]).path).status == 200


@pytest.mark.needs_shared
def test_the_scopes_it_knows_are_those_of_the_discovery_documents() -> None:
    documents = [json.loads(shared(f"contracts/google/{name}.json").read_text()) for name in ("gmail.v1", "oauth2.v2")]
    named = {scope for document in documents for scope in document["auth"]["oauth2"]["scopes"]}

    assert set(TITLES) == named


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")
