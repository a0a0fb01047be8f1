"""Any IMAP server behind the `Connector` face. What each call does is in the file of its name."""

from collections.abc import Sequence

from flowcrm.connectors.base import Spend
from flowcrm.connectors.imap import account, changes, fetch, search, threads
from flowcrm.connectors.imap.api import Api, ImapSettings
from flowcrm.connectors.imap.catalogue import Catalogue
from flowcrm.connectors.imap.folders import Key
from flowcrm.connectors.imap.mails import Reader
from flowcrm.mail.types import Account, ChangePage, Fetched, Folder, Headers, ItemFailed, Scope, Search, ServerLogin, Thread


class ImapConnector:
    """One mailbox, over one connection that is opened when it is needed. Reads only. `spend` counts commands.

    key, catalogue: see there; both are the caller's.
    """

    def __init__(self, *, server: ServerLogin, settings: ImapSettings, spend: Spend, key: Key, catalogue: Catalogue) -> None:
        self._reader = Reader(Api(server, settings, spend), key, catalogue)

    def check(self) -> Account:
        return account.account(self._reader)

    def folders(self) -> tuple[Folder, ...]:
        return account.folders(self._reader)

    def changes(self, cursor: str | None, scope: Scope) -> ChangePage:
        return changes.changes(self._reader, cursor, scope)

    def relist(self, cursor: str) -> str:
        return changes.relist(cursor)

    def headers(self, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
        return fetch.headers(self._reader, provider_ids)

    def threads(self, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
        return threads.threads(self._reader, thread_ids)

    def search(self, wanted: Search) -> tuple[str, ...]:
        return search.search(self._reader, wanted)

    def fetch(self, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
        return fetch.fetch(self._reader, provider_ids)

    def close(self) -> None:
        self._reader.api.close()
