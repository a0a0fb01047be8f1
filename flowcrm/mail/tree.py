"""The MIME tree of a mail (RFC 2046) as places in its bytes: nothing is copied or decoded until it is asked for.

One reader for all mail, however broken: what makes no sense as structure becomes part of a leaf, so no byte is ever lost. The
places are what lets a single attachment be read, or left out of the stored body, without touching the rest.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flowcrm.mail import params, uuencode
from flowcrm.mail.headers import Block, read_block

# Deeper or more than any honest mail; what lies beyond stays in the last leaf, unread.
_DEEPEST = 30
_MOST_PARTS = 1_000
_MOST_DELIMITERS = 20_000
_BOUNDARY = re.compile(rb"""[\s;]boundary\s*=\s*["']?([^"';\s]{1,200})""", re.IGNORECASE)
# Whole lines of base64, and the padding of the last.
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]*[ \t\r]*\n)*(?:[A-Za-z0-9+/]+={0,2})?\s*")
_SHORTEST_BASE64 = 16
_LINE = 100
_LONGEST_WORD = 40
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Part:
    """One node. number: dotted path as IMAP counts ("" for a multipart root). start, end: where its body lies in the bytes.

    type: what to take it for, not what it claims: a multipart that cannot be split is a text/plain leaf.
    """

    number: str
    type: str
    params: dict[str, str]
    block: Block
    start: int
    end: int
    children: "tuple[Part, ...]" = ()

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding's first word."""
        words = self.block.first("content-transfer-encoding").decode("ascii", "replace").lower().split(None, 1)
        return words[0].strip("\"';") if words else ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A mail: its bytes, its root part, and whether all of its structure made sense."""

    raw: bytes = field(repr=False)
    root: Part
    well_formed: bool

    def leaves(self) -> Iterator[Part]:
        """Every part without children, in order."""
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if part.children:
                waiting.extend(reversed(part.children))
            else:
                yield part

    def content(self, leaf: Part) -> bytes:
        """A leaf's bytes after transfer decoding (RFC 2045 section 6). Broken encodings give what can be had."""
        return decode_transfer(self.raw[leaf.start : leaf.end], leaf.encoding)

    def is_plain(self, leaf: Part) -> bool:
        """Are the leaf's bytes its content, without any transfer encoding?"""
        return leaf.encoding not in _DECODERS


def read(raw: bytes) -> Tree:
    """The tree of any bytes whatsoever."""
    reader = _Reader(raw)
    root = reader.part(0, len(raw), "", "text/plain", 0)
    return Tree(raw, root, reader.well_formed)


def decode_transfer(encoded: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; unknown ones are taken for none."""
    decoder = _DECODERS.get(encoding)
    return encoded if decoder is None else decoder(encoded)


class _Reader:
    """Splits one mail, within limits."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.well_formed = True
        self._parts = 0

    def part(self, start: int, end: int, number: str, default: str, depth: int) -> Part:
        block = read_block(self.raw, start, end)
        kind, found = params.read(block.first("content-type")) if "content-type" in block.fields else (default, {})
        if kind.count("/") != 1:
            kind = default
        self.well_formed &= block.well_formed
        children: tuple[Part, ...] = ()
        if kind.startswith("multipart/"):
            boundary = found.get("boundary") or _stray_boundary(block)
            children = self._children(block.body_at, end, number, kind, boundary, depth)
            if not children:
                self.well_formed = False
                kind = "text/plain"
        if not children:
            number = number or "1"
        return Part(number, kind, found, block, block.body_at, end, children)

    def _children(self, start: int, end: int, number: str, kind: str, boundary: str, depth: int) -> tuple[Part, ...]:
        if not boundary or depth >= _DEEPEST:
            return ()
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        prefix = f"{number}." if number else ""
        return tuple(
            self.part(at, until, f"{prefix}{place}", default, depth + 1)
            for place, (at, until) in enumerate(self._pieces(start, end, boundary), 1)
        )

    def _pieces(self, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
        """The places between the delimiter lines (RFC 2046 section 5.1.1). The line break before a delimiter belongs to it."""
        delimiter = b"--" + boundary.rstrip().encode("utf-8", "surrogateescape")
        found: list[tuple[int, int]] = []
        at, opened = start, -1
        for _ in range(_MOST_DELIMITERS):
            at = self.raw.find(delimiter, at, end)
            if at < 0:
                break
            line_end = self.raw.find(b"\n", at, end)
            line_end = end if line_end < 0 else line_end + 1
            rest = self.raw[at + len(delimiter) : line_end].strip()
            if rest not in (b"", b"--") or (at > start and self.raw[at - 1] != 0x0A):
                at += len(delimiter)
                continue
            if opened >= 0 and at > opened:  # two delimiters in a row have no part between them
                found.append((opened, max(opened, _before_break(self.raw, at))))
                self._parts += 1
            if rest or self._parts >= _MOST_PARTS:
                self.well_formed &= bool(rest)
                return found
            at = opened = line_end
        self.well_formed = False  # no closing delimiter
        if 0 <= opened < end:
            found.append((opened, end))
        return found


def _stray_boundary(block: Block) -> str:
    """The boundary of a Content-Type that lacks the semicolon before it."""
    match = _BOUNDARY.search(block.first("content-type"))
    return match[1].decode("utf-8", "replace") if match else ""


def _before_break(raw: bytes, at: int) -> int:
    at -= raw[at - 1 : at] == b"\n"
    return at - (raw[at - 1 : at] == b"\r")


def _base64(encoded: bytes) -> bytes:
    """Decode base64. What hangs below it in clear (a list's footer) is left off; text that only claims to be base64 stays."""
    data = _BASE64.match(encoded)
    below = encoded[data.end() : data.end() + _LINE].split() if data else []
    if data and len(below) > 1 and len(below[0]) < _LONGEST_WORD:
        if len(data[0].strip()) < _SHORTEST_BASE64:
            return encoded
        encoded = data[0]
    try:
        return binascii.a2b_base64(encoded)
    except binascii.Error:
        # Cut short or padded wrongly: everything that makes whole groups of characters can still be read.
        wanted = _NOT_BASE64.sub(b"", encoded)
        wanted = wanted[:-1] if len(wanted) % 4 == 1 else wanted
        return binascii.a2b_base64(wanted + b"=" * (-len(wanted) % 4))


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": _base64,
    "quoted-printable": binascii.a2b_qp,
    **dict.fromkeys(("x-uuencode", "uuencode", "x-uue", "uue"), uuencode.decode),
}
