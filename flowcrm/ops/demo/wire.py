"""Emails as bytes (RFC 5322, 2045 to 2047, 2231), written by hand: the standard library's composer takes ten times as long,
and chooses one charset and encoding where the demo needs what real mail programs choose.

Lines end with LF here; `crlf` turns a finished email into what goes over the wire.
"""

import binascii
from collections.abc import Iterable, Sequence
from urllib.parse import quote

_LONGEST_LINE = 990
_FOLD = 76
# An encoded word may have 75 characters, its frame included (RFC 2047, section 2).
_WORD = 75
_SPECIALS = frozenset('()<>[]:;@\\,."')


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


def field(name: str, value: str) -> str:
    """A header field, folded at its spaces."""
    lines: list[str] = []
    line = f"{name}:"
    for word in value.split(" "):
        if len(line) + len(word) >= _FOLD and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join([*lines, line]) + "\n"


def encoded(text: str, charset: str = "utf-8") -> str:
    """Unstructured text for a header: itself where it is ASCII, else encoded words (RFC 2047)."""
    return text if text.isascii() else _words(text, fitting(text, charset))


def _words(text: str, charset: str) -> str:
    data = text.encode(charset)
    latin = charset.startswith(("iso-8859", "windows-125"))
    word = f"=?{charset}?Q?{_q(data)}?=" if latin else f"=?{charset}?B?{binascii.b2a_base64(data, newline=False).decode()}?="
    if len(word) <= _WORD:
        return word
    # Halved between characters, never inside one: each word has to be readable by itself.
    middle = len(text) // 2
    return f"{_words(text[:middle], charset)} {_words(text[middle:], charset)}"


def mailbox(name: str, address: str, charset: str = "utf-8") -> str:
    """name-addr of RFC 5322, 3.4."""
    if not name:
        return address
    if name.isascii():
        return f'"{name}" <{address}>' if _SPECIALS & set(name) else f"{name} <{address}>"
    return f"{encoded(name, charset)} <{address}>"


def text_part(subtype: str, text: str, charset: str, encoding: str, *params: str) -> bytes:
    """A text part. charset and encoding are wishes: UTF-8 where the charset lacks a letter, 7bit where ASCII suffices."""
    charset = fitting(text, charset)
    payload = f"{text}\n".encode(charset)
    kind = "; ".join((f"text/{subtype}", f"charset={charset}", *params))
    if payload.isascii() and all(len(line) < _LONGEST_LINE for line in payload.split(b"\n")):
        return part(kind, "7bit", payload)
    if encoding == "quoted-printable" and charset != "iso-2022-jp":
        return part(kind, encoding, binascii.b2a_qp(payload, istext=True))
    if encoding == "8bit":
        return part(kind, encoding, payload)
    return part(kind, "base64", _base64(payload))


def fitting(text: str, charset: str) -> str:
    """The charset if it has every letter of the text, else UTF-8."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def file_part(name: str, kind: str, content: bytes, content_id: str = "") -> bytes:
    """An attachment, or with a content id something that the HTML shows."""
    disposition = "inline" if content_id else "attachment"
    named = f"filename*=UTF-8''{quote(name)}" if not name.isascii() else f'filename="{name}"'
    fields = [("Content-Disposition", f"{disposition}; {named}")]
    if content_id:
        fields.append(("Content-ID", f"<{content_id}>"))
    kind = f'{kind}; name="{name}"' if name.isascii() else kind
    return part(kind, "base64", _base64(content), fields)


def part(kind: str, encoding: str, body: bytes, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """The header and body of one part; the outermost one completes the header of the email."""
    head = field("Content-Type", kind) + field("Content-Transfer-Encoding", encoding)
    return (head + "".join(field(*item) for item in fields)).encode("ascii") + b"\n" + body


def multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Several parts as one; a single part needs no wrapping."""
    if len(parts) == 1:
        return parts[0]
    line = b"--" + boundary.encode("ascii")
    inside = b"".join(line + b"\n" + item + (b"" if item.endswith(b"\n") else b"\n") for item in parts)
    head = field("Content-Type", f'multipart/{subtype}; boundary="{boundary}"').encode("ascii")
    return head + b"\n" + inside + line + b"--\n"


def _base64(content: bytes) -> bytes:
    """Lines of 76 characters (RFC 2045, 6.8)."""
    line = binascii.b2a_base64(content, newline=False)
    return b"\n".join(line[start : start + 76] for start in range(0, len(line), 76)) + b"\n"


def _q(piece: bytes) -> str:
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else "_" if byte == 32 else f"={byte:02X}" for byte in piece
    )
