"""Raw bodies go to their place before the transaction: small ones sealed for the row, others into the object store."""

from collections.abc import Sequence
from dataclasses import replace

from flowcrm.store.vaults import blob_store
from flowcrm.store.writes.page import Kept
from flowcrm.vault.seal import WorkspaceVault, seal_packed

# Sealed size up to which a body lies in its row: a row of the object store costs a file, a row of the table WAL.
IN_ROW = 8 * 1024
# Mail compresses to about a third; a larger body is not worth sealing for the row first.
WORTH_TRYING = 3 * IN_ROW


def store_bodies(vault: WorkspaceVault, kept: Sequence[Kept]) -> list[Kept]:
    """Put each body where it belongs and sync the object store once. Raises BlobStoreError; nothing is lost then."""
    stored = []
    for one in kept:
        mail = one.mail
        s_data = seal_packed(vault, "blob", mail.body_id, mail.body) if len(mail.body) <= WORTH_TRYING else None
        if s_data is not None and len(s_data) <= IN_ROW:
            placed = replace(one, s_data=s_data)
        else:
            placed = replace(one, blob_ref=blob_store().put(vault, mail.h_body, mail.body))
        # The raw bytes are not needed any more: a batch of large mails must not lie in memory until its commit.
        stored.append(replace(placed, body_size=len(mail.body), mail=replace(mail, body=b"")))
    if any(one.blob_ref for one in stored):
        blob_store().sync()
    return stored
