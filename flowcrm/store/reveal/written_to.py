"""People whom a member has written to and who are no contacts: of what he sent and is stored, and of what scans found."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.mail.prepared import MessageFlag
from flowcrm.mail.types import Address, Role
from flowcrm.store.access import Actor
from flowcrm.store.db import rows
from flowcrm.store.reveal.heads import open_head
from flowcrm.store.vaults import vault
from flowcrm.store.writes.audit import do_audit
from flowcrm.vault.seal import WorkspaceVault

# Looked at: so many of the newest emails that he sent, over all his mailboxes, but some of each.
_SENT, _SENT_EACH = 200, 20
# A mail to more people than this says of none of them that he is known (as rules/persons.py has it for scans).
_CIRCULAR = 50
# More than a page shows, since machines and desks are among them.
MOST_WRITTEN_TO = 100

_READERS = (Role.TO, Role.CC, Role.BCC)


@dataclass(frozen=True, slots=True)
class WrittenTo:
    """One person. h_address: the keyed hash by which he is asked for. name: as headers gave it, perhaps empty. written: how
    many emails, of those looked at."""

    h_address: bytes
    email: str
    name: str
    written: int
    last_at: datetime


_OF_SENT = f"""
    SELECT p.h_address, count(DISTINCT s.message_id) AS written, max(s.at) AS last_at, max(s.id) AS copy_id,
           NULL::bigint AS found_id
    FROM unnest(%(own)s::bigint[]) AS b (mailbox_id)
    CROSS JOIN LATERAL (
        SELECT c.id, c.at, c.message_id FROM copy c
        WHERE c.workspace_id = %(ws)s AND c.mailbox_id = b.mailbox_id AND c.sent AND c.binned_at IS NULL
        ORDER BY c.at DESC, c.id LIMIT %(each)s) s
    CROSS JOIN LATERAL (
        SELECT 1 FROM message m
        WHERE m.workspace_id = %(ws)s AND m.id = s.message_id
          AND m.flags & {MessageFlag.BOUNCE | MessageFlag.AUTO_REPLY | MessageFlag.LIST} = 0 LIMIT 1) m
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT n.h_address) AS people FROM participant n
        WHERE n.workspace_id = %(ws)s AND n.copy_id = s.id AND n.gen = %(gen)s AND n.role IN ('to', 'cc', 'bcc')
        OFFSET 0) r
    CROSS JOIN LATERAL unnest(r.people) AS p (h_address)
    WHERE cardinality(r.people) <= {_CIRCULAR}
    GROUP BY p.h_address"""

_OF_SCANS = """
    SELECT f.h_address, f.written, f.last_at, NULL::bigint, f.id
    FROM unnest(%(own)s::bigint[]) AS b (mailbox_id)
    CROSS JOIN LATERAL (
        SELECT f.* FROM people_found f
        WHERE f.workspace_id = %(ws)s AND f.mailbox_id = b.mailbox_id AND f.gen = %(gen)s
        ORDER BY f.written DESC, f.last_at DESC LIMIT %(each)s) f"""

_UNKNOWN = f"""
    SELECT p.h_address, p.written, p.last_at, c.id, c.mailbox_id, c.s_head, f.id, f.mailbox_id, f.s_person
    FROM (
        SELECT a.h_address, max(a.written) AS written, max(a.last_at) AS last_at, max(a.copy_id) AS copy_id,
               max(a.found_id) AS found_id
        FROM ({_OF_SENT} UNION ALL {_OF_SCANS}) a
        WHERE %(only)s::bytea IS NULL OR a.h_address = %(only)s
        GROUP BY a.h_address) p
    LEFT JOIN LATERAL (
        SELECT c.id, c.mailbox_id, c.s_head FROM copy c WHERE c.workspace_id = %(ws)s AND c.id = p.copy_id LIMIT 1) c ON true
    LEFT JOIN LATERAL (
        SELECT f.id, f.mailbox_id, f.s_person FROM people_found f
        WHERE f.workspace_id = %(ws)s AND f.id = p.found_id LIMIT 1) f ON true
    WHERE NOT EXISTS (SELECT 1 FROM contact_address a
                      WHERE a.workspace_id = %(ws)s AND a.gen = %(gen)s AND a.h_address = p.h_address)
      AND NOT EXISTS (SELECT 1 FROM mailbox_identity i
                      WHERE i.workspace_id = %(ws)s AND i.gen = %(gen)s AND i.h_address = p.h_address)
      AND NOT EXISTS (SELECT 1 FROM member_address m
                      WHERE m.workspace_id = %(ws)s AND m.gen = %(gen)s AND m.h_address = p.h_address)
      AND NOT EXISTS (SELECT 1 FROM passed_over o
                      WHERE o.workspace_id = %(ws)s AND o.member_id = %(member)s AND o.gen = %(gen)s
                        AND o.h_address = p.h_address)
    ORDER BY p.written DESC, p.last_at DESC, p.h_address LIMIT %(most)s"""


def reveal_written_to(looking: Actor, *, only: bytes | None = None) -> tuple[WrittenTo, ...]:
    """Those to whom he wrote most often first, MOST_WRITTEN_TO at most; machines and desks among them. only: of this hash.

    Out of his own mailboxes alone, whatever colleagues share: whom they write to is theirs to say. One audit record, of the
    mailboxes.
    """
    if not looking.own or looking.member_id is None:
        return ()
    keys = vault(looking.workspace_id)
    values = {
        "ws": looking.workspace_id,
        "own": list(looking.own),
        "member": looking.member_id,
        "gen": keys.generation,
        "each": max(_SENT // len(looking.own), _SENT_EACH),
        "only": only,
        "most": MOST_WRITTEN_TO,
    }
    found = rows(_UNKNOWN, values)
    people = tuple(filter(None, (_opened(keys, *one) for one in found)))
    if people:
        do_audit(
            workspace_id=looking.workspace_id,
            actor_id=looking.member_id,
            verb="people",
            surface="suggested",
            object_ids=sorted({mailbox_id for one in found for mailbox_id in (one[4], one[7]) if mailbox_id}),
            ip=looking.ip,
        )
    return people


def _opened(
    keys: WorkspaceVault,
    h_address: bytes,
    written: int,
    last_at: datetime,
    copy_id: int | None,
    _copys_mailbox: int | None,
    s_head: bytes | None,
    found_id: int | None,
    _founds_mailbox: int | None,
    s_person: bytes | None,
) -> WrittenTo | None:
    """By the scan, which has seen more names, else by the head of the newest email that names him."""
    hashed = bytes(h_address)
    if found_id is not None and s_person is not None:
        person: dict[str, Any] = json.loads(keys.open("person", found_id, bytes(s_person)))
        names = person["names"]
        return WrittenTo(hashed, person["email"], max(names, key=names.get, default=""), written, last_at)
    assert copy_id is not None
    assert s_head is not None
    head = open_head(keys, copy_id, s_head)
    one = _with_hash(keys, (one for role in _READERS for one in head.of(role)), hashed)
    return WrittenTo(hashed, one.email, one.name, written, last_at) if one else None


def _with_hash(keys: WorkspaceVault, people: Iterable[Address], hashed: bytes) -> Address | None:
    return next((one for one in people if one.email and keys.lookup("address", one.email) == hashed), None)
