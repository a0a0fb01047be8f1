"""What a mail says itself, what it quotes, and how it is signed. For the moment of showing: nothing is ever deleted by it."""

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from flowcrm.mail import html_quotes, marks
from flowcrm.mail.html_text import too_deep


@dataclass(frozen=True, slots=True)
class Split:
    """A mail's text in three, each "" where there is none.

    A forwarded mail is not a quote, and neither is one that is answered in between: both stay in `own`.
    """

    own: str
    quoted: str
    signature: str


def split(text: str, html: str | None = None) -> Split:
    """Split a mail: by what mail programs write into the HTML where there is some, else by the marks of plain text.

    Where it quotes and says nothing, all of it is its own: there is nothing else to show.
    """
    if html is not None and not too_deep(html) and (body := LexborHTMLParser(html).body) is not None:
        lines = [line.text for line in html_quotes.read_lines(body)]
        if 0 < marks.quote_start(lines) < len(lines):
            return _split(lines)
    return _split(text.split("\n"))


def _split(lines: list[str]) -> Split:
    start = marks.quote_start(lines)
    if start >= marks.forward_start(lines) or not _joined(lines[:start]):
        start = len(lines)
    own = lines[:start]
    signed = marks.signature_start(own)
    if not _joined(own[:signed]):
        signed = len(own)
    return Split(_joined(own[:signed]), _joined(lines[start:]), _joined(own[signed:]))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n ")
