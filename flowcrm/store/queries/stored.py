"""What is stored of a mailbox, by what the rules ask of a mail. Each function runs inside a workspace scope."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.store.db import rows


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A copy, as far as rules look at it. people: look-up hashes of everybody in its headers. binned_by: the change of settings
    that put it into the bin, None where it is not there."""

    copy_id: int
    provider_id: str
    thread_id: str | None
    at: datetime
    folder_ids: frozenset[str]
    people: frozenset[bytes]
    binned_by: int | None = None


_STORED = """
    SELECT c.id, c.provider_id, c.thread_id, c.at, f.ids, p.hashes, c.binned_by
    FROM (SELECT * FROM copy WHERE workspace_id = %(ws)s AND mailbox_id = %(mailbox)s
            AND (binned_at IS NULL OR binned_for = 'narrowed') AND {which}) c
    CROSS JOIN LATERAL (
        SELECT array_agg(o.provider_id) AS ids FROM copy_folder o WHERE o.workspace_id = %(ws)s AND o.copy_id = c.id OFFSET 0) f
    CROSS JOIN LATERAL (
        SELECT array_agg(o.h_address) AS hashes FROM participant o
        WHERE o.workspace_id = %(ws)s AND o.copy_id = c.id OFFSET 0) p
    ORDER BY c.provider_id"""
_PAGE = _STORED.format(which="provider_id > %(after)s ORDER BY provider_id LIMIT %(size)s")
_OF_THREADS = _STORED.format(which="thread_id = ANY(%(threads)s::text[])")


def stored_page(workspace_id: int, mailbox_id: int, *, after: str, size: int) -> tuple[StoredMail, ...]:
    """The next mails of a mailbox that are not in the bin, or only for its settings, in the order of their ids at the provider
    ("" comes before all)."""
    return _stored(_PAGE, {"ws": workspace_id, "mailbox": mailbox_id, "after": after, "size": size})


def stored_of_threads(workspace_id: int, mailbox_id: int, thread_ids: Collection[str]) -> tuple[StoredMail, ...]:
    """Those of these threads."""
    return _stored(_OF_THREADS, {"ws": workspace_id, "mailbox": mailbox_id, "threads": sorted(thread_ids)})


def stored_ids(workspace_id: int, mailbox_id: int, provider_ids: Sequence[str]) -> frozenset[str]:
    """Those of these mails that are stored, in the bin or not."""
    found = rows(
        "SELECT provider_id FROM copy WHERE workspace_id = %s AND mailbox_id = %s AND provider_id = ANY(%s)",
        [workspace_id, mailbox_id, list(provider_ids)],
    )
    return frozenset(one for (one,) in found)


def _stored(sql: str, values: dict[str, Any]) -> tuple[StoredMail, ...]:
    return tuple(
        StoredMail(
            *(copy_id, provider_id, thread_id, at),
            *(frozenset(folders or ()), frozenset(bytes(one) for one in hashes or ()), binned_by),
        )
        for copy_id, provider_id, thread_id, at, folders, hashes, binned_by in rows(sql, values)
    )
