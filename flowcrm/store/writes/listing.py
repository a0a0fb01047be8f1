"""What a page of changes leaves behind: work rows for what is new, moved labels, and "no longer there" for what is gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowcrm.lib import clock
from flowcrm.mail.types import Change, ChangeKind
from flowcrm.store.db import next_ids, rows, run, workspace_scope
from flowcrm.store.queries.stored import stored_ids
from flowcrm.store.writes.bin import do_bin_deleted
from flowcrm.store.writes.due import LANE_CONTACT, LANE_LISTED, LANE_RECHECK
from flowcrm.store.writes.page import Hold, check_hold, do_count_skipped
from flowcrm.store.writes.refile import Filed, do_refile
from flowcrm.store.writes.tell import do_tell

# Kept mails to be asked about again, newest first.
_RECHECK = """
    INSERT INTO work (workspace_id, id, mailbox_id, provider_id, thread_id, lane, sort, due_at, recheck)
    SELECT workspace_id, nextval('flow_id'), mailbox_id, provider_id, thread_id, %s,
           row_number() OVER (ORDER BY at DESC, id), %s, true
    FROM copy WHERE workspace_id = %s AND mailbox_id = %s"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of changes, decided. wanted: mails to fetch; touched: changes to what is kept; skipped: rule -> count.

    scope, cursor, listing: the bookmark after the page, None where it comes to its end and is dropped.
    rev: of the bookmark that the page was read with. Where somebody has moved it meanwhile, it stays as they left it; what the
    page found is kept.
    address_matched: the provider's search for contacts' addresses found these mails.
    """

    scope: str
    cursor: str | None
    rev: int
    listing: bool
    lane: int
    wanted: tuple[Change, ...]
    touched: tuple[Change, ...]
    skipped: dict[str, int]
    address_matched: bool = False


def do_listing(hold: Hold, page: Listed) -> bool:
    """Write one page of changes and its bookmark in one transaction; returns whether the bookmark was still where the page was
    read. Raises LeaseLost or SettingsChanged."""
    with workspace_scope(hold.workspace_id):
        check_hold(hold)
        added = _do_want(hold, page, [one for one in page.wanted if one.kind is ChangeKind.ARRIVED], page.lane)
        # What was filed elsewhere has been here before: it is no new mail, and takes none of the room that is kept for it.
        _do_want(hold, page, [one for one in page.wanted if one.kind is ChangeKind.FOLDERS], max(page.lane, LANE_CONTACT))
        do_refile(hold, _filed(page.touched))
        do_gone(hold, [one.provider_id for one in page.touched if one.kind is ChangeKind.GONE])
        if page.listing:
            _do_there_again(hold, [one.provider_id for one in page.touched])
        do_count_skipped(hold, page.skipped)
        do_tell(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, emails=bool(page.touched))
        return _do_bookmark(hold, page, added)


def known_copies(hold: Hold, provider_ids: Sequence[str]) -> frozenset[str]:
    """Which of these mails are kept already (inside a workspace scope)."""
    return stored_ids(hold.workspace_id, hold.mailbox_id, provider_ids)


def do_gone(hold: Hold, provider_ids: Sequence[str]) -> None:
    """The provider no longer has these mails: what is kept stays ("no longer in Gmail since …") or goes to the bin, as the
    mailbox's owner wants it; what waited is dropped."""
    if not provider_ids:
        return
    values = [hold.workspace_id, hold.mailbox_id, list(provider_ids)]
    gone = rows(
        """UPDATE copy SET gone_at = %s
           WHERE gone_at IS NULL AND workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s) RETURNING id""",
        [clock.now(), *values],
    )
    do_bin_deleted(workspace_id=hold.workspace_id, mailbox_id=hold.mailbox_id, copy_ids=[copy_id for (copy_id,) in gone])
    run("DELETE FROM work WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s)", values)


def _do_there_again(hold: Hold, provider_ids: Sequence[str]) -> None:
    """A walk names mails that were taken for gone: they are there, and we ask where they lie."""
    if not provider_ids:
        return
    run(
        f"""{_RECHECK} AND gone_at IS NOT NULL AND provider_id = ANY(%s)
            ON CONFLICT (workspace_id, mailbox_id, provider_id) DO NOTHING""",
        [LANE_RECHECK, clock.now(), hold.workspace_id, hold.mailbox_id, list(provider_ids)],
    )


def do_recheck_all(hold: Hold) -> None:
    """The provider forgot our place: ask again about every kept mail, since we may have missed what happened to it."""
    run(
        f"{_RECHECK} AND gone_at IS NULL ON CONFLICT (workspace_id, mailbox_id, provider_id) DO NOTHING",
        [LANE_RECHECK, clock.now(), hold.workspace_id, hold.mailbox_id],
    )


def _do_want(hold: Hold, page: Listed, changes: Sequence[Change], lane: int) -> int:
    if not changes:
        return 0
    position = _listed_so_far(hold, page.scope)
    # Pages and providers repeat themselves; one statement must not touch a row twice. The last word wins.
    wanted = list({one.provider_id: one for one in changes}.values())
    folders = [None if one.folder_ids is None else "{" + ",".join(map(_quoted, sorted(one.folder_ids))) + "}" for one in wanted]
    return run(
        """INSERT INTO work
                  (workspace_id, id, mailbox_id, provider_id, thread_id, folder_ids, lane, sort, due_at, address_matched)
           SELECT %s, w.id, %s, w.provider_id, w.thread_id, w.folder_ids::text[], %s, w.sort, %s, %s
           FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[])
                AS w (id, provider_id, thread_id, folder_ids, sort)
           ON CONFLICT (workspace_id, mailbox_id, provider_id) DO UPDATE
           SET folder_ids = coalesce(EXCLUDED.folder_ids, work.folder_ids), lane = least(work.lane, EXCLUDED.lane),
               address_matched = work.address_matched OR EXCLUDED.address_matched""",
        [
            hold.workspace_id,
            hold.mailbox_id,
            lane,
            clock.now(),
            page.address_matched,
            next_ids(len(wanted)),
            [one.provider_id for one in wanted],
            [one.thread_id for one in wanted],
            folders,
            list(range(position, position + len(wanted))),
        ],
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed_so_far(hold: Hold, scope: str) -> int:
    found = rows(
        "SELECT listed FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND scope = %s",
        [hold.workspace_id, hold.mailbox_id, scope],
    )
    return int(found[0][0]) if found else 0


def _filed(changes: Sequence[Change]) -> list[Filed]:
    """Those that say where a mail lies now."""
    return [
        Filed(one.provider_id, one.folder_ids, one.unread)
        for one in changes
        if one.kind is not ChangeKind.GONE and one.folder_ids is not None
    ]


def _do_bookmark(hold: Hold, page: Listed, added: int) -> bool:
    key = [hold.workspace_id, hold.mailbox_id, page.scope, page.rev]
    if page.cursor is None:
        return run("DELETE FROM cursor WHERE workspace_id = %s AND mailbox_id = %s AND scope = %s AND rev = %s", key) > 0
    moved = run(
        """UPDATE cursor SET value = %s, listing = %s, relist = false, listed = listed + %s, updated_at = %s
           WHERE workspace_id = %s AND mailbox_id = %s AND scope = %s AND rev = %s""",
        [page.cursor, page.listing, added if page.lane == LANE_LISTED else 0, clock.now(), *key],
    )
    return moved > 0
