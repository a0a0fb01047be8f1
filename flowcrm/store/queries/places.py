"""Which mail lies where, and in which thread. Inside a workspace scope."""

from collections.abc import Sequence

from flowcrm.mail.places import Entry, Spot
from flowcrm.store.db import rows

_ENTRY = """
    SELECT p.folder_id, p.validity, p.uid, p.mail_id, t.thread_id, p.at,
           ARRAY(SELECT DISTINCT q.folder_id FROM place q
                 WHERE q.workspace_id = p.workspace_id AND q.mailbox_id = p.mailbox_id AND q.mail_id = p.mail_id
                   AND q.gone_at IS NULL)
    FROM place p JOIN tie t ON t.workspace_id = p.workspace_id AND t.mailbox_id = p.mailbox_id AND t.h_name = p.h_own"""


def read_places(workspace_id: int, mailbox_id: int, spots: Sequence[Spot]) -> dict[Spot, Entry]:
    """The mails that lie at these places, or lay there."""
    found = rows(
        f"""{_ENTRY} WHERE p.workspace_id = %s AND p.mailbox_id = %s
            AND (p.folder_id, p.validity, p.uid) IN (SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[]))""",
        [workspace_id, mailbox_id, *columns(spots)],
    )
    return {
        Spot(folder_id, validity, uid): Entry(mail_id, thread_id, frozenset(folders), at)
        for folder_id, validity, uid, mail_id, thread_id, at, folders in found
    }


def read_spots(workspace_id: int, mailbox_id: int, mail_ids: Sequence[str]) -> dict[str, Spot]:
    """One place of each of these mails; of several always the same."""
    found = rows(
        """SELECT DISTINCT ON (mail_id) mail_id, folder_id, validity, uid FROM place
           WHERE workspace_id = %s AND mailbox_id = %s AND mail_id = ANY(%s::text[]) AND gone_at IS NULL
           ORDER BY mail_id, folder_id, validity, uid""",
        [workspace_id, mailbox_id, list(mail_ids)],
    )
    return {mail_id: Spot(folder_id, validity, uid) for mail_id, folder_id, validity, uid in found}


def read_thread_places(workspace_id: int, mailbox_id: int, thread_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """The mails of these threads that lie somewhere, oldest first."""
    found = rows(
        f"""{_ENTRY} WHERE t.workspace_id = %s AND t.mailbox_id = %s AND t.thread_id = ANY(%s::text[]) AND p.gone_at IS NULL
            ORDER BY p.at, p.mail_id""",
        [workspace_id, mailbox_id, list(thread_ids)],
    )
    threads: dict[str, dict[str, Entry]] = {}
    for _, _, _, mail_id, thread_id, at, folders in found:
        threads.setdefault(thread_id, {})[mail_id] = Entry(mail_id, thread_id, frozenset(folders), at)
    return {thread_id: tuple(mails.values()) for thread_id, mails in threads.items()}


def columns(spots: Sequence[Spot]) -> tuple[list[str], list[int], list[int]]:
    """Places as three arrays."""
    return [one.folder_id for one in spots], [one.validity for one in spots], [one.uid for one in spots]
