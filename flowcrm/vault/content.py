"""Large content, compressed and sealed piece by piece: memory does not grow with it, whichever way it goes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import tink
import zstandard

from flowcrm.vault.errors import SealBroken
from flowcrm.vault.seal import WorkspaceVault

# Plain bytes sealed at a time: one segment of the streaming cipher.
PIECE = 1024 * 1024
# Plain bytes handed out at a time. Not more: asking zstd for a megabyte costs a small mail seven times its opening (measured).
_READ = 256 * 1024
# Level 1 never looks back further than 512 KB; a frame that asks for more is not ours.
_WINDOW = 8 * 1024 * 1024


def sealed_pieces(vault: WorkspaceVault, content_id: bytes, plain: bytes | memoryview) -> Iterator[bytes]:
    """The sealed form of `plain`, in pieces of about a megabyte. Incomplete until the last: a prefix never opens to its end."""
    drawer = _Drawer()
    sealing = vault.seal_stream(content_id, drawer)
    packing = zstandard.ZstdCompressor(level=1).compressobj(size=len(plain))
    view = memoryview(plain)
    for start in range(0, len(view), PIECE):
        sealing.write(packing.compress(view[start : start + PIECE]))
        yield from drawer.empty()
    sealing.write(packing.flush())
    sealing.close()
    yield from drawer.empty()


def opened_pieces(vault: WorkspaceVault, content_id: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The plain content, in pieces of at most 256 KB. Every piece is authentic when it is yielded, but only the end of the
    iteration says that it was all: SealBroken may still come, and what was yielded then counts for nothing."""
    opening = vault.open_stream(content_id, _Source(iter(sealed)))
    try:
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(opening) as plain:
            while piece := plain.read(_READ):
                yield piece
    except (tink.TinkError, zstandard.ZstdError):
        raise SealBroken(
            f"Content {content_id.hex()} of account {vault.workspace_id} does not open: it was changed or cut short, "
            "belongs elsewhere, or its key is gone."
        ) from None


class _Drawer(io.RawIOBase):
    """Where the cipher puts its output, until it is taken out."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def empty(self) -> list[bytes]:
        taken, self._pieces = self._pieces, []
        return taken


class _Source(io.RawIOBase):
    """An iterator of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # An empty answer would mean the end, so empty pieces are passed over.
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return b""
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)
