"""One mailbox at the Gmail API: what a call costs, how it is asked, what may go wrong. The only file here that does HTTP.

Reading operations only; there is no way to change the mailbox through this class.
Reference: developers.google.com/workspace/gmail/api/reference/rest (discovery document gmail.v1, revision 20261005)
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from flowcrm.connectors.base import Spend
from flowcrm.connectors.gmail.errors import Asked, gmail_error, unreadable
from flowcrm.connectors.network import network_error
from flowcrm.lib.http import Client, HostRules, HttpError, HttpStatus, Timeouts

READ_ONLY = "https://www.googleapis.com/auth/gmail.readonly"

# Quota units a call (developers.google.com/workspace/gmail/api/reference/quota, as of 2026-05-01). Google changes them, and
# projects older than that pay less: hence a setting.
COSTS: Mapping[str, int] = MappingProxyType(
    {
        "getProfile": 1,
        "settings.sendAs.list": 1,
        "labels.list": 1,
        "messages.list": 5,
        "messages.get": 20,
        "threads.get": 40,
        "history.list": 2,
    }
)

# Within a lease's minute: a slower answer would cost the mailbox's lease. 50 MB in 45 seconds is a line of 12 Mbit/s.
_TIMEOUTS = Timeouts(connect=10, read=20, total=45)

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GmailSettings:
    """What the operator may set.

    api_url: scheme and host of the Gmail API, or of a stand-in.
    costs: operation -> quota units.
    list_page, history_page: ids and records a page; Gmail gives at most 500.
    addresses_per_query: each address is four search terms, and the query travels in the URL.
    parallel: mails asked for at once. Gmail refuses somewhere above 10 a person, and people's own clicks need a share.
    page_bytes: the largest answer that is not a mail.
    item_bytes: the largest answer for one mail: Gmail takes mails of up to 50 MB, and base64 adds a third.
    fetch_bytes: `fetch` gives what it has when this many bytes of mail are in memory.
    scope: the permission with which the mailbox was connected.
    """

    api_url: str
    allow_loopback: bool = False
    costs: Mapping[str, int] = field(default_factory=lambda: COSTS)
    list_page: int = 500
    history_page: int = 500
    addresses_per_query: int = 20
    parallel: int = 5
    page_bytes: int = 16 * 1024 * 1024
    item_bytes: int = 75 * 1000 * 1000
    fetch_bytes: int = 64 * 1024 * 1024
    timeouts: Timeouts = _TIMEOUTS
    scope: str = READ_ONLY


class Api:
    """The mailbox of one access token. Safe for several threads, except `spend`, which belongs to the connector's caller."""

    def __init__(self, access_token: str, settings: GmailSettings, spend: Spend) -> None:
        self.settings = settings
        self._spend = spend
        self._client = Client(
            settings.api_url,
            timeouts=settings.timeouts,
            max_bytes=settings.page_bytes,
            hosts=HostRules(loopback=settings.allow_loopback),
            headers={"Authorization": f"Bearer {access_token}"},
            connections=settings.parallel,
        )

    def spend(self, operation: str) -> None:
        """Ask for the quota units of one call. Raises `RateLimited` when they are not there."""
        self._spend(self.settings.costs[operation])

    def ask(self, operation: str, path: str, params: Params = (), asked: Asked = Asked.MAILBOX) -> dict[str, Any]:
        """Spend, ask, and read the JSON object."""
        self.spend(operation)
        return read_object(self.get(path, params, asked))

    def get(self, path: str, params: Params, asked: Asked, max_bytes: int | None = None) -> bytes:
        """The body of GET /gmail/v1/users/me/`path`. Its units are spent already. Raises `MailError`."""
        try:
            return self._client.get(f"/gmail/v1/users/me/{path}", params, max_bytes=max_bytes).body
        except HttpStatus as error:
            raise gmail_error(error.answer, asked, self.settings.scope) from None
        except HttpError as error:
            raise network_error(error) from error

    def close(self) -> None:
        self._client.close()


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises Transient for anything else."""
    try:
        content = json.loads(body)
    except ValueError:
        raise unreadable() from None
    if not isinstance(content, dict):
        raise unreadable()
    return content
