"""Changes to a mailbox: connected, configured, moved between states. Each function runs inside the caller's scope."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flowcrm.lib import clock
from flowcrm.mail.types import Folder
from flowcrm.store.db import next_id, next_ids, row, rows, run
from flowcrm.store.writes.decided import do_decide_again
from flowcrm.store.writes.due import LANE_NEW, do_due_now, do_not_due
from flowcrm.store.writes.marks import counting_folders, do_forget_chosen, do_list_labels
from flowcrm.store.writes.notices import do_notice_imported, do_notice_labels, do_notice_state
from flowcrm.store.writes.ours import do_ours
from flowcrm.store.writes.secrets import do_grant_ended
from flowcrm.store.writes.tell import do_tell
from flowcrm.vault.seal import WorkspaceVault


@dataclass(frozen=True, slots=True)
class Selection:
    """What a member chose to come in. folder_ids: provider ids of the chosen labels."""

    selection: str
    since: datetime | None
    interval_s: int
    folder_ids: frozenset[str]


def do_create_mailbox(vault: WorkspaceVault, *, member_id: int, kind: str, address: str, state: str) -> int:
    """A new mailbox of a member; returns its id. `address` is normalised."""
    mailbox_id, now = next_id(), clock.now()
    run(
        """INSERT INTO mailbox (workspace_id, id, member_id, kind, gen, h_account, s_account, state, state_since, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            vault.workspace_id,
            mailbox_id,
            member_id,
            kind,
            vault.generation,
            vault.lookup("account", address),
            vault.seal("account", mailbox_id, address.encode()),
            state,
            now,
            now,
        ],
    )
    return mailbox_id


def find_mailbox(vault: WorkspaceVault, *, kind: str, address: str) -> int | None:
    """The mailbox of that account in this workspace, whoever owns it."""
    found = row(
        "SELECT id FROM mailbox WHERE workspace_id = %s AND kind = %s AND gen = %s AND h_account = %s",
        [vault.workspace_id, kind, vault.generation, vault.lookup("account", address)],
    )
    return int(found[0]) if found else None


def do_identities(vault: WorkspaceVault, *, mailbox_id: int, addresses: Iterable[str]) -> None:
    """The addresses the owner sends as, replacing what was known; what came from them before is ours too.

    Takes the workspace's commit lock: the last thing in a transaction that also locks the mailbox.
    """
    known = sorted(set(addresses))
    hashes = [vault.lookup("address", one) for one in known]
    run("DELETE FROM mailbox_identity WHERE workspace_id = %s AND mailbox_id = %s", [vault.workspace_id, mailbox_id])
    run(
        """INSERT INTO mailbox_identity (workspace_id, mailbox_id, gen, h_address, s_address)
           SELECT %s, %s, %s, i.h_address, i.s_address FROM unnest(%s::bytea[], %s::bytea[]) AS i (h_address, s_address)""",
        [
            vault.workspace_id,
            mailbox_id,
            vault.generation,
            hashes,
            [vault.seal("identity", mailbox_id, one.encode()) for one in known],
        ],
    )
    do_ours(vault.workspace_id, vault.generation, hashes)


