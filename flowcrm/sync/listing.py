"""Reading pages of changes: walking a mailbox (import), what changed since the bookmark (sync), a contact's past."""

from collections import Counter
from dataclasses import dataclass

from flowcrm.connectors.base import Connector
from flowcrm.mail.types import Change, ChangeKind, Scope
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Verdict, decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.due import LANE_CONTACT, LANE_LISTED, LANE_NEW
from flowcrm.store.writes.listing import Listed, do_listing, known_copies
from flowcrm.store.writes.page import Hold
from flowcrm.sync.stages import stage

MAIN = "main"


@dataclass(frozen=True, slots=True)
class OpenScope:
    """A bookmark to go on from. cursor: None before the first page; relist: walk anew, and follow from this one afterwards."""

    name: str
    cursor: str | None
    relist: bool
    rev: int


def next_scope(mailbox: Snapshot, asked: set[str]) -> OpenScope | None:
    """The next bookmark that has something to say: what is new first, then unfinished walks. `asked`: at rest in this slice."""
    with workspace_scope(mailbox.workspace_id):
        found = rows(
            """SELECT scope, value, relist, rev FROM cursor WHERE workspace_id = %s AND mailbox_id = %s
               AND NOT scope = ANY(%s::text[]) ORDER BY scope <> 'main', scope LIMIT 1""",
            [mailbox.workspace_id, mailbox.mailbox_id, sorted(asked)],
        )
    return OpenScope(*found[0]) if found else None


def read_page(hold: Hold, mailbox: Snapshot, connector: Connector, scope: OpenScope) -> bool:
    """Read and write one page. Returns whether the scope has more pages now. Raises the tree of mail.errors."""
    wanted = _provider_scope(mailbox, scope)
    if wanted is None:
        _drop(hold, scope)
        return False
    with stage("list"):
        cursor = connector.relist(scope.cursor) if scope.relist and scope.cursor else scope.cursor
        page = connector.changes(cursor, wanted)
    with workspace_scope(mailbox.workspace_id):
        known = known_copies(hold, [one.provider_id for one in page.changes])
    fetch, touched, skipped = _sort(mailbox, page.changes, known, listing=page.listing, past=scope.name != MAIN)
    # A contact's past is a walk and nothing more: when it ends, its bookmark is of no use.
    ends = scope.name != MAIN and not page.listing
    went_on = do_listing(
        hold,
        Listed(
            scope=scope.name,
            cursor=None if ends else page.cursor,
            rev=scope.rev,
            listing=page.listing,
            lane=_lane(scope, listing=page.listing),
            wanted=fetch,
            touched=touched,
            skipped=skipped,
            address_matched=page.listing and wanted.addresses is not None,
        ),
    )
    # Where somebody has moved the bookmark meanwhile, it has something to say again.
    return (page.more and not ends) or not went_on


def _lane(scope: OpenScope, *, listing: bool) -> int:
    if scope.name != MAIN:
        return LANE_CONTACT
    return LANE_LISTED if listing else LANE_NEW


def _provider_scope(mailbox: Snapshot, scope: OpenScope) -> Scope | None:
    """What to ask the provider for; None where there is nothing to ask for (no contact has an address yet)."""
    since, rules = mailbox.rules.since, mailbox.rules
    if scope.name != MAIN:
        addresses = _contact_addresses(mailbox, int(scope.name.partition(":")[2]))
        return Scope(since=since, addresses=addresses) if addresses else None
    if rules.selection == "labels":
        return Scope(since=since, folder_ids=tuple(sorted(rules.chosen_ids)))
    if rules.selection == "contacts":
        return Scope(since=since, addresses=_contact_addresses(mailbox, None))
    return Scope(since=since)


def _contact_addresses(mailbox: Snapshot, contact_id: int | None) -> tuple[str, ...]:
    """In the order of their ids: a listing counts its parts, and new addresses must not move the old ones."""
    with workspace_scope(mailbox.workspace_id):
        found = rows(
            """SELECT address FROM contact_address WHERE workspace_id = %s AND (%s::bigint IS NULL OR contact_id = %s)
               ORDER BY id""",
            [mailbox.workspace_id, contact_id, contact_id],
        )
    return tuple(address for (address,) in found)


def _sort(
    mailbox: Snapshot, changes: tuple[Change, ...], known: frozenset[str], *, listing: bool, past: bool
) -> tuple[tuple[Change, ...], tuple[Change, ...], dict[str, int]]:
    """Each change is fetched, or noted on what is kept, or counted as skipped by the rule that could already say so."""
    fetch, touched, skipped = [], [], Counter[str]()
    for change in changes:
        if change.kind is ChangeKind.GONE or change.provider_id in known:
            touched.append(change)
            continue
        if change.kind is ChangeKind.FOLDERS and not _matters(mailbox, change):
            continue
        envelope = Envelope(
            folder_ids=change.folder_ids, address_matched=listing and (past or mailbox.rules.selection == "contacts")
        )
        decision = decide(facts(envelope, mailbox.rules, room=True), mailbox.rules.policy)
        if decision.verdict is not Verdict.SKIP:
            fetch.append(change)
        elif change.kind is ChangeKind.ARRIVED:
            skipped[decision.rule] += 1
    return tuple(fetch), tuple(touched), dict(skipped)


def _matters(mailbox: Snapshot, change: Change) -> bool:
    """Can moving let in a mail that was left out? Reading, starring and archiving cannot, and must not cost a fetch each."""
    rules = mailbox.rules
    chosen = rules.chosen_ids if rules.selection == "labels" else frozenset()
    return bool(change.left_ids & (rules.unfinished_ids | rules.excluded_ids) or (change.folder_ids or chosen) & chosen)


def _drop(hold: Hold, scope: OpenScope) -> None:
    do_listing(hold, Listed(scope.name, None, scope.rev, listing=False, lane=LANE_CONTACT, wanted=(), touched=(), skipped={}))
