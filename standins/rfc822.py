"""Just enough of RFC 5322 to thread, search and preview a mail. Never raises, whatever the bytes are."""

import html
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from functools import cached_property

_REPLY_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg|sv|vs|tr|rif|antw)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")
_WORDS = re.compile(r"\w+")
_TAGS = re.compile(r"(?is)<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>")
SEARCHED = frozenset({"from", "to", "cc", "bcc", "subject", "list-id"})
# A preview needs the first text only: parsing 25 MB of attachment for 200 characters would make every answer slow.
_PREVIEW_BYTES = 64 * 1024
_PREVIEW_CHARACTERS = 200


class Head:
    """What the header block of one mail says. Costly parts are read when first asked for."""

    __slots__ = ("__dict__", "message_id", "parents", "raw", "subject")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        wanted: dict[str, str] = {}
        for name, value in header_fields(raw):
            wanted.setdefault(name.lower(), value)
        own = _MESSAGE_ID.search(wanted.get("message-id", ""))
        self.message_id = own.group(1) if own else ""
        self.subject = readable(wanted.get("subject", ""))
        # Nearest parent last, as References is written.
        self.parents = tuple(_MESSAGE_ID.findall(f"{wanted.get('references', '')} {wanted.get('in-reply-to', '')}"))

    @cached_property
    def words(self) -> dict[str, str]:
        """Lower-case header name -> its searchable words, joined and fenced by blanks. SEARCHED headers only."""
        found: dict[str, list[str]] = {}
        for name, value in header_fields(self.raw):
            if name.lower() in SEARCHED:
                found.setdefault(name.lower(), []).append(fenced(readable(value)))
        return {name: " ".join(values) for name, values in found.items()}

    @cached_property
    def snippet(self) -> str:
        return snippet(self.raw)


def header_block(raw: bytes) -> bytes:
    """The bytes before the first empty line."""
    if raw.startswith((b"\r\n", b"\n")):
        return b""
    ends = [end for end in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if end >= 0]
    return raw[: min(ends)] if ends else raw


def header_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """(name, value) in order, unfolded, not decoded. Lines that are no header are left out."""
    name, value = "", ""
    for line in header_block(raw).replace(b"\r\n", b"\n").split(b"\n"):
        text = _to_text(line)
        if text[:1] in (" ", "\t"):
            value += " " + text.strip()
            continue
        if name:
            yield name, value.strip()
        name, colon, value = text.partition(":")
        name = name.rstrip() if colon and " " not in name.rstrip() else ""
    if name:
        yield name, value.strip()


def readable(value: str) -> str:
    """A header value with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(piece if isinstance(piece, str) else decoded(piece, charset or "ascii") for piece, charset in pieces)


def decoded(data: bytes, charset: str) -> str:
    """Text of any charset, also of one that does not exist."""
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def fenced(text: str) -> str:
    """Words for phrase search: "Ann@x.com" -> " ann x com ", so that " ann x com " in it means "these words in a row"."""
    return f" {' '.join(_WORDS.findall(text.casefold()))} "


def base_subject(subject: str) -> str:
    """The subject that all mails of one conversation share."""
    return " ".join(_REPLY_PREFIX.sub("", subject).split()).casefold()


def snippet(raw: bytes) -> str:
    """The first characters of the readable text, escaped for HTML as Gmail does."""
    text = " ".join(_first_text(parse(raw[:_PREVIEW_BYTES])).split())
    return html.escape(text[:_PREVIEW_CHARACTERS], quote=True).replace("&#x27;", "&#39;")


def parse(raw: bytes) -> Message:
    """The MIME tree, with every header kept as it came."""
    return message_from_bytes(raw, policy=policy.compat32)


def part_bytes(part: Message) -> bytes:
    """A leaf's content after its transfer encoding is undone."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def part_text(part: Message) -> str:
    """A text leaf's characters."""
    return decoded(part_bytes(part), str(part.get_content_charset("utf-8")))


def _first_text(tree: Message) -> str:
    markup = ""
    for part in tree.walk():
        if part.is_multipart() or part.get_filename():
            continue
        if part.get_content_type() == "text/plain":
            return part_text(part)
        if part.get_content_type() == "text/html" and not markup:
            markup = part_text(part)
    return html.unescape(_TAGS.sub(" ", markup))


def _to_text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
