"""Fetch a batch of the work-list and store what the rules keep: the slow part, with no transaction open over the network."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from flowcrm.connectors.base import Connector
from flowcrm.ingest.pipeline import prepare
from flowcrm.ingest.types import Context
from flowcrm.lib import clock
from flowcrm.mail.errors import Gone, MailError, NeedsAdmin, NeedsLogin, RateLimited, Transient
from flowcrm.mail.prepared import Prepared
from flowcrm.mail.types import Fetched, Headers, ItemFailed
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Decision, Verdict, decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import next_ids, workspace_scope
from flowcrm.store.queries.addresses import contact_hashes
from flowcrm.store.writes.listing import do_gone, do_refile
from flowcrm.store.writes.page import Hold, Kept, Page, Postponed, check_hold, do_page
from flowcrm.sync.bodies import store_bodies
from flowcrm.sync.people import header_hashes
from flowcrm.sync.stages import stage
from flowcrm.sync.worklist import WorkItem

log = structlog.get_logger(__name__)

# Mails fetched between two renewals of the lease: one round of the connector's parallel requests, within its time-out. It also
# bounds memory when every one of them is at the provider's size limit.
FETCH = 5
# A mail that the provider refuses so often is set apart; one that it cannot give, while it gives others, after a day or so.
FAULTS = 5
TRIES = 30
STRIKES = 3
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
IDS_PER_MAIL = 16


@dataclass(slots=True)
class _Outcome:
    """What becomes of the batch's rows, gathered before the one transaction that writes it."""

    kept: list[Kept] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    refiled: list[Headers] = field(default_factory=list)
    transient: int = 0
    stop: MailError | None = None


def drain_batch(
    hold: Hold, mailbox: Snapshot, connector: Connector, batch: Sequence[WorkItem], keep_lease: Callable[[], None]
) -> int:
    """Work off one batch; returns how many rows were settled. keep_lease is called before each stretch of network.

    Raises the tree of mail.errors for what concerns all of them.
    """
    outcome = _Outcome()
    recheck = [item for item in batch if item.recheck]
    fresh = [item for item in batch if not item.recheck]
    _recheck(connector, recheck, outcome)
    for items in _worth_fetching(mailbox, connector, fresh, outcome):
        if outcome.stop is None:
            keep_lease()
            _fetch(mailbox, connector, items, outcome)
    _commit(hold, mailbox, outcome)
    if outcome.stop is not None:
        raise outcome.stop
    return len(batch)


def _worth_fetching(
    mailbox: Snapshot, connector: Connector, items: Sequence[WorkItem], outcome: _Outcome
) -> Iterable[Sequence[WorkItem]]:
    """Chunks of what has to be fetched, after the rules have seen all that is cheaper than the mail."""
    asks, fetches = [], []
    for item in items:
        envelope = Envelope(folder_ids=item.folder_ids, address_matched=item.address_matched)
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.verdict is Verdict.SKIP:
            _skip(item, decision, outcome)
        elif decision.need == "members_only" or (mailbox.rules.selection == "contacts" and not item.address_matched):
            asks.append(item)
        else:
            fetches.append(item)
    fetches.extend(_ask_headers(mailbox, connector, asks, outcome))
    fetches.sort(key=items.index)
    return [fetches[start : start + FETCH] for start in range(0, len(fetches), FETCH)]


def _ask_headers(mailbox: Snapshot, connector: Connector, items: Sequence[WorkItem], outcome: _Outcome) -> list[WorkItem]:
    """Read headers only, where an address decides whether the mail may be fetched at all."""
    if not items:
        return []
    with stage("headers"):
        answers = connector.headers([item.provider_id for item in items])
    people = [header_hashes(mailbox.vault, one.fields) if isinstance(one, Headers) else frozenset[bytes]() for one in answers]
    contacts = _contacts(mailbox, people)
    wanted = []
    for item, answer, hashes in zip(items, answers, people, strict=False):
        if isinstance(answer, ItemFailed):
            _failed(item, answer.error, outcome)
            continue
        envelope = Envelope(answer.folder_ids, answer.at, hashes, hashes & contacts)
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.verdict is Verdict.SKIP:
            _skip(item, decision, outcome)
        else:
            wanted.append(item)
    return wanted


