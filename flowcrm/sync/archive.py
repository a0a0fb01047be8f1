"""Mail from files into an archive: a mailbox without provider, owned by a member. The same ingest, store and limits as sync."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime

import structlog

from flowcrm.ingest.pipeline import prepare
from flowcrm.ingest.types import Context
from flowcrm.mail import dates
from flowcrm.mail.headers import read_block
from flowcrm.mail.types import Fetched
from flowcrm.mailboxes.snapshot import Snapshot, read_snapshot
from flowcrm.mailboxes.states import State
from flowcrm.store.db import close_connections, next_ids, workspace_scope
from flowcrm.store.vaults import vault
from flowcrm.store.writes.lease import Lease, LeaseLost, process_name, release, renew, take
from flowcrm.store.writes.mailbox import do_create_mailbox, do_identities, find_mailbox
from flowcrm.store.writes.page import Hold, Kept, Page, PageResult, do_page
from flowcrm.sync.bodies import store_bodies
from flowcrm.sync.people import prepared_hashes
from flowcrm.sync.stages import stage

log = structlog.get_logger(__name__)

PAGE = 100
PAGE_BYTES = 16 * 2**20
IDS_PER_MAIL = 16
# What a mail that our own code cannot take may raise (see sync.drain): it is reported, and the others come in.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class ArchiveMail:
    """One mail of a file.

    where: for the report. at: the file's word on when it came, None to take the Date header; undated_at: for a mail that has
    neither (the file's own time: it is the same in every import, and undated mails are told apart by it).
    """

    where: str
    raw: bytes
    at: datetime | None
    unread: bool
    undated_at: datetime


@dataclass(slots=True)
class ArchiveCount:
    """What has become of the mails so far. known: were there already; waiting: no room in the plan; listed: kept out by an
    exclusion list."""

    read: int = 0
    kept: int = 0
    known: int = 0
    messages: int = 0
    waiting: int = 0
    listed: int = 0
    unreadable: tuple[str, ...] = ()

    def add(self, page: PageResult) -> None:
        """A page was committed."""
        self.kept += page.kept
        self.messages += page.stored
        self.waiting += page.waiting
        self.known += page.known


class Busy(Exception):
    """Another import into the same archive is running."""


def open_archive(workspace_id: int, member_id: int, address: str) -> int:
    """The member's archive, made on first use; returns the mailbox's id."""
    keys = vault(workspace_id)
    with workspace_scope(workspace_id):
        found = find_mailbox(keys, kind="archive", address=address)
        if found is not None:
            return found
        made = do_create_mailbox(keys, member_id=member_id, kind="archive", address=address, state=State.ARCHIVE)
        do_identities(keys, mailbox_id=made, addresses=[address])
    return made


def import_mails(
    workspace_id: int, mailbox_id: int, mails: Iterable[ArchiveMail], progress: Callable[[ArchiveCount], None]
) -> ArchiveCount:
    """Store the mails page by page. Mails that are there already are passed over, so a cut import is simply repeated.

    progress: gets the count, always the same one, after each page. Raises Busy before anything was read, LeaseLost and
    SettingsChanged where somebody took the archive away meanwhile; what was written before stays.
    """
    lease = take(workspace_id, mailbox_id, "sync", f"{process_name()}/import")
    if lease is None:
        raise Busy
    try:
        mailbox = read_snapshot(workspace_id, mailbox_id)
        if mailbox is None:
            raise LeaseLost
        return _import(mailbox, lease, mails, progress)
    finally:
        release(lease)


def _import(
    mailbox: Snapshot, lease: Lease, mails: Iterable[ArchiveMail], progress: Callable[[ArchiveCount], None]
) -> ArchiveCount:
    """While the object store and PostgreSQL write one page, the next one is prepared: two processors are busy, one page waits
    at most."""
    count = ArchiveCount()
    with ThreadPoolExecutor(max_workers=1) as committer:
        under_way: Future[PageResult] | None = None
        try:
            for page in _pages(mails):
                if not renew(lease):
                    raise LeaseLost
                stored = _prepare_page(mailbox, page, count)
                if under_way is not None:
                    count.add(under_way.result())
                under_way = committer.submit(copy_context().run, _commit, mailbox, lease, stored)
                count.read += len(page)
                progress(count)
        finally:
            try:
                # Also where we are told to stop: it is in the store, so it counts.
                if under_way is not None:
                    count.add(under_way.result())
            finally:
                committer.submit(close_connections).result()
    progress(count)
    return count


def _pages(mails: Iterable[ArchiveMail]) -> Iterator[list[ArchiveMail]]:
    """By number, and by bytes: a page of large mails must not fill the memory."""
    page, size = list[ArchiveMail](), 0
    for mail in mails:
        page.append(mail)
        size += len(mail.raw)
        if len(page) == PAGE or size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def _prepare_page(mailbox: Snapshot, mails: list[ArchiveMail], count: ArchiveCount) -> tuple[Kept, ...]:
    with workspace_scope(mailbox.workspace_id):
        ids = next_ids(IDS_PER_MAIL * len(mails))
    return tuple(one for one in (_prepared(mailbox, mail, ids, count) for mail in mails) if one is not None)


def _commit(mailbox: Snapshot, lease: Lease, kept: tuple[Kept, ...]) -> PageResult:
    with stage("bodies"):
        placed = tuple(store_bodies(mailbox.vault, kept))
    with stage("commit"):
        return do_page(Hold(lease, mailbox.settings_rev), Page(plan=mailbox.plan, today=mailbox.today, kept=placed))


def _prepared(mailbox: Snapshot, mail: ArchiveMail, ids: list[int], count: ArchiveCount) -> Kept | None:
    def next_id() -> int:
        if not ids:
            with workspace_scope(mailbox.workspace_id):
                ids.extend(next_ids(IDS_PER_MAIL))
        return ids.pop()

    fetched = Fetched(
        # The archive has no ids of its own: equal bytes are the same mail.
        provider_id=mailbox.vault.lookup_bytes("archive", mail.raw).hex(),
        thread_id=None,
        folder_ids=frozenset(),
        at=mail.at or dates.parse(read_block(mail.raw).first("date")) or mail.undated_at,
        unread=mail.unread,
        raw=mail.raw,
    )
    context = Context(
        vault=mailbox.vault,
        mailbox_id=mailbox.mailbox_id,
        own_addresses=mailbox.own_addresses,
        sent_folders=mailbox.sent_folders,
        attachment_limit=mailbox.plan.attachment_bytes,
        next_id=next_id,
    )
    try:
        with stage("prepare"):
            prepared = prepare(fetched, context)
    except UNREADABLE as error:
        log.error("unreadable", error=type(error).__name__, where=mail.where)
        count.unreadable = (*count.unreadable, mail.where)
        return None
    people = prepared_hashes(prepared)
    if not mailbox.rules.listed.isdisjoint(people.addresses | people.domains):
        count.listed += 1
        return None
    return Kept(0, True, prepared)
