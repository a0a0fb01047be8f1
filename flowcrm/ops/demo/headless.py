"""The demo without pages: sync its mailboxes to rest, and hold what is in the store against what lies at the provider."""

import resource
from dataclasses import dataclass
from typing import Any

from flowcrm.lib import clock
from flowcrm.ops.demo.account import SINCE, DemoMailbox
from flowcrm.ops.demo.expected import expect
from flowcrm.ops.demo.people import load
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.lease import process_name
from flowcrm.sync.engine import run_due
from flowcrm.sync.stages import measured
from standins.google.client import Standin


@dataclass(frozen=True, slots=True)
class _Counts:
    kept: frozenset[str]
    skipped: dict[str, int]
    quarantined: int
    waiting: int


def check(mailboxes: list[DemoMailbox], google: Standin) -> dict[str, Any]:
    """Sync until nothing is due; the report, with `ok` for the whole and for each mailbox."""
    started = clock.monotonic()
    with measured() as seconds:
        while run_due(f"{process_name()}/demo"):
            pass
    reports = [report_of(mailbox, google) for mailbox in mailboxes]
    return {
        "mailboxes": reports,
        "seconds": round(clock.monotonic() - started, 3),
        "seconds_by_stage": {stage: round(spent, 3) for stage, spent in sorted(seconds.items())},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "ok": all(report["ok"] for report in reports),
    }


def report_of(mailbox: DemoMailbox, google: Standin) -> dict[str, Any]:
    """What has become of every mail of one mailbox at the provider; `ok` where each is where it should be."""
    counts = _counts(mailbox)
    expected = expect(google, mailbox.address, mailbox.selection, clock.now() - SINCE, load())
    skipped = expected.skipped(counts.kept)
    accounted = len(counts.kept) + sum(skipped.values()) + counts.quarantined + counts.waiting
    return {
        "mailbox": mailbox.address,
        "what": mailbox.selection,
        "at_provider": len(expected.at_provider),
        "kept": len(counts.kept),
        "skipped": skipped,
        "quarantined": counts.quarantined,
        "waiting": counts.waiting,
        "unaccounted": len(expected.at_provider) - accounted,
        # Not only as many: the very mails that a second opinion finds.
        "missing": len(expected.kept - counts.kept),
        "not_expected": len(counts.kept - expected.kept),
        # What our rules looked at and left, by rule; what the provider's search leaves out is never looked at.
        "skipped_by_rules": counts.skipped,
        "ok": counts.kept == expected.kept and accounted == len(expected.at_provider),
    }


def _counts(mailbox: DemoMailbox) -> _Counts:
    values = [mailbox.workspace_id, mailbox.mailbox_id]
    with workspace_scope(mailbox.workspace_id):
        kept = rows("SELECT provider_id FROM copy WHERE workspace_id = %s AND mailbox_id = %s", values)
        skipped = rows("SELECT rule, n FROM skipped WHERE workspace_id = %s AND mailbox_id = %s", values)
        work = rows("SELECT state FROM work WHERE workspace_id = %s AND mailbox_id = %s", values)
    quarantined = sum(state == "quarantined" for (state,) in work)
    return _Counts(frozenset(one for (one,) in kept), dict(skipped), quarantined, len(work) - quarantined)
