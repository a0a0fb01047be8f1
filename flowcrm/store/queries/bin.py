"""What lies in a member's bin: copies in his own mailboxes. Inside a workspace scope."""

from dataclasses import dataclass
from datetime import datetime

from flowcrm.store.access import Actor
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.writes.bin import LIFE

PAGE_SIZE = 50
# How many are counted for a link.
COUNT_AT_MOST = 999


@dataclass(frozen=True, slots=True)
class BinRow:
    """A copy in the bin. reason: a BinReason. until: when it goes for good."""

    copy_id: int
    message_id: int
    mailbox_id: int
    binned_at: datetime
    reason: str

    @property
    def until(self) -> datetime:
        return self.binned_at + LIFE


@dataclass(frozen=True, slots=True)
class BinPage:
    """Latest first. after: the copy after which the next page begins, None on the last one."""

    rows: tuple[BinRow, ...]
    after: int | None


def bin_page(looking: Actor, *, after: int | None = None, size: int = PAGE_SIZE) -> BinPage:
    """A page of the actor's bin."""
    found = rows(
        """SELECT c.id, c.message_id, c.mailbox_id, c.binned_at, c.binned_for FROM copy c
           WHERE c.workspace_id = %(workspace)s AND c.mailbox_id = ANY(%(own)s::bigint[]) AND c.binned_at IS NOT NULL
             AND (%(after)s::bigint IS NULL OR (c.binned_at, -c.id) <
                  (SELECT b.binned_at, -b.id FROM copy b WHERE b.workspace_id = %(workspace)s AND b.id = %(after)s::bigint))
           ORDER BY c.binned_at DESC, c.id LIMIT %(limit)s""",
        {**looking.values(), "after": after, "limit": size + 1},
    )
    shown = tuple(BinRow(*one) for one in found[:size])
    return BinPage(shown, shown[-1].copy_id if len(found) > size else None)


def count_bin(looking: Actor) -> int:
    """How many copies lie there, at most COUNT_AT_MOST + 1."""
    found = row(
        """SELECT count(*) FROM (
               SELECT 1 FROM copy WHERE workspace_id = %(workspace)s AND mailbox_id = ANY(%(own)s::bigint[])
                 AND binned_at IS NOT NULL LIMIT %(most)s) few""",
        {**looking.values(), "most": COUNT_AT_MOST + 1},
    )
    return int(found[0]) if found else 0


def access_binned(looking: Actor, copy_id: int) -> int:
    """The mailbox of a copy in the actor's bin. Raises NotFound."""
    found = row(
        """SELECT mailbox_id FROM copy
           WHERE workspace_id = %(workspace)s AND id = %(id)s AND mailbox_id = ANY(%(own)s::bigint[])
             AND binned_at IS NOT NULL""",
        {**looking.values(), "id": copy_id},
    )
    if found is None:
        raise NotFound
    return int(found[0])
