"""The work-list: what is known by id and waits to be fetched. New mail first, then a contact's past, then import."""

from dataclasses import dataclass

from flowcrm.lib import clock
from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.writes.due import LANE_CONTACT, LANE_LISTED, LANE_NEW, LANE_RECHECK
from flowcrm.store.writes.usage import read_room

BATCH = 25


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One row of the work-list. folder_ids: None where the listing did not say."""

    id: int
    provider_id: str
    thread_id: str | None
    folder_ids: frozenset[str] | None
    lane: int
    tries: int
    faults: int
    address_matched: bool
    recheck: bool

    @property
    def importing(self) -> bool:
        return self.lane != LANE_NEW


def take_batch(mailbox: Snapshot) -> tuple[WorkItem, ...]:
    """The next rows that are due, as many as there is room for. Rows without room stay: nothing is fetched for them."""
    with workspace_scope(mailbox.workspace_id):
        room = read_room(mailbox.workspace_id, mailbox.plan, mailbox.today)
        # What is kept already needs no room to be asked about again.
        for lanes, free in (((LANE_NEW,), room.new), ((LANE_CONTACT, LANE_LISTED), room.importing), ((LANE_RECHECK,), None)):
            found = _take(mailbox, lanes, BATCH if free is None else min(BATCH, free))
            if found:
                return found
    return ()


def _take(mailbox: Snapshot, lanes: tuple[int, ...], at_most: int) -> tuple[WorkItem, ...]:
    if not at_most:
        return ()
    found = rows(
        """SELECT id, provider_id, thread_id, folder_ids, lane, tries, faults, address_matched, recheck, begun FROM work
           WHERE workspace_id = %s AND mailbox_id = %s AND state <> 'quarantined' AND due_at <= %s AND lane = ANY(%s)
           ORDER BY lane, sort LIMIT %s""",
        [mailbox.workspace_id, mailbox.mailbox_id, clock.now(), list(lanes), at_most],
    )
    # A worker was lost over one of these: each comes alone now, so that only the one that did it is found guilty.
    alone = [one for one in found if one[-1]]
    taken = [one for one in found if not one[-1]] or alone[:1]
    return tuple(WorkItem(one, pid, thread, _set(folders), *rest) for one, pid, thread, folders, *rest, _ in taken)


def _set(folder_ids: list[str] | None) -> frozenset[str] | None:
    return None if folder_ids is None else frozenset(folder_ids)
