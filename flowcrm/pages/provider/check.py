"""Are client id and secret right? Found out by handing Google a code that cannot be: what it objects to is the answer.

invalid_grant: it knew the client and refused the code, so both are right. invalid_client: they are not.
developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from flowcrm.connectors import oauth
from flowcrm.lib import clock
from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin
from flowcrm.mailboxes.open import make_google_app

RIGHT, WRONG, UNKNOWN = "right", "wrong", "unknown"
_NO_CODE = "4/flowcrm-asks-whether-it-is-known"


@dataclass(frozen=True, slots=True)
class Tested:
    """outcome: right, wrong, or unknown where Google did not say. code: its own word. at: ISO 8601."""

    outcome: str
    code: str
    at: str

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.at)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ask_google(client_id: str, client_secret: str, redirect_uri: str) -> Tested:
    """Ask Google now. Nothing is granted or changed there."""
    try:
        oauth.exchange(make_google_app(client_id, client_secret), _NO_CODE, oauth.new_verifier(), redirect_uri)
    except NeedsLogin as error:
        return _tested(RIGHT, error.code)
    except NeedsAdmin as error:
        return _tested(WRONG, error.code)
    except MailError as error:
        return _tested(UNKNOWN, error.code)
    # No provider takes an invented code; whoever did is not Google.
    return _tested(UNKNOWN, "accepted")


def sentence(tested: Tested) -> str:
    """What the outcome means, and what to do."""
    if tested.outcome == RIGHT:
        return _("Google knows this client ID and secret.")
    if tested.outcome == UNKNOWN:
        return _("Google did not answer, so this is not known yet. What you entered is stored; test again in a minute.")
    if tested.code == "redirect_uri_mismatch":
        return _("Google knows the client, but not the redirect URI: copy it from above into the client's settings.")
    return _("Google does not know this client ID with this secret. Copy both again from the Google Cloud console.")


def _tested(outcome: str, code: str) -> Tested:
    return Tested(outcome, code, clock.now().isoformat())
