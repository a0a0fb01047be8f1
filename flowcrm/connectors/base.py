"""The one face of every provider. Plain values in, plain values out; no Django, no saving, no sleeping, no retrying.

A connector is made for one mailbox with a fresh access token (`mailboxes.open`) and is used by one thread at a time. What
differs per provider (ids, quotas, errors, batching) stays inside its folder. Errors leave as the tree of `mail.errors`.

Sync and import use one loop:

    cursor = None
    while True:
        page = connector.changes(cursor, scope)     # ids, mostly
        ...                                         # decide, fetch what is kept, commit it together with page.cursor
        cursor = page.cursor
        if not page.more: come back at the next interval
"""

from collections.abc import Sequence
from typing import Protocol

from flowcrm.mail.types import Account, ChangePage, Fetched, Folder, Headers, ItemFailed, Scope, Search, Thread


class Spend(Protocol):
    """Asked before each remote call, in the thread that uses the connector: may these quota units be used now?

    Raises `RateLimited(retry_at)` when not; the call is then not made.
    """

    def __call__(self, units: int, /) -> None: ...


class Connector(Protocol):
    """What the sync engine may ask of a mailbox."""

    def check(self) -> Account:
        """Who is this, and does the grant still work?"""

    def folders(self) -> tuple[Folder, ...]:
        """Every label or folder, with its role."""

    def changes(self, cursor: str | None, scope: Scope) -> ChangePage:
        """The page after `cursor`. None starts a listing of `scope`, newest first; the bookmark for later changes is taken
        before the first page is listed, so that nothing can fall between. After the last page of the listing the cursor
        has become a bookmark, and pages say what changed since, in the whole mailbox: `scope` narrows the listing only.

        A page may be empty with `more` set, may repeat what an earlier page said (take it as "look again"), and lists a
        mail once for each restriction that it meets. While a listing lasts, give the same `scope` each time: the cursor
        counts its parts, and holds no addresses. Chats are never listed; drafts, spam and trash only with `scope.everywhere`.
        Raises CursorLost when the provider forgot the bookmark; page tokens that it forgot cost repeated pages only."""

    def relist(self, cursor: str) -> str:
        """A cursor that walks the mailbox again from its newest mail, and afterwards follows from where `cursor` would: what
        happened to known mail since then is not missed by walking."""

    def headers(self, provider_ids: Sequence[str]) -> tuple[Headers | ItemFailed, ...]:
        """Header fields without bodies; answers as `fetch` gives them."""

    def threads(self, thread_ids: Sequence[str]) -> tuple[Thread | ItemFailed, ...]:
        """What lies in these threads, wherever (where the provider has no threads: of what was listed, headed or fetched);
        answers as `fetch` gives them."""

    def search(self, wanted: Search) -> tuple[str, ...]:
        """Ids of a few mails that a person may mean, newest first, wherever they lie."""

    def fetch(self, provider_ids: Sequence[str]) -> tuple[Fetched | ItemFailed, ...]:
        """Whole mails: one answer for each id, in order, at least one.

        Fewer answers than ids: the mails read so far fill the memory that one call may take. Ask again for the rest.
        No error is raised. One that concerns the mailbox rather than the mail (RateLimited, NeedsLogin, NeedsAdmin,
        Transient again and again) stands in the place of the mail that met it and of all that were not asked for after it:
        what was read before is not lost."""

    def close(self) -> None:
        """Give the sockets back."""
