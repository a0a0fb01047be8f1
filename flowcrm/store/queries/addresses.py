"""Which look-up hashes belong to contacts."""

from collections.abc import Iterable

from flowcrm.store.db import rows


def contact_hashes(workspace_id: int, hashes: Iterable[bytes]) -> frozenset[bytes]:
    """Those of `hashes` that are addresses of contacts (inside a workspace scope)."""
    found = rows(
        "SELECT h_address FROM contact_address WHERE workspace_id = %s AND h_address = ANY(%s::bytea[])",
        [workspace_id, sorted(hashes)],
    )
    return frozenset(bytes(one) for (one,) in found)
