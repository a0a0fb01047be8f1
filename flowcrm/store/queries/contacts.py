"""Contacts as lists and records show them. Every function runs inside a workspace scope."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.sorting import Place, sort_key

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One line of a list."""

    id: int
    name: str
    title: str
    company_id: int | None
    company: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactPage:
    """after: where the next page begins, None on the last one."""

    contacts: tuple[ContactRow, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One contact, whole. addresses: in the order in which they were typed."""

    id: int
    name: str
    title: str
    phone: str
    note: str
    company_id: int | None
    company: str
    addresses: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


# The addresses of the row `c`, in their order; an empty array where there is none.
_ADDRESSES = """ARRAY(SELECT a.address FROM contact_address a
                      WHERE a.workspace_id = c.workspace_id AND a.contact_id = c.id ORDER BY a.position, a.id)"""


def contact_page(
    workspace_id: int, *, prefix: str = "", company_id: int | None = None, after: Place | None = None, size: int = PAGE_SIZE
) -> ContactPage:
    """A page of contacts by name. prefix: what a word of the name, or an address, begins with."""
    found = rows(
        f"""SELECT c.id, c.name, c.title, c.company_id, coalesce(o.name, ''), {_ADDRESSES}, c.sort_key
            FROM contact c LEFT JOIN company o ON o.workspace_id = c.workspace_id AND o.id = c.company_id
            WHERE c.workspace_id = %(workspace)s
              AND (%(company)s::bigint IS NULL OR c.company_id = %(company)s)
              AND (c.sort_key, c.id) > (%(sort_key)s, %(id)s)
              AND (%(word)s = '' OR strpos(' ' || c.sort_key, ' ' || %(word)s) > 0 OR c.id IN (
                    SELECT a.contact_id FROM contact_address a
                    WHERE a.workspace_id = %(workspace)s AND starts_with(lower(a.address), %(address)s)))
            ORDER BY c.sort_key, c.id
            LIMIT %(limit)s""",
        {
            "workspace": workspace_id,
            "company": company_id,
            "sort_key": after.sort_key if after else "",
            "id": after.id if after else 0,
            "word": sort_key(prefix),
            "address": prefix.strip().lower(),
            "limit": size + 1,
        },
    )
    contacts = tuple(ContactRow(one[0], one[1], one[2], one[3], one[4], tuple(one[5])) for one in found[:size])
    more = len(found) > size
    return ContactPage(contacts, Place(found[size - 1][6], found[size - 1][0]) if more else None)


# The columns stand in the order of the fields of ContactRecord.
_RECORD = f"""SELECT c.id, c.name, c.title, c.phone, c.note, c.company_id, coalesce(o.name, ''), {_ADDRESSES},
                     c.created_at, c.updated_at
              FROM contact c LEFT JOIN company o ON o.workspace_id = c.workspace_id AND o.id = c.company_id"""


def access_contact(workspace_id: int, contact_id: int) -> ContactRecord:
    """One contact; raises NotFound."""
    found = row(f"{_RECORD} WHERE c.workspace_id = %s AND c.id = %s", [workspace_id, contact_id])
    if found is None:
        raise NotFound
    return _record(found)


def contact_records(workspace_id: int, *, after: Place | None, size: int) -> tuple[tuple[ContactRecord, ...], Place | None]:
    """Whole contacts by name, a page at a time, and where the next page begins, None on the last one."""
    found = rows(
        f"""{_RECORD} WHERE c.workspace_id = %s AND (c.sort_key, c.id) > (%s, %s) ORDER BY c.sort_key, c.id LIMIT %s""",
        [workspace_id, after.sort_key if after else "", after.id if after else 0, size],
    )
    records = tuple(map(_record, found))
    return records, Place(sort_key(records[-1].name), records[-1].id) if len(records) == size else None


def most_addresses(workspace_id: int) -> int:
    """How many addresses a contact has at most."""
    found = row(
        """SELECT max(n)
           FROM (SELECT count(*) AS n FROM contact_address WHERE workspace_id = %s GROUP BY contact_id) AS each""",
        [workspace_id],
    )
    return int(found[0] or 0) if found else 0


def _record(found: tuple[Any, ...]) -> ContactRecord:
    whole = dict(zip(ContactRecord.__slots__, found, strict=True))
    return ContactRecord(**whole | {"addresses": tuple(whole["addresses"])})


def merged_into(workspace_id: int, contact_id: int) -> int | None:
    """The contact that one which was merged away is in now, if that is there."""
    found = row(
        """SELECT c.id FROM contact_merged m JOIN contact c ON c.workspace_id = m.workspace_id AND c.id = m.contact_id
           WHERE m.workspace_id = %s AND m.id = %s""",
        [workspace_id, contact_id],
    )
    return int(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class UndoRow:
    """What can be taken back of a contact. kind: merge or split; other: the name of the contact that went, or came."""

    id: int
    kind: str
    at: datetime
    other: str


def last_undo(workspace_id: int, contact_id: int, *, since: datetime) -> UndoRow | None:
    """The contact's last merge or split, if that came after `since` and nothing was changed after it."""
    found = row(
        """SELECT u.id, u.kind, u.at, u.state #>> '{other,fields,name}', u.state -> 'changed' FROM contact_undo u
           WHERE u.workspace_id = %s AND u.contact_id = %s AND u.at > %s ORDER BY u.id DESC LIMIT 1""",
        [workspace_id, contact_id, since],
    )
    if found is None or not is_unchanged(workspace_id, json.loads(found[4])):
        return None
    return UndoRow(*found[:4])


def is_unchanged(workspace_id: int, changed: dict[str, str]) -> bool:
    """Whether these contacts (id -> when each was last changed) are all there and as they were."""
    now = rows(
        "SELECT id, updated_at FROM contact WHERE workspace_id = %s AND id = ANY(%s::bigint[])",
        [workspace_id, [int(one) for one in changed]],
    )
    return {str(contact_id): at for contact_id, at in now} == {key: datetime.fromisoformat(at) for key, at in changed.items()}
