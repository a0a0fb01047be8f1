"""From the bytes of a mail to what they mean. The only door: everything else in this package serves it.

Nothing here raises for any bytes, and nothing is re-serialised: what is stored is what came.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from itertools import islice
from urllib.parse import unquote

from flowcrm.mail import addresses, body, charsets, dates, headers, references, signs, tree
from flowcrm.mail.body import Body, File
from flowcrm.mail.headers import Block
from flowcrm.mail.tree import Tree
from flowcrm.mail.types import Address, Attachment, ParsedMail, Role

_HEADER_OF = {role: role.value.replace("_", "-") for role in Role}
_CID = re.compile(r"""cid:([^"'\s>)]+)""", re.IGNORECASE)
_LONGEST_SUBJECT = 2_000


class NoSuchPart(LookupError):
    """The mail has no attachment of that number."""


def parse(raw: bytes) -> ParsedMail:
    """Read any bytes as a mail."""
    parts = tree.read(raw)
    content = body.read(parts)
    block = parts.root.block
    hint = charsets.header_hint(next((leaf.params.get("charset") for leaf in parts.leaves()), None))
    people = _people(block, hint)
    date = dates.parse(block.first("date"))
    subject = headers.text(block.first("subject"), hint)[:_LONGEST_SUBJECT]
    flags = set(signs.of(parts, content))
    flags.update(_unread(parts, content, people, subject))
    if date is None:
        flags.add("bad_date")
    emails = [address.email for _, address in people]
    return ParsedMail(
        message_id=references.own_id(block.first("message-id")),
        in_reply_to=references.ids(block.all("in-reply-to"), emails),
        references=(*references.ids(block.all("references"), emails), *signs.returned_ids(parts)),
        people=people,
        date=date,
        subject=subject,
        text=content.text,
        html=content.html,
        attachments=_attachments(parts, content),
        headers=raw[: block.body_at],
        flags=frozenset(flags),
    )


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    """The header block, its blank line included, and the body: together they are the mail, byte for byte."""
    at = headers.read_block(raw).body_at
    return raw[:at], raw[at:]


def part(raw: bytes, number: str) -> tuple[Attachment, bytes]:
    """One attachment and its decoded bytes, by its number in ParsedMail.attachments. Raises NoSuchPart."""
    parts = tree.read(raw)
    content = body.read(parts)
    for file in content.files:
        if file.part == number:
            decoded = file.content(parts)
            return _attachment(file, decoded, _shown_inside(content)), decoded
    raise NoSuchPart(f"this mail has no attachment {number}")


def without(raw: bytes, numbers: Collection[str]) -> bytes:
    """The mail with these attachments empty: their headers stay, so that the other parts keep their numbers. A file that is
    uuencoded inside a text can only be taken out where that text is not encoded itself; else it stays."""
    parts = tree.read(raw)
    kept, at = [], 0
    for start, end in sorted(_places(parts, numbers)):
        if start >= at:
            kept.append(raw[at:start])
            at = end
    return b"".join([*kept, raw[at:]])


def _places(parts: Tree, numbers: Collection[str]) -> Iterator[tuple[int, int]]:
    for file in body.files(parts):
        if file.part in numbers:
            if file.span is None:
                yield file.leaf.start, file.leaf.end
            elif parts.is_plain(file.leaf):
                yield file.leaf.start + file.span[0], file.leaf.start + file.span[1]


def _people(block: Block, hint: str | None) -> tuple[tuple[Role, Address], ...]:
    found = (
        (role, address)
        for role, name in _HEADER_OF.items()
        for value in block.all(name)
        for address in addresses.parse(value, hint)
    )
    return tuple(islice(found, addresses.MOST))


def _unread(parts: Tree, content: Body, people: tuple[tuple[Role, Address], ...], subject: str) -> set[str]:
    """Flags for what could not be read as it should."""
    found = set()
    if not parts.well_formed:
        found.add("malformed")
    if not content.readable or "\ufffd" in subject:
        found.add("bad_charset")
    if not any(role is Role.FROM and address.email for role, address in people):
        found.add("no_from")
    return found


def _attachments(parts: Tree, content: Body) -> tuple[Attachment, ...]:
    shown = _shown_inside(content)
    # One decoded file in memory at a time: it is hashed and let go.
    return tuple(_attachment(file, file.content(parts), shown) for file in content.files)


def _attachment(file: File, decoded: bytes, shown: frozenset[str]) -> Attachment:
    return Attachment(
        part=file.part,
        name=file.name,
        type=file.type,
        size=len(decoded),
        sha256=hashlib.sha256(decoded).digest(),
        content_id=file.content_id,
        inline=file.content_id.lower() in shown,
    )


def _shown_inside(content: Body) -> frozenset[str]:
    """Content ids that the HTML uses: only that makes a picture inline, whatever its header says."""
    if content.html is None or not any(file.content_id for file in content.files):
        return frozenset()
    return frozenset(unquote(one).lower() for one in _CID.findall(content.html))
