"""The readable text of an HTML mail: lines where blocks are, quotes as `> `, link texts without their targets."""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

from flowcrm.mail import charsets

# Line breaks that survive the folding of white space: control characters that no text has. A block ends its line once, however
# many blocks end there; a break in the text, or a paragraph, counts each time.
_BLOCK = "\x1e"
_BREAK = "\x1f"
_BREAKS = re.compile(r"[\s\x1e\x1f]*[\x1e\x1f][\s\x1e\x1f]*")
_PREFORMATTED = re.compile(r"(<(pre|textarea)\b.*?</\2\s*>)", re.DOTALL | re.IGNORECASE)
_OPEN_OR_CLOSE = re.compile(r"</?(\w+)")
# What stands before a tag in the text, whether it opens or closes.
_BLOCKS = """address article aside blockquote caption center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main menu nav ol option pre section summary table tr ul"""
_BEFORE = {**dict.fromkeys(_BLOCKS.split(), _BLOCK), "br": _BREAK, "p": _BREAK, "td": " ", "th": " "}
# Outlook makes every line a paragraph without space around it.
_BEFORE_OUTLOOK = {**_BEFORE, "p": _BLOCK}
_UNSEEN = ["head", "script", "style", "template", "title", "object", "svg", "math"]
_TAG = re.compile(r"<(/?)([a-zA-Z]+)[^>]*>?")
_UNSEEN_CONTENT = re.compile(r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# Tags that hold nothing, or that the next of their kind closes: they do not make a document deep.
_FLAT = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"),
    *("p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead", "tfoot"),
}
_EMBEDDED = re.compile(r"data:[^\"'\s>)]{1000,}")
# Text beyond this is not read by anybody; it stays in the stored mail.
_MOST_TEXT = 4_000_000
_MANY_TAGS = 6_000
_DEEPEST = 400
_MOST_QUOTES = 100


def to_text(html: str) -> str:
    """Plain text of an HTML document or fragment. Never raises."""
    if len(html) > _MOST_TEXT:
        html = _EMBEDDED.sub("", html)[:_MOST_TEXT]
    html = html.replace(_BLOCK, " ").replace(_BREAK, " ")
    if too_deep(html):
        return _tidy(unescape(_TAG.sub(_BLOCK, _UNSEEN_CONTENT.sub(" ", html))))
    tree = LexborHTMLParser(_with_breaks(html))
    body = tree.body
    if body is None:
        return ""
    body.strip_tags(_UNSEEN, recursive=True)
    _mark_quotes(tree)
    return _tidy(body.text())


def too_deep(html: str) -> bool:
    """Is this nested so deeply that a parser would take minutes? (HTML parsers walk the open elements at every block.)"""
    if html.count("<") < _MANY_TAGS:
        return False
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _FLAT:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            if depth > _DEEPEST:
                return True
    return False


def _with_breaks(html: str) -> str:
    pieces = _PREFORMATTED.split(html)
    # split gives: text, the preformatted block, its tag's name, text, …
    for place in range(0, len(pieces), 3):
        pieces[place] = " ".join(pieces[place].split())
        if place + 1 < len(pieces):
            pieces[place + 1] = pieces[place + 1].replace("\n", _BREAK)
            pieces[place + 2] = ""
    before = _BEFORE_OUTLOOK if "MsoNormal" in html else _BEFORE
    return _OPEN_OR_CLOSE.sub(lambda tag: before.get(tag[1].lower(), "") + tag[0], " ".join(pieces))


def _mark_quotes(tree: LexborHTMLParser) -> None:
    """Write every quoted line with `> ` in front, as plain text does; innermost first, so that depth adds up."""
    for quote in reversed(tree.css("blockquote")[:_MOST_QUOTES]):
        lines = _tidy(quote.text()).split("\n")
        quote.replace_with(_BLOCK + _BREAK.join(f"> {line}" for line in lines) + _BLOCK)


def _tidy(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for breaks in _BREAKS.finditer(text):
        pieces.append(" ".join(text[at : breaks.start()].split()))
        pieces.append("\n\n" if _leaves_a_line(breaks[0]) else "\n")
        at = breaks.end()
    pieces.append(" ".join(text[at:].split()))
    return charsets.clean("".join(pieces).strip("\n"))


def _leaves_a_line(breaks: str) -> bool:
    """Is an empty line seen there? Two breaks make one, and so does a break that has a block to itself."""
    block, hard = breaks.find(_BLOCK), breaks.rfind(_BREAK)
    return breaks.count(_BREAK) > 1 or 0 <= block < hard
