"""Marks: which mails bear a label that counts for their whole thread (DESIGN section 5). Ids only, no content.

Only a mailbox's own slices write what its mails bear, under its lease, so that what was decided by it holds until the page is
written; a change of settings begins their listing anew.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flowcrm.lib import clock
from flowcrm.store.db import rows, run
from flowcrm.store.queries.marks import read_marks
from flowcrm.store.writes.bin import do_bin_threads, do_unbin_threads
from flowcrm.store.writes.decided import do_decide_again
from flowcrm.store.writes.purge import do_purge_threads

LABEL_SCOPE = "label:"

_NOT_EXCLUDED = """
    DELETE FROM mark AS m USING folder AS f
    WHERE m.workspace_id = %s AND m.mailbox_id = %s AND NOT f.excluded
      AND f.workspace_id = m.workspace_id AND f.mailbox_id = m.mailbox_id AND f.provider_id = m.folder_id"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One mail as the provider has just shown it. thread_id, at: None where it did not say.

    bears: those of its folders that count for the thread. gone: the provider has it no more.
    """

    provider_id: str
    thread_id: str | None
    bears: frozenset[str]
    at: datetime | None = None
    gone: bool = False


def counting_folders(workspace_id: int, mailbox_id: int) -> list[str]:
    """The folders that count for a thread and are still there at the provider."""
    found = rows(
        """SELECT f.provider_id FROM folder f
           JOIN mailbox m ON m.workspace_id = f.workspace_id AND m.id = f.mailbox_id
           WHERE f.workspace_id = %s AND f.mailbox_id = %s AND f.gone_at IS NULL
             AND (f.excluded OR (f.chosen AND m.selection = 'labels'))""",
        [workspace_id, mailbox_id],
    )
    return [folder_id for (folder_id,) in found]


def do_list_labels(*, workspace_id: int, mailbox_id: int, folder_ids: Sequence[str]) -> None:
    """List which mails lie in these folders, from the beginning, before anything else is fetched."""
    run(
        """INSERT INTO cursor (workspace_id, mailbox_id, scope, value, listing, updated_at)
           SELECT %s, %s, %s || f, NULL, true, %s FROM unnest(%s::text[]) AS f
           ON CONFLICT (workspace_id, mailbox_id, scope)
           DO UPDATE SET value = NULL, listing = true, rev = cursor.rev + 1""",
        [workspace_id, mailbox_id, LABEL_SCOPE, clock.now(), sorted(folder_ids)],
    )
    run(
        "UPDATE mark SET seen = false WHERE workspace_id = %s AND mailbox_id = %s AND folder_id = ANY(%s::text[])",
        [workspace_id, mailbox_id, sorted(folder_ids)],
    )


def do_forget_chosen(*, workspace_id: int, mailbox_id: int) -> None:
    """A new walk begins: each chosen mail that it finds is as good as newly chosen, and its thread is looked at."""
    run(_NOT_EXCLUDED, [workspace_id, mailbox_id])


def loses_excluded(workspace_id: int, mailbox_id: int, seen: Iterable[Seen]) -> bool:
    """Do any of these mails bear a label no more that kept their thread out?"""
    there = [one for one in seen if not one.gone]
    bears = [(one.provider_id, folder_id) for one in there for folder_id in one.bears]
    found = rows(
        """SELECT 1 FROM mark m
           JOIN folder f ON f.workspace_id = m.workspace_id AND f.mailbox_id = m.mailbox_id AND f.provider_id = m.folder_id
           WHERE m.workspace_id = %s AND m.mailbox_id = %s AND m.provider_id = ANY(%s) AND f.excluded AND f.gone_at IS NULL
             AND (m.provider_id, m.folder_id) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[])) LIMIT 1""",
        [
            workspace_id,
            mailbox_id,
            [one.provider_id for one in there],
            [provider_id for provider_id, _ in bears],
            [folder_id for _, folder_id in bears],
        ],
    )
    return bool(found)


def do_marks(*, workspace_id: int, mailbox_id: int, seen: Iterable[Seen], counting: Collection[str]) -> None:
    """Note what these mails bear now; of one seen twice the last word holds.

    A thread that has become excluded leaves at once, with all that is stored of it and all that waits. One that is excluded no
    more, or has a newly chosen mail, is to be looked at as a whole.
    """
    last = {one.provider_id: one for one in seen}
    if not last or not counting:
        return
    threads = {one.thread_id for one in last.values()} | _threads_of(workspace_id, mailbox_id, last)
    before = read_marks(workspace_id, mailbox_id, threads)
    _do_unmark(workspace_id, mailbox_id, list(last.values()), counting)
    fresh = _do_mark(workspace_id, mailbox_id, [one for one in last.values() if one.thread_id is not None])
    after = read_marks(workspace_id, mailbox_id, threads)
    # Not only those that were not so before: what the store has of them was decided by what the label was called then.
    out = [one for one in after if after[one].excluded]
    free = {one for one in after if before[one].excluded and not after[one].excluded}
    chosen = {one for one in fresh if after[one].chosen}
    do_purge_threads(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=out)
    left = {one for one in after if before[one].chosen and not after[one].chosen}
    do_bin_threads(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=left)
    do_unbin_threads(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=chosen)
    do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=free | chosen)


def do_label_page(*, workspace_id: int, mailbox_id: int, folder_id: str, mails: Iterable[tuple[str, str | None]]) -> None:
    """A page of the listing of one label: (mail, thread). Says nothing of other labels."""
    listed = {provider_id: thread_id for provider_id, thread_id in mails if thread_id is not None}
    fresh = _do_mark(
        workspace_id, mailbox_id, [Seen(one, thread_id, frozenset({folder_id})) for one, thread_id in listed.items()]
    )
    after = read_marks(workspace_id, mailbox_id, listed.values())
    out = [one for one in after if after[one].excluded]
    chosen = {one for one in fresh if after[one].chosen}
    do_purge_threads(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=out)
    do_unbin_threads(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=chosen)
    do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids=chosen)


def do_label_listed(*, workspace_id: int, mailbox_id: int, folder_id: str) -> None:
    """The listing of a label has reached its end: what it did not name bears the label no more, or is gone. Which of the two, a
    look at the thread tells: what keeps a thread out is not taken off because its mail was deleted."""
    unseen = rows(
        """SELECT DISTINCT m.thread_id FROM mark m
           JOIN folder f ON f.workspace_id = m.workspace_id AND f.mailbox_id = m.mailbox_id AND f.provider_id = m.folder_id
           WHERE m.workspace_id = %s AND m.mailbox_id = %s AND m.folder_id = %s AND NOT m.seen AND f.gone_at IS NULL""",
        [workspace_id, mailbox_id, folder_id],
    )
    do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids={thread_id for (thread_id,) in unseen})


def do_look_at(*, workspace_id: int, mailbox_id: int, thread_ids: Collection[str]) -> None:
    """These threads are to be looked at as a whole."""
    run(
        """INSERT INTO thread_work (workspace_id, mailbox_id, thread_id, due_at)
           SELECT %s, %s, t, %s FROM unnest(%s::text[]) AS t
           ON CONFLICT (workspace_id, mailbox_id, thread_id) DO UPDATE SET due_at = EXCLUDED.due_at""",
        [workspace_id, mailbox_id, clock.now(), sorted(thread_ids)],
    )


def do_let_in(*, workspace_id: int, mailbox_id: int, folder_id: str) -> bool:
    """A label keeps nothing out any more; what it has kept out is looked at. False where it was no such label."""
    done = run(
        "UPDATE folder SET excluded = false WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = %s AND excluded",
        [workspace_id, mailbox_id, folder_id],
    )
    found = rows(
        "SELECT DISTINCT thread_id FROM mark WHERE workspace_id = %s AND mailbox_id = %s AND folder_id = %s",
        [workspace_id, mailbox_id, folder_id],
    )
    if done:
        do_decide_again(workspace_id, [mailbox_id])
        do_look_at(workspace_id=workspace_id, mailbox_id=mailbox_id, thread_ids={one for (one,) in found})
    return bool(done)


def do_thread_gone(*, workspace_id: int, mailbox_id: int, thread_id: str) -> None:
    """The provider does not know the thread any more: none of its mails is chosen. What keeps it out stays."""
    run(
        f"{_NOT_EXCLUDED} AND m.thread_id = %s",
        [workspace_id, mailbox_id, thread_id],
    )


def _threads_of(workspace_id: int, mailbox_id: int, provider_ids: Iterable[str]) -> set[str | None]:
    found = rows(
        "SELECT DISTINCT thread_id FROM mark WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s)",
        [workspace_id, mailbox_id, sorted(provider_ids)],
    )
    return {thread_id for (thread_id,) in found}


def _do_unmark(workspace_id: int, mailbox_id: int, seen: Sequence[Seen], counting: Collection[str]) -> None:
    """Take off what they bear no more. Where the label or the mail is gone at the provider, what keeps a thread out stays."""
    bears = [(one.provider_id, folder_id) for one in seen for folder_id in one.bears]
    run(
        """DELETE FROM mark AS m USING folder AS f
           WHERE m.workspace_id = %s AND m.mailbox_id = %s AND m.provider_id = ANY(%s) AND m.folder_id = ANY(%s)
             AND f.workspace_id = m.workspace_id AND f.mailbox_id = m.mailbox_id AND f.provider_id = m.folder_id
             AND f.gone_at IS NULL AND NOT (f.excluded AND m.provider_id = ANY(%s))
             AND (m.provider_id, m.folder_id) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))""",
        [
            workspace_id,
            mailbox_id,
            [one.provider_id for one in seen],
            sorted(counting),
            [one.provider_id for one in seen if one.gone],
            [provider_id for provider_id, _ in bears],
            [folder_id for _, folder_id in bears],
        ],
    )


def _do_mark(workspace_id: int, mailbox_id: int, seen: Sequence[Seen]) -> set[str]:
    """Write what they bear; gives the threads that have a mark more than before."""
    marks = [(one.provider_id, folder_id, one.thread_id, one.at) for one in seen for folder_id in sorted(one.bears)]
    if not marks:
        return set()
    found = rows(
        """INSERT INTO mark (workspace_id, mailbox_id, provider_id, folder_id, thread_id, at)
           SELECT %s, %s, t.* FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]) AS t
           ON CONFLICT (workspace_id, mailbox_id, provider_id, folder_id)
           DO UPDATE SET thread_id = EXCLUDED.thread_id, at = coalesce(EXCLUDED.at, mark.at), seen = true
           RETURNING thread_id, xmax = 0""",
        [workspace_id, mailbox_id, *(list(column) for column in zip(*sorted(marks, key=lambda one: one[:2]), strict=True))],
    )
    return {thread_id for thread_id, is_new in found if is_new}
