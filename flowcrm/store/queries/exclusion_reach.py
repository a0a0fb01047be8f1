"""What is stored of the mail that an exclusion list's entry keeps out. Inside a workspace scope.

People are found by their hashes. A stored person has the hash of his very domain; which of the stored domains lie below an
excluded one is told by opening one head of each domain that there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flowcrm.mail.exclusion import ListedKind, ListEntry
from flowcrm.store.access import Actor
from flowcrm.store.db import row, rows
from flowcrm.store.queries.exclusions import head_addresses
from flowcrm.vault.seal import WorkspaceVault

# Counting further would cost more than the figure is worth; pages then say "10,000+".
COUNT_AT_MOST = 10_000
EXAMPLES = 5

# Every domain that stands in the account's mail, by walking the index from one to the next, with one copy of each.
_DOMAINS = """
    WITH RECURSIVE domain AS (
        (SELECT p.h_domain FROM participant p WHERE p.workspace_id = %(ws)s AND p.gen = %(gen)s ORDER BY p.h_domain LIMIT 1)
        UNION ALL
        SELECT (SELECT p.h_domain FROM participant p
                WHERE p.workspace_id = %(ws)s AND p.gen = %(gen)s AND p.h_domain > d.h_domain ORDER BY p.h_domain LIMIT 1)
        FROM domain d WHERE d.h_domain IS NOT NULL)
    SELECT one.copy_id, c.s_head FROM domain d
    CROSS JOIN LATERAL (
        SELECT p.copy_id FROM participant p
        WHERE p.workspace_id = %(ws)s AND p.gen = %(gen)s AND p.h_domain = d.h_domain LIMIT 1) one
    JOIN copy c ON c.workspace_id = %(ws)s AND c.id = one.copy_id"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose mail is meant: hashes in one column of the people of mails."""

    column: str
    gen: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """So many emails and threads are here, each at most COUNT_AT_MOST + 1. examples: copies that the actor may know of."""

    emails: int
    threads: int
    examples: tuple[int, ...] = ()

    @property
    def more(self) -> bool:
        return self.emails > COUNT_AT_MOST


def wanted_of(keys: WorkspaceVault, entry: ListEntry) -> Wanted:
    """The people whom an entry keeps out."""
    if entry.kind is ListedKind.ADDRESS:
        return wanted_people(keys, [entry.value])
    opened = rows(_DOMAINS, {"ws": keys.workspace_id, "gen": keys.generation})
    people = {address for copy_id, sealed in opened for address in head_addresses(keys, copy_id, sealed)}
    below = {entry.value, *(address.rpartition("@")[2] for address in people if entry.covers(address))}
    return Wanted("h_domain", keys.generation, tuple(sorted(keys.lookup("domain", one) for one in below)))


def wanted_people(keys: WorkspaceVault, addresses: Sequence[str]) -> Wanted:
    """The people with these (normalised) addresses."""
    return Wanted("h_address", keys.generation, tuple(sorted(keys.lookup("address", one) for one in addresses)))


def reach_of(looking: Actor, wanted: Wanted, *, account: bool) -> Reach:
    """What is here of it: in the actor's own mailboxes, or in the account's, of which what is private is not counted."""
    values = {**looking.values(), **_values(wanted)}
    whose = "(c.mailbox_id = ANY(%(own)s::bigint[]) OR NOT c.shut)" if account else "c.mailbox_id = ANY(%(own)s::bigint[])"
    found = row(
        f"""SELECT count(*), count(DISTINCT f.conversation_id) FROM (
                SELECT DISTINCT m.id, m.conversation_id FROM participant p
                JOIN copy c ON c.workspace_id = p.workspace_id AND c.id = p.copy_id
                JOIN message m ON m.workspace_id = c.workspace_id AND m.id = c.message_id
                WHERE p.workspace_id = %(workspace)s AND p.gen = %(gen)s AND p.{wanted.column} = ANY(%(hashes)s::bytea[])
                  AND c.binned_at IS NULL AND {whose} LIMIT %(most)s) f""",
        {**values, "most": COUNT_AT_MOST + 1},
    )
    emails, threads = found or (0, 0)
    return Reach(emails, threads, _examples(values, wanted))


