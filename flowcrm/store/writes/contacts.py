"""Changes to contacts. An address belongs to one contact only, and every address carries the keyed hash that ties it to mail.

Every function runs inside a workspace scope. `check_*` come first and may refuse; what they return is what `do_*` take.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from flowcrm.lib import clock
from flowcrm.mail.addresses import normalise
from flowcrm.store.db import next_ids, row, rows, run
from flowcrm.store.errors import UserError
from flowcrm.store.queries.contacts import ContactRecord, access_contact
from flowcrm.store.sorting import sort_key
from flowcrm.store.vaults import vault
from flowcrm.store.writes.due import do_contact_addresses_left, do_contact_past
from flowcrm.vault.seal import WorkspaceVault

# RFC 5321 section 4.5.3.1.3: a path has 256 octets, two of them the angle brackets.
LONGEST_ADDRESS = 254


class AddressInvalid(UserError):
    """That is not an email address."""

    def __init__(self, address: str) -> None:
        super().__init__("not an email address")
        self.address = address


class AddressTaken(UserError):
    """The address is another contact's."""

    def __init__(self, address: str, contact_id: int, contact_name: str) -> None:
        super().__init__("the address belongs to another contact")
        self.address = address
        self.contact_id = contact_id
        self.contact_name = contact_name


@dataclass(frozen=True, slots=True)
class ContactFields:
    """What people type about a contact. addresses: as `check_addresses` returned them, in their order."""

    name: str
    addresses: tuple[str, ...] = ()
    title: str = ""
    phone: str = ""
    note: str = ""
    company_id: int | None = None


def fields_of(contact: ContactRecord) -> ContactFields:
    """What is known of a contact, as the writes take it."""
    return ContactFields(contact.name, contact.addresses, contact.title, contact.phone, contact.note, contact.company_id)


@dataclass(frozen=True, slots=True)
class DeletedContact:
    """All that is needed to bring a contact back."""

    id: int
    fields: ContactFields

    def as_json(self) -> dict[str, object]:
        return {"id": self.id, "fields": asdict(self.fields)}

    @classmethod
    def from_json(cls, value: dict[str, object]) -> "DeletedContact":
        fields = dict(value["fields"])  # type: ignore[call-overload]
        return cls(int(str(value["id"])), ContactFields(**{**fields, "addresses": tuple(fields["addresses"])}))


def check_addresses(*, workspace_id: int, addresses: Iterable[str], contact_id: int | None = None) -> tuple[str, ...]:
    """The addresses in normal form, each once. Raises AddressInvalid, or AddressTaken for one that is not `contact_id`'s.

    Holds the account's row until the transaction ends: no one else can take an address between this check and the write.
    """
    wanted = tuple(dict.fromkeys(normal_address(address) for address in addresses))
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
    for address, owner_id, owner in _owners(workspace_id, wanted):
        if owner_id != contact_id:
            raise AddressTaken(address, owner_id, owner)
    return wanted


def is_address(address: str) -> bool:
    """Whether a contact may have that address."""
    try:
        return normal_address(address) == address
    except AddressInvalid:
        return False


def taken_addresses(*, workspace_id: int, addresses: Sequence[str]) -> frozenset[str]:
    """Those of these (normalised) addresses that belong to contacts."""
    return frozenset(address for address, _, _ in _owners(workspace_id, addresses))


def do_create_contact(*, workspace_id: int, fields: ContactFields) -> int:
    """A new contact; returns its id. Mailboxes that keep only contacts' mail list its past next (K12)."""
    return do_create_contacts(workspace_id=workspace_id, contacts=[fields])[0]


def do_create_contacts(*, workspace_id: int, contacts: Sequence[ContactFields]) -> list[int]:
    """New contacts, in a few statements however many they are; returns their ids, ascending. No address may stand twice."""
    ids = next_ids(len(contacts))
    _insert(workspace_id, dict(zip(ids, contacts, strict=True)))
    return ids


def do_change_contact(*, workspace_id: int, contact_id: int, fields: ContactFields) -> None:
    """Replace what is known of a contact. A removed address takes its mail along, a new one brings its past."""
    run(
        """UPDATE contact SET name = %s, sort_key = %s, title = %s, phone = %s, note = %s, company_id = %s, updated_at = %s
           WHERE workspace_id = %s AND id = %s""",
        [*_columns(fields), clock.now(), workspace_id, contact_id],
    )
    before = {address for (address,) in _addresses(workspace_id, contact_id)}
    # An address that stays keeps its row: listings by address go through them in the order of their ids.
    gone = run(
        "DELETE FROM contact_address WHERE workspace_id = %s AND contact_id = %s AND NOT address = ANY(%s::text[])",
        [workspace_id, contact_id, list(fields.addresses)],
    )
    _insert_addresses(vault(workspace_id), {contact_id: fields})
    if gone:
        do_contact_addresses_left(workspace_id=workspace_id)
    if not before.issuperset(fields.addresses):
        do_contact_past(workspace_id=workspace_id, contact_id=contact_id)


