"""Two contacts made one, one made two, and both taken back. Mail follows addresses by itself. Inside a workspace scope.

What takes it back stays for 30 days, and counts until one of the contacts is changed: what somebody typed since is not lost.
"""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, rows, run
from flowcrm.store.errors import NotFound, UserError
from flowcrm.store.queries.contacts import access_contact, is_unchanged
from flowcrm.store.writes.contacts import (
    ContactFields,
    DeletedContact,
    do_change_contact,
    do_create_contact,
    do_delete_contact,
    do_restore_contact,
    fields_of,
)

UNDO_FOR = timedelta(days=30)


class NothingToUndo(UserError):
    """It is too long ago, was taken back already, or a contact was changed since."""


def do_merge_contacts(*, workspace_id: int, kept_id: int, other_id: int, chosen: ContactFields) -> None:
    """`kept_id` gets the chosen values and the addresses of both; the other goes. Raises NotFound; they must be two."""
    _hold(workspace_id)
    kept = access_contact(workspace_id, kept_id)
    if kept_id == other_id:
        raise NotFound
    other = do_delete_contact(workspace_id=workspace_id, contact_id=other_id)
    addresses = tuple(dict.fromkeys((*kept.addresses, *other.fields.addresses)))
    do_change_contact(workspace_id=workspace_id, contact_id=kept_id, fields=replace(chosen, addresses=addresses))
    before = DeletedContact(kept_id, fields_of(kept))
    moved = _lead(workspace_id, other_id, kept_id)
    _remember(workspace_id, "merge", before=before, other=other, changed=[kept_id], moved=moved)


def do_split_contact(*, workspace_id: int, contact_id: int, addresses: Collection[str], name: str) -> int:
    """These of the contact's addresses become a contact of their own, of the same company; returns its id. Raises NotFound."""
    _hold(workspace_id)
    whole = fields_of(access_contact(workspace_id, contact_id))
    out = tuple(one for one in whole.addresses if one in addresses)
    left = tuple(one for one in whole.addresses if one not in addresses)
    if not out or not left:
        raise NotFound
    do_change_contact(workspace_id=workspace_id, contact_id=contact_id, fields=replace(whole, addresses=left))
    fields = ContactFields(name, out, company_id=whole.company_id)
    new_id = do_create_contact(workspace_id=workspace_id, fields=fields)
    _remember(
        workspace_id,
        "split",
        before=DeletedContact(contact_id, whole),
        other=DeletedContact(new_id, fields),
        changed=[contact_id, new_id],
    )
    return new_id


def do_undo_contact(*, workspace_id: int, contact_id: int, undo_id: int) -> None:
    """Take a merge or a split back, whole. Raises NotFound, NothingToUndo."""
    _hold(workspace_id)
    access_contact(workspace_id, contact_id)
    found = row(
        """DELETE FROM contact_undo WHERE workspace_id = %s AND contact_id = %s AND id = %s AND at > %s
           RETURNING kind, state""",
        [workspace_id, contact_id, undo_id, clock.now() - UNDO_FOR],
    )
    if found is None:
        raise NothingToUndo("nothing is remembered")
    kind, state = found[0], json.loads(found[1])
    if not is_unchanged(workspace_id, state["changed"]):
        raise NothingToUndo("it was changed since")
    before, other = DeletedContact.from_json(state["before"]), DeletedContact.from_json(state["other"])
    if kind == "split":
        do_delete_contact(workspace_id=workspace_id, contact_id=other.id)
    fields = replace(before.fields, company_id=_company(workspace_id, before.fields.company_id))
    do_change_contact(workspace_id=workspace_id, contact_id=contact_id, fields=fields)
    if kind == "merge":
        do_restore_contact(workspace_id=workspace_id, deleted=other)
        _lead_back(workspace_id, other.id, state.get("moved", ()))


def do_forget_undo(*, workspace_id: int) -> int:
    """What is too long ago to be taken back; how many."""
    return run("DELETE FROM contact_undo WHERE workspace_id = %s AND at <= %s", [workspace_id, clock.now() - UNDO_FOR])


def _lead(workspace_id: int, gone_id: int, kept_id: int) -> list[int]:
    """The address of a contact that is gone leads to the other one, and so do those that led to it; which ones."""
    moved = rows(
        "UPDATE contact_merged SET contact_id = %s WHERE workspace_id = %s AND contact_id = %s RETURNING id",
        [kept_id, workspace_id, gone_id],
    )
    run(
        """INSERT INTO contact_merged (workspace_id, id, contact_id) VALUES (%s, %s, %s)
           ON CONFLICT (workspace_id, id) DO UPDATE SET contact_id = EXCLUDED.contact_id""",
        [workspace_id, gone_id, kept_id],
    )
    return [one for (one,) in moved]


def _lead_back(workspace_id: int, back_id: int, moved: Collection[int]) -> None:
    run("DELETE FROM contact_merged WHERE workspace_id = %s AND id = %s", [workspace_id, back_id])
    run(
        "UPDATE contact_merged SET contact_id = %s WHERE workspace_id = %s AND id = ANY(%s::bigint[])",
        [back_id, workspace_id, list(moved)],
    )


def _remember(
    workspace_id: int,
    kind: str,
    *,
    before: DeletedContact,
    other: DeletedContact,
    changed: Collection[int],
    moved: Collection[int] = (),
) -> None:
    at = rows(
        "SELECT id, updated_at FROM contact WHERE workspace_id = %s AND id = ANY(%s::bigint[])", [workspace_id, list(changed)]
    )
    state: dict[str, Any] = {
        "before": before.as_json(),
        "other": other.as_json(),
        "changed": {str(one): moment.isoformat() for one, moment in at},
        "moved": list(moved),
    }
    run(
        "INSERT INTO contact_undo (workspace_id, id, contact_id, kind, at, state) VALUES (%s, %s, %s, %s, %s, %s::jsonb)",
        [workspace_id, next_id(), before.id, kind, clock.now(), json.dumps(state)],
    )


def _company(workspace_id: int, company_id: int | None) -> int | None:
    """The company, if it is still there."""
    found = company_id and row("SELECT id FROM company WHERE workspace_id = %s AND id = %s", [workspace_id, company_id])
    return company_id if found else None


def _hold(workspace_id: int) -> None:
    """No one else may take an address meanwhile."""
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
