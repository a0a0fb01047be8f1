"""MIME multipart bodies of HTTP, byte for byte: the standard parser would read an uploaded mail as a tree."""

import re

from standins.google.errors import invalid

Part = tuple[dict[str, str], bytes]

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


def split(body: bytes, content_type: str) -> list[Part]:
    """(headers, content) of each part. Raises the ApiError of a body without a boundary."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise invalid("Missing boundary in multipart request.")
    pieces = re.split(rb"(?:\r?\n|^)--" + re.escape(found.group(1).strip().encode()) + rb"(?=--|[ \t]*\r?\n)", body)
    return [_part(piece) for piece in pieces[1:] if not piece.startswith(b"--")]


def read_head(block: bytes) -> dict[str, str]:
    """Header lines, names in lower case."""
    fields: dict[str, str] = {}
    for line in block.decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    return fields


def divide(data: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the first empty line."""
    found = re.search(rb"\r?\n\r?\n", data)
    return (data[: found.start()], data[found.end() :]) if found else (data, b"")


def _part(piece: bytes) -> Part:
    _, _, piece = piece.partition(b"\n")
    if piece.startswith((b"\r\n", b"\n")):
        return {}, piece.partition(b"\n")[2]
    head, content = divide(piece)
    return read_head(head), content
