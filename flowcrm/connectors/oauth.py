"""OAuth 2 sign-in (RFC 6749) with PKCE (RFC 7636): values in, values out; who keeps the tokens is not decided here.

Authlib builds and reads the messages, our own transport carries them. Authlib's httpx client is not used: it renews tokens
by itself in the middle of a call, keeps them in the client, follows redirects and writes URLs to the log through httpx2.

What an error of the token endpoint means (RFC 6749, 5.2; `_MEANING` below is the whole table):

    invalid_grant, interaction_required, …    NeedsLogin      the one class that may sign a mailbox out
    invalid_client, unauthorized_client, …    NeedsAdmin      client id, secret, redirect URI, or a policy
    429, slow_down, rate_limit_exceeded       RateLimited     an outage must never look like a bad password
    5xx, time-outs, not JSON, unknown words   Transient
    fewer scopes than asked for               PermissionMissing(scope)

Google: developers.google.com/identity/protocols/oauth2/web-server
"""

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from flowcrm.connectors.network import network_error
from flowcrm.lib import clock
from flowcrm.lib.http import Answer, Client, HostRules, HttpError, HttpStatus, HttpTooLarge, Timeouts, retry_after
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, PermissionMissing, RateLimited, Transient
from flowcrm.mail.types import Tokens

_TIMEOUTS = Timeouts(connect=10, read=20, total=30)
_MAX_BYTES = 256 * 1024

# Without `expires_in` (RFC 6749 only recommends it) a token is taken to live as long as Google's and Microsoft's do.
_USUAL_LIFE = 3600

# Google gives a refresh token only with offline access, and a second time only when it asks for consent again; the chooser
# is for people with several accounts. Scopes granted to this app earlier must not come back: one-way means read-only.
GOOGLE_PARAMETERS = (
    ("access_type", "offline"),
    ("prompt", "consent select_account"),
    ("include_granted_scopes", "false"),
)


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """This installation's registration at a provider.

    scopes: what the product cannot work without, spelled as the provider spells them in its answers.
    parameters: what the provider wants to find in the authorization URL beyond the standard.
    hosts: whether the endpoints may be a stand-in on this machine.
    """

    client_id: str
    client_secret: str = field(repr=False)
    auth_url: str
    token_url: str
    revoke_url: str
    scopes: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = GOOGLE_PARAMETERS
    hosts: HostRules = field(default_factory=HostRules)


def new_verifier() -> str:
    """A fresh PKCE secret (RFC 7636, 4.1: 43 to 128 characters). Keep it with the state, on the server."""
    return secrets.token_urlsafe(48)


def authorization_url(
    app: OAuthApp, redirect_uri: str, state: str, verifier: str, login_hint: str | None, scopes: tuple[str, ...]
) -> str:
    """Where to send the member's browser. login_hint: the address to preselect at the provider."""
    return str(
        prepare_grant_uri(
            app.auth_url,
            client_id=app.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=list(scopes),
            state=state,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            login_hint=login_hint,
            **dict(app.parameters),
        )
    )


