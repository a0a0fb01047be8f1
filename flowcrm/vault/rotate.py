"""Changing keys, as pure functions on values. KeyStore.change_workspace applies the first kind to a key file.

Sealing keys rotate freely: add one, seal anew at leisure, drop the old ones. Look-up keys cannot: a hash of another key never
matches. So a new *generation* is built beside the old one, becomes current when every row has its hash, and the old is dropped.
"""

from dataclasses import replace

from flowcrm.vault import keysets
from flowcrm.vault.keyfile import Keys
from flowcrm.vault.seal import Vault


def with_new_sealing_keys(keys: Keys) -> Keys:
    """A fresh key for sealing and one for large content. Both seal from now on; the old ones still open."""
    return replace(
        keys,
        sealing=keysets.with_new_key(keys.sealing, keysets.SEALING),
        streaming=keysets.with_new_key(keys.streaming, keysets.STREAMING),
    )


def with_newest_sealing_keys_only(keys: Keys) -> Keys:
    """Without the sealing keys that only open. Everything they sealed must have been sealed anew before."""
    return replace(
        keys, sealing=keysets.with_newest_key_only(keys.sealing), streaming=keysets.with_newest_key_only(keys.streaming)
    )


def with_next_generation(keys: Keys) -> Keys:
    """A look-up key of the next number, beside the current one, which stays current."""
    return replace(keys, lookups={**keys.lookups, max(keys.lookups) + 1: keysets.new_keyset(keysets.LOOKUP)})


def with_current_generation(keys: Keys, generation: int) -> Keys:
    """Make a generation the current one. Raises ValueError if it has no key."""
    if generation not in keys.lookups:
        raise ValueError(f"there is no look-up key of generation {generation}")
    return replace(keys, generation=generation)


def without_generation(keys: Keys, generation: int) -> Keys:
    """Drop a look-up key. Raises ValueError for the current one."""
    if generation == keys.generation:
        raise ValueError(f"generation {generation} is the current one")
    return replace(keys, lookups={number: keyset for number, keyset in keys.lookups.items() if number != generation})


def reseal(vault: Vault, kind: str, seal_id: int, sealed: bytes) -> bytes:
    """The same content under the newest key; the very bytes given if they are already. Raises SealBroken."""
    if vault.is_newest(sealed):
        return sealed
    return vault.seal(kind, seal_id, vault.open(kind, seal_id, sealed))