def do_folders(
    vault: WorkspaceVault, *, mailbox_id: int, folders: Sequence[Folder], excluded: Collection[str] = frozenset()
) -> None:
    """The provider's folders as of now. They are followed by id: a renamed one stays chosen, a deleted one is marked.

    excluded: those that keep out what lies in them. One that has done so goes on, whatever it is called later: nobody's
    private mail comes in because of a renamed label.
    """
    folders = sorted(folders, key=lambda one: one.provider_id)
    known = dict(
        rows("SELECT provider_id, id FROM folder WHERE workspace_id = %s AND mailbox_id = %s", [vault.workspace_id, mailbox_id])
    )
    fresh = iter(next_ids(len([one for one in folders if one.provider_id not in known])))
    ids = [known[one.provider_id] if one.provider_id in known else next(fresh) for one in folders]
    run(
        """INSERT INTO folder (workspace_id, id, mailbox_id, provider_id, s_name, role)
           SELECT %s, f.id, %s, f.provider_id, f.s_name, f.role
           FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::text[]) AS f (id, provider_id, s_name, role)
           ON CONFLICT (workspace_id, mailbox_id, provider_id) DO UPDATE
           SET s_name = EXCLUDED.s_name, role = EXCLUDED.role, gone_at = NULL""",
        [
            vault.workspace_id,
            mailbox_id,
            ids,
            [one.provider_id for one in folders],
            [
                vault.seal("folder", folder_id, one.name.encode("utf-8", "replace"))
                for folder_id, one in zip(ids, folders, strict=True)
            ],
            [one.role.value for one in folders],
        ],
    )
    _do_exclude(vault.workspace_id, mailbox_id, excluded)
    gone = rows(
        """UPDATE folder SET gone_at = %s
           WHERE workspace_id = %s AND mailbox_id = %s AND gone_at IS NULL AND NOT provider_id = ANY(%s::text[])
           RETURNING chosen""",
        [clock.now(), vault.workspace_id, mailbox_id, [one.provider_id for one in folders]],
    )
    do_notice_labels(workspace_id=vault.workspace_id, mailbox_id=mailbox_id, fresh=any(chosen for (chosen,) in gone))
    run(
        "UPDATE mailbox SET folders_at = %s WHERE workspace_id = %s AND id = %s",
        [clock.now(), vault.workspace_id, mailbox_id],
    )


def _do_exclude(workspace_id: int, mailbox_id: int, excluded: Collection[str]) -> None:
    """These folders keep out what lies in them; where one is new, what lies in it is listed before anything is fetched."""
    fresh = rows(
        """UPDATE folder SET excluded = true
           WHERE workspace_id = %s AND mailbox_id = %s AND NOT excluded AND provider_id = ANY(%s::text[])
           RETURNING provider_id""",
        [workspace_id, mailbox_id, sorted(excluded)],
    )
    if not fresh:
        return
    do_list_labels(workspace_id=workspace_id, mailbox_id=mailbox_id, folder_ids=[folder_id for (folder_id,) in fresh])
    do_decide_again(workspace_id, [mailbox_id])
    run(
        "UPDATE mailbox_due SET next_run_at = %s WHERE workspace_id = %s AND mailbox_id = %s",
        [clock.now(), workspace_id, mailbox_id],
    )


def do_settings(*, workspace_id: int, mailbox_id: int, chosen: Selection) -> None:
    """Save what comes in and start (or start again) the import of what that lets in. What is kept already stays."""
    now = clock.now()
    run(
        """UPDATE folder SET chosen = provider_id = ANY(%s::text[]) WHERE workspace_id = %s AND mailbox_id = %s""",
        [sorted(chosen.folder_ids), workspace_id, mailbox_id],
    )
    run(
        """UPDATE mailbox SET selection = %s, since = %s, interval_s = %s, settings_rev = settings_rev + 1, state = 'on',
                  state_since = CASE WHEN state = 'on' THEN state_since ELSE %s END,
                  import_from = %s, import_done_at = NULL, state_code = '', retry_at = NULL, tries = 0
           WHERE workspace_id = %s AND id = %s""",
        [chosen.selection, chosen.since, chosen.interval_s, now, now, workspace_id, mailbox_id],
    )
    # New mail that waits stays: its history lies behind the bookmark, and the rules decide on it again anyway.
    run(
        "DELETE FROM work WHERE workspace_id = %s AND mailbox_id = %s AND NOT recheck AND lane <> %s",
        [workspace_id, mailbox_id, LANE_NEW],
    )
    run("DELETE FROM skipped WHERE workspace_id = %s AND mailbox_id = %s", [workspace_id, mailbox_id])
    do_restart_listing(workspace_id=workspace_id, mailbox_id=mailbox_id)
    do_due_now(workspace_id=workspace_id, mailbox_id=mailbox_id)
    do_notice_labels(workspace_id=workspace_id, mailbox_id=mailbox_id, fresh=False)


