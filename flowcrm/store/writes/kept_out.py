"""Remove from FlowCRM and keep out: a member's own copies of an email or a thread, until they are brought back. Nothing changes
at the provider, and what others have of it stays theirs. Inside the caller's scope."""

from collections.abc import Collection, Sequence

from flowcrm.lib import clock
from flowcrm.store.db import rows, run
from flowcrm.store.writes.bin import BinReason, do_bin, do_keep_binned
from flowcrm.store.writes.decided import do_decide_again
from flowcrm.store.writes.mailbox import do_restart_listing
from flowcrm.store.writes.marks import do_look_at


def do_remove_email(*, workspace_id: int, mailboxes: Sequence[int], message_id: int) -> int:
    """Into the bin with the copies in these mailboxes, and they do not come in again; how many."""
    found = rows(
        """SELECT mailbox_id, id, provider_id, thread_id FROM copy
           WHERE workspace_id = %s AND message_id = %s AND mailbox_id = ANY(%s::bigint[]) AND binned_at IS NULL""",
        [workspace_id, message_id, list(mailboxes)],
    )
    _do_remove(workspace_id, "email", found)
    return len(found)


def do_remove_thread(*, workspace_id: int, mailboxes: Sequence[int], conversation_id: int) -> int:
    """The same for all of a conversation; what comes later in these threads of the provider's stays out too."""
    found = rows(
        """SELECT c.mailbox_id, c.id, c.provider_id, c.thread_id FROM message m
           JOIN copy c ON c.workspace_id = m.workspace_id AND c.message_id = m.id
           WHERE m.workspace_id = %s AND m.conversation_id = %s AND c.mailbox_id = ANY(%s::bigint[]) AND c.binned_at IS NULL""",
        [workspace_id, conversation_id, list(mailboxes)],
    )
    _do_remove(workspace_id, "thread", found)
    return len(found)


def do_let_back(workspace_id: int, copy_ids: Collection[int]) -> None:
    """What was removed by hand may come in again: these copies, and their threads, which are looked at for what came later."""
    found = rows(
        """DELETE FROM kept_out AS k USING copy AS c
           WHERE c.workspace_id = %s AND c.id = ANY(%s::bigint[])
             AND k.workspace_id = c.workspace_id AND k.mailbox_id = c.mailbox_id
             AND k.provider_id = CASE k.kind WHEN 'email' THEN c.provider_id ELSE c.thread_id END
           RETURNING k.mailbox_id, c.thread_id""",
        [workspace_id, sorted(copy_ids)],
    )
    for mailbox_id in sorted({one for one, _ in found}):
        threads = {thread_id for one, thread_id in found if one == mailbox_id and thread_id is not None}
        do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=threads)


def do_let_all_back(*, workspace_id: int, mailbox_id: int) -> int:
    """Everything that was removed by hand in this mailbox may come in again, and is looked for when it is due; how many marks
    that were."""
    gone = run("DELETE FROM kept_out WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])
    if gone:
        do_restart_listing(workspace_id=workspace_id, mailbox_id=mailbox_id)
    return gone


def _do_remove(workspace_id: int, kind: str, found: Sequence[tuple[int, int, str, str | None]]) -> None:
    if not found:
        return
    marks = {
        (mailbox_id, "thread", thread_id) if kind == "thread" and thread_id is not None else (mailbox_id, "email", provider_id)
        for mailbox_id, _, provider_id, thread_id in found
    }
    run(
        """INSERT INTO kept_out (workspace_id, mailbox_id, kind, provider_id, at)
           SELECT %s, t.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS t ON CONFLICT DO NOTHING""",
        [workspace_id, clock.now(), *(list(column) for column in zip(*sorted(marks), strict=True))],
    )
    mailboxes = sorted({one for one, *_ in found})
    do_decide_again(workspace_id, mailboxes)
    for mailbox_id in mailboxes:
        copies = [copy_id for one, copy_id, *_ in found if one == mailbox_id]
        do_bin(workspace_id=workspace_id, mailbox_id=mailbox_id, copy_ids=copies, reason=BinReason.HAND)
        threads = [one for box, kind, one in marks if box == mailbox_id and kind == "thread"]
        do_keep_binned(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=threads)
        _do_forget_work(workspace_id, mailbox_id, threads)


def _do_forget_work(workspace_id: int, mailbox_id: int, threads: Sequence[str]) -> None:
    """What waits of these threads does not come in either."""
    run(
        "DELETE FROM work WHERE workspace_id = %s AND mailbox_id = %s AND thread_id = ANY(%s::text[]) AND NOT recheck",
        [workspace_id, mailbox_id, list(threads)],
    )
