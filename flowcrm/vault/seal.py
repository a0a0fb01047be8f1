"""Opened vaults: seal and open content, hash addresses and ids, make search tokens. Bytes in, bytes out.

Sealing is AES-256-GCM by Tink. What is sealed is bound to its kind, its owner and its row's id (associated data), so bytes
copied to another row, column or account do not open there.
"""

import threading
from collections.abc import Iterable
from io import BufferedReader, BufferedWriter, RawIOBase

import tink
import zstandard

from flowcrm.vault import keysets
from flowcrm.vault.audit_mac import AuditMac
from flowcrm.vault.binding import bind, decode, encode
from flowcrm.vault.errors import SealBroken
from flowcrm.vault.keyfile import Keys
from flowcrm.vault.tokens import RememberingTokeniser, Tokeniser

LOOKUP_BYTES = 16

# Up to this size zstd's frame costs more than it saves.
_PACK_ABOVE = 200
# Nothing larger is packed, so nothing larger needs to be unpacked: the cap against decompression bombs costs no content.
_PACK_AT_MOST = 64 * 1024 * 1024
_AS_IS = b"\x00"
_ZSTD = b"\x01"


class Vault:
    """What a workspace's vault and the instance's have in common. Made by KeyStore; safe to use from several threads.

    generation: the look-up key that `lookup` uses. It stands beside every hash in the database.
    """

    def __init__(self, owner: tuple[str | int, ...], keys: Keys, generation: int | None = None) -> None:
        self.generation = keys.generation if generation is None else generation
        self._owner = owner
        self._keys = keys
        self._aead = keysets.open_aead(keys.sealing)
        self._newest = keysets.newest_prefix(keys.sealing)
        try:
            self._prf = keysets.open_prf(keys.lookups[self.generation])
        except KeyError:
            raise ValueError(f"there is no look-up key of generation {self.generation}") from None

    @property
    def generations(self) -> tuple[int, ...]:
        """Every generation whose look-ups can be computed, oldest first."""
        return tuple(sorted(self._keys.lookups))

    @property
    def audit(self) -> AuditMac:
        """The MAC that chains this owner's audit batches."""
        return AuditMac(keysets.open_mac(self._keys.audit), bind("audit", *self._owner), keysets.prefixes(self._keys.audit))

    def seal(self, kind: str, seal_id: int, plain: bytes) -> bytes:
        """Seal bytes for one row: `kind` says which column, `seal_id` is the row's id. 33 bytes longer than `plain`."""
        return bytes(self._aead.encrypt(plain, self._bound(kind, seal_id)))

    def open(self, kind: str, seal_id: int, sealed: bytes) -> bytes:
        """What was sealed for this kind and row. Raises SealBroken."""
        try:
            return bytes(self._aead.decrypt(sealed, self._bound(kind, seal_id)))
        except tink.TinkError:
            raise SealBroken(
                f"A sealed {kind} (id {seal_id}) does not open: it was changed, belongs elsewhere, or its key is gone."
            ) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Was this sealed by the newest key? (If not, `rotate.reseal` seals it anew.)"""
        return sealed.startswith(self._newest)

    def lookup(self, kind: str, value: str) -> bytes:
        """A keyed hash (16 bytes) by which a value is found without being stored."""
        return self.lookup_bytes(kind, encode(value))

    def lookup_bytes(self, kind: str, value: bytes) -> bytes:
        """The same for bytes; a str and its UTF-8 bytes have the same hash."""
        return bytes(self._prf.compute(bind("lookup", kind, value), LOOKUP_BYTES))

    def _bound(self, kind: str, seal_id: int) -> bytes:
        return bind("seal", *self._owner, kind, seal_id)


class WorkspaceVault(Vault):
    """The opened keys of one workspace. Hold it for one slice of work, not longer: a destroyed key must stop working."""

    def __init__(
        self, workspace_id: int, keys: Keys, generation: int | None = None, tokeniser: type[Tokeniser] = Tokeniser
    ) -> None:
        super().__init__(("workspace", workspace_id), keys, generation)
        self.workspace_id = workspace_id
        self._streaming = keysets.open_streaming(keys.streaming)
        self._tokeniser = tokeniser(self._prf.compute(bind("token-key"), Tokeniser.KEY_BYTES))

    def at_generation(self, generation: int) -> "WorkspaceVault":
        """The same vault with the look-ups of another generation. Raises ValueError if its key is gone."""
        return WorkspaceVault(self.workspace_id, self._keys, generation)

    def remembering(self) -> "WorkspaceVault":
        """The same vault for one slice of work: it remembers the tokens of words, which mails have in common."""
        return WorkspaceVault(self.workspace_id, self._keys, self.generation, RememberingTokeniser)

    def token(self, token_class: str, word: str) -> int:
        """A keyed search token: signed 64 bits, different in every class, workspace and generation."""
        return self._tokeniser.tokens(token_class, (word,))[0]

    def tokens(self, token_class: str, words: Iterable[str]) -> list[int]:
        """The tokens of many words, in their order."""
        return self._tokeniser.tokens(token_class, words)

    def seal_stream(self, content_id: bytes, destination: RawIOBase) -> BufferedWriter:
        """A file to write plain content into; what comes out at `destination` is bound to this workspace and content id.
        Only closing it completes the content: a stream cut short never opens to its end."""
        stream: BufferedWriter = self._streaming.new_encrypting_stream(destination, self._bound_stream(content_id))
        return stream

    def open_stream(self, content_id: bytes, source: RawIOBase) -> BufferedReader:
        """A file to read plain content from. Its reads raise tink.TinkError where the sealed bytes are broken."""
        stream: BufferedReader = self._streaming.new_decrypting_stream(source, self._bound_stream(content_id))
        return stream

    def _bound_stream(self, content_id: bytes) -> bytes:
        return bind("stream", *self._owner, content_id)


class InstanceVault(Vault):
    """The opened keys of the installation itself: its settings' secrets, and look-ups made before a workspace is known."""

    def __init__(self, keys: Keys, generation: int | None = None) -> None:
        super().__init__(("instance",), keys, generation)

    def at_generation(self, generation: int) -> "InstanceVault":
        """The same vault with the look-ups of another generation. Raises ValueError if its key is gone."""
        return InstanceVault(self._keys, generation)