def _fetch(mailbox: Snapshot, connector: Connector, items: Sequence[WorkItem], outcome: _Outcome) -> None:
    """Fetch whole mails, prepare them, decide on the full facts, put large bodies into the object store."""
    ready: list[tuple[WorkItem, Prepared]] = []
    ids = iter(_ids(mailbox, len(items)))
    with stage("fetch"):
        answers = connector.fetch([item.provider_id for item in items])
    # Fewer answers than ids: what was read fills the memory of one call. The rest stays on the work-list.
    for item, answer in zip(items, answers, strict=False):
        if isinstance(answer, ItemFailed):
            _failed(item, answer.error, outcome)
            continue
        prepared = _prepare(mailbox, item, answer, next(ids), outcome)
        if prepared is not None:
            ready.append((item, prepared))
    people = [frozenset(person.h_address for person in prepared.people) for _, prepared in ready]
    contacts = _contacts(mailbox, people)
    keep = []
    for (item, prepared), hashes in zip(ready, people, strict=True):
        envelope = Envelope(prepared.folder_ids, prepared.at, hashes, hashes & contacts)
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.verdict is Verdict.KEEP:
            keep.append(Kept(item.id, item.importing, prepared, capped=decision.capped))
        else:
            _skip(item, decision, outcome)
    with stage("bodies"):
        outcome.kept.extend(store_bodies(mailbox.vault, keep))


def _prepare(mailbox: Snapshot, item: WorkItem, fetched: Fetched, ids: list[int], outcome: _Outcome) -> Prepared | None:
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
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # A mail that our own code cannot take must not hold up the others. It is not dropped: it stays on the work-list, set
        # apart, where people see it, and is tried again with the next release or on demand.
        log.error("quarantined", error=type(error).__name__, provider_id=item.provider_id)
        outcome.postponed.append(Postponed(item.id, "quarantined", type(error).__name__, clock.now()))
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


def _recheck(connector: Connector, items: Sequence[WorkItem], outcome: _Outcome) -> None:
    """Kept mails whose changes we may have missed: where do they lie now?"""
    if not items:
        return
    for item, answer in zip(items, connector.headers([item.provider_id for item in items]), strict=False):
        if isinstance(answer, Headers):
            outcome.refiled.append(answer)
            outcome.done.append(item.id)
        else:
            _failed(item, answer.error, outcome)


def _contacts(mailbox: Snapshot, people: Iterable[frozenset[bytes]]) -> frozenset[bytes]:
    hashes = frozenset().union(*people)
    if mailbox.rules.selection != "contacts" or not hashes:
        return hashes if mailbox.rules.selection != "contacts" else frozenset()
    with workspace_scope(mailbox.workspace_id):
        return contact_hashes(mailbox.workspace_id, hashes)


def _skip(item: WorkItem, decision: Decision, outcome: _Outcome) -> None:
    outcome.skipped[decision.rule] += 1
    outcome.done.append(item.id)


def _failed(item: WorkItem, error: MailError, outcome: _Outcome) -> None:
    """One item's error. What concerns the whole mailbox ends the batch, and its rows stay as they are."""
    if isinstance(error, Gone):
        outcome.gone.append(item.provider_id)
    elif isinstance(error, RateLimited | NeedsLogin | NeedsAdmin):
        outcome.stop = outcome.stop or error
    elif isinstance(error, Transient):
        # The provider's trouble, not the mail's: it does not count as its fault, and again and again it is the mailbox's.
        outcome.transient += 1
        outcome.stop = outcome.stop or (error if outcome.transient >= STRIKES else None)
        state = "quarantined" if item.tries + 1 >= TRIES else "ready"
        outcome.postponed.append(Postponed(item.id, state, error.code, _again(item.tries)))
    else:
        state = "quarantined" if item.faults + 1 >= FAULTS else "retry"
        reason = error.code or type(error).__name__
        outcome.postponed.append(Postponed(item.id, state, reason, _again(item.faults), fault=True))


def _again(times: int) -> datetime:
    """When to try once more what has failed so often before."""
    return clock.now() + min(FIRST_RETRY * (1 << min(times, 10)), LONGEST_RETRY)


def _commit(hold: Hold, mailbox: Snapshot, outcome: _Outcome) -> None:
    if outcome.refiled or outcome.gone:
        with workspace_scope(hold.workspace_id):
            check_hold(hold)
            do_gone(hold, outcome.gone)
            for one in outcome.refiled:
                do_refile(hold, one.provider_id, one.folder_ids, unread=one.unread)
    page = Page(
        plan=mailbox.plan,
        today=mailbox.today,
        kept=tuple(outcome.kept),
        postponed=tuple(outcome.postponed),
        done=tuple(outcome.done),
        skipped=dict(outcome.skipped),
    )
    with stage("commit"):
        do_page(hold, page)
