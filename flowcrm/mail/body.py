"""Which parts of a mail are its text, and which are files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from flowcrm.mail import charsets, html_text, params, uuencode
from flowcrm.mail.flowed import unflow
from flowcrm.mail.tree import Part, Tree

_SEPARATOR = re.compile(r"[\\/]")
_LONGEST_NAME = 200
_LONGEST_EXTENSION = 20
# Text that is neither plain nor HTML and is read by taking its marks out (RFC 1896, RFC 1341).
_MARKED_UP = frozenset({"text/enriched", "text/richtext"})
_READABLE = _MARKED_UP | {"text/plain", "text/html"}


@dataclass(frozen=True, slots=True)
class File:
    """A leaf that is not text. span: its place in the decoded leaf where it is uuencoded inside a text, else None."""

    part: str
    name: str
    type: str
    content_id: str
    leaf: Part
    span: tuple[int, int] | None = None

    def content(self, tree: Tree) -> bytes:
        """The decoded bytes."""
        decoded = tree.content(self.leaf)
        return decoded if self.span is None else uuencode.decode(decoded[self.span[0] : self.span[1]])


@dataclass(frozen=True, slots=True)
class Body:
    """What there is to read, and the files beside it. readable: every text could be decoded as labelled."""

    text: str
    html: str | None
    files: tuple[File, ...]
    readable: bool


@dataclass(frozen=True, slots=True)
class _Passage:
    """One stretch of the text, in one form or in both."""

    plain: str | None = None
    html: str | None = None

    def text(self) -> str:
        if self.plain is not None and (self.html is None or self.plain.strip()):
            return self.plain
        return html_text.to_text(self.html or "")


@dataclass(slots=True)
class _Sorting:
    """The parts of one mail while they are being sorted."""

    tree: Tree
    files: list[File] = field(default_factory=list)
    readable: bool = True

    def passages(self, part: Part, parent: str = "") -> Iterator[_Passage]:
        """The text under a part; what is not text goes to the files."""
        if part.type == "multipart/alternative" and part.children:
            yield from self._alternative(part)
        elif part.children:
            for child in part.children:
                yield from self.passages(child, part.type)
        elif _is_text(part, parent):
            yield self._passage(part)
        elif not (parent == "multipart/alternative" and _is_other_form(part)):
            self.files.append(_file(part))

    def named_text(self) -> list[_Passage]:
        """Where nothing else is to be read: the first text that has a name but is not called an attachment."""
        for place, file in enumerate(self.files):
            if file.type in _READABLE and _disposition(file.leaf)[0] != "attachment":
                del self.files[place]
                return [self._passage(file.leaf)]
        return []

    def _alternative(self, part: Part) -> Iterator[_Passage]:
        """One passage: the plain form from the first branch that has one, the HTML from the last (RFC 2046 section 5.1.4)."""
        branches = [list(self.passages(child, part.type)) for child in part.children]
        plain = [branch for branch in branches if branch and all(one.plain is not None for one in branch)]
        rich = [branch for branch in branches if any(one.html is not None for one in branch)]
        if plain or rich:
            yield _Passage(_join_text(plain[0]) if plain else None, _join_html(rich[-1]) if rich else None)

    def _passage(self, part: Part) -> _Passage:
        raw = self.tree.content(part)
        if part.type == "text/html":
            text, readable = charsets.decode_html(raw, part.params.get("charset"))
            self.readable &= readable
            return _Passage(html=text)
        if b"begin " in raw:
            raw = self._without_uuencoded(part, raw)
        text, readable = charsets.decode(raw, part.params.get("charset"))
        self.readable &= readable
        if part.type in _MARKED_UP:
            return _Passage(plain=html_text.to_text(text))
        if part.params.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
        return _Passage(plain=text)

    def _without_uuencoded(self, part: Part, raw: bytes) -> bytes:
        kept, at = [], 0
        for number, (start, end, name) in enumerate(uuencode.files(raw), 1):
            shown = safe_name(charsets.decode(name, None)[0])
            self.files.append(File(f"{part.number}.u{number}", shown, "application/octet-stream", "", part, (start, end)))
            kept.append(raw[at:start])
            at = end
        return b"".join([*kept, raw[at:]])


def read(tree: Tree) -> Body:
    """Sort a mail's parts."""
    passages, sorting = _sort(tree)
    html = _join_html(passages) if any(one.html is not None for one in passages) else None
    return Body(_join_text(passages), html, tuple(sorting.files), sorting.readable)


def files(tree: Tree) -> tuple[File, ...]:
    """The files alone, numbered as by `read`, without turning HTML into text."""
    return tuple(_sort(tree)[1].files)


def _sort(tree: Tree) -> tuple[list[_Passage], _Sorting]:
    sorting = _Sorting(tree)
    passages = list(sorting.passages(tree.root)) or sorting.named_text()
    return passages, sorting


def safe_name(name: str) -> str:
    """A file name without path, controls, or signs that turn the reading direction; its extension survives shortening."""
    name = _SEPARATOR.split(charsets.clean_line(name))[-1].strip()
    if len(name) > _LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        ending = dot + extension if stem and len(extension) <= _LONGEST_EXTENSION else ""
        name = name[: _LONGEST_NAME - len(ending)] + ending
    return name


def _is_text(part: Part, parent: str) -> bool:
    if part.type not in _READABLE:
        return False
    disposition, name = _disposition(part)
    if disposition == "attachment":
        return False
    if parent == "multipart/related" and "content-id" in part.block.fields and part.type != "text/html":
        return False
    # With a name it is a file that can be read, unless it is all that the mail says.
    return not name or parent in ("", "multipart/alternative")


def _is_other_form(part: Part) -> bool:
    """A third form of the same text (AMP, a watch's): neither shown nor a file. An invitation is one: people open it."""
    disposition, name = _disposition(part)
    return part.type.startswith("text/") and part.type != "text/calendar" and disposition != "attachment" and not name


def _file(part: Part) -> File:
    content_id = part.block.first("content-id").decode("utf-8", "replace").strip().strip("<>").strip()
    return File(part.number, _disposition(part)[1], part.type, charsets.clean_line(content_id), part)


def _disposition(part: Part) -> tuple[str, str]:
    """(inline, attachment or "", the file's name)."""
    value = part.block.first("content-disposition")
    disposition, found = params.read(value) if value else ("", {})
    return disposition, safe_name(found.get("filename") or part.params.get("name", ""))


def _join_text(passages: list[_Passage]) -> str:
    return "\n".join(passage.text() for passage in passages)


def _join_html(passages: list[_Passage]) -> str:
    """All passages as HTML: Apple Mail interleaves text and pictures, lists append a plain footer to an HTML mail."""
    return "\n".join(
        passage.html if passage.html is not None else f'<div style="white-space: pre-wrap">{escape(passage.plain or "")}</div>'
        for passage in passages
    )
