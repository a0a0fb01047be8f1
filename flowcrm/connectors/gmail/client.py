"""Gmail behind the `Connector` face. What each call does is in the file of its name."""

from collections.abc import Sequence

from flowcrm.connectors.base import Spend
from flowcrm.connectors.gmail import changes, fetch, folders, search
from flowcrm.connectors.gmail.api import Api, GmailSettings
from flowcrm.mail.types import Account, ChangePage, Fetched, Folder, Headers, ItemFailed, Scope, Search, Thread


class GmailConnector:
    """One mailbox for as long as its access token lives (an hour). Reads only. `spend` is called in the caller's thread."""

    def __init__(self, *, access_token: str, settings: GmailSettings, spend: Spend) -> None:
        self._api = Api(access_token, settings, spend)

    def check(self) -> Account:
        return folders.account(self._api)

    def folders(self) -> tuple[Folder, ...]:
        return folders.folders(self._api)

    def changes(self, cursor: str | None, scope: Scope) -> ChangePage:
        return changes.changes(self._api, cursor, scope)

    def relist(self, cursor: str) -> str:
        return changes.relist(cursor)

    def headers(self, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
        return fetch.headers(self._api, provider_ids)

    def threads(self, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
        return fetch.threads(self._api, thread_ids)

    def search(self, wanted: Search) -> tuple[str, ...]:
        return search.search(self._api, wanted)

    def fetch(self, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
        return fetch.fetch(self._api, provider_ids)

    def close(self) -> None:
        self._api.close()
