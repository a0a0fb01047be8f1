"""One door to a live mailbox: its connector, with fresh access and a budget that all workers share."""

from django.conf import settings

from flowcrm.connectors.base import Connector
from flowcrm.connectors.gmail.api import COSTS, READ_ONLY, GmailSettings
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.connectors.oauth import OAuthApp
from flowcrm.lib.http import HostRules
from flowcrm.mail.errors import NeedsAdmin, RateLimited
from flowcrm.mailboxes.imap import open_imap
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.mailboxes.tokens import access_token
from flowcrm.store.writes.budget import do_spend
from flowcrm.store.writes.instance import instance_setting

GMAIL_SCOPES = (READ_ONLY,)


def gmail_settings() -> GmailSettings:
    """Where Gmail's API is and what its calls cost, from the settings."""
    return GmailSettings(
        api_url=settings.GMAIL_API_URL,
        costs={**COSTS, **settings.GMAIL_COSTS},
        allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
    )


def google_app() -> OAuthApp:
    """This installation's registration at Google. Raises NeedsAdmin until an admin has entered it."""
    entered = instance_setting("google_app")
    if entered is None:
        raise NeedsAdmin("Google is not set up on this installation yet", code="not_set_up")
    return make_google_app(entered["client_id"], entered["client_secret"])


def make_google_app(client_id: str, client_secret: str) -> OAuthApp:
    """The registration as a value, with the hosts of the settings."""
    return OAuthApp(
        client_id=client_id,
        client_secret=client_secret,
        auth_url=settings.GOOGLE_AUTH_URL,
        token_url=settings.GOOGLE_TOKEN_URL,
        revoke_url=settings.GOOGLE_REVOKE_URL,
        scopes=GMAIL_SCOPES,
        hosts=HostRules(loopback=settings.ALLOW_LOOPBACK_PROVIDERS),
    )


def open_connector(mailbox: Snapshot) -> Connector:
    """A connector to the mailbox. The caller closes it. Raises the tree of mail.errors."""
    if mailbox.kind == "imap":
        return open_imap(mailbox, Purse(mailbox))
    if mailbox.kind != "gmail":
        raise NeedsAdmin(f"no connector for {mailbox.kind}", code="unknown_kind")
    token = access_token(mailbox.vault, mailbox.mailbox_id, google_app())
    return GmailConnector(access_token=token, settings=gmail_settings(), spend=Purse(mailbox))


class Purse:
    """Quota units in hand for one slice. They are taken from the shared budget a handful at a time, since each taking is a
    transaction; what is left over at the end of the slice is not given back: we rather spend too little."""

    HANDFUL = 200

    def __init__(self, mailbox: Snapshot) -> None:
        self._mailbox = mailbox
        self._units = 0

    def __call__(self, units: int) -> None:
        """Raises RateLimited where the budget has not even these."""
        if self._units < units:
            self._units += self._take(max(units - self._units, self.HANDFUL), least=units - self._units)
        self._units -= units

    def _take(self, wanted: int, *, least: int) -> int:
        try:
            return self._spend(wanted)
        except RateLimited as patience:
            try:
                return self._spend(least)
            except RateLimited:
                # Come back for a handful: a slice of one mail is not worth its handshake.
                raise patience from None

    def _spend(self, units: int) -> int:
        do_spend(
            workspace_id=self._mailbox.workspace_id,
            mailbox_id=self._mailbox.mailbox_id,
            units=units,
            configured=self._mailbox.units_per_minute,
        )
        return units
