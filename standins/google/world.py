"""What Google knows: accounts with their mailboxes, registered clients, grants and tokens. One object, one lock, no globals."""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flowcrm.lib import clock
from standins.mailbox import Label, Mailbox

DEFAULT_CLIENT_ID = "flowcrm-demo.apps.googleusercontent.com"
DEFAULT_CLIENT_SECRET = "flowcrm-demo-secret"
CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(seconds=3599)
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})
# A project whose consent screen is in "Testing" loses every refresh token after a week.
TESTING_LIFE = timedelta(days=7)
# The oldest refresh token of one account and client dies silently beyond this.
MAX_REFRESH_TOKENS = 100

_HIDDEN = {"messageListVisibility": "hide", "labelListVisibility": "labelHide"}
SYSTEM_LABELS = (
    Label("CHAT", "CHAT", True, _HIDDEN),
    Label("SENT", "SENT", True),
    Label("INBOX", "INBOX", True),
    Label("IMPORTANT", "IMPORTANT", True, _HIDDEN),
    Label("TRASH", "TRASH", True, _HIDDEN),
    Label("DRAFT", "DRAFT", True),
    Label("SPAM", "SPAM", True, _HIDDEN),
    Label("CATEGORY_FORUMS", "CATEGORY_FORUMS", True, _HIDDEN),
    Label("CATEGORY_UPDATES", "CATEGORY_UPDATES", True, _HIDDEN),
    Label("CATEGORY_PERSONAL", "CATEGORY_PERSONAL", True, _HIDDEN),
    Label("CATEGORY_PROMOTIONS", "CATEGORY_PROMOTIONS", True, _HIDDEN),
    Label("CATEGORY_SOCIAL", "CATEGORY_SOCIAL", True, _HIDDEN),
    Label("YELLOW_STAR", "YELLOW_STAR", True),
    Label("STARRED", "STARRED", True),
    Label("UNREAD", "UNREAD", True),
)


class UnknownAccount(KeyError):
    """Nobody has this address here."""


@dataclass(slots=True)
class Account:
    """A person at Google. aliases: further send-as addresses. drafts: draft id -> mail id. mail_on: this account has Gmail.
    listed: it is signed in at this browser, so the chooser offers it."""

    address: str
    name: str
    number: str
    mailbox: Mailbox
    aliases: list[str] = field(default_factory=list)
    drafts: dict[str, str] = field(default_factory=dict)
    mail_on: bool = True
    listed: bool = True
    watch_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered app. redirect_uris: empty means any address on this machine. require_pkce: no request without a challenge.
    testing: its consent screen is in "Testing"."""

    id: str
    secret: str
    name: str = "FlowCRM"
    redirect_uris: tuple[str, ...] = ()
    require_pkce: bool = False
    testing: bool = False

    def allows(self, redirect_uri: str) -> bool:
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        return urlsplit(redirect_uri).hostname in _THIS_MACHINE


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that waits for its one use."""

    client_id: str
    address: str
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    offline: bool
    nonce: str
    expires_at: datetime


@dataclass(slots=True)
class Grant:
    """A refresh token, or the place of one where access_type was online. dead: the invalid_grant answer's description."""

    client_id: str
    address: str
    scopes: frozenset[str]
    made_at: datetime
    dead: str = ""
    subtype: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What one access token opens."""

    grant: Grant
    scopes: frozenset[str]
    expires_at: datetime


class World:
    """Accounts, clients and tokens. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.clients = {DEFAULT_CLIENT_ID: Client(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)}
        self.codes: dict[str, Code] = {}
        self.refresh: dict[str, Grant] = {}
        self.access: dict[str, Access] = {}
        self.consents: dict[tuple[str, str], frozenset[str]] = {}
        self.offline: set[tuple[str, str]] = set()

    def create_account(self, address: str, name: str = "", aliases: Iterable[str] = (), *, listed: bool = True) -> Account:
        """A new person with an empty mailbox; an existing one is returned as it is."""
        address = address.lower()
        with self.lock:
            if address not in self.accounts:
                number = str(100_000_000_000_000_000_000 + len(self.accounts))
                mailbox = Mailbox(address, SYSTEM_LABELS)
                name = name or address.split("@")[0].title()
                self.accounts[address] = Account(address, name, number, mailbox, list(aliases), listed=listed)
            return self.accounts[address]

    def account(self, address: str) -> Account:
        """Raises UnknownAccount."""
        try:
            return self.accounts[address.lower()]
        except KeyError:
            raise UnknownAccount(address) from None

    def owner_of(self, address: str) -> Account | None:
        """Whose mailbox receives mail for this address, aliases included."""
        wanted = address.lower()
        for account in self.accounts.values():
            if wanted == account.address or wanted in (alias.lower() for alias in account.aliases):
                return account
        return None

    def issue_code(self, code: Code) -> str:
        # Google's codes hold a slash: clients that do not quote it fail here as they would there.
        text = f"4/0A{secrets.token_urlsafe(40)}"
        with self.lock:
            self.codes[text] = code
            key = (code.client_id, code.address)
            self.consents[key] = self.consents.get(key, frozenset()) | code.scopes
        return text

    def take_code(self, text: str) -> Code | None:
        """The code's meaning, once."""
        with self.lock:
            code = self.codes.pop(text, None)
        return code if code is not None and code.expires_at > clock.now() else None

    def issue_refresh(self, grant: Grant) -> str:
        text = f"1//0{secrets.token_urlsafe(60)}"
        with self.lock:
            alike = [
                old
                for old in self.refresh.values()
                if old.client_id == grant.client_id and old.address == grant.address and not old.dead
            ]
            if len(alike) >= MAX_REFRESH_TOKENS:
                alike[0].dead = "Token has been expired or revoked."
            self.refresh[text] = grant
        return text

    def issue_access(self, grant: Grant, scopes: frozenset[str]) -> str:
        text = f"ya29.a0{secrets.token_urlsafe(80)}"
        with self.lock:
            self.access[text] = Access(grant, scopes, clock.now() + ACCESS_LIFE)
        return text

    def opened_by(self, token: str) -> Access | None:
        """What a presented access token opens now: None where it is unknown, expired or revoked."""
        access = self.access.get(token)
        if access is None or access.grant.dead or access.expires_at <= clock.now():
            return None
        return access

    def expire_access_tokens(self) -> None:
        """Every access token is refused from now on; refresh tokens live."""
        with self.lock:
            self.access.clear()

    def kill_grants(
        self, address: str, client_id: str = "", description: str = "Token has been expired or revoked.", subtype: str = ""
    ) -> int:
        """The account's grants end (for one client, or all); what the user consented to is forgotten. How many ended."""
        with self.lock:
            grants = [*self.refresh.values(), *(access.grant for access in self.access.values())]
            hit = {id(g): g for g in grants if g.address == address.lower() and client_id in ("", g.client_id) and not g.dead}
            for grant in hit.values():
                grant.dead, grant.subtype = description, subtype
            for key in [key for key in self.consents if key[1] == address.lower() and client_id in ("", key[0])]:
                del self.consents[key]
                self.offline.discard(key)
        return len(hit)


def now_ms() -> int:
    """The product's clock in epoch milliseconds."""
    return int(clock.now().timestamp() * 1000)