def held_elsewhere(looking: Actor, wanted: Wanted) -> int:
    """How many of these emails colleagues have and the actor does not, at most COUNT_AT_MOST + 1. What is private is not
    counted, nor whom a colleague's Bcc names."""
    found = row(
        f"""SELECT count(*) FROM (
                SELECT DISTINCT c.message_id FROM participant p
                JOIN copy c ON c.workspace_id = p.workspace_id AND c.id = p.copy_id
                WHERE p.workspace_id = %(workspace)s AND p.gen = %(gen)s AND p.{wanted.column} = ANY(%(hashes)s::bytea[])
                  AND p.role <> 'bcc' AND c.binned_at IS NULL AND NOT c.shut AND c.mailbox_id <> ALL(%(own)s::bigint[])
                  AND NOT EXISTS (SELECT 1 FROM copy o WHERE o.workspace_id = c.workspace_id AND o.message_id = c.message_id
                                  AND o.mailbox_id = ANY(%(own)s::bigint[]))
                LIMIT %(most)s) f""",
        {**looking.values(), **_values(wanted), "most": COUNT_AT_MOST + 1},
    )
    return int(found[0]) if found else 0


def stored_copies(
    workspace_id: int,
    wanted: Wanted,
    mailboxes: Sequence[int],
    *,
    binned_for: str | None,
    after: tuple[int, int] = (0, 0),
    at_most: int,
) -> tuple[tuple[int, int], ...]:
    """(mailbox, copy) of what lies in these mailboxes: out of the bin, or in it for that reason; ascending, behind `after`."""
    binned = "c.binned_at IS NULL" if binned_for is None else "c.binned_for = %(reason)s"
    found = rows(
        f"""SELECT DISTINCT c.mailbox_id, c.id FROM participant p
            JOIN copy c ON c.workspace_id = p.workspace_id AND c.id = p.copy_id
            WHERE p.workspace_id = %(ws)s AND p.gen = %(gen)s AND p.{wanted.column} = ANY(%(hashes)s::bytea[])
              AND p.mailbox_id = ANY(%(boxes)s::bigint[]) AND {binned}
              AND (c.mailbox_id, c.id) > (%(box)s::bigint, %(copy)s::bigint)
            ORDER BY c.mailbox_id, c.id LIMIT %(most)s""",
        {
            **_values(wanted),
            "ws": workspace_id,
            "boxes": list(mailboxes),
            "reason": binned_for,
            "box": after[0],
            "copy": after[1],
            "most": at_most,
        },
    )
    return tuple((mailbox_id, copy_id) for mailbox_id, copy_id in found)


def _examples(values: dict[str, object], wanted: Wanted) -> tuple[int, ...]:
    """The newest few in the actor's own mailboxes, each email once."""
    found = rows(
        f"""SELECT f.id FROM (
                SELECT DISTINCT ON (c.message_id) c.id, c.at FROM participant p
                JOIN copy c ON c.workspace_id = p.workspace_id AND c.id = p.copy_id
                WHERE p.workspace_id = %(workspace)s AND p.gen = %(gen)s AND p.{wanted.column} = ANY(%(hashes)s::bytea[])
                  AND p.mailbox_id = ANY(%(own)s::bigint[]) AND c.binned_at IS NULL
                ORDER BY c.message_id, c.id) f
            ORDER BY f.at DESC, f.id LIMIT %(few)s""",
        {**values, "few": EXAMPLES},
    )
    return tuple(copy_id for (copy_id,) in found)


def _values(wanted: Wanted) -> dict[str, object]:
    return {"gen": wanted.gen, "hashes": list(wanted.hashes)}
