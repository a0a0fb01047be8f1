"""Contacts made several at once, of people whom somebody has written to; and taken back. Inside a workspace scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flowcrm.store.db import row, run
from flowcrm.store.queries.companies import companies_of
from flowcrm.store.writes.contacts import ContactFields, do_create_contacts, is_address, taken_addresses
from flowcrm.store.writes.due import do_contact_addresses_left


@dataclass(frozen=True, slots=True)
class NewPerson:
    """name: as it is to stand on the contact. email: normalised."""

    name: str
    email: str


def do_make_contacts(*, workspace_id: int, people: Iterable[NewPerson]) -> list[int]:
    """A contact for each of them who is none yet, of the company that has his address's domain; returns their ids."""
    wanted = [one for one in {one.email: one for one in people}.values() if is_address(one.email)]
    # Two people who press at once must not make the same contact.
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
    taken = taken_addresses(workspace_id=workspace_id, addresses=[one.email for one in wanted])
    companies = {email: one.id for email, one in companies_of(workspace_id, [one.email for one in wanted]).items()}
    fields = [
        ContactFields(one.name, (one.email,), company_id=companies.get(one.email)) for one in wanted if one.email not in taken
    ]
    return do_create_contacts(workspace_id=workspace_id, contacts=fields)


def do_unmake_contacts(*, workspace_id: int, contact_ids: Sequence[int]) -> int:
    """Take back those of these contacts that nobody has changed since they were made; how many. Emails stay where they are."""
    gone = run(
        "DELETE FROM contact WHERE workspace_id = %s AND id = ANY(%s::bigint[]) AND updated_at = created_at",
        [workspace_id, list(contact_ids)],
    )
    if gone:
        do_contact_addresses_left(workspace_id=workspace_id)
    return gone
