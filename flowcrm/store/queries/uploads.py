"""A file of contacts that a member has uploaded, and which of its people are contacts already. Inside a workspace scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flowcrm.lib import clock
from flowcrm.store.db import row, rows
from flowcrm.store.errors import NotFound
from flowcrm.store.sorting import sort_key
from flowcrm.vault.seal import WorkspaceVault, open_packed  # allow: one-door: he uploaded it himself

UPLOAD = "contact_upload"
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ReadPerson:
    """A contact as a file describes it. addresses: valid and in normal form, as no other of the file has them."""

    name: str
    addresses: tuple[str, ...] = ()
    company: str = ""
    title: str = ""
    phone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class There:
    """The contact that somebody of a file is already. address: by which it was found, "" where by the name."""

    contact_id: int
    name: str
    address: str


def access_upload(keys: WorkspaceVault, upload_id: int, *, member_id: int) -> bytes:
    """The file as it came; raises NotFound where it is not this member's, or has lain for longer than an hour."""
    found = row(
        "SELECT s_file FROM contact_upload WHERE workspace_id = %s AND id = %s AND member_id = %s AND at > %s",
        [keys.workspace_id, upload_id, member_id, clock.now() - KEPT_FOR],
    )
    if found is None:
        raise NotFound
    return open_packed(keys, UPLOAD, upload_id, bytes(found[0]))  # allow: one-door: he uploaded it himself


def already_there(keys: WorkspaceVault, people: Sequence[ReadPerson]) -> Mapping[int, There]:
    """Those of the people (by their places) who are contacts: by any of their addresses; who has none, by the name of a contact
    that has none either, so that the same file can be imported twice."""
    owners = _owners(keys, [address for one in people for address in one.addresses])
    unaddressed = _unaddressed(keys.workspace_id, [one.name for one in people if not one.addresses])
    there: dict[int, There] = {}
    for place, one in enumerate(people):
        owner = next((owners[address] for address in one.addresses if address in owners), None)
        if not one.addresses:
            owner = unaddressed.get(sort_key(one.name))
        if owner is not None:
            there[place] = owner
    return there


def _owners(keys: WorkspaceVault, addresses: Sequence[str]) -> dict[str, There]:
    hashes = {keys.lookup("address", address): address for address in addresses}
    found = rows(
        """SELECT a.h_address, c.id, c.name
           FROM contact_address a JOIN contact c ON c.workspace_id = a.workspace_id AND c.id = a.contact_id
           WHERE a.workspace_id = %s AND a.gen = %s AND a.h_address = ANY(%s::bytea[])""",
        [keys.workspace_id, keys.generation, list(hashes)],
    )
    named = [(hashes[bytes(hashed)], contact_id, name) for hashed, contact_id, name in found]
    return {address: There(contact_id, name, address) for address, contact_id, name in named}


def _unaddressed(workspace_id: int, names: Sequence[str]) -> dict[str, There]:
    found = rows(
        """SELECT c.sort_key, c.id, c.name FROM contact c
           WHERE c.workspace_id = %s AND c.sort_key = ANY(%s::text[]) AND NOT EXISTS (
               SELECT 1 FROM contact_address a WHERE a.workspace_id = c.workspace_id AND a.contact_id = c.id)
           ORDER BY c.id DESC""",
        [workspace_id, sorted({sort_key(name) for name in names})],
    )
    return {key: There(contact_id, name, "") for key, contact_id, name in found}
