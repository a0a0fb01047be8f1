"""What a person went to the provider for: kept in his session while he is away, sealed, for fifteen minutes and one return."""

import base64
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flowcrm.connectors.oauth import new_verifier
from flowcrm.lib import clock
from flowcrm.pages.http import MemberRequest
from flowcrm.store.vaults import vault
from flowcrm.vault.errors import SealBroken

LIFE = timedelta(minutes=15)

_SESSION = "errand"
_KIND = "errand"


class NoSuchErrand(Exception):
    """The answer belongs to no sign-in that was begun in this session, or to one that is over or too old."""


@dataclass(frozen=True, slots=True)
class Errand:
    """state: comes back with the answer (RFC 6749, 10.12). verifier: the PKCE secret. mailbox_id: to be re-connected."""

    state: str
    verifier: str
    mailbox_id: int | None
    until: str


def begin(request: MemberRequest, mailbox_id: int | None) -> Errand:
    """Remember a new errand; a former one of this session is forgotten."""
    errand = Errand(secrets.token_urlsafe(32), new_verifier(), mailbox_id, (clock.now() + LIFE).isoformat())
    sealed = vault(request.workspace.id).seal(_KIND, request.member.id, json.dumps(asdict(errand)).encode())
    request.session[_SESSION] = base64.b64encode(sealed).decode()
    return errand


def finish(request: MemberRequest, state: str) -> Errand:
    """The errand that `state` belongs to, once. Raises NoSuchErrand; a state that is not ours leaves the errand as it is, so
    that nobody else's link can end it."""
    errand = _remembered(request)
    if errand is None or not hmac.compare_digest(errand.state.encode(), state.encode()):
        raise NoSuchErrand
    del request.session[_SESSION]
    if datetime.fromisoformat(errand.until) < clock.now():
        raise NoSuchErrand
    return errand


def _remembered(request: MemberRequest) -> Errand | None:
    sealed = request.session.get(_SESSION)
    if sealed is None:
        return None
    try:
        return Errand(**json.loads(vault(request.workspace.id).open(_KIND, request.member.id, base64.b64decode(sealed))))
    except SealBroken:
        # Begun in another account of the same person.
        return None
