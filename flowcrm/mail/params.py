"""Content-Type and Content-Disposition: a token and its parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231)."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from flowcrm.mail import charsets
from flowcrm.mail.headers import characters, decode_words

_TOKEN = re.compile(r"[^\s;(]+")
# A value ends at the semicolon, not at white space: file names stand unquoted in much real mail. An opened quote that is never
# closed ends there too.
_PARAM = re.compile(r""";\s*([^\s=;"()<>]{1,80}?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)""")
_PIECE = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?")
# Only what must be escaped: an unescaped path of Windows stands in much real mail.
_ESCAPED = re.compile(r"""\\(["\\])""")
_MOST_TEXT = 8_192
_WITH_SPACES = frozenset({"name", "filename"})


@dataclass(frozen=True, slots=True)
class _Piece:
    """One of the places where a parameter's value stands. extended: percent-encoded, the first with its charset."""

    number: int | None
    extended: bool
    content: str


def read(value: bytes) -> tuple[str, dict[str, str]]:
    """The leading token in lower case ("text/plain", "attachment", "" where there is none), and the parameters by lower-case
    name. Values are decoded, by RFC 2231 or, as most mailers write them, by RFC 2047."""
    line = characters(value)[:_MOST_TEXT]
    token = _TOKEN.match(line)
    pieces: dict[str, list[_Piece]] = {}
    for match in _PARAM.finditer(line):
        if name := _PIECE.fullmatch(match[1].lower()):
            content = _unquoted(match[2], whole=name[1] in _WITH_SPACES)
            number = int(name[2]) if name[2] else None
            pieces.setdefault(name[1], []).append(_Piece(number, name[3] is not None, content))
    return token[0].lower() if token else "", {name: _joined(found) for name, found in pieces.items()}


def _unquoted(value: str, *, whole: bool) -> str:
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        return _ESCAPED.sub(r"\1", value[1:-1])
    value = value.strip().lstrip('"')
    # Outside of file names nothing holds a space; what follows one is a comment or rubbish.
    return value if whole else (value.split() or [""])[0]


def _joined(pieces: list[_Piece]) -> str:
    """One value. Continuations and percent-encoding win over a plain value beside them, which is for old readers (RFC 6266)."""
    rich = sorted(
        (piece for piece in pieces if piece.extended or piece.number is not None), key=lambda piece: piece.number or 0
    )
    if not rich:
        return decode_words(pieces[0].content)
    if not any(piece.extended for piece in rich):
        return decode_words("".join(piece.content for piece in rich))
    joined = b"".join(unquote_to_bytes(piece.content) if piece.extended else piece.content.encode() for piece in rich)
    charset, quote, rest = joined.partition(b"'")
    _language, second_quote, content = rest.partition(b"'")
    if quote and second_quote and rich[0].extended:
        return charsets.decode(content, charset.decode("ascii", "replace") or None)[0]
    return charsets.decode(joined, None)[0]