def exchange(app: OAuthApp, code: str, verifier: str, redirect_uri: str) -> Tokens:
    """The code from the redirect for tokens. Raises `MailError`; a code works once, so ask for a new one after any error."""
    return _grant(app, "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)


def refresh(app: OAuthApp, refresh_token: str) -> Tokens:
    """A new access token. `Tokens.refresh` is None where the old one goes on: keep it, never store None. Raises `MailError`."""
    return _grant(app, "refresh_token", refresh_token=refresh_token)


def revoke(app: OAuthApp, token: str) -> None:
    """Give the grant back (RFC 7009). A token that the provider does not know any more is as good as revoked."""
    try:
        _post(app, app.revoke_url, prepare_revoke_token_request(token)[0])
    except NeedsLogin as error:
        if error.code not in ("invalid_token", "invalid_grant"):
            raise


def refusal(error: str, description: str = "") -> MailError:
    """What an `error` word means, in the redirect or in an answer of the token endpoint."""
    kind, sentence = _MEANING.get(error, (Transient, "The sign-in service gave an unknown answer."))
    # The description is the provider's own; of ours it can repeat ids and addresses of the app, nothing of the mail.
    return kind(f"{sentence} ({error}: {description[:200]})" if description else f"{sentence} ({error})", code=error)


_LOGIN = "The permission has ended: it was revoked, has expired, or the password was changed."
_ASK = "The provider wants the owner of the mailbox to sign in again."
_APP = "The provider does not accept this installation's registration: check client id, client secret and redirect URI."
_POLICY = "The organisation's policy does not allow this app."
_BUSY = "The sign-in service asks for patience."
_UNREADABLE = "The sign-in service gave an unreadable answer."
_DOWN = "The sign-in service has a problem of its own."

_MEANING: dict[str, tuple[type[MailError], str]] = {
    "invalid_grant": (NeedsLogin, _LOGIN),
    "invalid_token": (NeedsLogin, _LOGIN),
    "access_denied": (NeedsLogin, "The permission was not given."),
    "interaction_required": (NeedsLogin, _ASK),
    "login_required": (NeedsLogin, _ASK),
    "consent_required": (NeedsLogin, _ASK),
    "account_selection_required": (NeedsLogin, _ASK),
    "invalid_client": (NeedsAdmin, _APP),
    "unauthorized_client": (NeedsAdmin, _APP),
    "deleted_client": (NeedsAdmin, _APP),
    "disabled_client": (NeedsAdmin, _APP),
    "redirect_uri_mismatch": (NeedsAdmin, _APP),
    "invalid_request": (NeedsAdmin, _APP),
    "invalid_scope": (NeedsAdmin, _APP),
    "unsupported_grant_type": (NeedsAdmin, _APP),
    "unsupported_response_type": (NeedsAdmin, _APP),
    "admin_policy_enforced": (NeedsAdmin, _POLICY),
    "org_internal": (NeedsAdmin, "The app is open to its own organisation only."),
    "rate_limit_exceeded": (RateLimited, _BUSY),
    "slow_down": (RateLimited, _BUSY),
    "server_error": (Transient, _DOWN),
    "temporarily_unavailable": (Transient, _DOWN),
    "internal_failure": (Transient, _DOWN),
}


def _grant(app: OAuthApp, grant_type: str, **fields: str) -> Tokens:
    """One request to the token endpoint (RFC 6749, 4.1.3 and 6)."""
    # Counted from before the request: the token must not seem to live longer than it does.
    asked_at = clock.now()
    body = prepare_token_request(grant_type, client_id=app.client_id, client_secret=app.client_secret, **fields)
    answer = _object(_post(app, app.token_url, str(body)))
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise refusal(str(answer.get("error", "")), str(answer.get("error_description", "")))
    # RFC 6749, 5.1: without `scope` the answer grants what was asked for.
    granted = frozenset(str(answer["scope"]).split()) if answer.get("scope") else frozenset(app.scopes)
    for scope in app.scopes:
        if scope not in granted:
            raise PermissionMissing("A permission was left unticked when signing in.", scope=scope, code="scope")
    refresh_token = answer.get("refresh_token")
    return Tokens(
        access=access,
        refresh=str(refresh_token) if refresh_token else None,
        expires_at=asked_at + timedelta(seconds=_life(answer.get("expires_in"))),
        scopes=granted,
    )


def _life(expires_in: object) -> int:
    try:
        return max(0, int(str(expires_in)))
    except ValueError:
        return _USUAL_LIFE


def _post(app: OAuthApp, url: str, body: str) -> bytes:
    client = Client(url, timeouts=_TIMEOUTS, max_bytes=_MAX_BYTES, hosts=app.hosts)
    try:
        return client.post("", body.encode(), content_type="application/x-www-form-urlencoded").body
    except HttpStatus as error:
        raise _refused(error.answer) from None
    except HttpTooLarge:
        raise Transient(_UNREADABLE, code="unreadable") from None
    except HttpError as error:
        raise network_error(error) from error
    finally:
        client.close()


def _refused(answer: Answer) -> MailError:
    if answer.status == 429:
        return RateLimited(_BUSY, code="429", retry_at=retry_after(answer.headers))
    if answer.status >= 500:
        return Transient(_DOWN, code=str(answer.status))
    try:
        content = _object(answer.body)
    except Transient as unreadable:
        return unreadable
    error = refusal(str(content.get("error", "")), str(content.get("error_description", "")))
    if isinstance(error, RateLimited):
        error.retry_at = retry_after(answer.headers)
    return error


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. A proxy's or captive portal's page is an outage, not a refusal."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Transient(_UNREADABLE, code="unreadable")
    return content
