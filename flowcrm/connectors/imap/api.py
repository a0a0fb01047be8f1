"""One mailbox at an IMAP server: the connection, opened when it is needed, and the few commands that are sent over it.

Reading commands only: folders are opened with EXAMINE, mails are read with BODY.PEEK. There is no way to change the mailbox
through this class.
RFC 9051 (IMAP4rev2), RFC 3501 (IMAP4rev1); LIST-STATUS RFC 5819, ESEARCH RFC 4731, CONDSTORE RFC 7162, SPECIAL-USE RFC 6154.
"""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from imapclient.util import chunk

from flowcrm.connectors.base import Spend
from flowcrm.connectors.imap.errors import (
    FolderAbsent,
    garbled,
    goodbye,
    is_absent,
    refused,
    sign_in_off,
    sign_in_refused,
)
from flowcrm.connectors.imap.uids import Uids
from flowcrm.connectors.imap.wire import AnswerTooLarge, Client, tls_context
from flowcrm.connectors.network import network_error
from flowcrm.lib.http import HostRules, HttpError, Timeouts
from flowcrm.mail.errors import MailError, Permanent, Transient
from flowcrm.mail.types import Security, ServerLogin

# Within a lease's minute, as at Gmail.
_TIMEOUTS = Timeouts(connect=10, read=20, total=45)
_ESEARCHED = re.compile(rb"\bALL ([0-9:,]+)")
# Servers in China let nobody read who has not said by what he reads (ID, RFC 2971).
_ID = {"name": "FlowCRM"}
_FIGURES = ("UIDVALIDITY", "UIDNEXT", "MESSAGES", "UNSEEN")

