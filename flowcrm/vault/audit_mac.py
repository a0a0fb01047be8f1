"""The MAC that chains audit batches. Its key stands in the key store, so who can write the database cannot forge the chain."""

import tink
from tink import mac

from flowcrm.vault.binding import bind


class AuditMac:
    """HMAC-SHA256 by Tink over the previous MAC and a batch's payload, bound to the owner of the batches.

    prefixes: what the MACs of its keys begin with.
    """

    def __init__(self, primitive: mac.Mac, owner: bytes, prefixes: frozenset[bytes]) -> None:
        self._mac = primitive
        self._owner = owner
        self._prefixes = prefixes

    def mac(self, previous: bytes, payload: bytes) -> bytes:
        """The MAC (37 bytes) of a batch that follows the one with MAC `previous` (b"" for the first)."""
        return bytes(self._mac.compute_mac(bind(self._owner, previous, payload)))

    def verify(self, previous: bytes, payload: bytes, tag: bytes) -> bool:
        """Is `tag` the MAC of this payload after this predecessor?"""
        try:
            self._mac.verify_mac(tag, bind(self._owner, previous, payload))
        except tink.TinkError:
            return False
        return True

    def knows(self, tag: bytes) -> bool:
        """Does `tag` name a key of ours? A MAC of another account, or of lost keys, does not."""
        return tag[:5] in self._prefixes
