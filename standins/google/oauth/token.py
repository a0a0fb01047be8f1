"""/token and /revoke: codes and refresh tokens become access tokens, and end.

https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from urllib.parse import unquote_plus

from flowcrm.lib import clock
from standins.google.oauth import scopes
from standins.google.world import ACCESS_LIFE, TESTING_LIFE, Client, Code, Grant, World
from standins.web import Answer, Json, Request, json_answer

_DEAD = "Token has been expired or revoked."
IdToken = Callable[[Code], str]


class TokenError(Exception):
    """Leaves as {"error": …, "error_description": …}."""

    def __init__(self, error: str, description: str, status: int = 400, subtype: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"error": error, "error_description": description}
        if subtype:
            self.body["error_subtype"] = subtype

    def answer(self) -> Answer:
        return json_answer(self.body, self.status)


def exchange(request: Request, world: World, id_token: IdToken) -> Answer:
    """POST /token."""
    form = {name: values[0] for name, values in request.form().items()}
    try:
        client = _client(request, form, world)
        match form.get("grant_type"):
            case "authorization_code":
                return json_answer(_from_code(form, client, world, id_token))
            case "refresh_token":
                return json_answer(_from_refresh(form, client, world))
            case None:
                raise TokenError("invalid_request", "Missing required parameter: grant_type")
            case other:
                raise TokenError("unsupported_grant_type", f"Invalid grant_type: {other}")
    except TokenError as error:
        return error.answer()


def revoke(request: Request, world: World) -> Answer:
    """POST /revoke: either kind of token ends the whole grant of that user and client."""
    token = request.form().get("token", request.query.get("token", [""]))[0]
    access = world.access.get(token)
    grant = world.refresh.get(token) or (access.grant if access is not None else None)
    if grant is None or grant.dead:
        return json_answer({"error": "invalid_token", "error_description": "Token expired or revoked"}, 400)
    world.kill_grants(grant.address, grant.client_id)
    return json_answer({})


def _client(request: Request, form: dict[str, str], world: World) -> Client:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _basic(basic)
    client = world.clients.get(client_id)
    if client is None:
        raise TokenError("invalid_client", "The OAuth client was not found.", 401)
    if not secret:
        raise TokenError("invalid_request", "client_secret is missing.")
    if not secrets.compare_digest(client.secret.encode(), secret.encode()):
        raise TokenError("invalid_client", "Unauthorized", 401)
    return client


def _basic(text: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client", "Unauthorized", 401) from None
    return unquote_plus(client_id), unquote_plus(secret)


def _from_code(form: dict[str, str], client: Client, world: World, id_token: IdToken) -> Json:
    code = world.take_code(form.get("code", ""))
    if code is None or code.client_id != client.id:
        known_shape = form.get("code", "").startswith("4/")
        raise TokenError("invalid_grant", "Bad Request" if known_shape else "Malformed auth code.")
    if code.redirect_uri != form.get("redirect_uri"):
        raise TokenError("redirect_uri_mismatch", "Bad Request")
    _check_verifier(code.challenge, form.get("code_verifier", ""))
    grant = Grant(client.id, code.address, code.scopes, clock.now())
    answer = _access(grant, grant.scopes, world)
    if code.offline:
        answer["refresh_token"] = world.issue_refresh(grant)
    if scopes.OPENID in code.scopes:
        answer["id_token"] = id_token(code)
    return answer


def _check_verifier(challenge: str, verifier: str) -> None:
    """PKCE (RFC 7636), S256."""
    if not challenge:
        return
    if not verifier:
        raise TokenError("invalid_grant", "Missing code verifier.")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not secrets.compare_digest(hashed, challenge):
        raise TokenError("invalid_grant", "Invalid code verifier.")


def _from_refresh(form: dict[str, str], client: Client, world: World) -> Json:
    grant = world.refresh.get(form.get("refresh_token", ""))
    if grant is None or grant.client_id != client.id:
        raise TokenError("invalid_grant", "Bad Request")
    if client.testing and clock.now() - grant.made_at >= TESTING_LIFE:
        grant.dead = grant.dead or _DEAD
    if grant.dead:
        raise TokenError("invalid_grant", grant.dead, subtype=grant.subtype)
    asked = scopes.read(form.get("scope", "")) or grant.scopes
    if not asked <= grant.scopes:
        raise TokenError("invalid_scope", "Some requested scopes were not granted.")
    return _access(grant, asked, world)


def _access(grant: Grant, granted: frozenset[str], world: World) -> Json:
    return {
        "access_token": world.issue_access(grant, granted),
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "scope": " ".join(sorted(granted)),
        "token_type": "Bearer",
    }
