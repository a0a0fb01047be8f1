"""The header block of a mail or part: where it ends, its fields, and what a value says (RFC 5322 section 2.2, RFC 2047).

Structure is read before anything is decoded: an encoded word that decodes to a comma, an angle bracket or a line break is
text, never structure.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flowcrm.mail import charsets

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_BLANK = re.compile(rb"\r*(?:\n|\Z)")
# Lines that mbox files and careless gateways put among header fields.
_ENVELOPE = (b"From ", b">From ")
# What a line must be to prove that the lines before it, which are no fields, still stand in a header and not in the text.
_TRUSTED = re.compile(
    rb"(?:From|To|Cc|Date|Subject|Received|Return-Path|Message-ID|MIME-Version|Content-Type|Content-Transfer-Encoding|X-[\w-]+)"
    rb"[ \t]*:",
    re.IGNORECASE,
)
# No honest mail comes near; a hostile one must not keep us busy.
_MOST_LINES = 10_000
_MOST_TEXT = 16_384

# RFC 2047 wants no "?" or space inside and white space around; mailers write all of these, and readers read them.
_WORD = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?(.{0,2000}?)\?=", re.DOTALL)
_Q_CODE = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Block:
    """A header block. fields: lower-case name -> values as they came, in order. body_at: where the body begins.

    well_formed: every line belonged to a field.
    """

    fields: dict[str, list[bytes]]
    body_at: int
    well_formed: bool

    def first(self, name: str) -> bytes:
        """The first value of a field, b"" where there is none."""
        values = self.fields.get(name)
        return values[0] if values else b""

    def all(self, name: str) -> list[bytes]:
        return self.fields.get(name, [])


def read_block(raw: bytes, start: int = 0, end: int | None = None) -> Block:
    """Read the header block at the start of raw[start:end].

    It ends with the first blank line. A line that is no field is passed over when trusted fields follow it; else the body
    begins there (a header without blank line, or no header at all).
    """
    stop = len(raw) if end is None else end
    fields: dict[str, list[bytes]] = {}
    at, body_at, well_formed = start, -1, True
    for _ in range(_MOST_LINES):
        if field := _FIELD.match(raw, at, stop):
            if body_at < 0 or _TRUSTED.match(raw, at, stop):
                body_at = -1
                fields.setdefault(field[1].decode("ascii").lower(), []).append(field[2])
            at = field.end()
        elif blank := _BLANK.match(raw, at, stop):
            return Block(fields, body_at if body_at >= 0 else blank.end(), well_formed)
        elif raw.startswith(b"--", at, stop):  # a boundary: no header has such a line
            return Block(fields, body_at if body_at >= 0 else at, False)
        else:
            if not raw.startswith(_ENVELOPE, at, stop):
                well_formed = False
                body_at = at if body_at < 0 else body_at
            at = _end_of_line(raw, at, stop)
    return Block(fields, body_at if body_at >= 0 else at, False)


def _end_of_line(raw: bytes, at: int, stop: int) -> int:
    found = raw.find(b"\n", at, stop)
    return stop if found < 0 else found + 1


def text(value: bytes, hint: str | None = None) -> str:
    """A field's value as one line of text, encoded words decoded (unstructured fields, RFC 5322 section 3.2.5).

    hint: the charset of the mail's text, in which old programs also write raw headers.
    """
    return charsets.clean_line(decode_words(characters(value, hint)))


def characters(value: bytes, hint: str | None = None) -> str:
    """A field's raw value as one line of str, nothing in it decoded but its bytes: UTF-8 (RFC 6532), else by the hint, else as
    it looks."""
    line = value.translate(None, b"\r\n\0")
    if line.isascii() and b"\x1b" not in line:
        return line.decode("ascii").strip()
    if b"\x1b$" in line:
        hint = "iso-2022-jp"
    decoded, as_labelled = charsets.decode(line, hint)
    return (decoded if as_labelled else charsets.decode(line, None)[0]).strip()


def decode_words(line: str) -> str:
    """Decode the encoded words of RFC 2047 in a line, wherever they stand."""
    if "=?" not in line:
        return line
    return "".join(_decoded(line[:_MOST_TEXT])) + line[_MOST_TEXT:]


def _decoded(line: str) -> Iterator[str]:
    """Pieces of the line. Adjacent words of one charset are decoded together: many mailers split characters between them."""
    at, label, gathered = 0, "", b""
    for word in _WORD.finditer(line):
        between = line[at : word.start()]
        charset = word[1].partition("*")[0].lower()  # RFC 2231 section 5: charset*language
        content = _base64(word[3]) if word[2] in "bB" else _q(word[3])
        if at and not between.strip() and charset == label:
            gathered += content
        else:
            yield charsets.decode(gathered, label)[0]
            if not at or between.strip():
                yield between
            label, gathered = charset, content
        at = word.end()
    yield charsets.decode(gathered, label)[0]
    yield line[at:]


def _q(content: str) -> bytes:
    spaced = content.replace("_", " ").encode("utf-8", "replace")
    return _Q_CODE.sub(lambda code: bytes([int(code[1], 16)]), spaced)


def _base64(content: str) -> bytes:
    wanted = _NOT_BASE64.sub(b"", content.encode("ascii", "ignore"))
    wanted = wanted[:-1] if len(wanted) % 4 == 1 else wanted
    return binascii.a2b_base64(wanted + b"=" * (-len(wanted) % 4))
