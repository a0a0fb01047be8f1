"""The readable text of an HTML mail: lines where blocks are, quotes as `> `, link texts without their targets."""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

from flowcrm.mail import charsets

# A line break that survives the folding of white space: a control character that no text has.
_BREAK = "\x1e"
_PREFORMATTED = re.compile(r"(<(pre|textarea)\b.*?</\2\s*>)", re.DOTALL | re.IGNORECASE)
_OPEN_OR_CLOSE = re.compile(r"</?(\w+)")
# What stands before a tag in the text, whether it opens or closes.
_LINES = """address article aside blockquote br caption center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main menu nav ol option pre section summary table tr ul"""
_BEFORE = {**dict.fromkeys(_LINES.split(), _BREAK), "p": _BREAK * 2, "td": " ", "th": " "}
# Outlook makes every line a paragraph without space around it.
_BEFORE_OUTLOOK = {**_BEFORE, "p": _BREAK}
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
_BLANK_LINES = re.compile(r"\n{3,}")


def to_text(html: str) -> str:
    """Plain text of an HTML document or fragment. Never raises."""
    if len(html) > _MOST_TEXT:
        html = _EMBEDDED.sub("", html)[:_MOST_TEXT]
    html = html.replace(_BREAK, " ")
    if too_deep(html):
        return _tidy(unescape(_TAG.sub(_BREAK, _UNSEEN_CONTENT.sub(" ", html))))
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
        quote.replace_with(_BREAK + _BREAK.join(f"> {line}" for line in lines) + _BREAK)


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split(_BREAK))
    return charsets.clean(_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n"))
