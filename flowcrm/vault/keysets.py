"""Tink keysets as bytes: make one, add a key, get the primitive. The only module that touches Tink's key formats.

A keyset is Tink's own serialised `Keyset` message (https://developers.google.com/tink/design/keysets): it can be read by any
Tink program, and the key that seals is marked in it as primary.
"""

import tink
from tink import aead, mac, prf, secret_key_access, streaming_aead
from tink.proto import tink_pb2

from flowcrm.vault.errors import KeyStoreRefused

# Tink looks its algorithms up in a registry of the process; registering twice is harmless.
aead.register()
mac.register()
prf.register()
streaming_aead.register()

SEALING = aead.aead_key_templates.AES256_GCM
STREAMING = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
LOOKUP = prf.prf_key_templates.HMAC_SHA256
AUDIT = mac.mac_key_templates.HMAC_SHA256_256BITTAG


def new_keyset(template: tink_pb2.KeyTemplate) -> bytes:
    """A keyset with one fresh key."""
    return _serialised(tink.new_keyset_handle(template))


def with_new_key(keyset: bytes, template: tink_pb2.KeyTemplate) -> bytes:
    """The keyset with a fresh key that seals from now on; the keys it had still open."""
    merged = tink_pb2.Keyset.FromString(keyset)
    taken = {key.key_id for key in merged.key}
    fresh = tink_pb2.Keyset.FromString(new_keyset(template))
    while fresh.primary_key_id in taken:
        fresh = tink_pb2.Keyset.FromString(new_keyset(template))
    merged.key.extend(fresh.key)
    merged.primary_key_id = fresh.primary_key_id
    return bytes(merged.SerializeToString())


def with_newest_key_only(keyset: bytes) -> bytes:
    """The keyset without the keys that only open. What they sealed is lost unless it was sealed anew before."""
    every = tink_pb2.Keyset.FromString(keyset)
    newest = tink_pb2.Keyset(primary_key_id=every.primary_key_id)
    newest.key.extend(key for key in every.key if key.key_id == every.primary_key_id)
    return bytes(newest.SerializeToString())


def newest_prefix(keyset: bytes) -> bytes:
    """The five bytes that begin everything sealed by the newest key
    (https://developers.google.com/tink/wire-format#tink_output_prefix)."""
    return _prefix(tink_pb2.Keyset.FromString(keyset).primary_key_id)


def prefixes(keyset: bytes) -> frozenset[bytes]:
    """What everything made by any key of the set begins with."""
    return frozenset(_prefix(key.key_id) for key in tink_pb2.Keyset.FromString(keyset).key)


def _prefix(key_id: int) -> bytes:
    return b"\x01" + int(key_id).to_bytes(4, "big")


def open_aead(keyset: bytes) -> aead.Aead:
    return _handle(keyset).primitive(aead.Aead)


def open_streaming(keyset: bytes) -> streaming_aead.StreamingAead:
    return _handle(keyset).primitive(streaming_aead.StreamingAead)


def open_prf(keyset: bytes) -> prf.Prf:
    return _handle(keyset).primitive(prf.PrfSet).primary()


def open_mac(keyset: bytes) -> mac.Mac:
    return _handle(keyset).primitive(mac.Mac)


def _handle(keyset: bytes) -> tink.KeysetHandle:
    try:
        return tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    except tink.TinkError:
        # Without the cause: Tink's text could quote key material.
        raise KeyStoreRefused("A key file holds something that is not a keyset. Restore the key store's backup.") from None


def _serialised(handle: tink.KeysetHandle) -> bytes:
    return bytes(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
