"""The bin: copies that are hidden from everybody at once, come back on demand, and go for good after 30 days.

Each function runs inside the caller's scope, under the workspace's commit lock, which it takes where it is not held. A message
is at rest while a copy of it is not in the bin: `stored` follows (claim K47).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum

from flowcrm.lib import clock
from flowcrm.store.db import rows, run
from flowcrm.store.errors import UserError
from flowcrm.store.plans import Plan
from flowcrm.store.queries.exclusions import still_listed
from flowcrm.store.writes.purge import do_purge_copies
from flowcrm.store.writes.tell import do_tell
from flowcrm.store.writes.usage import do_count_stored, do_lock_commits, read_asleep, read_stored

LIFE = timedelta(days=30)


class BinReason(StrEnum):
    """Why a copy is in the bin: it was deleted at the provider, left the chosen labels, its owner removed it here or chose
    settings by which it does not fit any more, or an exclusion list keeps it out."""

    DELETED = "deleted"
    NARROWED = "narrowed"
    LEFT = "left"
    HAND = "hand"
    LISTED = "listed"


class PlanFull(UserError):
    """The plan has no room for what would come back. It stays in the bin."""


class StillListed(UserError):
    """An exclusion list keeps out what would come back. It stays in the bin."""


def do_bin(*, workspace_id: int, mailbox_id: int, copy_ids: Collection[int], reason: BinReason, by: int | None = None) -> None:
    """Put these copies into the bin; those that are there stay as they are. by: the change of settings that did it."""
    if not copy_ids:
        return
    do_lock_commits(workspace_id)
    found = rows(
        """UPDATE copy SET binned_at = %s, binned_for = %s, binned_by = %s
           WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND binned_at IS NULL RETURNING message_id""",
        [clock.now(), reason, by, workspace_id, sorted(copy_ids)],
    )
    # Each of them had a copy that was not in the bin.
    do_count_stored(workspace_id, -read_asleep(workspace_id, {message_id for (message_id,) in found}))
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id, emails=True)


def do_keep_binned(*, workspace_id: int, mailbox_id: int, thread_ids: Collection[str]) -> None:
    """Their owner wants these threads out: what lies in the bin of them for another reason does not come back by itself."""
    run(
        """UPDATE copy SET binned_for = 'hand', binned_by = NULL
           WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s::text[]) AND binned_at IS NOT NULL""",
        [workspace_id, mailbox_id, sorted(thread_ids)],
    )


def do_unbin(*, workspace_id: int, mailbox_id: int, copy_ids: Collection[int]) -> int:
    """Take these copies out of the bin; how many came. Without a look at the plan: what its owner undoes at the provider was
    here before. What an exclusion list keeps out stays, for that reason from now on."""
    if not copy_ids:
        return 0
    do_lock_commits(workspace_id)
    listed = still_listed(workspace_id, mailbox_id, copy_ids)
    run(
        """UPDATE copy SET binned_for = 'listed'
           WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND binned_at IS NOT NULL""",
        [workspace_id, sorted(listed)],
    )
    back = sorted(set(copy_ids) - listed)
    found = rows(
        "SELECT message_id FROM copy WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND binned_at IS NOT NULL",
        [workspace_id, back],
    )
    asleep = read_asleep(workspace_id, {message_id for (message_id,) in found})
    run(
        """UPDATE copy SET binned_at = NULL, binned_for = NULL, binned_by = NULL
           WHERE workspace_id = %s AND id = ANY(%s::bigint[])""",
        [workspace_id, back],
    )
    do_count_stored(workspace_id, asleep)
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id, emails=bool(found))
    return len(found)


def check_bring_back(*, workspace_id: int, plan: Plan, mailbox_id: int, copy_ids: Sequence[int]) -> int:
    """Bring copies back because a person asks for it; how many. Raises PlanFull or StillListed; then nothing has changed."""
    do_lock_commits(workspace_id)
    if still_listed(workspace_id, mailbox_id, copy_ids):
        raise StillListed
    found = rows(
        "SELECT message_id FROM copy WHERE workspace_id = %s AND id = ANY(%s::bigint[])", [workspace_id, list(copy_ids)]
    )
    more = read_asleep(workspace_id, {message_id for (message_id,) in found})
    if plan.stored is not None and read_stored(workspace_id) + more > plan.stored:
        raise PlanFull
    return do_unbin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copy_ids)


def do_empty_bin(*, workspace_id: int, at_most: int = 200) -> int:
    """Take out for good what has lain in the bin for 30 days, the oldest first; how many copies."""
    found = rows(
        """SELECT c.mailbox_id, c.id FROM mailbox b
           CROSS JOIN LATERAL (
               SELECT c.mailbox_id, c.id, c.binned_at FROM copy c
               WHERE c.workspace_id = b.workspace_id AND c.mailbox_id = b.id AND c.binned_at < %s
               ORDER BY c.binned_at LIMIT %s) c
           WHERE b.workspace_id = %s ORDER BY c.binned_at LIMIT %s""",
        [clock.now() - LIFE, at_most, workspace_id, at_most],
    )
    for mailbox_id in sorted({one for one, _ in found}):
        copies = [copy_id for one, copy_id in found if one == mailbox_id]
        do_purge_copies(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copies)
    return len(found)


def do_bin_deleted(*, workspace_id: int, mailbox_id: int, copy_ids: Collection[int]) -> None:
    """These were deleted at the provider just now: they go, if the mailbox's owner wants that."""
    if copy_ids and _wants(workspace_id, mailbox_id, "on_delete"):
        do_bin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copy_ids, reason=BinReason.DELETED)


