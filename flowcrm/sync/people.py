"""Who stands in a mail, from its header fields alone."""

import re
from collections.abc import Iterable

from flowcrm.mail.addresses import normalise, parse
from flowcrm.vault.seal import WorkspaceVault

_LOOKS_LIKE = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")
FIELDS = frozenset({"from", "sender", "to", "cc", "bcc", "reply-to"})


def header_hashes(vault: WorkspaceVault, fields: Iterable[tuple[str, str]]) -> frozenset[bytes]:
    """Look-up hashes of everybody in the address headers, rather too many than too few.

    Providers give these values decoded: a comma or a bracket out of an encoded name can then hide an address. So whatever looks
    like one counts too; a mail that is fetched for it in vain is decided again on its own bytes.
    """
    values = [value for name, value in fields if name.lower() in FIELDS]
    parsed = {address.email for value in values for address in parse(value.encode("utf-8", "replace"))}
    looks = {found for value in values for found in _LOOKS_LIKE.findall(value)}
    return frozenset(vault.lookup("address", normalise(address)) for address in parsed | looks)
