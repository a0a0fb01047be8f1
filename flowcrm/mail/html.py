"""HTML mail made safe to show: the allow-list of what may stay, and nothing that reaches out without being asked.

nh3 (html5ever, ammonia) has the last word; what it would let through is stopped by the filter here, and each of its traps has a
test. The page shows the result in a sandboxed frame under its own policy all the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import unquote

import nh3
from selectolax.lexbor import LexborHTMLParser

from flowcrm.mail import html_quotes
from flowcrm.mail.html_text import to_text, too_deep

Images = Literal["blocked", "allowed"]

# Never "style": with filtered style properties nh3 panics on it, and the panic is no Exception.
_TAG_NAMES = """a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details
    dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt
    ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr"""
_TAGS = frozenset(_TAG_NAMES.split())
_TAGS_WITH_CONTENT = frozenset({"script", "style", "title", "template", "textarea", "select", "object", "noembed", "noframes"})
# No id and class (they could take on the page's own), no srcset and background (nh3 does not take those for URLs).
_ATTRIBUTES = {
    "*": {"align", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "img": {"alt", "src"},
    "font": {"color", "face", "size"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing"},
    "td": {"bgcolor", "colspan", "nowrap", "rowspan"},
    "th": {"bgcolor", "colspan", "nowrap", "rowspan"},
    "tr": {"bgcolor"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "li": {"value"},
}
# Without position (overlays), without everything that takes a URL (background, list-style, content, cursor, filter, mask …).
_PROPERTY_NAMES = """background-color border-collapse border-radius border-spacing color direction display font font-family
    font-size font-style font-variant font-weight height letter-spacing line-height list-style-type max-width min-width
    overflow-wrap table-layout text-align text-decoration text-indent text-transform vertical-align white-space width word-break
    word-spacing word-wrap"""
_PROPERTIES = {
    *_PROPERTY_NAMES.split(),
    *("margin", "margin-top", "margin-right", "margin-bottom", "margin-left"),
    *("padding", "padding-top", "padding-right", "padding-bottom", "padding-left"),
    *(
        f"border{side}{what}"
        for side in ("", "-top", "-right", "-bottom", "-left")
        for what in ("", "-color", "-style", "-width")
    ),
}
_COLOR = re.compile(r"\b(?:rgb|hsl)a?\([\d\s.,%/]*\)", re.IGNORECASE)
# A value with any of these could call something, leave its property, or be drawn over its neighbours.
_SUSPECT = re.compile(r"[\\(<>@{}]|-[.\d]|expression|javascript", re.IGNORECASE)
_LINK = re.compile(r"\s*(?:https?://|mailto:|tel:)", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
# Never SVG: it is a document that can do things.
_EMBEDDED = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_LONGEST = 5_000_000
# nh3 takes time by the square of these: a second for this many.
_MOST_ENTITIES = 100_000


@dataclass(frozen=True, slots=True)
class Cleaned:
    """html: safe to put into a page's frame. remote_images: how many pictures lie elsewhere (tracking pixels included), so
    that the page can offer to load them. folded: a quote was put into <details>."""

    html: str
    remote_images: int
    folded: bool


@dataclass(slots=True)
class _Filter:
    """What nh3 asks about every attribute."""

    images: Images
    cid: Callable[[str], str | None]
    remote: int = 0

    def __call__(self, _tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return safe_style(value)
        if attribute == "src":
            return self._source(value)
        if attribute == "href":
            return value if _LINK.match(value) else None
        return value

    def _source(self, value: str) -> str | None:
        value = value.strip()
        if value[:4].lower() == "cid:":
            return self.cid(unquote(value[4:]).strip("<>"))
        if _REMOTE.match(value):
            self.remote += 1
            return value if self.images == "allowed" and not value.startswith("//") else None
        return value if _EMBEDDED.fullmatch(value) else None


def clean(
    html: str, *, images: Images, cid: Mapping[str, str] | Callable[[str], str | None], quote_label: str = "…"
) -> Cleaned:
    """Make HTML from anybody safe to show. Never raises, whatever the HTML.

    images: whether pictures that lie elsewhere may load. cid: where the mail's own inline pictures lie, by content id (None:
    nowhere). quote_label: what stands on the fold of the quoted mail.
    """
    look_up = cid.get if isinstance(cid, Mapping) else cid
    if len(html) > _LONGEST or too_deep(html):
        return _as_text(html)
    tree = LexborHTMLParser(html)
    folded = html_quotes.fold(tree, quote_label)
    whole = tree.html or ""
    if whole.count("&") > _MOST_ENTITIES:
        return _as_text(html)
    attribute_filter = _Filter(images, look_up)
    safe = nh3.clean(
        whole,
        tags=_TAGS,
        clean_content_tags=_TAGS_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute_filter,
        filter_style_properties=_PROPERTIES,
        set_tag_attribute_values={"a": {"target": "_blank"}, "details": {"class": "mail-quote"}},
        link_rel="noopener noreferrer nofollow",
        # Of these, data: and cid: get past the filter only as pictures, and relative links only where it put them.
        url_schemes={"http", "https", "mailto", "tel", "data", "cid"},
        url_relative="pass_through",
    )
    return Cleaned(safe, attribute_filter.remote, folded)


def _as_text(html: str) -> Cleaned:
    """What would keep the cleaner busy for minutes is shown as plain text."""
    return Cleaned(f"<pre>{escape(to_text(html))}</pre>", remote_images=0, folded=False)


def safe_style(value: str) -> str | None:
    """A style attribute without what could reach out, hide or overlay."""
    kept = []
    for declaration in value.split(";"):
        name, colon, content = declaration.partition(":")
        if colon and name.strip().lower() in _PROPERTIES and not _SUSPECT.search(_COLOR.sub("", content)):
            kept.append(f"{name.strip().lower()}:{content.strip()}")
    return ";".join(kept) or None
