"""The bytes of one copy, wherever they lie. Nobody sees them through here: originals, files and messages record who does."""

from collections.abc import Iterator
from dataclasses import dataclass

from flowcrm.store.vaults import blob_store
from flowcrm.vault.seal import WorkspaceVault, open_packed


@dataclass(frozen=True, slots=True)
class Body:
    """Where the bytes of one copy lie: its header block in the copy's row, the rest in a blob's row or in the object store."""

    copy_id: int
    s_headers: bytes
    whole: bool
    h_body: bytes
    blob_id: int
    size: int
    s_data: bytes | None
    ref: str | None


BODY_COLUMNS = "c.id, c.s_headers, c.body_whole, c.h_body, b.id, b.size, b.s_data, b.ref"


def open_headers(keys: WorkspaceVault, body: Body) -> bytes:
    return open_packed(keys, "headers", body.copy_id, bytes(body.s_headers))


def open_pieces(keys: WorkspaceVault, headers: bytes, body: Body) -> Iterator[bytes]:
    yield headers
    if body.ref is not None:
        yield from blob_store().stream(keys, bytes(body.h_body), body.ref)
    elif body.s_data is not None:
        yield open_packed(keys, "blob", body.blob_id, bytes(body.s_data))


def open_raw(keys: WorkspaceVault, body: Body) -> bytes:
    return b"".join(open_pieces(keys, open_headers(keys, body), body))
