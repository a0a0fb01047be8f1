"""The audit log as an admin reads it: newest first, by person, kind, surface and days. Inside a workspace scope."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flowcrm.store.access import READABLE, Actor
from flowcrm.store.db import rows

PAGE_SIZE = 50
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """One record. actor: the member's name as it is now, "" for the operator at the command line."""

    id: int
    at: datetime
    actor_id: int | None
    actor: str
    verb: str
    surface: str
    ip: str
    object_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records. actor_id: 0 for the operator. verbs, surface: empty for any. Of the moments, `until` is not included."""

    actor_id: int | None = None
    verbs: tuple[str, ...] = ()
    surface: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class RecordPage:
    """after: where the next page begins, None on the last one."""

    records: tuple[Record, ...]
    after: Place | None


def audit_page(workspace_id: int, wanted: Wanted, *, after: Place | None = None, size: int = PAGE_SIZE) -> RecordPage:
    """A page of the log, newest first."""
    conditions = [
        *(["a.actor_id IS NULL" if wanted.actor_id == 0 else "a.actor_id = %(actor)s"] if wanted.actor_id is not None else []),
        *(["a.verb = ANY(%(verbs)s)"] if wanted.verbs else []),
        *(["a.surface = %(surface)s"] if wanted.surface else []),
        *(["a.at >= %(since)s"] if wanted.since else []),
    ]
    found = rows(
        f"""SELECT a.id, a.at, a.actor_id, coalesce(o.name, ''), a.verb, a.surface, coalesce(host(a.ip), ''), a.object_ids
            FROM audit a LEFT JOIN member o ON o.workspace_id = a.workspace_id AND o.id = a.actor_id
            WHERE a.workspace_id = %(ws)s AND a.at <= %(at)s AND (a.at < %(at)s OR a.id > %(id)s)
              {"".join(f" AND {one}" for one in conditions)}
            ORDER BY a.at DESC, a.id LIMIT %(limit)s""",
        {
            "ws": workspace_id,
            "actor": wanted.actor_id,
            "verbs": list(wanted.verbs),
            "surface": wanted.surface,
            "since": wanted.since,
            # A page's end, or the day after the last one that is wanted, whose own first moment is not.
            "at": after.at if after else wanted.until or _END_OF_TIME,
            "id": after.id if after else 2**62,
            "limit": size + 1,
        },
    )
    records = tuple(Record(*one) for one in found[:size])
    return RecordPage(records, Place(records[-1].at, records[-1].id) if len(found) > size else None)


def surfaces(workspace_id: int) -> tuple[str, ...]:
    """Every surface that stands in the log."""
    # One look for each of the few values there are: DISTINCT would walk a million records.
    found = rows(
        """WITH RECURSIVE known AS (
               (SELECT surface FROM audit WHERE workspace_id = %(ws)s ORDER BY surface LIMIT 1)
               UNION ALL
               SELECT (SELECT a.surface FROM audit a WHERE a.workspace_id = %(ws)s AND a.surface > known.surface
                       ORDER BY a.surface LIMIT 1)
               FROM known WHERE known.surface IS NOT NULL)
           SELECT surface FROM known WHERE surface IS NOT NULL""",
        {"ws": workspace_id},
    )
    return tuple(one for (one,) in found)


@dataclass(frozen=True, slots=True)
class Email:
    """An email in the log. conversation_id: None where the admin may not know of it. holders: whose mailboxes it lies in."""

    conversation_id: int | None
    holders: tuple[str, ...]


def emails_in_log(looking: Actor, message_ids: Collection[int]) -> dict[int, Email]:
    """Those of these emails that are still here: an admin is told where they lie, and sees no more of them than others."""
    found = rows(
        f"""SELECT m.id, CASE WHEN bool_or({READABLE.format("c")}) THEN m.conversation_id END, array_agg(DISTINCT o.name)
            FROM message m
            JOIN copy c ON c.workspace_id = m.workspace_id AND c.message_id = m.id
            JOIN mailbox b ON b.workspace_id = c.workspace_id AND b.id = c.mailbox_id
            JOIN member o ON o.workspace_id = b.workspace_id AND o.id = b.member_id
            WHERE m.workspace_id = %(workspace)s AND m.id = ANY(%(ids)s::bigint[])
            GROUP BY m.id, m.conversation_id""",
        {**looking.values(), "ids": sorted(message_ids)},
    )
    return {message_id: Email(conversation, tuple(names)) for message_id, conversation, names in found}


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the log is closed: the newest batch, and how many records wait for the next one."""

    number: int
    closed_at: datetime | None
    open: int


def chain(workspace_id: int) -> Chain:
    """The state of the chain; `flowcrm audit verify` proves it."""
    [found] = rows(
        """SELECT coalesce(b.number, 0), b.closed_at,
                  (SELECT count(*) FROM audit WHERE workspace_id = %(ws)s AND batch IS NULL)
           FROM (VALUES (1)) AS one
           LEFT JOIN LATERAL (
               SELECT number, closed_at FROM audit_batch WHERE workspace_id = %(ws)s ORDER BY number DESC LIMIT 1) b ON true""",
        {"ws": workspace_id},
    )
    return Chain(*found)
