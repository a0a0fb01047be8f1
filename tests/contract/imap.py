"""IMAP for the conformance suite: a real Dovecot, seen through a proxy that makes trouble."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from imapclient import IMAPClient

from flowcrm.connectors.imap.api import ImapSettings
from flowcrm.connectors.imap.client import ImapConnector
from flowcrm.connectors.imap.mails import Member, Tie, mail_id, split_id
from flowcrm.connectors.imap.wire import ImapServer, Security
from flowcrm.lib.http import HostRules, Timeouts
from standins.imap.dovecot import PASSWORD, Dovecot
from standins.imap.proxy import ImapProxy
from tests.contract.provider import Operation, State, Trouble

_OPERATIONS = {
    Operation.CHECK: "imap.list",
    Operation.FOLDERS: "imap.list",
    Operation.LIST: "imap.list",
    Operation.FOLLOW: "imap.list",
    Operation.HEADERS: "imap.fetch:header",
    Operation.FETCH: "imap.fetch:raw",
}

_FAULTS: dict[Trouble, dict[str, object]] = {
    Trouble.THROTTLED: {"kind": "status", "reason": "LIMIT"},
    Trouble.SIGNED_OUT: {"kind": "status", "reason": "AUTHENTICATIONFAILED"},
    Trouble.DOWN: {"kind": "status", "reason": "UNAVAILABLE"},
    Trouble.NO_ANSWER: {"kind": "drop"},
    Trouble.CUT: {"kind": "cut"},
    Trouble.LATE: {"kind": "timeout", "seconds": 0.6},
    Trouble.GARBLED: {"kind": "wrong_json"},
}
_NUL = b"\x00"


class MemoryThreads:
    """The map of threads that the product keeps in its database."""

    def __init__(self) -> None:
        self._thread: dict[str, str] = {}
        self._mails: dict[str, tuple[str, datetime]] = {}

    def place(self, ties: Sequence[Tie]) -> tuple[str, ...]:
        for tie in ties:
            names = (tie.own_id or tie.provider_id, *tie.names)
            known = sorted({self._thread[one] for one in names if one in self._thread})
            thread = known[0] if known else f"t{len(self._thread)}"
            self._thread = {one: thread if former in known else former for one, former in self._thread.items()}
            self._thread |= dict.fromkeys(names, thread)
            self._mails[tie.provider_id] = (names[0], tie.at)
        return tuple(self._thread[self._mails[tie.provider_id][0]] for tie in ties)

    def members(self, thread_ids: Sequence[str]) -> dict[str, tuple[Member, ...]]:
        found: dict[str, tuple[Member, ...]] = {}
        for provider_id, (name, at) in self._mails.items():
            thread = self._thread[name]
            if thread in thread_ids:
                found[thread] = (*found.get(thread, ()), Member(provider_id, at))
        return found


def key_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


class Imap:
    """See `tests.contract.provider.Provider`."""

    address = "ann@acme.example"
    alias = "sales@acme.example"
    inbox = key_name("INBOX")
    sent = key_name("Sent")
    drafts = key_name("Drafts")
    spam = key_name("Junk")
    trash = key_name("Trash")
    page = 3
    has_many_folders = False
    keeps_ids = False
    forgets = False
    says_when = False
    charges = False
    shows_unlisted = False
    odd_pages = frozenset[Trouble]()

    def __init__(self, server: Dovecot, user: str, *, plain: bool = False) -> None:
        self._server = server
        self._user = user
        self._proxy = ImapProxy(server.port, plain=plain)
        self._closed_door = ImapProxy(server.port)
        for proxy in (self._proxy, self._closed_door):
            proxy.__enter__()
        self._threads = MemoryThreads()
        self._opened: list[ImapConnector] = []
        self._names = {key_name(one): one for one in ("INBOX", "Sent", "Drafts", "Junk", "Trash")}
        self._hand = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
        self._hand.login(user, PASSWORD)

    def close(self) -> None:
        for connector in self._opened:
            connector.close()
        self._hand.logout()
        for proxy in (self._proxy, self._closed_door):
            proxy.__exit__(None, None, None)

    def connect(self, spend: Callable[[int], None] | None = None, **settings: int) -> ImapConnector:
        return self._connect(self._proxy, spend, **settings)

    def connect_with_less_permission(self) -> ImapConnector:
        self._closed_door.fault("imap.list", "status", reason="NOPERM", count=0)
        self._closed_door.fault("imap.fetch", "status", reason="NOPERM", count=0)
        self._closed_door.fault("imap.examine", "status", reason="NOPERM", count=0, skip=10**6)
        return self._connect(self._closed_door, None)

    def _connect(self, proxy: ImapProxy, spend: Callable[[int], None] | None, **settings: int) -> ImapConnector:
        few = {"page": self.page, "examine": 4, "by_search": 2}
        connector = ImapConnector(
            server=ImapServer("127.0.0.1", proxy.port, Security.NONE, self._user, PASSWORD),
            settings=ImapSettings(
                address=self.address,
                aliases=(self.alias,),
                hosts=HostRules(loopback=True),
                timeouts=Timeouts(connect=5, read=0.3, total=10),
                **{**few, **settings},
            ),
            spend=spend or (lambda units: None),
            key=key_name,
            threads=self._threads,
        )
        self._opened.append(connector)
        return connector

    def deliver(self, raw: bytes, folder: str | None = None, at: datetime | None = None, *, unread: bool = True) -> str:
        folder = self.inbox if folder is None else folder
        flags = () if unread else (rb"\Seen",)
        answer = self._hand.append(self._names[folder], raw.replace(_NUL, b"\x80"), flags, at or datetime.now(UTC))
        found = re.search(rb"APPENDUID (\d+) (\d+)", answer)
        assert found, answer
        return mail_id(folder, int(found[1]), int(found[2]))

    def held(self, raw: bytes) -> bytes:
        """IMAP has no NUL (RFC 9051, 9), and whoever appends makes CR LF of all ends of lines."""
        return re.sub(rb"\r\n|\r|\n", b"\r\n", raw.replace(_NUL, b"\x80"))

    def create_folder(self, name: str) -> str:
        self._hand.create_folder(name)
        self._names[key_name(name)] = name
        return key_name(name)

    def rename_folder(self, folder_id: str, name: str) -> None:
        self._hand.rename_folder(self._names.pop(folder_id), name)
        self._names[key_name(name)] = name

    def delete_folder(self, folder_id: str) -> None:
        # A session that has it open would keep it.
        self._hand.select_folder("INBOX", readonly=True)
        self._hand.delete_folder(self._names.pop(folder_id))

    def file(self, provider_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """A mail lies in one folder: it is moved to the one that is added."""
        del remove
        self._open(provider_id)
        self._hand.move([self._uid(provider_id)], self._names[add[0]])

    def mark(self, provider_id: str, *, unread: bool) -> None:
        self._open(provider_id)
        change = self._hand.remove_flags if unread else self._hand.add_flags
        change([self._uid(provider_id)], [rb"\Seen"])

    def delete(self, provider_id: str) -> None:
        self._open(provider_id)
        self._hand.delete_messages([self._uid(provider_id)])
        self._hand.uid_expunge([self._uid(provider_id)])

    def _open(self, provider_id: str) -> None:
        part = split_id(provider_id)
        assert part is not None
        self._hand.select_folder(self._names[part[0]])

    @staticmethod
    def _uid(provider_id: str) -> int:
        part = split_id(provider_id)
        assert part is not None
        return part[2]

    def forget_changes(self) -> None:
        raise NotImplementedError

    def trouble(
        self, kind: Trouble, operation: Operation, *, skip: int = 0, count: int = 1, chance: float = 1.0, seed: int = 0
    ) -> None:
        self._proxy.fault(_OPERATIONS[operation], **_FAULTS[kind], skip=skip, count=count, probability=chance, seed=seed)

    def make_trouble(self, command: str, **fault: object) -> None:
        """At a command of IMAP rather than at an operation of ours."""
        self._proxy.fault(command, **fault)  # type: ignore[arg-type]

    def flag(self, provider_id: str, flag: bytes, *, off: bool = False) -> None:
        self._open(provider_id)
        change = self._hand.remove_flags if off else self._hand.add_flags
        change([self._uid(provider_id)], [flag])

    def make_anew(self, folder_id: str) -> None:
        """The folder as it was named, empty, with another UIDVALIDITY."""
        name = self._names[folder_id]
        self.delete_folder(folder_id)
        self.create_folder(name)

    def no_trouble(self) -> None:
        self._proxy.faults.clear()

    def holds(self) -> Mapping[str, State]:
        found = {}
        for folder_id, name in self._names.items():
            validity = self._hand.select_folder(name, readonly=True)[b"UIDVALIDITY"]
            for uid, fields in self._hand.fetch(self._hand.search(), ["FLAGS"]).items():
                state = State(frozenset({folder_id}), rb"\Seen" not in fields[b"FLAGS"])
                found[mail_id(folder_id, validity, uid)] = state
        return found

    def digest(self) -> str:
        whole = hashlib.sha256()
        for _, _, name in sorted(self._hand.list_folders(), key=lambda folder: folder[2]):
            status = self._hand.folder_status(name, ["UIDVALIDITY", "UIDNEXT", "MESSAGES", "UNSEEN", "HIGHESTMODSEQ", "RECENT"])
            self._hand.select_folder(name, readonly=True)
            mails = self._hand.fetch(self._hand.search(), ["FLAGS", "RFC822.SIZE", "MODSEQ"])
            whole.update(
                repr((name, sorted(status.items()), sorted((uid, sorted(one.items())) for uid, one in mails.items()))).encode()
            )
        return whole.hexdigest()

    def units(self) -> int:
        return 0

    def requests(self) -> int:
        return self._proxy.requests()

    def writes(self) -> list[str]:
        return [*self._proxy.writes(), *self._closed_door.writes()]
