"""The page transaction: mails, copies, usage, work-list, counters, all or nothing, and only under our lease's epoch.

Everything slow (network, parsing, sealing, object store) has happened before. The steps stand in `do_page`, top to bottom.
One workspace commits one page at a time: the lock on its usage row orders them, so that identity and conversations, which
are merges of graphs, never race and never deadlock (docs/why/one-commit-at-a-time.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from flowcrm.mail.prepared import Prepared
from flowcrm.store.db import row, rows, run, workspace_scope
from flowcrm.store.plans import Plan
from flowcrm.store.writes.conversations import do_join_conversations
from flowcrm.store.writes.identity import Resolved, do_resolve
from flowcrm.store.writes.lease import Lease, check_lease
from flowcrm.store.writes.mail_rows import do_write_mail
from flowcrm.store.writes.nearby import do_note_nearby
from flowcrm.store.writes.tell import do_tell
from flowcrm.store.writes.usage import do_count, do_lock_commits, read_room


class SettingsChanged(Exception):
    """The mailbox was changed, paused or disconnected since the page was decided; nothing was written: decide again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Our right to write to a mailbox: the lease and the revision of the settings under which the page was decided."""

    lease: Lease
    settings_rev: int

    @property
    def workspace_id(self) -> int:
        return self.lease.workspace_id

    @property
    def mailbox_id(self) -> int:
        return self.lease.mailbox_id


@dataclass(frozen=True, slots=True)
class Kept:
    """One mail to keep. Its body has gone where it belongs: blob_ref says where in the object store, else s_data, sealed, goes
    into the row. body_size: its bytes before sealing. capped: only its owner may ever see this copy."""

    work_id: int
    importing: bool
    mail: Prepared
    body_size: int = 0
    capped: bool = False
    blob_ref: str | None = None
    s_data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Postponed:
    """A work row that stays. state: ready, retry or quarantined; reason: an error's name, never content.

    tried: it counts as a try of this mail; fault: what went wrong lies in the mail.
    """

    work_id: int
    state: str
    reason: str
    due_at: datetime
    tried: bool = True
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What one turn of the loop wants written.

    plan, today (the workspace's local day): the limits. Mails that find no room stay on the work-list as they are.
    skipped: rule -> how many were looked at and not kept; done: work rows that leave no further trace.
    """

    plan: Plan
    today: date
    kept: tuple[Kept, ...] = ()
    postponed: tuple[Postponed, ...] = ()
    done: tuple[int, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageResult:
    """stored: messages that are new in the workspace; kept: copies written; waiting: mails that found no room; known: those
    that were here already."""

    kept: int
    stored: int
    waiting: int
    known: int


def do_page(hold: Hold, page: Page) -> PageResult:
    """Write one page. Raises LeaseLost or SettingsChanged, and then nothing was written."""
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        kept = _without_known(hold, page.kept)
        room = read_room(hold.workspace_id, page.plan, page.today)
        resolved = do_resolve(hold.workspace_id, kept, room)
        conversations = do_join_conversations(hold.workspace_id, resolved)
        do_write_mail(hold.workspace_id, hold.mailbox_id, resolved, conversations)
        do_note_nearby(hold.workspace_id, resolved)
        _settle_work(hold, page, resolved)
        do_count_skipped(hold, page.skipped)
        do_count(hold.workspace_id, page.today, resolved)
        do_tell(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, emails=bool(resolved.placed))
        known = len(page.kept) - len(kept)
        return PageResult(len(resolved.placed), resolved.stored, len(resolved.waiting), known)


def check_hold(hold: Hold) -> None:
    """Lock the lease row and the workspace's commit order; raise where we have lost the right to write."""
    check_lease(hold.lease)
    unchanged = row(
        """SELECT 1 FROM mailbox WHERE workspace_id = %s AND id = %s AND settings_rev = %s AND state IN ('on', 'archive')
           FOR SHARE""",
        [hold.workspace_id, hold.mailbox_id, hold.settings_rev],
    )
    if unchanged is None:
        raise SettingsChanged
    # Last, so that whoever holds this mailbox's row delays this mailbox and not the whole workspace.
    do_lock_commits(hold.workspace_id)


def _without_known(hold: Hold, kept: tuple[Kept, ...]) -> tuple[Kept, ...]:
    """A repeated page, or a second listing, brings mails that are here already: they are done, not doubled."""
    if not kept:
        return ()
    known = rows(
        "SELECT provider_id FROM copy WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s)",
        [hold.workspace_id, hold.mailbox_id, [one.mail.provider_id for one in kept]],
    )
    seen = {found[0] for found in known}
    fresh = []
    for one in kept:
        if one.mail.provider_id not in seen:
            seen.add(one.mail.provider_id)
            fresh.append(one)
    return tuple(fresh)


def _settle_work(hold: Hold, page: Page, resolved: Resolved) -> None:
    waiting = {one.work_id for one in resolved.waiting}
    done = [one.work_id for one in page.kept if one.work_id not in waiting] + list(page.done)
    if done:
        run(
            "DELETE FROM work WHERE workspace_id = %s AND mailbox_id = %s AND id = ANY(%s)",
            [hold.workspace_id, hold.mailbox_id, sorted(done)],
        )
    if page.postponed:
        run(
            """UPDATE work SET state = p.state, reason = p.reason, due_at = p.due_at,
                      tries = tries + p.tried::integer, faults = faults + p.fault::integer
               FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::boolean[], %s::boolean[])
                    AS p (id, state, reason, due_at, tried, fault)
               WHERE work.workspace_id = %s AND work.id = p.id""",
            [
                [one.work_id for one in page.postponed],
                [one.state for one in page.postponed],
                [one.reason for one in page.postponed],
                [one.due_at for one in page.postponed],
                [one.tried for one in page.postponed],
                [one.fault for one in page.postponed],
                hold.workspace_id,
            ],
        )


def do_count_skipped(hold: Hold, skipped: Mapping[str, int]) -> None:
    if skipped:
        run(
            """INSERT INTO skipped (workspace_id, mailbox_id, rule, n)
               SELECT %s, %s, s.rule, s.n FROM unnest(%s::text[], %s::bigint[]) AS s (rule, n)
               ON CONFLICT (workspace_id, mailbox_id, rule) DO UPDATE SET n = skipped.n + EXCLUDED.n""",
            [hold.workspace_id, hold.mailbox_id, list(skipped), list(skipped.values())],
        )