def seal_packed(vault: Vault, kind: str, seal_id: int, plain: bytes) -> bytes:
    """Seal bytes, compressed where that helps. One flag byte inside the seal says which."""
    if _PACK_ABOVE < len(plain) <= _PACK_AT_MOST:
        packed = _zstd.compressor.compress(plain)
        if len(packed) < len(plain):
            return vault.seal(kind, seal_id, _ZSTD + packed)
    return vault.seal(kind, seal_id, _AS_IS + plain)


def open_packed(vault: Vault, kind: str, seal_id: int, sealed: bytes) -> bytes:
    """What seal_packed was given. Raises SealBroken, also for content that would unpack to more than 64 MB."""
    inside = vault.open(kind, seal_id, sealed)
    flag, rest = inside[:1], inside[1:]
    if flag == _AS_IS:
        return rest
    try:
        if flag == _ZSTD and 0 <= zstandard.frame_content_size(rest) <= _PACK_AT_MOST:
            return bytes(_zstd.decompressor.decompress(rest))
    except zstandard.ZstdError:
        pass
    raise SealBroken(f"A sealed {kind} (id {seal_id}) opens, but is not what seal_packed makes.")


def seal_text(vault: Vault, kind: str, seal_id: int, text: str) -> bytes:
    """Seal text of any length and content, compressed where that helps."""
    return seal_packed(vault, kind, seal_id, encode(text))


def open_text(vault: Vault, kind: str, seal_id: int, sealed: bytes) -> str:
    """What seal_text was given. Raises SealBroken."""
    return decode(open_packed(vault, kind, seal_id, sealed))


class _Zstd(threading.local):
    """zstd's working memory, one for each thread: making it costs three times the compression of a short text, and it must
    not be shared between threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()
