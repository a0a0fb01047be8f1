"""Who stands in a mail, from its header fields alone."""

from collections.abc import Iterable

from flowcrm.mail.addresses import normalise, parse
from flowcrm.vault.seal import WorkspaceVault

FIELDS = frozenset({"from", "sender", "to", "cc", "bcc", "reply-to"})


def header_hashes(vault: WorkspaceVault, fields: Iterable[tuple[str, str]]) -> frozenset[bytes]:
    """Look-up hashes of everybody in the address headers."""
    return frozenset(
        vault.lookup("address", normalise(address.email))
        for name, value in fields
        if name.lower() in FIELDS
        for address in parse(value.encode("utf-8", "surrogateescape"))
    )
