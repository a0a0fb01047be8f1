"""The last change of a mailbox's settings, and what was set before. Inside a workspace scope."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flowcrm.lib import clock
from flowcrm.store.db import row, rows

UNDO_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a member sets for a mailbox. folder_ids: provider ids of the chosen labels."""

    selection: str
    since: datetime | None
    interval_s: int
    folder_ids: frozenset[str]
    on_leave: str
    on_delete: str
    level: str

    def lets_in_as(self, other: "Settings") -> bool:
        """Is what comes in the same?"""
        labels = self.selection != "labels" or self.folder_ids == other.folder_ids
        return self.selection == other.selection and self.since == other.since and labels


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """before: what was set until then. undoes: it took back this change."""

    id: int
    at: datetime
    before: Settings
    undoes: int | None


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a change still means for what is stored. bins: what does not fit goes to the bin; swept_to: up to which mail it is
    done."""

    change_id: int
    bins: bool
    undoes: int | None
    swept_to: str


def last_change(workspace_id: int, mailbox_id: int) -> ChangeRow | None:
    """The change that can be undone, if there is one."""
    found = row(
        """SELECT id, at, undoes, selection, since, interval_s, folder_ids, on_leave, on_delete, level FROM settings_change
           WHERE workspace_id = %s AND mailbox_id = %s ORDER BY id DESC LIMIT 1""",
        [workspace_id, mailbox_id],
    )
    if found is None or found[1] <= clock.now() - UNDO_FOR:
        return None
    change_id, at, undoes, selection, since, interval_s, folder_ids, *rest = found
    return ChangeRow(change_id, at, Settings(selection, since, interval_s, frozenset(folder_ids), *rest), undoes)


def read_settings(workspace_id: int, mailbox_id: int) -> Settings:
    """What is set now."""
    [(selection, since, interval_s, *rest)] = rows(
        "SELECT selection, since, interval_s, on_leave, on_delete, level FROM mailbox WHERE workspace_id = %s AND id = %s",
        [workspace_id, mailbox_id],
    )
    chosen = rows(
        "SELECT provider_id FROM folder WHERE workspace_id = %s AND mailbox_id = %s AND chosen", [workspace_id, mailbox_id]
    )
    return Settings(selection, since, interval_s, frozenset(one for (one,) in chosen), *rest)


def read_sweep(workspace_id: int, mailbox_id: int) -> Sweep | None:
    """What is still to be done of the last change."""
    found = row(
        """SELECT id, sweep = 'bin', undoes, swept_to FROM settings_change
           WHERE workspace_id = %s AND mailbox_id = %s AND sweep <> ''""",
        [workspace_id, mailbox_id],
    )
    return Sweep(*found) if found else None


def threads_wait(workspace_id: int, mailbox_id: int) -> bool:
    """Are there threads to be looked at, before what they bring can be told?"""
    found = row("SELECT 1 FROM thread_work WHERE workspace_id = %s AND mailbox_id = %s LIMIT 1", [workspace_id, mailbox_id])
    return found is not None