def do_delete_contact(*, workspace_id: int, contact_id: int) -> DeletedContact:
    """Delete a contact; returns what `do_restore_contact` needs. Emails stay where they are. Raises NotFound."""
    contact = access_contact(workspace_id, contact_id)
    run("DELETE FROM contact WHERE workspace_id = %s AND id = %s", [workspace_id, contact_id])
    do_contact_addresses_left(workspace_id=workspace_id)
    return DeletedContact(contact_id, fields_of(contact))


def do_restore_contact(*, workspace_id: int, deleted: DeletedContact) -> tuple[str, ...]:
    """Bring a deleted contact back under its id. Returns the addresses that another contact has taken meanwhile."""
    row("SELECT 1 FROM workspace WHERE id = %s FOR NO KEY UPDATE", [workspace_id])
    if row("SELECT 1 FROM contact WHERE workspace_id = %s AND id = %s", [workspace_id, deleted.id]):
        return ()
    taken = tuple(address for address, _, _ in _owners(workspace_id, deleted.fields.addresses))
    company_id = deleted.fields.company_id
    if company_id and not row("SELECT 1 FROM company WHERE workspace_id = %s AND id = %s", [workspace_id, company_id]):
        company_id = None
    free = tuple(address for address in deleted.fields.addresses if address not in taken)
    fields = deleted.fields
    back = ContactFields(fields.name, free, fields.title, fields.phone, fields.note, company_id)
    _insert(workspace_id, {deleted.id: back})
    return taken


def _insert(workspace_id: int, contacts: Mapping[int, ContactFields]) -> None:
    """contacts: by their ids, ascending."""
    now = clock.now()
    columns = [_columns(fields) for fields in contacts.values()]
    run(
        """INSERT INTO contact (workspace_id, id, name, sort_key, title, phone, note, company_id, created_at, updated_at)
           SELECT %s, c.id, c.name, c.sort_key, c.title, c.phone, c.note, c.company_id, %s, %s
           FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
                AS c (id, name, sort_key, title, phone, note, company_id)""",
        [workspace_id, now, now, list(contacts), *([one[place] for one in columns] for place in range(6))],
    )
    _insert_addresses(vault(workspace_id), contacts)
    addressed = [contact_id for contact_id, fields in contacts.items() if fields.addresses]
    if addressed:
        do_contact_past(workspace_id=workspace_id, contact_id=addressed[0], last_id=addressed[-1])


def _columns(fields: ContactFields) -> list[object]:
    return [fields.name, sort_key(fields.name), fields.title, fields.phone, fields.note, fields.company_id]


def _insert_addresses(keys: WorkspaceVault, contacts: Mapping[int, ContactFields]) -> None:
    one_each = [
        (contact_id, address, position)
        for contact_id, fields in contacts.items()
        for position, address in enumerate(fields.addresses)
    ]
    run(
        """INSERT INTO contact_address (workspace_id, id, contact_id, address, position, gen, h_address)
           SELECT %s, a.id, a.contact_id, a.address, a.position, %s, a.h_address
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::smallint[], %s::bytea[])
                AS a (id, contact_id, address, position, h_address)
           ON CONFLICT (workspace_id, gen, h_address) DO UPDATE SET position = EXCLUDED.position
           WHERE contact_address.contact_id = EXCLUDED.contact_id""",
        [
            keys.workspace_id,
            keys.generation,
            next_ids(len(one_each)),
            [contact_id for contact_id, _, _ in one_each],
            [address for _, address, _ in one_each],
            [position for _, _, position in one_each],
            [keys.lookup("address", address) for _, address, _ in one_each],
        ],
    )


def _addresses(workspace_id: int, contact_id: int) -> list[tuple[str]]:
    return rows("SELECT address FROM contact_address WHERE workspace_id = %s AND contact_id = %s", [workspace_id, contact_id])


def _owners(workspace_id: int, addresses: Sequence[str]) -> list[tuple[str, int, str]]:
    keys = vault(workspace_id)
    return rows(
        """SELECT a.address, c.id, c.name
           FROM contact_address a JOIN contact c ON c.workspace_id = a.workspace_id AND c.id = a.contact_id
           WHERE a.workspace_id = %s AND a.gen = %s AND a.h_address = ANY(%s::bytea[]) ORDER BY a.address""",
        [workspace_id, keys.generation, [keys.lookup("address", address) for address in addresses]],
    )


def normal_address(address: str) -> str:
    """The address as mail is compared by, or AddressInvalid. Lenient: what a server accepts is for servers to say."""
    normal = normalise(address.strip())
    local, at, domain = normal.rpartition("@")
    broken = not (local and at and domain) or any(letter.isspace() or letter in ",;<>\x00" for letter in normal)
    if broken or "." not in domain.strip(".") or len(normal.encode()) > LONGEST_ADDRESS:
        raise AddressInvalid(address.strip())
    return normal
