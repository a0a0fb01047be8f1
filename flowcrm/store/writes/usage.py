"""The plan's limits, counted exactly: once per message and workspace, at its first keep (claims K46, K47)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flowcrm.store.db import row, run
from flowcrm.store.plans import Plan

if TYPE_CHECKING:
    from flowcrm.store.writes.identity import Resolved

# Import leaves this part of a day to new mail, or as much as came in yesterday, whichever is more.
RESERVE_PART = 5


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages may still be stored now: new mail, and import (which leaves the reserve alone). None: no limit."""

    new: int | None
    importing: int | None

    def allows(self, *, importing: bool, taken: int) -> bool:
        """Is there room for one more, after `taken` of this page?"""
        room = self.importing if importing else self.new
        return room is None or taken < room


def read_room(workspace_id: int, plan: Plan, today: date) -> Room:
    """The room left by the plan on the workspace's local day. Exact while the workspace's usage row is locked."""
    used, used_by_import = _used(workspace_id, today)
    new, importing = plan.sync_per_day, plan.sync_per_day
    if plan.sync_per_day is not None:
        yesterday, yesterday_by_import = _used(workspace_id, today - timedelta(days=1))
        reserve = max(plan.sync_per_day // RESERVE_PART, yesterday - yesterday_by_import)
        kept_free = max(reserve - (used - used_by_import), 0)
        new = max(plan.sync_per_day - used, 0)
        importing = max(new - kept_free, 0)
    if plan.stored is not None:
        free = max(plan.stored - read_stored(workspace_id), 0)
        new = free if new is None else min(new, free)
        importing = free if importing is None else min(importing, free)
    return Room(new, importing)


def read_stored(workspace_id: int) -> int:
    """Messages at rest in the workspace, each once."""
    found = row("SELECT stored FROM usage_total WHERE workspace_id = %s", [workspace_id])
    return int(found[0]) if found else 0


def read_used(workspace_id: int, today: date) -> int:
    """Messages newly stored by sync and import on that local day."""
    return _used(workspace_id, today)[0]


def do_count(workspace_id: int, today: date, resolved: "Resolved") -> None:
    """Count what the page stored. *Today* is never lowered; *stored* follows the messages at rest, merges included."""
    # What a later mail of the same page has shown to be one with another is not counted twice.
    counted = [one for message_id, one in resolved.new_messages.items() if message_id not in resolved.merged]
    new, importing = len(counted), sum(one.importing for one in counted)
    if new:
        run(
            """INSERT INTO usage_day (workspace_id, local_date, used, import_used) VALUES (%s, %s, %s, %s)
               ON CONFLICT (workspace_id, local_date) DO UPDATE
               SET used = usage_day.used + EXCLUDED.used, import_used = usage_day.import_used + EXCLUDED.import_used""",
            [workspace_id, today, new, importing],
        )
    do_count_stored(workspace_id, resolved.stored)


def do_count_stored(workspace_id: int, change: int) -> None:
    """So many messages more (or fewer) are at rest now."""
    if change:
        run("UPDATE usage_total SET stored = stored + %s WHERE workspace_id = %s", [change, workspace_id])


def read_asleep(workspace_id: int, messages: Collection[int]) -> int:
    """How many of these stored messages have all their copies in the bin: they are not at rest."""
    found = row(
        """SELECT count(*) FROM unnest(%s::bigint[]) AS m (id)
           WHERE EXISTS (SELECT 1 FROM copy c WHERE c.workspace_id = %s AND c.message_id = m.id)
             AND NOT EXISTS (SELECT 1 FROM copy c WHERE c.workspace_id = %s AND c.message_id = m.id AND c.binned_at IS NULL)""",
        [sorted(messages), workspace_id, workspace_id],
    )
    return int(found[0]) if found else 0


def do_lock_commits(workspace_id: int) -> None:
    """Wait for our turn to write messages: one transaction of a workspace at a time (docs/why/one-commit-at-a-time.md).
    Whoever also locks a mailbox does that first."""
    row("SELECT 1 FROM usage_total WHERE workspace_id = %s FOR UPDATE", [workspace_id])


def _used(workspace_id: int, day: date) -> tuple[int, int]:
    found = row("SELECT used, import_used FROM usage_day WHERE workspace_id = %s AND local_date = %s", [workspace_id, day])
    return (int(found[0]), int(found[1])) if found else (0, 0)
