"""Reading pages of changes: walking a mailbox (import), what changed since the bookmark (sync), a contact's past."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flowcrm.connectors.base import Connector
from flowcrm.mail.types import Change, ChangeKind, Scope, ThreadMarks
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Verdict, decide
from flowcrm.rules.facts import Envelope, facts
from flowcrm.store.db import row, rows, workspace_scope
from flowcrm.store.queries.kept_out import read_kept_out
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.writes.due import LANE_CONTACT, LANE_LISTED, LANE_NEW
from flowcrm.store.writes.listing import Listed, do_listing, known_copies
from flowcrm.store.writes.marks import LABEL_SCOPE, Seen, do_label_listed, do_label_page, do_marks, loses_excluded
from flowcrm.store.writes.page import Hold, check_hold
from flowcrm.sync.folders import refresh_folders
from flowcrm.sync.stages import stage

MAIN = "main"

# Labels that count for whole threads come before everything that they may rule out; a walk's first page takes its bookmark
# before them, so that no change falls between.
_NEXT = """
    SELECT scope, value, relist, rev FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND NOT scope = ANY(%s::text[])
    ORDER BY CASE WHEN scope = 'main' AND value IS NULL THEN 0 WHEN scope LIKE 'label:%%' THEN 1 WHEN scope = 'main' THEN 2
             ELSE 3 END, scope LIMIT 1"""


@dataclass(frozen=True, slots=True)
class OpenScope:
    """A bookmark to go on from. cursor: None before the first page; relist: walk anew, and follow from this one afterwards."""

    name: str
    cursor: str | None
    relist: bool
    rev: int

    @property
    def label(self) -> str | None:
        """The label whose mails are listed, if that is what this is."""
        return self.name.removeprefix(LABEL_SCOPE) if self.name.startswith(LABEL_SCOPE) else None


@dataclass(frozen=True, slots=True)
class Found:
    """What is known beside a page: which of its mails are kept, and what the labels of their threads say.

    removed: those that were removed by hand. listing: it comes from a walk; past: of one contact's past.
    """

    mailbox: Snapshot
    known: frozenset[str]
    marks: Mapping[str, ThreadMarks]
    removed: frozenset[str]
    listing: bool
    past: bool

    def envelope(self, change: Change) -> Envelope:
        return Envelope(
            folder_ids=change.folder_ids,
            at=change.at,
            address_matched=self.listing and (self.past or self.mailbox.rules.selection == "contacts"),
            marks=self.marks.get(change.thread_id or ""),
            removed=change.provider_id in self.removed,
        )


def next_scope(mailbox: Snapshot, asked: set[str]) -> OpenScope | None:
    """The next bookmark that has something to say. `asked`: those at rest in this slice."""
    with workspace_scope(mailbox.workspace_id):
        found = rows(_NEXT, [mailbox.workspace_id, mailbox.mailbox_id, sorted(asked)])
    return OpenScope(*found[0]) if found else None


def labels_first(mailbox: Snapshot) -> bool:
    """Are labels that count for whole threads still to be listed? Until then nobody knows what may be fetched."""
    with workspace_scope(mailbox.workspace_id):
        found = row(
            "SELECT 1 FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND scope LIKE 'label:%%' LIMIT 1",
            [mailbox.workspace_id, mailbox.mailbox_id],
        )
    return found is not None


def read_page(hold: Hold, mailbox: Snapshot, connector: Connector, scope: OpenScope) -> bool:
    """Read and write one page. Returns whether the scope has more pages now. Raises the tree of mail.errors."""
    if scope.label is not None:
        return _read_label(hold, mailbox, connector, scope, scope.label)
    wanted = _provider_scope(mailbox, scope)
    if wanted is None:
        _drop(hold, scope)
        return False
    with stage("list"):
        cursor = connector.relist(scope.cursor) if scope.relist and scope.cursor else scope.cursor
        page = connector.changes(cursor, wanted)
    found = look_up(hold, mailbox, connector, page.changes, listing=page.listing, past=scope.name != MAIN)
    fetch, touched, skipped = sort_changes(found, page.changes)
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


def _read_label(hold: Hold, mailbox: Snapshot, connector: Connector, scope: OpenScope, folder_id: str) -> bool:
    """A page of which mails bear a label that counts for their threads: ids only."""
    everywhere = folder_id in mailbox.rules.excluded_ids
    with stage("list"):
        page = connector.changes(scope.cursor, Scope(folder_ids=(folder_id,), everywhere=everywhere))
    if not page.listing:
        # Whether it named so little because the label is gone must be known before anything is believed of it.
        refresh_folders(mailbox, connector)
    workspace_id, mailbox_id = hold.workspace_id, hold.mailbox_id
    with workspace_scope(workspace_id):
        check_hold(hold)
        if page.listing:
            mails = [(one.provider_id, one.thread_id) for one in page.changes]
            do_label_page(workspace_id=workspace_id, mailbox_id=mailbox_id, folder_id=folder_id, mails=mails)
        else:
            do_label_listed(workspace_id=workspace_id, mailbox_id=mailbox_id, folder_id=folder_id)
    went_on = do_listing(hold, _without_mails(scope, page.cursor if page.listing else None))
    # A provider that loses its pages again and again is left alone until the next interval.
    return (page.listing and page.more) or not went_on


def look_up(
    hold: Hold, mailbox: Snapshot, connector: Connector, changes: Sequence[Change], *, listing: bool, past: bool
) -> Found:
    """What must be known before these changes are sorted; what they say themselves of their threads is written down first."""
    _note_marks(hold, mailbox, connector, changes)
    with workspace_scope(hold.workspace_id):
        known = known_copies(hold, [one.provider_id for one in changes])
        marks = read_marks(hold.workspace_id, hold.mailbox_id, [one.thread_id for one in changes])
        removed = read_kept_out(hold.workspace_id, hold.mailbox_id, [(one.provider_id, one.thread_id) for one in changes])
    return Found(mailbox, known, marks, removed, listing=listing, past=past)


def _note_marks(hold: Hold, mailbox: Snapshot, connector: Connector, changes: Iterable[Change]) -> None:
    rules = mailbox.rules
    seen = [
        Seen(
            one.provider_id,
            one.thread_id,
            rules.marks_of(one.folder_ids or frozenset()),
            one.at,
            gone=one.kind is ChangeKind.GONE,
        )
        for one in changes
        if one.folder_ids is not None or one.kind is ChangeKind.GONE
    ]
    if not seen:
        return
    named = frozenset().union(*(one.folder_ids or frozenset() for one in changes))
    if _folders_are_old_news(hold, seen, named):
        refresh_folders(mailbox, connector)
    if not rules.counting_ids:
        return
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        do_marks(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, seen=seen, counting=rules.counting_ids)


def _folders_are_old_news(hold: Hold, seen: Sequence[Seen], named: frozenset[str]) -> bool:
    """A label that we do not know may be No-CRM; and one that kept a thread out may be off its mails because it was deleted.

    Asking costs next to nothing, and hardly anybody makes a label and uses it but for a reason.
    """
    with workspace_scope(hold.workspace_id):
        if loses_excluded(hold.workspace_id, hold.mailbox_id, seen):
            return True
        known = rows(
            "SELECT provider_id FROM folder WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s)",
            [hold.workspace_id, hold.mailbox_id, sorted(named)],
        )
    return len(known) < len(named)


def _lane(scope: OpenScope, *, listing: bool) -> int:
    if scope.name != MAIN:
        return LANE_CONTACT
    return LANE_LISTED if listing else LANE_NEW


def _provider_scope(mailbox: Snapshot, scope: OpenScope) -> Scope | None:
    """What to ask the provider for; None where there is nothing to ask for (no contact has an address yet)."""
    if scope.name == MAIN:
        return main_scope(mailbox)
    first, _dash, last = scope.name.partition(":")[2].partition("-")
    addresses = _contact_addresses(mailbox, (int(first), int(last or first)))
    return Scope(since=mailbox.rules.since, addresses=addresses) if addresses else None


def main_scope(mailbox: Snapshot) -> Scope:
    """What a walk of the mailbox asks for."""
    since, rules = mailbox.rules.since, mailbox.rules
    if rules.selection == "labels":
        return Scope(since=since, folder_ids=tuple(sorted(rules.chosen_ids)))
    if rules.selection == "contacts":
        return Scope(since=since, addresses=_contact_addresses(mailbox, None))
    return Scope(since=since)


def _contact_addresses(mailbox: Snapshot, contacts: tuple[int, int] | None) -> tuple[str, ...]:
    """In the order of their ids: a listing counts its parts, and new addresses must not move the old ones.

    contacts: the first and the last of those whose past is listed; None for all.
    """
    first, last = contacts or (None, None)
    with workspace_scope(mailbox.workspace_id):
        found = rows(
            """SELECT address FROM contact_address
               WHERE workspace_id = %s AND (%s::bigint IS NULL OR contact_id BETWEEN %s AND %s) ORDER BY id""",
            [mailbox.workspace_id, first, first, last],
        )
    return tuple(address for (address,) in found)


def sort_changes(found: Found, changes: tuple[Change, ...]) -> tuple[tuple[Change, ...], tuple[Change, ...], dict[str, int]]:
    """Each change is fetched, or noted on what is kept, or counted as skipped by the rule that could already say so."""
    rules = found.mailbox.rules
    fetch, touched, skipped = [], [], Counter[str]()
    for change in changes:
        if change.kind is ChangeKind.GONE or change.provider_id in found.known:
            touched.append(change)
            continue
        if change.kind is ChangeKind.FOLDERS and not _matters(found.mailbox, change):
            continue
        decision = decide(facts(found.envelope(change), rules, room=True), rules.policy)
        if "selected" in decision.needs and is_looked_at(found.marks.get(change.thread_id or "")):
            continue
        if decision.verdict is not Verdict.SKIP:
            fetch.append(change)
        elif change.kind is ChangeKind.ARRIVED:
            skipped[decision.rule] += 1
    return tuple(fetch), tuple(touched), dict(skipped)


def is_looked_at(marks: ThreadMarks | None) -> bool:
    """The thread is about to be looked at as a whole, which tells what is still unknown of its mails."""
    return marks is not None and marks.chosen and marks.chosen_at is None


def _matters(mailbox: Snapshot, change: Change) -> bool:
    """Can moving let in a mail that was left out? Reading, starring and archiving cannot, and must not cost a fetch each."""
    rules = mailbox.rules
    chosen = rules.chosen_ids if rules.selection == "labels" else frozenset()
    return bool(change.left_ids & (rules.unfinished_ids | rules.excluded_ids) or (change.folder_ids or chosen) & chosen)


def _drop(hold: Hold, scope: OpenScope) -> None:
    do_listing(hold, _without_mails(scope, None))


def _without_mails(scope: OpenScope, cursor: str | None) -> Listed:
    """A page that puts nothing on the work-list; without cursor the bookmark comes to its end."""
    listing = cursor is not None
    return Listed(scope.name, cursor, scope.rev, listing=listing, lane=LANE_CONTACT, wanted=(), touched=(), skipped={})
