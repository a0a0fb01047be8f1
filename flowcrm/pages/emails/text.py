"""Plain text as a page shows it: lines as written, addresses of the web as links, everything else inert."""

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# A link ends before what closes the sentence or the bracket around it.
_LINK = re.compile(r"""https?://[^\s<>"'\u201d\u00bb]+[^\s<>"'\u201d\u00bb.,;:!?)\]}]""", re.IGNORECASE)
# Longer texts are cut on the page; the original has them whole.
LONGEST = 200_000


def linked(text: str) -> SafeString:
    """The text, escaped, with links that open beside the page and tell their target nothing."""
    return format_html_join("", "{}", ((piece,) for piece in _pieces(text)))


def _pieces(text: str) -> list[str | SafeString]:
    pieces: list[str | SafeString] = []
    end = 0
    for found in _LINK.finditer(text):
        pieces.append(text[end : found.start()])
        pieces.append(format_html('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>', found.group()))
        end = found.end()
    return [*pieces, text[end:]]
