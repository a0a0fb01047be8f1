"""Bytes that came by mail, on their way to a browser: in pieces, and as nothing that a browser would run."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

_PIECE = 64 * 1024
# What a browser may draw inside a page: raster pictures. SVG is a program, HTML and PDF can hold one.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"})
# What keeps its type when it is saved; every other type becomes "some bytes".
_PLAIN_TYPES = PICTURES | {"application/pdf", "application/zip", "text/plain", "text/csv", "text/calendar", "message/rfc822"}
# Turns the direction of text around, so that "gpj.exe" reads as "exe.jpg".
_BIDI = dict.fromkeys([0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_LONGEST_NAME = 150


class Download(StreamingHttpResponse):
    """Pieces from a plain iterator, for sync and async servers alike. The iterator needs no database."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        # Django's own would read all of it into memory before the first byte leaves.
        return _in_threads(iter(self))


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    take = sync_to_async(_take, thread_sensitive=False)
    while (piece := await take(pieces)) is not None:
        yield piece


def _take(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def download(pieces: Iterator[bytes], *, name: str, type: str, size: int | None, inline: bool = False) -> Download:
    """An answer that is saved under a harmless name; inline: drawn in place, for pictures only."""
    kept = type.lower() if type.lower() in _PLAIN_TYPES else "application/octet-stream"
    response = Download(pieces, content_type=kept)
    shown = inline and kept in PICTURES
    response["Content-Disposition"] = content_disposition_header(not shown, safe_name(name)) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    if size is not None:
        response["Content-Length"] = str(size)
    return response


def in_pieces(content: bytes) -> Iterator[bytes]:
    """Bytes in memory, without copying all of them again."""
    view = memoryview(content)
    return (bytes(view[start : start + _PIECE]) for start in range(0, len(view), _PIECE))


def safe_name(name: str) -> str:
    """A file name without folders, control characters and turned text; never empty, its ending kept when it is cut."""
    last = name.replace("\\", "/").rpartition("/")[2].translate(_BIDI)
    clean = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    if len(clean) > _LONGEST_NAME:
        stem, dot, ending = clean.rpartition(".")
        clean = f"{stem[:_LONGEST_NAME]}.{ending[:20]}" if dot else clean[:_LONGEST_NAME]
    return clean or "attachment"
