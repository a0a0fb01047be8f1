"""Search tokens: words as signed 64-bit keyed numbers, so that an index finds mail without knowing a word."""

import hashlib
import struct
from collections.abc import Iterable

from flowcrm.vault.binding import encode

# Words remembered of one class, in each of the two halves of its memory: some 10 MB when both are full.
_REMEMBERED = 50_000


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


class RememberingTokeniser(Tokeniser):
    """The same tokens, for one slice of work: the few thousand words that make up most mail are hashed once. They stay in
    memory, in clear, as long as this object; no longer than the mail itself is worked on."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._memories: dict[str, _Memory] = {}

    def tokens(self, token_class: str, words: Iterable[str]) -> list[int]:
        """The words' tokens, in their order."""
        memory = self._memories.get(token_class)
        if memory is None:
            memory = self._memories[token_class] = _Memory(self._keyed(token_class))
        return list(map(memory.__getitem__, words))


class _Memory(dict[str, int]):
    """Word -> token: computed when first asked for, forgotten when not asked for in a long time.

    A dict, since finding a word in one costs a tenth of hashing it. When it is full it becomes the old half and a new one is
    begun; what is asked for again is taken over from the old.
    """

    def __init__(self, keyed: hashlib.blake2b) -> None:
        super().__init__()
        self._copy = keyed.copy
        self._old: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        token = self._old.get(word)
        if token is None:
            state = self._copy()
            state.update(encode(word))
            token = int.from_bytes(state.digest(), "big", signed=True)
        if len(self) >= _REMEMBERED:
            self._old = dict(self)
            self.clear()
        self[word] = token
        return token
