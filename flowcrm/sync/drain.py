"""Fetch a batch of the work-list and store what the rules keep: the slow part, with no transaction open over the network."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import Error as DatabaseError

from flowcrm.connectors.base import Connector
from flowcrm.ingest.pipeline import prepare
from flowcrm.ingest.types import Context
from flowcrm.mail.prepared import Prepared
from flowcrm.mail.types import Fetched, Headers, ItemFailed, ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Verdict, decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import next_ids, workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.writes.begun import do_begin, do_end
from flowcrm.store.writes.marks import Seen
from flowcrm.store.writes.page import Hold, Kept
from flowcrm.store.writes.refile import Filed
from flowcrm.sync.bodies import store_bodies
from flowcrm.sync.listing import is_looked_at
from flowcrm.sync.outcome import Outcome, commit
from flowcrm.sync.people import People, header_hashes, prepared_hashes
from flowcrm.sync.stages import stage
from flowcrm.sync.worklist import WorkItem
from flowcrm.vault.errors import VaultError

# Mails fetched between two renewals of the lease: one round of the connector's parallel requests, within its time-out. It also
# bounds memory when every one of them is at the provider's size limit.
FETCH = 5
IDS_PER_MAIL = 16

KeepLease = Callable[[], None]


def drain_batch(
    hold: Hold, mailbox: Snapshot, connector: Connector, batch: Sequence[WorkItem], keep_lease: KeepLease, *, came: int = 0
) -> int:
    """Work off one batch; returns how many of its mails the provider gave. keep_lease is called before each stretch of network.

    came: how many it gave in this slice before. Raises the tree of mail.errors for what concerns all of them.
    """
    ids = [item.id for item in batch]
    sound = do_begin(hold, ids)
    outcome = Outcome(came=came)
    try:
        _work_off(mailbox, connector, [item for item in batch if item.id in sound], keep_lease, outcome)
        commit(hold, mailbox, outcome)
    except Exception:
        # We live, so no mail of these has ended us.
        do_end(hold, ids)
        raise
    if outcome.left:
        do_end(hold, ids)
    if outcome.stop is not None:
        raise outcome.stop
    return outcome.came - came


def _work_off(
    mailbox: Snapshot, connector: Connector, batch: Sequence[WorkItem], keep_lease: KeepLease, outcome: Outcome
) -> None:
    for items in _chunks([item for item in batch if item.recheck]):
        if outcome.stop is None:
            keep_lease()
            _recheck(connector, items, outcome)
    asks, fetches = _sort(mailbox, [item for item in batch if not item.recheck], outcome)
    for items in _chunks(asks):
        if outcome.stop is None:
            keep_lease()
            fetches.extend(_ask_headers(mailbox, connector, items, outcome))
    fetches.sort(key=batch.index)
    for items in _chunks(fetches):
        if outcome.stop is None:
            keep_lease()
            _fetch(mailbox, connector, items, outcome)


def _chunks(items: Sequence[WorkItem]) -> Iterator[Sequence[WorkItem]]:
    return (items[start : start + FETCH] for start in range(0, len(items), FETCH))


def _sort(mailbox: Snapshot, items: Sequence[WorkItem], outcome: Outcome) -> tuple[list[WorkItem], list[WorkItem]]:
    """What has to be asked for its headers first, and what is fetched at once: the rules see all that is cheaper before."""
    asks, fetches = [], []
    marks = _marks(mailbox, [item.thread_id for item in items])
    for item in items:
        of_thread = marks.get(item.thread_id or "")
        envelope = Envelope(folder_ids=item.folder_ids, address_matched=item.address_matched, marks=of_thread)
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.verdict is Verdict.SKIP:
            outcome.skip(item, decision)
        elif "selected" in decision.needs and is_looked_at(of_thread):
            outcome.done.append(item.id)
        elif "members_only" in decision.needs or (mailbox.rules.selection == "contacts" and not item.address_matched):
            asks.append(item)
        else:
            fetches.append(item)
    return asks, fetches


def _ask_headers(mailbox: Snapshot, connector: Connector, items: Sequence[WorkItem], outcome: Outcome) -> list[WorkItem]:
    """Read headers only, where an address decides whether the mail may be fetched at all."""
    with stage("headers"):
        answers = connector.headers([item.provider_id for item in items])
    people = [header_hashes(mailbox.vault, one.fields) if isinstance(one, Headers) else People() for one in answers]
    contacts, marks = _contacts(mailbox, people), _marks(mailbox, [item.thread_id for item in items])
    wanted = []
    for item, answer, hashes in zip(items, answers, people, strict=False):
        if isinstance(answer, ItemFailed):
            outcome.failed(item, answer.error)
            continue
        outcome.came += 1
        envelope = _envelope(answer.folder_ids, answer.at, hashes, contacts, marks.get(item.thread_id or ""))
        known = facts(envelope, mailbox.rules, room=True)
        # Headers name rather too many people than too few: who is really on a list, the mail's own bytes say.
        decision = decide(replace(known, listed=None if known.listed else known.listed), mailbox.rules.policy)
        if decision.verdict is Verdict.SKIP:
            outcome.skip(item, decision)
        else:
            wanted.append(item)
    return wanted


def _fetch(mailbox: Snapshot, connector: Connector, items: Sequence[WorkItem], outcome: Outcome) -> None:
    """Fetch whole mails, prepare them, decide on the full facts, put large bodies into the object store."""
    ready: list[tuple[WorkItem, Prepared]] = []
    ids = iter(_ids(mailbox, len(items)))
    with stage("fetch"):
        answers = connector.fetch([item.provider_id for item in items])
    # Fewer answers than ids: what was read fills the memory of one call. The rest stays on the work-list.
    for item, answer in zip(items, answers, strict=False):
        if isinstance(answer, ItemFailed):
            outcome.failed(item, answer.error)
            continue
        outcome.came += 1
        bears = mailbox.rules.marks_of(answer.folder_ids)
        outcome.seen.append(Seen(answer.provider_id, answer.thread_id, bears, answer.at))
        prepared = _prepare(mailbox, item, answer, next(ids), outcome)
        if prepared is not None:
            ready.append((item, prepared))
    people = [prepared_hashes(prepared) for _, prepared in ready]
    contacts, marks = _contacts(mailbox, people), _marks(mailbox, [prepared.thread_id for _, prepared in ready])
    out = _removed(mailbox, [(prepared.provider_id, prepared.thread_id) for _, prepared in ready])
    keep = []
    for (item, prepared), hashes in zip(ready, people, strict=True):
        of_thread = marks.get(prepared.thread_id or "")
        removed = prepared.provider_id in out
        envelope = _envelope(prepared.folder_ids, prepared.at, hashes, contacts, of_thread, removed=removed)
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.need == "selected" and is_looked_at(of_thread):
            outcome.done.append(item.id)
        elif decision.verdict is Verdict.KEEP:
            keep.append(Kept(item.id, item.importing, prepared, capped=decision.capped))
        else:
            outcome.skip(item, decision)
    with stage("bodies"):
        outcome.kept.extend(store_bodies(mailbox.vault, keep))


def _envelope(
    folder_ids: frozenset[str],
    at: datetime,
    people: People,
    contacts: frozenset[bytes],
    marks: ThreadMarks | None,
    *,
    removed: bool = False,
) -> Envelope:
    addresses = people.addresses
    return Envelope(folder_ids, at, addresses, addresses & contacts, marks=marks, removed=removed, domains=people.domains)


def _prepare(mailbox: Snapshot, item: WorkItem, fetched: Fetched, ids: list[int], outcome: Outcome) -> Prepared | None:
    context = Context(
        vault=mailbox.vault,
        mailbox_id=mailbox.mailbox_id,
        own_addresses=mailbox.own_addresses,
        sent_folders=mailbox.sent_folders,
        attachment_limit=mailbox.plan.attachment_bytes,
        next_id=_taker(mailbox, ids),
    )
    try:
        with stage("prepare"):
            return prepare(fetched, context)
    except (VaultError, DatabaseError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a mail can make our code or a library raise, it is set apart and named
        outcome.set_apart(item, type(error).__name__)
        return None


def _taker(mailbox: Snapshot, ids: list[int]) -> Callable[[], int]:
    """Gives the ids taken before; a mail with more attachments than expected takes more."""

    def take() -> int:
        if not ids:
            ids.extend(reversed(_ids(mailbox, 1)[0]))
        return ids.pop()

    return take


def _ids(mailbox: Snapshot, mails: int) -> list[list[int]]:
    with workspace_scope(mailbox.workspace_id):
        ids = next_ids(IDS_PER_MAIL * mails)
    return [ids[start : start + IDS_PER_MAIL] for start in range(0, len(ids), IDS_PER_MAIL)]


def _recheck(connector: Connector, items: Sequence[WorkItem], outcome: Outcome) -> None:
    """Kept mails whose changes we may have missed: where do they lie now?"""
    for item, answer in zip(items, connector.headers([item.provider_id for item in items]), strict=False):
        if isinstance(answer, Headers):
            outcome.came += 1
            outcome.refiled.append(Filed(answer.provider_id, answer.folder_ids, answer.unread))
            outcome.done.append(item.id)
        else:
            outcome.failed(item, answer.error)


def _marks(mailbox: Snapshot, thread_ids: Iterable[str | None]) -> dict[str, ThreadMarks]:
    with workspace_scope(mailbox.workspace_id):
        return read_marks(mailbox.workspace_id, mailbox.mailbox_id, thread_ids)


def _removed(mailbox: Snapshot, mails: Iterable[tuple[str, str | None]]) -> frozenset[str]:
    with workspace_scope(mailbox.workspace_id):
        return read_kept_out(mailbox.workspace_id, mailbox.mailbox_id, mails)


def _contacts(mailbox: Snapshot, people: Iterable[People]) -> frozenset[bytes]:
    hashes = frozenset().union(*(one.addresses for one in people))
    if mailbox.rules.selection != "contacts" or not hashes:
        return hashes if mailbox.rules.selection != "contacts" else frozenset()
    with workspace_scope(mailbox.workspace_id):
        return contact_hashes(mailbox.workspace_id, hashes)
