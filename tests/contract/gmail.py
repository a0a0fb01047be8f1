"""Gmail for the conformance suite: the Google stand-in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flowcrm.connectors.gmail.api import GmailSettings
from flowcrm.connectors.gmail.client import GmailConnector
from flowcrm.lib.http import Timeouts
from standins.google.client import GoogleStandin
from tests.contract.provider import Operation, State, Trouble

_UNREAD = "UNREAD"
_SEND_ONLY = "https://www.googleapis.com/auth/gmail.send"

_OPERATIONS = {
    Operation.CHECK: "gmail.getProfile",
    Operation.FOLDERS: "gmail.labels.list",
    Operation.LIST: "gmail.messages.list",
    Operation.FOLLOW: "gmail.history.list",
    Operation.HEADERS: "gmail.messages.get:metadata",
    Operation.FETCH: "gmail.messages.get:raw",
}

_FAULTS: dict[Trouble, dict[str, object]] = {
    Trouble.THROTTLED: {"kind": "status", "status": 429, "retry_after": "17"},
    Trouble.SIGNED_OUT: {"kind": "status", "status": 401},
    Trouble.DOWN: {"kind": "status", "status": 503},
    Trouble.NO_ANSWER: {"kind": "drop"},
    Trouble.CUT: {"kind": "cut"},
    Trouble.LATE: {"kind": "timeout", "seconds": 0.6},
    Trouble.GARBLED: {"kind": "wrong_json"},
    Trouble.REPEATED: {"kind": "duplicate_page"},
    Trouble.EMPTY: {"kind": "empty_page"},
    Trouble.SHUFFLED: {"kind": "out_of_order"},
    Trouble.VANISHED: {"kind": "vanish"},
}


class Gmail:
    """See `tests.contract.provider.Provider`."""

    address = "ann@acme.example"
    alias = "sales@acme.example"
    inbox = "INBOX"
    sent = "SENT"
    drafts = "DRAFT"
    spam = "SPAM"
    trash = "TRASH"
    page = 3
    has_many_folders = True
    keeps_folder_ids = True
    forgets = True
    says_when = True
    charges = True
    shows_unlisted = True
    odd_pages = frozenset({Trouble.REPEATED, Trouble.EMPTY, Trouble.SHUFFLED, Trouble.VANISHED})

    def __init__(self, google: GoogleStandin) -> None:
        self._google = google
        self._opened: list[GmailConnector] = []
        # Its own allowance is tested where a test asks for it; the others must not run into it.
        google.quota(units_per_minute=0)
        google.create_account(self.address, "Ann Lee", aliases=[self.alias])

    def close(self) -> None:
        for connector in self._opened:
            connector.close()

    def connect(self, spend: Callable[[int], None] | None = None) -> GmailConnector:
        return self._connect(self._google.access_token(self.address), spend)

    def connect_with_less_permission(self) -> GmailConnector:
        return self._connect(self._google.access_token(self.address, [_SEND_ONLY]), None)

    def _connect(self, token: str, spend: Callable[[int], None] | None) -> GmailConnector:
        settings = GmailSettings(
            api_url=self._google.settings()["GMAIL_API_URL"],
            allow_loopback=True,
            list_page=self.page,
            history_page=self.page,
            addresses_per_query=2,
            timeouts=Timeouts(connect=5, read=0.3, total=10),
        )
        connector = GmailConnector(access_token=token, settings=settings, spend=spend or (lambda units: None))
        self._opened.append(connector)
        return connector

    def deliver(self, raw: bytes, folder: str | None = None, at: datetime | None = None, *, unread: bool = True) -> str:
        labels = [self.inbox if folder is None else folder, *([_UNREAD] if unread else [])]
        return self._google.deliver(self.address, raw, labels, None if at is None else int(at.timestamp() * 1000))

    def held(self, raw: bytes) -> bytes:
        return raw

    def create_folder(self, name: str) -> str:
        return self._google.create_label(self.address, name)

    def rename_folder(self, folder_id: str, name: str) -> None:
        self._google.control("rename_label", account=self.address, label=folder_id, name=name)

    def delete_folder(self, folder_id: str) -> None:
        self._google.control("delete_label", account=self.address, label=folder_id)

    def file(self, provider_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        self._google.label(self.address, [provider_id], add, remove)

    def mark(self, provider_id: str, *, unread: bool) -> None:
        self._google.label(self.address, [provider_id], [_UNREAD] if unread else [], [] if unread else [_UNREAD])

    def delete(self, provider_id: str) -> None:
        self._google.delete(self.address, [provider_id])

    def forget_changes(self) -> None:
        self._google.expire_history(self.address)

    def trouble(
        self, kind: Trouble, operation: Operation, *, skip: int = 0, count: int = 1, chance: float = 1.0, seed: int = 0
    ) -> None:
        fault = {**_FAULTS[kind], "match": _OPERATIONS[operation], "skip": skip, "count": count}
        self._google.control("fault", **fault, probability=chance, seed=seed)

    def no_trouble(self) -> None:
        self._google.control("clear_faults")

    def holds(self) -> Mapping[str, State]:
        mails = self._google.snapshot(self.address)["mails"]
        return {mail["id"]: State(frozenset(mail["labels"]) - {_UNREAD}, _UNREAD in mail["labels"]) for mail in mails}

    def digest(self) -> str:
        return str(self._google.snapshot(self.address)["digest"])

    def units(self) -> int:
        return sum(line.units for line in self._google.log())

    def requests(self) -> int:
        return len(self._google.log())

    def writes(self) -> list[str]:
        return [line.operation for line in self._google.log() if line.method != "GET"]
