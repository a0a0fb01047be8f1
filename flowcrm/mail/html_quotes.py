"""Where the quoted mail begins in an HTML mail: the same marks as in plain text, read from its lines, and what mail programs
write into classes and ids."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flowcrm.mail import marks

# Containers of a quote: Gmail, Yahoo, Proton, Tuta, Zoho, Outlook for Mac. Outlook on the web puts x_ before what it quotes.
_CONTAINERS = frozenset(
    {
        "gmail_quote",
        "gmail_quote_container",
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "moz-cite-prefix",
    }
)
_CONTAINER_IDS = frozenset({"olk_src_body_section", "mail-editor-reference-message-container", "reply-intro"})
# What stands between a reply and the mail below it: Outlook, Hotmail, Zimbra.
_DIVIDER_IDS = frozenset({"divrplyfwdmsg", "appendonsend", "stopspelling", "zwchr"})
_DIVIDER = "-----Original Message-----"
_MAY_QUOTE = frozenset({"blockquote", "div", "span", "td", "section"})
_LINE_TAG_NAMES = """address article aside blockquote br center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5
    h6 header hr li main nav ol p pre section table tr ul"""
_LINE_TAGS = frozenset(_LINE_TAG_NAMES.split())
_UNSEEN = frozenset({"head", "script", "style", "template", "title", "object", "svg", "math", "-comment"})
_TEXT = "-text"
# More is no mail that anybody folds.
_MOST_NODES = 50_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is read, quoted ones with `> ` in front, and the node where it begins."""

    text: str
    node: LexborNode


@dataclass(slots=True)
class _Gathering:
    """Lines while the document is walked."""

    lines: list[Line] = field(default_factory=list)
    depth: int = 0
    words: list[str] = field(default_factory=list)
    first: LexborNode | None = None

    def enter(self, node: LexborNode, tag: str) -> None:
        if tag == _TEXT:
            if text := " ".join((node.text_content or "").split()):
                self.words.append(text)
                self.first = self.first or node
        elif tag in _LINE_TAGS or tag in _MAY_QUOTE:
            self._enter_element(node, tag)

    def leave(self, node: LexborNode, tag: str) -> None:
        if tag in _LINE_TAGS:
            self.end_line()
        if tag in _MAY_QUOTE and _is_quote(node, tag):
            self.end_line()
            self.depth -= 1

    def end_line(self) -> None:
        if self.first is not None:
            self.lines.append(Line("> " * self.depth + " ".join(self.words), self.first))
            self.words, self.first = [], None

    def _enter_element(self, node: LexborNode, tag: str) -> None:
        if tag in _LINE_TAGS:
            self.end_line()
        if tag in _MAY_QUOTE and _is_quote(node, tag):
            self.end_line()
            self.depth += 1
        elif tag in ("div", "hr") and (node.id or "").lower().removeprefix("x_") in _DIVIDER_IDS:
            self.lines.append(Line("> " * self.depth + _DIVIDER, node))


def read_lines(root: LexborNode) -> list[Line]:
    """What a reader sees below `root`, line by line; nothing of a document that has no end."""
    gathering = _Gathering()
    node = root.first_child
    for _ in range(_MOST_NODES):
        if node is None:
            gathering.end_line()
            return gathering.lines
        tag = node.tag or ""
        gathering.enter(node, tag)
        below = None if tag == _TEXT or tag in _UNSEEN else node.first_child
        node = below or _onward(gathering, node, root)
    return []


def fold(tree: LexborHTMLParser, label: str) -> bool:
    """Put the quoted mail below the reply into <details>, under `label`. False where there is nothing to fold: no quote, a
    quote that is answered in between, a forward, or nothing written above it."""
    body = tree.body
    if body is None:
        return False
    found = read_lines(body)
    texts = [line.text for line in found]
    start = marks.quote_start(texts)
    if start == 0 or start >= marks.forward_start(texts):
        return False
    first = _outermost(found[start].node, body)
    moved = list(_from_here_on(first, body))
    details = tree.create_node("details")
    summary = tree.create_node("summary")
    summary.insert_child(label)
    details.insert_child(summary, move=True)
    first.insert_before(details, move=True)
    for node in moved:
        details.insert_child(node, move=True)
    return True


def _onward(gathering: _Gathering, node: LexborNode, root: LexborNode) -> LexborNode | None:
    """The node after this one and all below it, leaving what ends here."""
    here: LexborNode | None = node
    while here is not None and here.mem_id != root.mem_id:
        gathering.leave(here, here.tag or "")
        if here.next is not None:
            return here.next
        here = here.parent
    return None


def _is_quote(node: LexborNode, tag: str) -> bool:
    if tag == "blockquote":
        return True
    attributes = node.attributes
    classes = (attributes.get("class") or "").split()
    return (attributes.get("id") or "").lower().removeprefix("x_") in _CONTAINER_IDS or any(
        name.removeprefix("x_") in _CONTAINERS for name in classes
    )


def _outermost(node: LexborNode, body: LexborNode) -> LexborNode:
    """The highest element that begins with this node: nothing is to be read in it before."""
    while (parent := node.parent) is not None and parent.mem_id != body.mem_id and not _has_text_before(node):
        node = parent
    return node


def _has_text_before(node: LexborNode) -> bool:
    before = node.prev
    while before is not None:
        if before.tag not in _UNSEEN and (before.tag == "img" or before.text().strip() or before.css_first("img")):
            return True
        before = before.prev
    return False


def _from_here_on(node: LexborNode, body: LexborNode) -> Iterator[LexborNode]:
    """This node and everything after it in the document, in order."""
    here: LexborNode | None = node
    yield node
    while here is not None and here.mem_id != body.mem_id:
        after = here.next
        while after is not None:
            yield after
            after = after.next
        here = here.parent
