"""Signing in at Google, end to end against the stand-in: leave, allow, come back, renew, give back."""

from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from flowcrm.connectors import oauth
from flowcrm.connectors.gmail.api import READ_ONLY, GmailSettings
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib import clock
from flowcrm.lib.http import HostRules
from flowcrm.mail.errors import NeedsAdmin, NeedsLogin, PermissionMissing, RateLimited, Transient
from standins.google.client import MODIFY, GoogleStandin

ANN = "ann@acme.example"
BACK = "http://127.0.0.1/back"
STATE = "state-of-this-browser"


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with GoogleStandin() as google:
        google.create_account(ANN)
        google.control("create_client", client_id="flowcrm", secret="hush", require_pkce=True)
        yield google


@pytest.fixture
def app(google: GoogleStandin) -> oauth.OAuthApp:
    urls = google.settings()
    return oauth.OAuthApp(
        client_id="flowcrm",
        client_secret="hush",
        auth_url=urls["GOOGLE_AUTH_URL"],
        token_url=urls["GOOGLE_TOKEN_URL"],
        revoke_url=urls["GOOGLE_REVOKE_URL"],
        scopes=(READ_ONLY,),
        hosts=HostRules(loopback=True),
    )


def allow(
    app: oauth.OAuthApp, verifier: str, asked: Sequence[str] = (READ_ONLY,), ticked: Sequence[str] = (READ_ONLY,)
) -> dict[str, str]:
    """Go to Google, choose the account, tick, press Allow: what the redirect back says."""
    url = urlsplit(oauth.authorization_url(app, BACK, STATE, verifier, ANN, tuple(asked)))
    form = [(name, value) for name, values in parse_qs(url.query).items() for value in values]
    form += [("account", ANN), ("decision", "allow"), *(("granted", scope) for scope in ticked)]
    browser = HTTPConnection(url.hostname or "", url.port, timeout=10)
    browser.request("POST", "/o/oauth2/v2/consent", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    response = browser.getresponse()
    response.read()
    browser.close()
    assert response.status == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def test_from_connect_to_the_first_answer(google: GoogleStandin, app: oauth.OAuthApp) -> None:
    verifier = oauth.new_verifier()
    back = allow(app, verifier)
    assert back["state"] == STATE
    tokens = oauth.exchange(app, back["code"], verifier, BACK)
    assert tokens.refresh
    assert tokens.scopes == {READ_ONLY}
    assert tokens.expires_at > clock.now()
    mailbox = GmailConnector(
        access_token=tokens.access, settings=GmailSettings(google.url, allow_loopback=True), spend=lambda units: None
    )
    assert mailbox.check().address == ANN
    mailbox.close()


def test_a_second_consent_gives_a_refresh_token_again(app: oauth.OAuthApp) -> None:
    for _ in range(2):
        verifier = oauth.new_verifier()
        assert oauth.exchange(app, allow(app, verifier)["code"], verifier, BACK).refresh


def test_scopes_granted_earlier_do_not_come_back(app: oauth.OAuthApp) -> None:
    verifier = oauth.new_verifier()
    allow(app, verifier, (MODIFY,), (MODIFY,))
    assert oauth.exchange(app, allow(app, verifier)["code"], verifier, BACK).scopes == {READ_ONLY}


def test_a_code_works_once_and_only_with_its_verifier(app: oauth.OAuthApp) -> None:
    verifier = oauth.new_verifier()
    code = allow(app, verifier)["code"]
    oauth.exchange(app, code, verifier, BACK)
    with pytest.raises(NeedsLogin):
        oauth.exchange(app, code, verifier, BACK)
    with pytest.raises(NeedsLogin):
        oauth.exchange(app, allow(app, verifier)["code"], oauth.new_verifier(), BACK)


def test_a_permission_left_unticked_is_missing(app: oauth.OAuthApp) -> None:
    verifier = oauth.new_verifier()
    code = allow(app, verifier, (READ_ONLY, MODIFY), (MODIFY,))["code"]
    with pytest.raises(PermissionMissing) as caught:
        oauth.exchange(app, code, verifier, BACK)
    assert caught.value.scope == READ_ONLY


def test_tokens_are_renewed_until_the_member_takes_the_permission_back(google: GoogleStandin, app: oauth.OAuthApp) -> None:
    first = google.control("token", account=ANN, scopes=[READ_ONLY], client_id="flowcrm")["refresh_token"]
    tokens = oauth.refresh(app, first)
    assert tokens.refresh is None
    google.revoke(ANN)
    with pytest.raises(NeedsLogin) as caught:
        oauth.refresh(app, first)
    assert caught.value.code == "invalid_grant"


def test_giving_back_ends_the_grant_and_may_be_repeated(google: GoogleStandin, app: oauth.OAuthApp) -> None:
    token = google.control("token", account=ANN, scopes=[READ_ONLY], client_id="flowcrm")["refresh_token"]
    for _ in range(2):
        oauth.revoke(app, token)
    with pytest.raises(NeedsLogin):
        oauth.refresh(app, token)


def test_a_wrong_secret_is_the_admins_to_mend(google: GoogleStandin, app: oauth.OAuthApp) -> None:
    google.control("create_client", client_id="flowcrm", secret="changed")
    token = google.control("token", account=ANN, scopes=[READ_ONLY], client_id="flowcrm")["refresh_token"]
    with pytest.raises(NeedsAdmin):
        oauth.refresh(app, token)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, Transient),
        ({"kind": "status", "status": 500}, Transient),
        ({"kind": "status", "status": 429, "retry_after": "9"}, RateLimited),
        ({"kind": "drop"}, Transient),
        ({"kind": "cut"}, Transient),
        ({"kind": "wrong_json"}, Transient),
    ],
)
def test_an_outage_of_the_token_endpoint_signs_nobody_out(
    google: GoogleStandin, app: oauth.OAuthApp, fault: dict[str, object], kind: type[Transient]
) -> None:
    token = google.control("token", account=ANN, scopes=[READ_ONLY], client_id="flowcrm")["refresh_token"]
    google.control("fault", match="oauth.token", **fault)
    with pytest.raises(Transient) as caught:
        oauth.refresh(app, token)
    assert type(caught.value) is kind
    assert oauth.refresh(app, token).access
