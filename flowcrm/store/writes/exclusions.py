"""Exclusion lists: an entry is put on or taken off, and what is stored of its mail follows. Inside the caller's scope.

What is stored goes into the bin, a thousand copies in the caller's transaction and the rest by a job: an entry says in its
`state` that something is still to follow, so a killed job is simply begun again.
"""

from collections.abc import Sequence

from flowcrm.lib import clock
from flowcrm.mail.exclusion import ListEntry, read_entry
from flowcrm.store.db import next_id, row, rows, run
from flowcrm.store.errors import UserError
from flowcrm.store.queries.exclusion_reach import Wanted, stored_copies, wanted_of
from flowcrm.store.queries.exclusions import SEAL, Listed, read_entry_by_id
from flowcrm.store.writes.bin import BinReason, do_bin, do_unbin
from flowcrm.store.writes.decided import do_decide_again
from flowcrm.store.writes.due import do_due_now
from flowcrm.store.writes.mailbox import do_restart_listing
from flowcrm.vault.seal import WorkspaceVault

# Copies that a person waits for; what is more is a job's.
AT_ONCE = 1_000


class EntryInvalid(UserError):
    """That is neither an address nor a domain."""

    def __init__(self, typed: str) -> None:
        super().__init__("neither an address nor a domain")
        self.typed = typed


def check_entry(typed: str) -> ListEntry:
    """What somebody typed, in normal form. Raises EntryInvalid."""
    entry = read_entry(typed)
    if entry is None:
        raise EntryInvalid(typed.strip())
    return entry


def do_exclude(keys: WorkspaceVault, *, member_id: int | None, entry: ListEntry) -> tuple[int, bool]:
    """Put an entry on a member's list, or on the account's (None). Gives its id, and whether stored mail is still to follow."""
    entry_id = next_id()
    hashed = keys.lookup(entry.kind.value, entry.value)
    found = row(
        """INSERT INTO exclusion (workspace_id, id, member_id, kind, gen, h_value, s_value, state, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, 'putting', %s)
           ON CONFLICT (workspace_id, member_id, gen, kind, h_value) DO UPDATE SET state = 'putting' RETURNING id""",
        [
            keys.workspace_id,
            entry_id,
            member_id,
            entry.kind,
            keys.generation,
            hashed,
            keys.seal(SEAL, entry_id, entry.value.encode()),
            clock.now(),
        ],
    )
    assert found is not None
    known_as = int(found[0])
    do_decide_again(keys.workspace_id, _mailboxes(keys.workspace_id, member_id))
    return known_as, do_follow(keys, entry_id=known_as) is not None


def do_include(keys: WorkspaceVault, *, listed: Listed) -> bool:
    """Take an entry off its list: what went for it comes back, and what was left out is looked for. True where stored mail is
    still to follow."""
    run(
        "UPDATE exclusion SET state = 'leaving' WHERE workspace_id = %s AND id = %s",
        [keys.workspace_id, listed.id],
    )
    mailboxes = _mailboxes(keys.workspace_id, listed.member_id)
    do_decide_again(keys.workspace_id, mailboxes)
    for mailbox_id, is_on in _synced(keys.workspace_id, mailboxes):
        do_restart_listing(workspace_id=keys.workspace_id, mailbox_id=mailbox_id)
        if is_on:
            do_due_now(workspace_id=keys.workspace_id, mailbox_id=mailbox_id)
    return do_follow(keys, entry_id=listed.id) is not None


def do_follow(
    keys: WorkspaceVault, *, entry_id: int, after: tuple[int, int] = (0, 0), wanted: Wanted | None = None
) -> tuple[int, int] | None:
    """Let stored mail follow an entry, as much as one transaction should hold. Gives the place after which to go on, None when
    there is no more to do. wanted: as `wanted_of` gives it, where the caller has it."""
    listed = read_entry_by_id(keys, entry_id)
    if listed is None or listed.state == "on":
        return None
    leaving = listed.state == "leaving"
    found = stored_copies(
        keys.workspace_id,
        wanted or wanted_of(keys, listed.entry),
        _mailboxes(keys.workspace_id, listed.member_id),
        binned_for=BinReason.LISTED if leaving else None,
        after=after,
        at_most=AT_ONCE,
    )
    for mailbox_id in sorted({one for one, _ in found}):
        copies = [copy_id for one, copy_id in found if one == mailbox_id]
        if leaving:
            do_unbin(workspace_id=keys.workspace_id, mailbox_id=mailbox_id, copy_ids=copies)
        else:
            do_bin(workspace_id=keys.workspace_id, mailbox_id=mailbox_id, copy_ids=copies, reason=BinReason.LISTED)
    if len(found) == AT_ONCE:
        return found[-1]
    if leaving:
        run("DELETE FROM exclusion WHERE workspace_id = %s AND id = %s", [keys.workspace_id, entry_id])
    else:
        run("UPDATE exclusion SET state = 'on' WHERE workspace_id = %s AND id = %s", [keys.workspace_id, entry_id])
    return None


def _mailboxes(workspace_id: int, member_id: int | None) -> list[int]:
    found = rows(
        "SELECT id FROM mailbox WHERE workspace_id = %s AND (%s::bigint IS NULL OR member_id = %s) ORDER BY id",
        [workspace_id, member_id, member_id],
    )
    return [mailbox_id for (mailbox_id,) in found]


def _synced(workspace_id: int, mailboxes: Sequence[int]) -> list[tuple[int, bool]]:
    """Those of them that have a provider, and an owner who has chosen what comes in; and whether they are on."""
    found = rows(
        """SELECT id, state = 'on' FROM mailbox WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND kind <> 'archive'
             AND import_from IS NOT NULL ORDER BY id""",
        [workspace_id, list(mailboxes)],
    )
    return [(mailbox_id, is_on) for mailbox_id, is_on in found]
