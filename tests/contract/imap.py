"""IMAP for the conformance suite: a real Dovecot, seen through a proxy that makes trouble."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient

from flowcrm.connectors.imap.api import ImapSettings
from flowcrm.connectors.imap.client import ImapConnector
from flowcrm.connectors.imap.mails import ITEMS, sighting
from flowcrm.lib.http import HostRules, Timeouts
from flowcrm.mail.places import Entry, Sighting, Spot
from flowcrm.mail.types import Security, ServerLogin
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
    Trouble.LATE: {"kind": "timeout", "seconds": 2},
    Trouble.GARBLED: {"kind": "wrong_json"},
}
_NUL = b"\x00"


class MemoryCatalogue:
    """What the product keeps in its database (tests/flow holds that one to the same connector)."""

    def __init__(self) -> None:
        self._mails: dict[Spot, Sighting] = {}
        self._gone: set[Spot] = set()
        self._thread: dict[str, str] = {}

    def place(self, sightings: Sequence[Sighting]) -> None:
        for one in sightings:
            self._mails[one.spot] = one
            self._gone.discard(one.spot)
            names = (one.own_id or one.mail_id, *one.names)
            known = sorted({self._thread[name] for name in names if name in self._thread})
            thread = known[0] if known else one.mail_id
            self._thread = {name: thread if former in known else former for name, former in self._thread.items()}
            self._thread |= dict.fromkeys(names, thread)

    def displace(self, spots: Sequence[Spot]) -> None:
        self._gone.update(spots)

    def look_up(self, spots: Sequence[Spot]) -> dict[Spot, Entry]:
        return {spot: self._entry(self._mails[spot]) for spot in spots if spot in self._mails}

    def spots(self, mail_ids: Sequence[str]) -> dict[str, Spot]:
        return {one.mail_id: one.spot for one in self._there() if one.mail_id in mail_ids}

    def threads(self, thread_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
        found: dict[str, dict[str, Entry]] = {}
        for entry in map(self._entry, self._there()):
            if entry.thread_id in thread_ids:
                found.setdefault(entry.thread_id, {})[entry.mail_id] = entry
        return {thread: tuple(mails.values()) for thread, mails in found.items()}

    def _there(self) -> list[Sighting]:
        return [one for one in self._mails.values() if one.spot not in self._gone]

    def _entry(self, mail: Sighting) -> Entry:
        folders = frozenset(one.spot.folder_id for one in self._there() if one.mail_id == mail.mail_id)
        return Entry(mail.mail_id, self._thread[mail.own_id or mail.mail_id], folders, mail.at)


def key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode()).hexdigest()[:16]


def key_name(name: str) -> str:
    return key("folder", name)


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
    keeps_folder_ids = False
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
        self._catalogue = MemoryCatalogue()
        self._opened: list[ImapConnector] = []
        self._names = {key_name(one): one for one in ("INBOX", "Sent", "Drafts", "Junk", "Trash")}
        self._hand = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=10)
        self._hand.normalise_times = False
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
            server=ServerLogin("127.0.0.1", proxy.port, Security.NONE, self._user, PASSWORD),
            settings=ImapSettings(
                address=self.address,
                aliases=(self.alias,),
                hosts=HostRules(loopback=True),
                # A busy machine answers late, too: long enough for that, short enough for tests of silence.
                timeouts=Timeouts(connect=5, read=1.5, total=20),
                **{**few, **settings},
            ),
            spend=spend or (lambda units: None),
            key=key,
            catalogue=self._catalogue,
        )
        self._opened.append(connector)
        return connector

    def deliver(self, raw: bytes, folder: str | None = None, at: datetime | None = None, *, unread: bool = True) -> str:
        folder = self.inbox if folder is None else folder
        flags = () if unread else (rb"\Seen",)
        answer = self._hand.append(self._names[folder], raw.replace(_NUL, b"\x80"), flags, at or datetime.now(UTC))
        found = re.search(rb"APPENDUID (\d+) (\d+)", answer)
        assert found, answer
        self._hand.select_folder(self._names[folder], readonly=True)
        uid = int(found[2])
        return self._seen(Spot(folder, int(found[1]), uid), self._hand.fetch([uid], ITEMS)[uid]).mail_id

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
        self._do(provider_id, lambda uid: self._hand.move([uid], self._names[add[0]]))

    def mark(self, provider_id: str, *, unread: bool) -> None:
        self.flag(provider_id, rb"\Seen", off=unread)

    def flag(self, provider_id: str, flag: bytes, *, off: bool = False) -> None:
        change = self._hand.remove_flags if off else self._hand.add_flags
        self._do(provider_id, lambda uid: change([uid], [flag]))

    def delete(self, provider_id: str) -> None:
        def expunge(uid: int) -> None:
            self._hand.delete_messages([uid])
            self._hand.uid_expunge([uid])

        self._do(provider_id, expunge)

    def _do(self, provider_id: str, act: Callable[[int], object]) -> None:
        """At every place where the mail lies now."""
        spots = [spot for spot, mail, _ in list(self._everything()) if mail.mail_id == provider_id]
        assert spots, "no such mail"
        for spot in spots:
            self._hand.select_folder(self._names[spot.folder_id])
            act(spot.uid)

    def _everything(self) -> Iterator[tuple[Spot, Sighting, bool]]:
        """Each mail of each folder, and whether it is unread."""
        for folder_id, name in list(self._names.items()):
            validity = self._hand.select_folder(name, readonly=True)[b"UIDVALIDITY"]
            for uid, fields in self._hand.fetch(self._hand.search(), ITEMS).items():
                spot = Spot(folder_id, validity, uid)
                yield spot, self._seen(spot, fields), rb"\Seen" not in fields[b"FLAGS"]

    @staticmethod
    def _seen(spot: Spot, fields: Mapping[bytes, Any]) -> Sighting:
        return sighting(key, spot, fields)

    def forget_changes(self) -> None:
        raise NotImplementedError

    def trouble(
        self, kind: Trouble, operation: Operation, *, skip: int = 0, count: int = 1, chance: float = 1.0, seed: int = 0
    ) -> None:
        self._proxy.fault(_OPERATIONS[operation], **_FAULTS[kind], skip=skip, count=count, probability=chance, seed=seed)

    def make_trouble(self, command: str, **fault: object) -> None:
        """At a command of IMAP rather than at an operation of ours."""
        self._proxy.fault(command, **fault)  # type: ignore[arg-type]

    def copy(self, provider_id: str, folder_id: str) -> None:
        self._do(provider_id, lambda uid: self._hand.copy([uid], self._names[folder_id]))

    def delete_in(self, provider_id: str, folder_id: str) -> None:
        """For good, in one of its folders."""
        [uid] = [spot.uid for spot, mail, _ in self._everything() if (mail.mail_id, spot.folder_id) == (provider_id, folder_id)]
        self._hand.select_folder(self._names[folder_id])
        self._hand.delete_messages([uid])
        self._hand.uid_expunge([uid])

    def make_anew(self, folder_id: str) -> None:
        """The folder as it was named, empty, with another UIDVALIDITY."""
        name = self._names[folder_id]
        self.delete_folder(folder_id)
        self.create_folder(name)

    def no_trouble(self) -> None:
        self._proxy.faults.clear()

    def holds(self) -> Mapping[str, State]:
        found: dict[str, State] = {}
        for spot, mail, unread in self._everything():
            before = found.get(mail.mail_id, State(frozenset(), unread))
            found[mail.mail_id] = State(before.folder_ids | {spot.folder_id}, unread)
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
