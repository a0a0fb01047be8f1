"""The stand-in's sign-in: the account, the consent, the code, and the tokens for it."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from flowcrm.lib import clock
from standins.google.client import MODIFY, READONLY, GoogleStandin
from standins.google.world import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.contract.google_standin import (
    ANN,
    BACK,
    BEN,
    CHALLENGE,
    LABELS,
    VERIFIER,
    Http,
    Person,
    came_back,
    refusal,
    running,
)


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture
def person(google: GoogleStandin) -> Iterator[Person]:
    someone = Person(google)
    yield someone
    someone.http.close()


# -- the pages ---------------------------------------------------------------------------------------------------------


def test_without_a_hint_the_person_chooses_an_account(google: GoogleStandin, person: Person) -> None:
    google.create_account(BEN)

    page = person.opens(login_hint=None).body.decode()

    assert "Stand-in for Google: nothing leaves this machine" in page
    assert re.findall(r'<button [^>]*name="account"[^>]*>([^<]+)</button>', page) == [ANN, BEN]


def test_who_is_not_signed_in_at_this_browser_is_offered_only_where_the_app_hints_at_him(
    google: GoogleStandin, person: Person
) -> None:
    google.create_account(BEN, listed=False)

    def offered(hint: str | None) -> list[str]:
        page = person.opens(login_hint=hint, prompt="select_account").body.decode()
        return re.findall(r'<button [^>]*name="account"[^>]*>([^<]+)</button>', page)

    assert offered(None) == [ANN]
    assert offered(BEN) == [ANN, BEN]


def test_the_consent_page_has_a_box_for_each_permission_and_two_buttons(person: Person) -> None:
    page = person.opens(scope=f"openid email {READONLY} {LABELS}").body.decode()

    assert re.findall(r'type="checkbox" name="granted" value="([^"]+)"', page) == [LABELS, READONLY]
    assert re.findall(r"<button [^>]*>([^<]+)</button>", page) == ["Cancel", "Allow"]


def test_select_account_asks_even_with_a_hint(person: Person) -> None:
    assert "Choose an account" in person.opens(prompt="select_account").body.decode()


def test_cancel_goes_back_with_access_denied_and_the_state(person: Person) -> None:
    assert came_back(person.presses(person.opens(), "cancel")) == {"error": "access_denied", "state": "s t/ä"}


def test_allow_goes_back_with_a_code_the_scope_and_the_state_as_it_was(person: Person) -> None:
    told = came_back(person.presses(person.opens(), "allow"))

    assert told["code"].startswith("4/0A")
    assert (told["state"], told["scope"]) == ("s t/ä", READONLY)


def test_an_app_that_is_not_registered_is_refused_on_a_page_of_googles_own(google: GoogleStandin, person: Person) -> None:
    google.control("create_client", client_id="strict", secret="s", redirect_uris=["https://crm.test/back"])

    unknown = person.opens(client_id="nobody")
    elsewhere = person.opens(client_id="strict")
    tail = person.opens(client_id="strict", redirect_uri="https://crm.test/back/")

    assert (unknown.status, b"invalid_client" in unknown.body) == (401, True)
    assert (elsewhere.status, b"redirect_uri_mismatch" in elsewhere.body) == (400, True)
    assert tail.status == 400
    assert person.opens(client_id="strict", redirect_uri="https://crm.test/back").status == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": "token"}, b"invalid_request"),
        ({"scope": ""}, b"invalid_request"),
        ({"scope": "https://www.googleapis.com/auth/gmail.everything"}, b"invalid_scope"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, b"invalid_request"),
    ],
)
def test_a_wrong_request_never_redirects(person: Person, changes: dict[str, str], code: bytes) -> None:
    reply = person.opens(**changes)

    assert (reply.status, code in reply.body) == (400, True)


def test_pages_show_names_as_text(google: GoogleStandin, person: Person) -> None:
    google.control("create_client", client_id="evil", secret="s", name="<script>alert(1)</script>")

    page = person.opens(client_id="evil", state='"><script>').body.decode()

    assert "<script>" not in page


# -- codes and tokens --------------------------------------------------------------------------------------------------


def test_a_code_becomes_tokens_that_open_the_mailbox(google: GoogleStandin, person: Person) -> None:
    answer = person.exchanges(person.consents()).json

    assert set(answer) == {"access_token", "expires_in", "scope", "token_type", "refresh_token"}
    assert (answer["expires_in"], answer["scope"], answer["token_type"]) == (3599, READONLY, "Bearer")
    http = Http(google.url, answer["access_token"])
    assert http.get("/gmail/v1/users/me/profile").json["emailAddress"] == ANN
    http.close()


def test_a_code_works_once(person: Person) -> None:
    code = person.consents()
    assert person.exchanges(code).status == 200

    assert refusal(person.exchanges(code)) == (400, "invalid_grant", "Bad Request")


@pytest.mark.usefixtures("moving_clock")
def test_a_code_lives_ten_minutes(person: Person) -> None:
    code = person.consents()
    clock.advance(601)

    assert person.exchanges(code).json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client", "Unauthorized")),
        ({"client_id": "nobody"}, (401, "invalid_client", "The OAuth client was not found.")),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, (400, "redirect_uri_mismatch", "Bad Request")),
        ({"code": "nonsense"}, (400, "invalid_grant", "Malformed auth code.")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", "Invalid grant_type: password")),
    ],
)
def test_a_wrong_exchange_is_refused_as_google_does(
    person: Person, changes: dict[str, str], error: tuple[int, str, str]
) -> None:
    assert refusal(person.exchanges(**{"code": person.consents(), **changes})) == error


def test_the_client_may_sign_in_by_basic_authentication(person: Person) -> None:
    code = person.consents()
    basic = base64.b64encode(f"{DEFAULT_CLIENT_ID}:{DEFAULT_CLIENT_SECRET}".encode()).decode()
    body = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}).encode()

    assert person.http.call("POST", "/token", body, {"Authorization": f"Basic {basic}"}).status == 200


@pytest.mark.parametrize(
    ("verifier", "outcome"),
    [(VERIFIER, None), ("x" * 43, "Invalid code verifier."), ("", "Missing code verifier.")],
)
def test_a_challenge_wants_its_verifier(person: Person, verifier: str, outcome: str | None) -> None:
    code = person.consents(code_challenge=CHALLENGE, code_challenge_method="S256")

    assert person.exchanges(code, code_verifier=verifier).json.get("error_description") == outcome


def test_a_client_can_be_told_to_demand_a_challenge(google: GoogleStandin, person: Person) -> None:
    google.control("create_client", client_id="careful", secret="s", require_pkce=True)

    assert person.opens(client_id="careful").status == 400
    assert person.opens(client_id="careful", code_challenge=CHALLENGE, code_challenge_method="S256").status == 200


def test_an_unticked_permission_is_missing_from_the_token(google: GoogleStandin, person: Person) -> None:
    answer = person.exchanges(person.consents(scope=f"{MODIFY} {LABELS}", unticked=(MODIFY,))).json

    assert answer["scope"] == LABELS
    http = Http(google.url, answer["access_token"])
    assert http.get("/gmail/v1/users/me/labels").status == 200
    assert http.get("/gmail/v1/users/me/messages").reason == "insufficientPermissions"
    http.close()


def test_with_everything_unticked_nothing_is_granted(person: Person) -> None:
    page = person.opens(scope=f"{MODIFY} {LABELS}")

    assert came_back(person.presses(page, "allow", unticked=(MODIFY, LABELS)))["error"] == "access_denied"


def test_scopes_come_back_under_their_full_names(person: Person) -> None:
    answer = person.exchanges(person.consents(scope=f"email {READONLY}")).json

    assert set(answer["scope"].split()) == {READONLY, "openid", "https://www.googleapis.com/auth/userinfo.email"}


def test_a_second_consent_gives_no_refresh_token_unless_it_is_asked_for(person: Person) -> None:
    first = person.exchanges(person.consents()).json
    # Everything is granted already: no page, straight back.
    second = person.exchanges(came_back(person.opens())["code"]).json
    third = person.exchanges(person.consents(prompt="consent")).json

    assert ["refresh_token" in answer for answer in (first, second, third)] == [True, False, True]
    assert person.refreshes(first["refresh_token"]).status == 200


def test_online_access_gives_no_refresh_token(person: Person) -> None:
    assert "refresh_token" not in person.exchanges(person.consents(access_type=None)).json


def test_permissions_granted_before_are_included_when_asked(person: Person) -> None:
    person.exchanges(person.consents())

    answer = person.exchanges(person.consents(scope=LABELS, include_granted_scopes="true")).json

    assert set(answer["scope"].split()) == {READONLY, LABELS}


def test_without_a_page_the_person_cannot_be_asked(person: Person) -> None:
    assert came_back(person.opens(prompt="none"))["error"] == "consent_required"
    assert came_back(person.opens(prompt="none", login_hint=None))["error"] == "interaction_required"
