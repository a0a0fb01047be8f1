"""/o/oauth2/v2/auth: who are you, what may the app do, and back to the app with a code.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from flowcrm.lib import clock
from standins.google.oauth import pages, scopes
from standins.google.world import CODE_LIFE, Account, Client, Code, World
from standins.web import Answer, Request, redirect

_PARAMETERS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "access_type",
    "prompt",
    "login_hint",
    "include_granted_scopes",
    "code_challenge",
    "code_challenge_method",
    "nonce",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose client and redirect address are in order."""

    values: dict[str, str]
    client: Client
    scopes: frozenset[str]

    def back(self, **answer: str) -> Answer:
        """Send the person back to the app; the state is echoed as it came."""
        state = {"state": self.values["state"]} if "state" in self.values else {}
        target = self.values["redirect_uri"]
        return redirect(f"{target}{'&' if '?' in target else '?'}{urlencode({**state, **answer})}")

    def prompts(self) -> frozenset[str]:
        return frozenset(self.values.get("prompt", "").split())


def begin(request: Request, world: World) -> Answer:
    """The account chooser, the consent page, or at once the way back."""
    asked = _read({name: values[0] for name, values in request.query.items()}, world)
    if isinstance(asked, Answer):
        return asked
    account = _chosen(request.first("account"), asked, world)
    if account is None:
        if "none" in asked.prompts():
            return asked.back(error="interaction_required")
        hinted = asked.values.get("login_hint", "").lower()
        offered = [one for one in world.accounts.values() if one.listed or one.address == hinted]
        return pages.choose_account(asked.values, asked.client, offered)
    known = world.consents.get((asked.client.id, account.address), frozenset())
    if asked.scopes <= known and "consent" not in asked.prompts():
        return _grant(asked, account, asked.scopes, world, asked_again=False)
    if "none" in asked.prompts():
        return asked.back(error="consent_required")
    signing_in = [scope for scope in scopes.TITLES if scope in asked.scopes & scopes.SIGN_IN]
    return pages.consent(
        {**asked.values, "account": account.address}, asked.client, account, signing_in, scopes.choices(asked.scopes)
    )


def decide(request: Request, world: World) -> Answer:
    """Allow or Cancel on the consent page."""
    form = request.form()
    asked = _read({name: values[0] for name, values in form.items()}, world)
    if isinstance(asked, Answer):
        return asked
    account = world.accounts.get(form.get("account", [""])[0])
    if account is None or form.get("decision") != ["allow"]:
        return asked.back(error="access_denied")
    ticked = frozenset(form.get("granted", [])) | scopes.SIGN_IN
    granted = asked.scopes & ticked
    if not granted:
        return asked.back(error="access_denied")
    return _grant(asked, account, granted, world, asked_again=True)


def _read(values: dict[str, str], world: World) -> "_Asked | Answer":
    """The request, or the page that refuses it. Errors of the app's own making never redirect."""
    client = world.clients.get(values.get("client_id", ""))
    if client is None:
        return pages.refused("invalid_client", "The OAuth client was not found.", 401)
    redirect_uri = values.get("redirect_uri", "")
    if not redirect_uri or not client.allows(redirect_uri):
        return pages.refused(
            "redirect_uri_mismatch", f"You can't sign in to this app: {redirect_uri} is not registered for it.", 400
        )
    if values.get("response_type") != "code":
        return pages.refused("invalid_request", "Required parameter is missing or wrong: response_type", 400)
    asked = scopes.read(values.get("scope", ""))
    if not asked:
        return pages.refused("invalid_request", "Missing required parameter: scope", 400)
    if scopes.unknown(asked):
        return pages.refused(
            "invalid_scope", f"Some requested scopes were invalid: {' '.join(sorted(scopes.unknown(asked)))}", 400
        )
    challenge = values.get("code_challenge", "")
    if (challenge or client.require_pkce) and values.get("code_challenge_method") != "S256":
        return pages.refused("invalid_request", "The stand-in takes no code_challenge_method but S256", 400)
    if client.require_pkce and not challenge:
        return pages.refused("invalid_request", "Missing required parameter: code_challenge", 400)
    kept = {name: values[name] for name in _PARAMETERS if name in values}
    return _Asked(kept, client, asked)


def _chosen(clicked: str, asked: _Asked, world: World) -> Account | None:
    """The account that was clicked, or else the hinted one, unless the app wants the person to choose."""
    if clicked:
        return world.accounts.get(clicked.lower())
    if "select_account" in asked.prompts():
        return None
    return world.accounts.get(asked.values.get("login_hint", "").lower())


def _grant(asked: _Asked, account: Account, granted: frozenset[str], world: World, *, asked_again: bool) -> Answer:
    key = (asked.client.id, account.address)
    before = world.consents.get(key, frozenset())
    if asked.values.get("include_granted_scopes") == "true":
        granted |= before
    # Google hands out a refresh token at the first consent only; an app that lost it must ask with prompt=consent.
    wants_refresh = asked.values.get("access_type") == "offline"
    offline = wants_refresh and (key not in world.offline or "consent" in asked.prompts())
    if offline:
        world.offline.add(key)
    code = Code(
        client_id=asked.client.id,
        address=account.address,
        scopes=granted,
        redirect_uri=asked.values["redirect_uri"],
        challenge=asked.values.get("code_challenge", ""),
        offline=offline,
        nonce=asked.values.get("nonce", ""),
        expires_at=clock.now() + CODE_LIFE,
    )
    return asked.back(
        code=world.issue_code(code), scope=" ".join(sorted(granted)), authuser="0", prompt="consent" if asked_again else "none"
    )
