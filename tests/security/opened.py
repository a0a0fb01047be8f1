"""All mail that an account still has, opened with its keys: every row and every object, referred to or not."""

from pathlib import Path

from django.conf import settings

from flowcrm.store.db import rows, workspace_scope
from flowcrm.store.vaults import blob_store, vault
from flowcrm.vault.seal import open_packed

# Column -> the kind that it is sealed as, and its table.
_SEALED = {"s_head": ("head", "copy"), "s_headers": ("headers", "copy"), "s_body": ("body", "variant")}
_SEALED |= {"s_data": ("blob", "blob"), "s_meta": ("file", "attachment")}


def opened(workspace_id: int) -> dict[str, bytes]:
    """Table and column, or "objects" -> all that stands there, behind one another."""
    keys, found = vault(workspace_id), dict[str, bytes]()
    with workspace_scope(workspace_id):
        for column, (kind, table) in _SEALED.items():
            sealed = rows(f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL")
            found[f"{table}.{column}"] = b"\n".join(open_packed(keys, kind, row_id, bytes(one)) for row_id, one in sealed)
    folder = Path(settings.BLOBS_URL.removeprefix("file://"))
    objects = [one for one in (folder / str(workspace_id)).rglob("*") if one.is_file()]
    found["objects"] = b"\n".join(
        blob_store().open(keys, bytes.fromhex(one.name), str(one.relative_to(folder))) for one in objects
    )
    return found
