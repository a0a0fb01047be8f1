"""Search tokens: words as signed 64-bit keyed numbers, so that an index finds mail without knowing a word."""

import hashlib
import struct
from collections.abc import Iterable

from flowcrm.vault.binding import encode


class Tokeniser:
    """Keyed BLAKE2b (RFC 7693) with 8-byte digests. The token's class goes into the personalisation, so the same word has
    unrelated tokens in the subject, in the body and among people."""

    KEY_BYTES = 32

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tokens(self, token_class: str, words: Iterable[str]) -> list[int]:
        """The words' tokens, in their order."""
        # A copy of a keyed state costs 2/3 of keying anew, and one unpack for all words less than one each (measured). What
        # `encode` does stands here once more, since its call would cost as much as it does.
        copy = self._keyed(token_class).copy
        digests = []
        for word in words:
            state = copy()
            state.update(word.encode("utf-8", "surrogatepass"))
            digests.append(state.digest())
        return list(struct.unpack(f">{len(digests)}q", b"".join(digests)))

    def _keyed(self, token_class: str) -> hashlib.blake2b:
        # Personalisation has 16 bytes and a class may be longer (one for each mailbox): so it is the class's own hash.
        person = hashlib.blake2b(encode(token_class), digest_size=hashlib.blake2b.PERSON_SIZE).digest()
        return hashlib.blake2b(key=self._key, digest_size=8, person=person)