Answer = TypeVar("Answer")
Fields = Mapping[bytes, Any]


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """What the operator may set, and what a member said of his mailbox.

    address, aliases: the owner's own, normalised; no IMAP server tells them.
    page: mails or changes a page. examine: folders opened for one page. page_seconds: after so long a page is as long as it is,
    since a worker's lease is a minute.
    item_bytes: the largest mail that is read; fetch_bytes: `fetch` gives what it has when so many are in memory.
    by_search: so many addresses are looked for by the server; among more, we look through the mails' headers ourselves.
    extensions: off, the server is taken for one that has none (for tests; and for servers whose extensions lie).
    """

    address: str
    aliases: tuple[str, ...] = ()
    hosts: HostRules = field(default_factory=HostRules)
    timeouts: Timeouts = _TIMEOUTS
    page: int = 500
    examine: int = 20
    page_seconds: float = 15
    item_bytes: int = 50 * 2**20
    fetch_bytes: int = 64 * 2**20
    by_search: int = 5
    extensions: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """A folder's figures (STATUS). modseq: 0 where the server keeps none."""

    validity: int
    next: int
    messages: int
    unseen: int
    modseq: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder that EXAMINE has just opened."""

    validity: int
    next: int


class Api:
    """See the module. Raises the tree of mail.errors, and FolderAbsent where a folder cannot be opened."""

    def __init__(self, server: ServerLogin, settings: ImapSettings, spend: Spend) -> None:
        self.settings = settings
        self._server = server
        self._spend = spend
        self._client: Client | None = None
        self._able: frozenset[bytes] = frozenset()
        self._is_open = False

    # -- commands ----------------------------------------------------------------------------------------------------

    def list_folders(self) -> list[tuple[tuple[bytes, ...], bytes | None, str]]:
        """(flags, delimiter, name) of every folder."""
        found: list[tuple[tuple[bytes, ...], bytes | None, str]] = self._run("LIST", lambda client: client.list_folders())
        if not found:
            # There is always an INBOX: whoever believes an empty answer forgets the mailbox.
            self._drop()
            raise Transient("The mail server names no folders.", code="no_folders")
        return found

    def statuses(self, names: Iterable[str]) -> dict[str, Status]:
        """The figures of these folders, in one go where the server can; a folder that cannot be asked is missing."""
        items = [*_FIGURES, *(["HIGHESTMODSEQ"] if self.able("CONDSTORE") else [])]
        if self.able("LIST-STATUS"):
            if self._is_open:
                # Of the folder that is open a server tells what this session has seen, until it is asked for news.
                self._run("NOOP", lambda client: client.noop())
            told = dict(self._run("LIST", lambda client: client.list_status(" ".join(items))))
            return {name: _status(dict(chunk(told[name], 2))) for name in names if name in told}
        found = {}
        for name in names:
            with suppress(FolderAbsent):
                found[name] = _status(self._of_folder("STATUS", partial(_folder_status, name, items)))
        return found

    def examine(self, name: str) -> Opened:
        """Open a folder for reading only. Raises FolderAbsent."""
        self._is_open = True
        found = self._of_folder("EXAMINE", lambda client: client.select_folder(name, readonly=True))
        return Opened(_number(found, b"UIDVALIDITY"), int(found.get(b"UIDNEXT") or 0))

    def leave(self) -> None:
        """Close what is open: a server ends the connection of whoever is in a folder that is deleted."""
        if self._is_open and self.able("UNSELECT"):
            self._run("UNSELECT", lambda client: client.unselect_folder())
            self._is_open = False

    def search(self, criteria: str, *, next_uid: int) -> Uids:
        """UIDs in the opened folder. criteria: in capitals, as it goes over the line, ASCII."""
        if self.able("ESEARCH"):
            return self._run("SEARCH", partial(_esearch, criteria))
        # Without it every UID has its own number in the answer: a part at a time.
        found = Uids()
        for first in range(1, max(next_uid, 2), 100_000):
            part = f"UID {first}:{first + 99_999} {criteria}"
            found |= self._run("SEARCH", partial(_search, part))
        return found

    def find(self, criteria: Sequence[str]) -> Uids:
        """UIDs by words of a person, which the library quotes (as literals in UTF-8 where they are not ASCII)."""
        charset = None if all(word.isascii() for word in criteria) else "UTF-8"
        return Uids.of(self._run("SEARCH", lambda client: client.search(list(criteria), charset)))

    def fetch(self, uids: Iterable[int], items: Sequence[str]) -> dict[int, Fields]:
        """What the server has of them; a UID that it has not is missing. Raises AnswerTooLarge (and only this raises it)."""
        wanted = list(uids)
        if not wanted:
            return {}
        found: dict[int, Fields] = self._run("FETCH", lambda client: client.fetch(wanted, list(items)))
        return found

    def able(self, name: str) -> bool:
        """Whether the server has that capability."""
        if self._client is None:
            self._run("NOOP", lambda client: client.noop())
        return self.settings.extensions and name.encode() in self._able

    def close(self) -> None:
        if self._client is not None:
            # Whether it answers the farewell is its own affair.
            with suppress(imaplib.IMAP4.error, OSError, ValueError):
                self._client.begin()
                self._client.logout()
        self._drop()

    # -- the connection ----------------------------------------------------------------------------------------------

    def _of_folder(self, command: str, ask: Callable[[Client], Fields]) -> Fields:
        try:
            return self._run(command, ask)
        except Permanent as error:
            raise FolderAbsent(error.text) from None

    def _run(self, command: str, ask: Callable[[Client], Answer]) -> Answer:
        """One command. After anything but an orderly answer nobody knows what comes next over this line: it is given up."""
        self._spend(1)
        try:
            client = self._open()
            client.begin()
            return ask(client)
        except imaplib.IMAP4.abort as error:
            self._drop()
            raise goodbye(str(error)) from None
        except imaplib.IMAP4.error as error:
            raise self._no(command, str(error)) from None
        except AnswerTooLarge:
            self._drop()
            if command == "FETCH":
                raise
            raise garbled() from None
        except MailError:
            self._drop()
            raise
        except HttpError as error:
            raise network_error(error) from None
        except OSError as error:
            self._drop()
            raise _network(error) from None
        except Exception as error:
            # Whatever a server's bytes can make the library raise: its answer is unreadable.
            self._drop()
            raise garbled() from error

    def _no(self, command: str, said: str) -> MailError:
        error = refused(said, command)
        folder = command in {"STATUS", "EXAMINE"} and is_absent(said)
        return Permanent(error.text, code=error.code) if folder else error

    def _open(self) -> Client:
        if self._client is not None:
            return self._client
        settings = self.settings
        # A literal is a mail, or a header; a server that goes on is cut off.
        client = Client(self._server, settings.hosts, settings.timeouts, settings.item_bytes)
        try:
            self._sign_in(client)
            self._able = frozenset(client.capabilities())
            if b"ID" in self._able:
                client.id_(_ID)
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
        self._client = client
        return client

    def _sign_in(self, client: Client) -> None:
        server = self._server
        if not (server.user + server.password).isprintable():
            # A line end would begin another command.
            raise sign_in_refused("")
        if server.security is Security.STARTTLS:
            if not client.has_capability("STARTTLS"):
                raise Transient("The mail server offers no encryption on this port.", code="no_tls")
            client.starttls(tls_context())
        try:
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(server.user, server.password)
            elif client.has_capability("LOGINDISABLED"):
                raise sign_in_off()
            else:
                client.login(server.user, server.password)
        except imaplib.IMAP4.error as error:
            # The library makes one of a refusal and of a connection that broke: only the first asks for a person.
            if isinstance(error, imaplib.IMAP4.abort) or isinstance(error.__context__, imaplib.IMAP4.abort):
                raise goodbye(str(error)) from None
            raise sign_in_refused(str(error)) from None

    def _drop(self) -> None:
        client, self._client, self._is_open = self._client, None, False
        if client is not None:
            with suppress(OSError):
                client.shutdown()


def _folder_status(name: str, items: Sequence[str], client: Client) -> Fields:
    found: Fields = client.folder_status(name, items)
    return found


def _esearch(criteria: str, client: Client) -> Uids:
    client.uid_search(f"RETURN (ALL) {criteria}")
    said = b" ".join(one for one in client.untagged("ESEARCH") if isinstance(one, bytes))
    found = _ESEARCHED.search(said)
    return Uids.parse(found[1].decode()) if found else Uids()


def _search(criteria: str, client: Client) -> Uids:
    return Uids.of(int(uid) for line in client.uid_search(criteria) for uid in line.split())


def _status(found: Fields) -> Status:
    return Status(
        validity=_number(found, b"UIDVALIDITY"),
        next=_number(found, b"UIDNEXT"),
        messages=_number(found, b"MESSAGES"),
        unseen=_number(found, b"UNSEEN"),
        modseq=int(found.get(b"HIGHESTMODSEQ") or 0),
    )


def _number(found: Fields, key: bytes) -> int:
    """Raises Transient for what is no number, and for 0: neither a UIDVALIDITY nor what hangs on one may be made of it."""
    value = found.get(key)
    if not isinstance(value, int) or (key == b"UIDVALIDITY" and value < 1):
        raise garbled()
    return value


def _network(error: OSError) -> MailError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Transient("The mail server's certificate is not trusted.", code="certificate")
    if isinstance(error, ssl.SSLError):
        return Transient("No encrypted connection to the mail server came about.", code="tls")
    if isinstance(error, TimeoutError):
        return Transient("The mail server did not answer in time.", code="timeout")
    return Transient("The mail server is not reachable.", code="unreachable")