def do_bin_threads(*, workspace_id: int, mailbox_id: int, thread_ids: Collection[str]) -> None:
    """These threads have no chosen email any more: they go, if the mailbox's owner wants that."""
    if thread_ids and _wants(workspace_id, mailbox_id, "on_leave"):
        copies = _of_threads(workspace_id, mailbox_id, thread_ids)
        do_bin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copies, reason=BinReason.LEFT)


def do_unbin_threads(*, workspace_id: int, mailbox_id: int, thread_ids: Collection[str]) -> None:
    """These threads have a chosen email again: what went for want of one comes back."""
    if thread_ids:
        copies = _of_threads(workspace_id, mailbox_id, thread_ids, "AND binned_for = 'left'")
        do_unbin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copies)


def do_unbin_restored(*, workspace_id: int, mailbox_id: int, copy_ids: Collection[int]) -> None:
    """These are at the provider again, or out of its trash: what went because it was deleted comes back."""
    found = rows(
        "SELECT id FROM copy WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND binned_for = 'deleted'",
        [workspace_id, sorted(copy_ids)],
    )
    do_unbin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=[copy_id for (copy_id,) in found])


def do_staying(*, workspace_id: int, mailbox_id: int, on_leave: str, on_delete: str) -> None:
    """Whether what is kept goes when it leaves the chosen labels, and when it is deleted at the provider, from now on."""
    run(
        "UPDATE mailbox SET on_leave = %s, on_delete = %s WHERE workspace_id = %s AND id = %s",
        [on_leave, on_delete, workspace_id, mailbox_id],
    )


def _wants(workspace_id: int, mailbox_id: int, when: str) -> bool:
    found = rows(f"SELECT {when} = 'remove' FROM mailbox WHERE workspace_id = %s AND id = %s", [workspace_id, mailbox_id])
    return bool(found and found[0][0])


def _of_threads(workspace_id: int, mailbox_id: int, thread_ids: Collection[str], only: str = "") -> list[int]:
    found = rows(
        f"SELECT id FROM copy WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s::text[]) {only}",
        [workspace_id, mailbox_id, sorted(thread_ids)],
    )
    return [copy_id for (copy_id,) in found]
