"""What a change of settings means for what is stored already: what fits again comes back from the bin, and what does not fit
goes there, where its owner wanted that. A page in each turn, by the same judgement as the preview (sync/fate.py)."""

from collections.abc import Collection, Sequence

from flowcrm.mailboxes.snapshot import Snapshot
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries.changes import Sweep, read_sweep, threads_wait
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.queries.stored import StoredMail, stored_of_threads, stored_page
from flowcrm.store.writes.bin import BinReason, do_bin, do_unbin
from flowcrm.store.writes.changes import do_swept
from flowcrm.store.writes.page import Hold, check_hold
from flowcrm.sync.fate import Fates, fates

AT_ONCE = 200


def sweep(hold: Hold, mailbox: Snapshot) -> bool:
    """Look at one more page of what is stored, if a change asks for it; whether there is more. Threads that chosen labels bring
    must be known before: until then it waits."""
    with workspace_scope(hold.workspace_id):
        todo = read_sweep(hold.workspace_id, hold.mailbox_id)
        waits = todo is None or (mailbox.rules.selection == "labels" and threads_wait(hold.workspace_id, hold.mailbox_id))
        if todo is None or waits:
            return False
        mails = stored_page(hold.workspace_id, hold.mailbox_id, after=todo.swept_to, size=AT_ONCE)
    found = _fates(mailbox, mails, todo)
    to = mails[-1].provider_id if len(mails) == AT_ONCE else None
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        if todo.bins:
            do_bin(
                workspace_id=hold.workspace_id,
                mailbox_id=hold.mailbox_id,
                copy_ids=found.going,
                reason=BinReason.NARROWED,
                by=todo.change_id,
            )
        do_unbin(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, copy_ids=found.returning)
        do_swept(workspace_id=hold.workspace_id, change_id=todo.change_id, to=to)
    return to is not None


def bring_back_threads(hold: Hold, mailbox: Snapshot, thread_ids: Collection[str]) -> None:
    """These threads have been looked at: what went because it did not fit, and fits now, comes back."""
    with workspace_scope(hold.workspace_id):
        stored = stored_of_threads(hold.workspace_id, hold.mailbox_id, thread_ids)
    mails = tuple(one for one in stored if one.binned_by is not None)
    if not mails:
        return
    found = _fates(mailbox, mails, None)
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        do_unbin(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, copy_ids=found.returning)


def _fates(mailbox: Snapshot, mails: Sequence[StoredMail], todo: Sweep | None) -> Fates:
    with workspace_scope(mailbox.workspace_id):
        marks = read_marks(mailbox.workspace_id, mailbox.mailbox_id, {one.thread_id for one in mails})
    return fates(mailbox, mails, lambda one: marks.get(one.thread_id or ""), undoes=todo.undoes if todo else None)
