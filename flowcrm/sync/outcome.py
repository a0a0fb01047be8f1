"""What becomes of a batch of the work-list, gathered before the one transaction that writes it; and what each failure means."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from django.db import DataError, IntegrityError

from flowcrm.lib import clock
from flowcrm.mail.errors import Gone, MailError, NeedsAdmin, NeedsLogin, RateLimited, Transient
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.rules.decide import Decision
from flowcrm.store.db import workspace_scope
from flowcrm.store.writes.listing import do_gone
from flowcrm.store.writes.marks import Seen, do_marks
from flowcrm.store.writes.page import Hold, Kept, Page, Postponed, check_hold, do_page
from flowcrm.store.writes.refile import Filed, do_refile
from flowcrm.sync.stages import stage
from flowcrm.sync.worklist import WorkItem

log = structlog.get_logger(__name__)

# A mail that the provider refuses so often is set apart; one that it cannot give, while it gives others, after a day or so.
FAULTS = 5
TRIES = 30
STRIKES = 3
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)


@dataclass(slots=True)
class Outcome:
    """came: mails that the provider gave in this slice. unreached: those that it could not give just now. seen: what those that
    came bear of labels that count for their threads.

    stop: an error of the whole mailbox.
    """

    kept: list[Kept] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    refiled: list[Filed] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    unreached: list[tuple[WorkItem, Transient]] = field(default_factory=list)
    came: int = 0
    stop: MailError | None = None

    def skip(self, item: WorkItem, decision: Decision) -> None:
        self.skipped[decision.rule] += 1
        self.done.append(item.id)

    def set_apart(self, item: WorkItem, reason: str) -> None:
        """A mail that our own code cannot take must not hold up the others. It is not dropped: it stays on the work-list, where
        people see it, and is tried again with the next release or on demand."""
        log.error("quarantined", reason=reason, provider_id=item.provider_id)
        self.postponed.append(Postponed(item.id, "quarantined", reason, clock.now(), fault=True))

    def failed(self, item: WorkItem, error: MailError) -> None:
        """One item's error. What concerns the whole mailbox ends the batch, and the rows that were not asked for stay as they
        are."""
        if isinstance(error, Gone):
            self.came += 1
            self.gone.append(item.provider_id)
        elif self.stop is not None:
            return
        elif isinstance(error, RateLimited | NeedsLogin | NeedsAdmin):
            self.stop = error
        elif isinstance(error, Transient):
            # The provider's trouble, not the mail's: again and again it is the mailbox's.
            self.unreached.append((item, error))
            self.stop = error if len(self.unreached) >= STRIKES else None
        else:
            self.came += 1
            state = "quarantined" if item.faults + 1 >= FAULTS else "retry"
            reason = error.code or type(error).__name__
            self.postponed.append(Postponed(item.id, state, reason, _again(item.faults), fault=True))

    @property
    def left(self) -> bool:
        """Some rows of the batch may still be there afterwards."""
        return bool(self.postponed or self.unreached or self.stop)

    def all_postponed(self) -> tuple[Postponed, ...]:
        return (*self.postponed, *(self._later(item, error) for item, error in self.unreached))

    def _later(self, item: WorkItem, error: Transient) -> Postponed:
        # An outage of everything says nothing of this mail: it counts as its try only where others came through.
        tried = self.came > 0
        state = "quarantined" if tried and item.tries + 1 >= TRIES else "ready"
        return Postponed(item.id, state, error.code or type(error).__name__, _again(item.tries), tried=tried)


def commit(hold: Hold, mailbox: Snapshot, outcome: Outcome) -> None:
    """Write it all. Raises LeaseLost or SettingsChanged."""
    if outcome.refiled or outcome.gone:
        with workspace_scope(hold.workspace_id):
            check_hold(hold)
            do_gone(hold, outcome.gone)
            do_refile(hold, outcome.refiled)
    page = Page(
        plan=mailbox.plan,
        today=mailbox.today,
        kept=tuple(outcome.kept),
        postponed=outcome.all_postponed(),
        done=tuple(outcome.done),
        skipped=dict(outcome.skipped),
    )
    with stage("commit"):
        _write(hold, page)
    # Afterwards, so that what has just come in of a thread that is out goes with the rest of it.
    if any(one.bears for one in outcome.seen):
        with workspace_scope(hold.workspace_id):
            check_hold(hold)
            do_marks(
                workspace_id=hold.workspace_id,
                mailbox_id=hold.mailbox_id,
                seen=[one for one in outcome.seen if one.bears],
                counting=mailbox.rules.counting_ids,
            )


def _write(hold: Hold, page: Page) -> None:
    """One transaction; where the database refuses what stands in one mail's rows, one for each mail, without that one."""
    try:
        do_page(hold, page)
    except (DataError, IntegrityError) as error:
        if not page.kept:
            raise
        log.error("page refused", error=type(error).__name__, mails=len(page.kept))
        for part in _parts(page, type(error).__name__):
            _write(hold, part)


def _parts(page: Page, reason: str) -> Iterator[Page]:
    """The page in pieces of one mail each; a mail that was alone already is set apart."""
    if len(page.kept) == 1:
        apart = Postponed(page.kept[0].work_id, "quarantined", reason, clock.now(), fault=True)
        yield replace(page, kept=(), postponed=(*page.postponed, apart))
        return
    yield replace(page, kept=())
    for one in page.kept:
        yield Page(plan=page.plan, today=page.today, kept=(one,))


def _again(times: int) -> datetime:
    """When to try once more what has failed so often before."""
    return clock.now() + min(FIRST_RETRY * (1 << min(times, 10)), LONGEST_RETRY)
