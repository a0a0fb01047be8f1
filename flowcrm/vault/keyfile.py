"""All keys of one owner (a workspace, or the instance) as a value, and that value as the bytes of a key file.

What stands in the file is described in docs/reference/keys.md.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flowcrm.vault import keysets
from flowcrm.vault.errors import KeysDestroyed, KeyStoreRefused
from flowcrm.vault.keywrap import KeyWrap

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Keys:
    """The keysets of one owner, each as Tink's serialised form.

    sealing, streaming: rotate freely (a new key beside the old ones).
    lookups: generation -> keyset; `generation` is the current one. Hashes of different generations never match.
    audit: the key of the audit batches' MAC.
    """

    sealing: bytes = field(repr=False)
    streaming: bytes = field(repr=False)
    lookups: Mapping[int, bytes] = field(repr=False)
    generation: int
    audit: bytes = field(repr=False)


def new_keys() -> Keys:
    """Fresh keys, generation 1."""
    return Keys(
        sealing=keysets.new_keyset(keysets.SEALING),
        streaming=keysets.new_keyset(keysets.STREAMING),
        lookups={1: keysets.new_keyset(keysets.LOOKUP)},
        generation=1,
        audit=keysets.new_keyset(keysets.AUDIT),
    )


def to_file(keys: Keys, *, owner: str, wrap: KeyWrap) -> bytes:
    """The bytes of the owner's key file. The wrapped part is bound to the owner: a renamed file does not open."""
    inside = {
        "sealing": _text(keys.sealing),
        "streaming": _text(keys.streaming),
        "lookups": {str(number): _text(keyset) for number, keyset in keys.lookups.items()},
        "generation": keys.generation,
        "audit": _text(keys.audit),
    }
    wrapped = wrap.wrap(json.dumps(inside).encode(), owner.encode())
    return _document(owner, {"wrap": wrap.name, "keys": _text(wrapped)})


def tombstone(*, owner: str, destroyed_at: datetime) -> bytes:
    """The bytes that take the place of destroyed keys, so that nothing is ever created in their place by mistake."""
    return _document(owner, {"destroyed_at": destroyed_at.isoformat(timespec="seconds")})


def is_tombstone(raw: bytes) -> bool:
    """Were the keys of this file destroyed? (A damaged file was not.)"""
    try:
        return "destroyed_at" in json.loads(raw)
    except (ValueError, TypeError):
        return False


def from_file(raw: bytes, *, owner: str, wrap: KeyWrap) -> Keys:
    """The keys in a key file.

    Raises KeysDestroyed for a tombstone, KeyStoreRefused for a damaged or foreign file, KeyStoreUnavailable when the key
    service does not unwrap it.
    """
    try:
        document = json.loads(raw)
        if document["format"] != FORMAT or document["owner"] != owner:
            raise KeyStoreRefused(f"The key file of {owner} is of another kind or owner. Restore the key store's backup.")
        if "destroyed_at" in document:
            raise KeysDestroyed(f"The keys of {owner} were destroyed on {document['destroyed_at']}. Nothing can open its mail.")
        if document["wrap"] != wrap.name:
            raise KeyStoreRefused(
                f"The key file of {owner} is wrapped by '{document['wrap']}', KEYS_URL names '{wrap.name}'. Correct KEYS_URL."
            )
        inside = json.loads(wrap.unwrap(_bytes(document["keys"]), owner.encode()))
        return Keys(
            sealing=_bytes(inside["sealing"]),
            streaming=_bytes(inside["streaming"]),
            lookups={int(number): _bytes(keyset) for number, keyset in inside["lookups"].items()},
            generation=inside["generation"],
            audit=_bytes(inside["audit"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # Without the cause: it could quote what stands in the file.
        raise KeyStoreRefused(f"The key file of {owner} is damaged. Restore the key store's backup.") from None


def _document(owner: str, fields: Mapping[str, str]) -> bytes:
    return json.dumps({"format": FORMAT, "owner": owner, **fields}, indent=1).encode() + b"\n"


def _text(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
