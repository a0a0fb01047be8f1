"""Kept mails that lie in other folders now, or were read: a page of them in a few statements, whatever the page's size.

A message's search tokens are one set for all its copies, and a folder's token carries the mailbox. So a folder that a copy left
goes from the set only where no other copy of the message in this mailbox still lies in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flowcrm.mail.types import FolderRole
from flowcrm.mail.words import FOLDER, folder_word
from flowcrm.store.db import rows, run
from flowcrm.store.vaults import vault
from flowcrm.store.writes.bin import do_bin_deleted, do_unbin_restored
from flowcrm.store.writes.page import Hold


@dataclass(frozen=True, slots=True)
class Filed:
    """Where the provider has a mail now. unread: None where it did not say."""

    provider_id: str
    folder_ids: frozenset[str]
    unread: bool | None


# (a copy's or message's id, a folder's id at the provider)
_Places = set[tuple[int, str]]


def do_refile(hold: Hold, mails: Sequence[Filed]) -> None:
    """Write where these mails lie now; of a mail named twice the last word holds. What is not kept is passed over."""
    filed: dict[str, Filed] = {}
    for one in mails:
        before = filed.get(one.provider_id)
        unread = before.unread if before and one.unread is None else one.unread
        filed[one.provider_id] = Filed(one.provider_id, one.folder_ids, unread)
    copies = _do_mark(hold, list(filed.values()))
    if copies:
        lie = {(copy_id, folder) for copy_id, _, provider_id in copies for folder in filed[provider_id].folder_ids}
        message_of = {copy_id: message_id for copy_id, message_id, _ in copies}
        left, entered = _do_file(hold, sorted(message_of), sorted(lie))
        _do_trash(hold, sorted(message_of), entered)
        _do_folder_tokens(hold, _of_messages(left, message_of), _of_messages(entered, message_of))


def _do_mark(hold: Hold, filed: Sequence[Filed]) -> list[tuple[int, int, str]]:
    """Read or unread, and there (again). Gives (copy, message, provider's id) of those that are kept."""
    copies = rows(
        """UPDATE copy AS c SET unread = coalesce(f.unread, c.unread), gone_at = NULL
           FROM unnest(%s::text[], %s::boolean[]) AS f (provider_id, unread)
           WHERE c.workspace_id = %s AND c.mailbox_id = %s AND c.provider_id = f.provider_id
           RETURNING c.id, c.message_id, c.provider_id""",
        [[one.provider_id for one in filed], [one.unread for one in filed], hold.workspace_id, hold.mailbox_id],
    )
    run(
        """UPDATE participant AS p SET unread = c.unread FROM copy AS c
           WHERE c.workspace_id = %s AND c.id = ANY(%s)
             AND p.workspace_id = %s AND p.copy_id = ANY(%s) AND p.copy_id = c.id AND p.unread <> c.unread""",
        2 * [hold.workspace_id, [copy_id for copy_id, _, _ in copies]],
    )
    return [(copy_id, message_id, provider_id) for copy_id, message_id, provider_id in copies]


def _do_file(hold: Hold, copies: Sequence[int], lie: Sequence[tuple[int, str]]) -> tuple[_Places, _Places]:
    """The copies lie there now, and nowhere else. Gives the folders that they left, and those that they entered."""
    values = [[copy_id for copy_id, _ in lie], [folder for _, folder in lie]]
    left = rows(
        """DELETE FROM copy_folder AS f WHERE f.workspace_id = %s AND f.copy_id = ANY(%s)
             AND (f.copy_id, f.provider_id) NOT IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))
           RETURNING f.copy_id, f.provider_id""",
        [hold.workspace_id, copies, *values],
    )
    entered = rows(
        """INSERT INTO copy_folder (workspace_id, copy_id, provider_id)
           SELECT %s, t.* FROM unnest(%s::bigint[], %s::text[]) AS t
           ON CONFLICT DO NOTHING RETURNING copy_id, provider_id""",
        [hold.workspace_id, *values],
    )
    return {(copy_id, folder) for copy_id, folder in left}, {(copy_id, folder) for copy_id, folder in entered}


def _do_trash(hold: Hold, copies: Sequence[int], entered: _Places) -> None:
    """What is put into the provider's trash is as good as deleted; what is there and not in it, is deleted no more."""
    found = rows(
        """SELECT f.copy_id, f.provider_id FROM copy_folder f
           WHERE f.workspace_id = %s AND f.copy_id = ANY(%s::bigint[]) AND f.provider_id = ANY(ARRAY(
               SELECT provider_id FROM folder WHERE workspace_id = %s AND mailbox_id = %s AND role = %s))""",
        [hold.workspace_id, list(copies), hold.workspace_id, hold.mailbox_id, FolderRole.TRASH],
    )
    lie = {(copy_id, folder) for copy_id, folder in found}
    of_mailbox = {"workspace_id": hold.workspace_id, "mailbox_id": hold.mailbox_id}
    do_bin_deleted(**of_mailbox, copy_ids={copy_id for copy_id, _ in lie & entered})
    do_unbin_restored(**of_mailbox, copy_ids=set(copies) - {copy_id for copy_id, _ in lie})


def _of_messages(places: _Places, message_of: dict[int, int]) -> _Places:
    return {(message_of[copy_id], folder) for copy_id, folder in places}


def _do_folder_tokens(hold: Hold, left: _Places, entered: _Places) -> None:
    """Messages are found by the folders that they entered, and by those that they left no more."""
    lost = left - _lie(hold, {message_id for message_id, _ in left})
    changes = sorted(lost | entered)
    if not changes:
        return
    token = _tokens(hold, {folder for _, folder in changes})
    run(
        """WITH changed AS (
               SELECT t.message_id, coalesce(array_agg(t.token) FILTER (WHERE t.lost), '{}') AS lost,
                      coalesce(array_agg(t.token) FILTER (WHERE NOT t.lost), '{}') AS entered
               FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) AS t (message_id, token, lost) GROUP BY t.message_id)
           UPDATE search_row AS s
           SET tok = ARRAY(SELECT token FROM unnest(s.tok) AS token WHERE token <> ALL(c.lost) UNION SELECT unnest(c.entered))
           FROM changed AS c WHERE s.workspace_id = %s AND s.message_id = c.message_id""",
        [
            [message_id for message_id, _ in changes],
            [token[folder] for _, folder in changes],
            [one in lost for one in changes],
            hold.workspace_id,
        ],
    )


def _lie(hold: Hold, messages: Iterable[int]) -> _Places:
    """The folders of this mailbox in which any copy of these messages lies."""
    found = rows(
        """SELECT c.message_id, f.provider_id FROM unnest(%s::bigint[]) AS m (id)
           CROSS JOIN LATERAL (
               SELECT c.id, c.message_id FROM copy c
               WHERE c.workspace_id = %s AND c.message_id = m.id AND c.mailbox_id = %s OFFSET 0) c
           CROSS JOIN LATERAL (
               SELECT f.provider_id FROM copy_folder f WHERE f.workspace_id = %s AND f.copy_id = c.id OFFSET 0) f""",
        [sorted(messages), hold.workspace_id, hold.mailbox_id, hold.workspace_id],
    )
    return {(message_id, folder) for message_id, folder in found}


def _tokens(hold: Hold, folders: Iterable[str]) -> dict[str, int]:
    names = sorted(folders)
    words = [folder_word(hold.mailbox_id, one) for one in names]
    return dict(zip(names, vault(hold.workspace_id).tokens(FOLDER, words), strict=True))
