"""Contacts from a file: the file while somebody looks at it, the import, and what takes it back. Inside a workspace scope."""

from collections.abc import Sequence
from dataclasses import dataclass

from flowcrm.lib import clock
from flowcrm.store.db import next_id, row, run
from flowcrm.store.queries.companies import companies_of
from flowcrm.store.queries.uploads import KEPT_FOR, UPLOAD, ReadPerson, already_there
from flowcrm.store.writes.companies import do_name_companies
from flowcrm.store.writes.contacts import ContactFields, do_create_contacts
from flowcrm.store.writes.due import do_contact_addresses_left
from flowcrm.vault.seal import WorkspaceVault, seal_packed


@dataclass(frozen=True, slots=True)
class Made:
    """What an import made: contacts with ids from `first` to `last`, companies with ids from `after` to `first`.

    Nothing else of the account has such ids, since its row was held meanwhile. contacts: how many.
    """

    after: int
    first: int
    last: int
    contacts: int


def do_keep_upload(keys: WorkspaceVault, *, member_id: int, content: bytes) -> int:
    """Keep a file, sealed, in place of the member's former one; returns its id."""
    run("DELETE FROM contact_upload WHERE workspace_id = %s AND member_id = %s", [keys.workspace_id, member_id])
    upload_id = next_id()
    run(
        "INSERT INTO contact_upload (workspace_id, id, member_id, at, s_file) VALUES (%s, %s, %s, %s, %s)",
        [keys.workspace_id, upload_id, member_id, clock.now(), seal_packed(keys, UPLOAD, upload_id, content)],
    )
    return upload_id


def do_drop_upload(*, workspace_id: int, upload_id: int) -> None:
    """Its member has decided."""
    run("DELETE FROM contact_upload WHERE workspace_id = %s AND id = %s", [workspace_id, upload_id])


def do_forget_uploads(*, workspace_id: int) -> int:
    """Files about which nobody has decided for an hour; how many."""
    return run("DELETE FROM contact_upload WHERE workspace_id = %s AND at <= %s", [workspace_id, clock.now() - KEPT_FOR])


def do_import_contacts(keys: WorkspaceVault, *, people: Sequence[ReadPerson]) -> tuple[Made, list[int]]:
    """A contact for each of the people who is none yet; returns also their ids. What is there already stays as it is. Whom the
    file gives no company, the domain of his first address may."""
    workspace_id = keys.workspace_id
    # Nobody may take an address between this look and the write.
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
    there = already_there(keys, people)
    new = [one for place, one in enumerate(people) if place not in there]
    after = next_id()
    companies = do_name_companies(workspace_id=workspace_id, names=dict.fromkeys(one.company for one in new))
    by_domain = companies_of(workspace_id, [one.addresses[0] for one in new if one.addresses and not one.company])
    fields = []
    for one in new:
        found = by_domain.get(one.addresses[0]) if one.addresses else None
        company_id = companies.get(one.company) or (found.id if found else None)
        fields.append(ContactFields(one.name, one.addresses, one.title, one.phone, one.note, company_id))
    made = do_create_contacts(workspace_id=workspace_id, contacts=fields)
    return Made(after, made[0] if made else after, made[-1] if made else after, len(made)), made


def do_unmake_import(*, workspace_id: int, made: Made) -> int:
    """Take back those of the contacts that nobody has changed since, and the companies that came with them and have nothing
    else; how many contacts. Emails stay where they are."""
    gone = run(
        "DELETE FROM contact WHERE workspace_id = %s AND id BETWEEN %s AND %s AND updated_at = created_at",
        [workspace_id, made.first, made.last],
    )
    if gone:
        do_contact_addresses_left(workspace_id=workspace_id)
    run(
        """DELETE FROM company o WHERE o.workspace_id = %s AND o.id > %s AND o.id < %s
             AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.workspace_id = o.workspace_id AND c.company_id = o.id)
             AND NOT EXISTS (SELECT 1 FROM company_domain d WHERE d.workspace_id = o.workspace_id AND d.company_id = o.id)""",
        [workspace_id, made.after, made.first],
    )
    return gone