def do_restart_listing(*, workspace_id: int, mailbox_id: int, lost: bool = False) -> None:
    """Walk the mailbox from its newest mail again; ids that are kept already are passed over.

    What happened since the bookmark is still followed from there, unless the provider has lost it. A contact's past is part of
    the new walk.
    """
    run(
        "DELETE FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND scope <> 'main'",
        [workspace_id, mailbox_id],
    )
    do_forget_chosen(workspace_id=workspace_id, mailbox_id=mailbox_id)
    do_list_labels(workspace_id=workspace_id, mailbox_id=mailbox_id, folder_ids=counting_folders(workspace_id, mailbox_id))
    run(
        """INSERT INTO cursor (workspace_id, mailbox_id, scope, value, listing, updated_at)
           VALUES (%s, %s, 'main', NULL, true, %s)
           ON CONFLICT (workspace_id, mailbox_id, scope) DO UPDATE
           SET value = CASE WHEN %s THEN NULL ELSE cursor.value END, relist = NOT %s, listing = true, listed = 0,
               rev = cursor.rev + 1""",
        [workspace_id, mailbox_id, clock.now(), lost, lost],
    )


def do_state(*, workspace_id: int, mailbox_id: int, state: str, code: str = "") -> None:
    """Put the mailbox into a state (mailboxes.states has checked the move); only `on` mailboxes are due."""
    run(
        """UPDATE mailbox SET state_since = CASE WHEN state = %s THEN state_since ELSE %s END,
                  state = %s, state_code = %s, retry_at = NULL, tries = 0
           WHERE workspace_id = %s AND id = %s""",
        [state, clock.now(), state, code, workspace_id, mailbox_id],
    )
    if state == "reauthorize":
        do_grant_ended(workspace_id=workspace_id, mailbox_id=mailbox_id)
    if state == "on":
        do_due_now(workspace_id=workspace_id, mailbox_id=mailbox_id)
    else:
        do_not_due(workspace_id=workspace_id, mailbox_id=mailbox_id)
    do_notice_state(workspace_id=workspace_id, mailbox_id=mailbox_id, state=state)
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_note(*, workspace_id: int, mailbox_id: int, code: str, retry_at: datetime) -> None:
    """Something that passes by itself: remember it and when to try again."""
    run(
        """UPDATE mailbox SET state_code = %s, retry_at = %s, tries = tries + 1, checked_at = %s
           WHERE workspace_id = %s AND id = %s""",
        [code, retry_at, clock.now(), workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)


def do_checked(*, workspace_id: int, mailbox_id: int, synced: bool, import_done: bool) -> None:
    """A slice ended well. synced: nothing is left to do; import_done: the first walk has reached its end."""
    now = clock.now()
    if import_done and run(
        """UPDATE mailbox SET import_done_at = %s
           WHERE workspace_id = %s AND id = %s AND import_from IS NOT NULL AND import_done_at IS NULL""",
        [now, workspace_id, mailbox_id],
    ):
        do_notice_imported(workspace_id=workspace_id, mailbox_id=mailbox_id)
    run(
        """UPDATE mailbox SET checked_at = %s, synced_at = CASE WHEN %s THEN %s ELSE synced_at END,
                  import_done_at = CASE WHEN %s THEN coalesce(import_done_at, %s) ELSE import_done_at END,
                  state_code = CASE WHEN state_code = 'rereading' AND NOT %s THEN state_code ELSE '' END,
                  retry_at = NULL, tries = 0
           WHERE workspace_id = %s AND id = %s""",
        [now, synced, now, import_done, now, synced, workspace_id, mailbox_id],
    )
    do_tell(workspace_id=workspace_id, mailbox_id=mailbox_id)
