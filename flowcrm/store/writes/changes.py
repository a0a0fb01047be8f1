"""Changing a mailbox's settings so that it can be undone. Each function runs inside the caller's scope."""

from dataclasses import replace

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, run
from flowcrm.store.levels import Level
from flowcrm.store.queries.changes import Settings, read_settings
from flowcrm.store.writes.asked import do_interval
from flowcrm.store.writes.bin import do_staying
from flowcrm.store.writes.mailbox import Selection, do_settings
from flowcrm.store.writes.private import do_level


def do_change(
    *, workspace_id: int, mailbox_id: int, wanted: Settings, bins: bool = False, undoes: int | None = None, anew: bool = False
) -> bool:
    """Set all of it, and remember what was set before; whether what comes in is listed anew.

    bins: what is stored and does not fit goes to the bin, of an undoing (`undoes`) only what came in since. anew: list again
    even where nothing of it changes.
    """
    # Whoever writes mail holds this row: what comes in from here on has a greater id than the change.
    found = row(
        "SELECT import_from IS NULL, state FROM mailbox WHERE workspace_id = %s AND id = %s FOR UPDATE",
        [workspace_id, mailbox_id],
    )
    fresh, state = found or (True, "")
    before = read_settings(workspace_id, mailbox_id)
    if wanted.selection != "labels":
        wanted = replace(wanted, folder_ids=frozenset())
    listed = anew or bins or fresh or state != "on" or not wanted.lets_in_as(before)
    if not fresh and (bins or wanted != before):
        sweep = ("bin" if bins else "keep") if listed else ""
        _do_remember(workspace_id, mailbox_id, before, sweep, undoes)
    do_staying(workspace_id=workspace_id, mailbox_id=mailbox_id, on_leave=wanted.on_leave, on_delete=wanted.on_delete)
    if wanted.level != before.level:
        do_level(workspace_id=workspace_id, mailbox_id=mailbox_id, level=Level(wanted.level))
    if listed:
        chosen = Selection(wanted.selection, wanted.since, wanted.interval_s, wanted.folder_ids)
        do_settings(workspace_id=workspace_id, mailbox_id=mailbox_id, chosen=chosen)
    else:
        do_interval(workspace_id=workspace_id, mailbox_id=mailbox_id, interval_s=wanted.interval_s)
    return listed


def do_swept(*, workspace_id: int, change_id: int, to: str | None) -> None:
    """All up to this mail has been looked at; None: all there is."""
    run(
        """UPDATE settings_change SET swept_to = coalesce(%(to)s, swept_to),
                  sweep = CASE WHEN %(to)s::text IS NULL THEN '' ELSE sweep END
           WHERE workspace_id = %(ws)s AND id = %(id)s""",
        {"ws": workspace_id, "id": change_id, "to": to},
    )


def _do_remember(workspace_id: int, mailbox_id: int, before: Settings, sweep: str, undoes: int | None) -> None:
    if sweep:
        # What the former ones still meant for the stored is meant no more.
        run("UPDATE settings_change SET sweep = '' WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])
    run(
        """INSERT INTO settings_change (workspace_id, id, mailbox_id, at, selection, since, interval_s, folder_ids, on_leave,
                                        on_delete, level, undoes, sweep)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            *(workspace_id, next_id(), mailbox_id, clock.now(), before.selection, before.since, before.interval_s),
            *(sorted(before.folder_ids), before.on_leave, before.on_delete, before.level, undoes, sweep),
        ],
    )
