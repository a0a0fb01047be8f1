"""HTML from anybody, made safe: nothing runs, nothing reaches out, nothing covers the page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.html import clean, safe_style

CID = {"logo@x": "/mail/7/part/2"}


def cleaned(html: str) -> str:
    return clean(html, images="blocked", cid=CID).html


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '<svg><use href="data:image/svg+xml;base64,PHN2Zz4=#x"></use></svg>',
    '<svg><animate attributeName="href" values="javascript:alert(1)"/></svg>',
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form action=https://t.example><input type=image src=https://t.example></form>",
    "<iframe src=https://t.example></iframe><object data=https://t.example></object><embed src=https://t.example>",
    "<base href=https://t.example/><link rel=stylesheet href=https://t.example>",
    "<meta http-equiv=refresh content='0;url=//t.example'>",
    "<style>@import url(https://t.example); body{background:url(//t.example)}</style>",
    '<div style="background:url(https://t.example)">a</div>',
    '<div style="background-image:\\75rl(https://t.example)">a</div>',
    '<div style="list-style:url(https://t.example);content:url(//t.example);cursor:url(//t.example)">a</div>',
    '<div style="color:url(https://t.example);width:expression(alert(1))">a</div>',
    '<div style="background-color:red;background-color:image-set(url(//t.example))">a</div>',
    "<table background=https://t.example><tr><td background=//t.example>a</table><body background=//t.example>",
    '<img srcset="https://t.example 2x" src="https://t.example">',
    "<picture><source srcset=https://t.example></picture><video poster=//t.example><audio src=//t.example>",
    "<image src=https://t.example>",
    '<a href="javascript:alert(1)">a</a><a href=" jav&#x09;ascript:alert(1)">a</a><a href="vbscript:x">a</a>',
    '<a href="data:text/html,<script>alert(1)</script>">a</a>',
    '<a href="//t.example">a</a><a href="/settings/delete">a</a><a href="cid:logo@x">a</a>',
    '<img src="data:image/svg+xml;base64,PHN2Zz4="><img src="data:text/html,x">',
    '<img src="//t.example/a"><img src="\\\\t.example\\a"><img src="https:/t.example"><img src="ftp://t.example">',
    '<a href="https://ok.example" target=_top rel=opener ping=https://t.example>a</a>',
    "<p id=app class=app onclick=x data-hx-get=/x hx-get=/x>a</p>",
    "<details open ontoggle=alert(1)><summary>s</summary></details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<title><img src=x onerror=alert(1)></title><textarea><img src=x onerror=alert(1)></textarea>",
    "<!--[if gte mso 9]><script>alert(1)</script><![endif]-->",
    "<xml><o:p>x</o:p></xml><template><img src=//t.example></template>",
    '<a href="https://ok.example/\'onmouseover=alert(1)">a</a>',
]
_ALIVE = re.compile(
    r"<(?:script|style|svg|math|iframe|object|embed|form|input|base|link|meta|video|audio|source|picture|template|title)"
    r"|\son\w+\s*=|javascript:|vbscript:|t\.example|url\(|expression\(|srcset|background=|\sid=|hx-|data:text|svg\+xml|\sping=",
    re.IGNORECASE,
)


@pytest.mark.parametrize("html", ATTACKS)
def test_nothing_alive_is_left(html: str) -> None:
    # Text may look as it likes: what counts is what stands inside tags.
    assert not _ALIVE.search("".join(re.findall(r"<[^>]*>", cleaned(f"<p>before</p>{html}<p>after</p>"))))


@pytest.mark.parametrize("html", ATTACKS)
def test_what_is_clean_stays_as_it_is(html: str) -> None:
    once = cleaned(html)
    assert _sorted(cleaned(once)) == _sorted(once)


def _sorted(html: str) -> str:
    """With the attributes of each tag in order: nh3 gives them in any."""
    return re.sub(r"<[^>]*>", lambda tag: " ".join(sorted(tag[0].strip("<>").split())), html)


@pytest.mark.parametrize(
    "style",
    [
        "position:fixed;inset:0;z-index:9",
        "margin:-500px",
        "text-indent:-9999px",
        "top:0;left:0;transform:scale(50)",
        "margin-left:calc(0px - 900px)",
        "color:var(--x)",
        "font-family:'a\\3b position:fixed'",
    ],
)
def test_no_style_lays_itself_over_the_page(style: str) -> None:
    assert safe_style(style) is None


def test_harmless_style_stays() -> None:
    style = "color:rgb(1, 2, 3);font:12px Arial, sans-serif;margin:0 0 0 .8ex;border-left:1px #ccc solid;padding:3pt"
    assert safe_style(style) == style


def test_links_open_elsewhere_and_tell_nothing() -> None:
    html = cleaned('<a href="https://x.example/?a=1&b=2">x</a><a href="mailto:a@x.example">m</a>')
    assert 'href="https://x.example/?a=1&amp;b=2"' in html
    assert html.count('target="_blank"') == html.count('rel="noopener noreferrer nofollow"') == 2


def test_pictures_elsewhere_are_counted_and_load_only_when_asked() -> None:
    html = '<img src="https://t.example/1.gif" alt="hi"><img src="http://t.example/2.gif"><img src="cid:logo@x">'
    blocked = clean(html, images="blocked", cid=CID)
    assert blocked.remote_images == 2
    assert "t.example" not in blocked.html
    assert 'alt="hi"' in blocked.html
    allowed = clean(html, images="allowed", cid=CID)
    assert allowed.remote_images == 2
    assert 'src="https://t.example/1.gif"' in allowed.html


def test_the_mails_own_pictures_are_shown_from_where_they_lie() -> None:
    assert cleaned('<img src="cid:logo%40x">') == '<img src="/mail/7/part/2">'
    assert cleaned('<img src="CID:other@x">') == "<img>"
    assert clean('<img src="cid:a">', images="blocked", cid=lambda name: f"/p/{name}").html == '<img src="/p/a">'


def test_pictures_inside_the_html_are_shown() -> None:
    assert cleaned('<img src="data:image/png;base64,iVBORw0KGgo=">') == '<img src="data:image/png;base64,iVBORw0KGgo=">'


def test_a_relative_address_of_the_sender_is_never_ours() -> None:
    assert cleaned('<img src="/mail/7/part/2">') == "<img>"


@pytest.mark.parametrize("tag", ["div", "span", "blockquote", "table><tr><td", "b", "font"])
def test_html_nested_as_deep_as_an_attack_is_shown_as_text(tag: str) -> None:
    assert "the end" in cleaned(f"<{tag}>" * 50_000 + "the end")


_COPIED = "<b>From:</b> Ben<br><b>Sent:</b> Monday<br><b>To:</b> Anna<br><b>Subject:</b> Offer"


@pytest.mark.parametrize("html", ["&amp;" * 300_000 + "the end", "x" * 6_000_000 + "the end", "<p>" * 300_000 + "the end"])
def test_html_as_long_as_an_attack_is_shown(html: str) -> None:
    assert cleaned(html).count("<script") == 0


QUOTES = [
    '<div class="gmail_quote"><div>On 2026-11-02 Ben wrote:<br></div><blockquote class="gmail_quote">old</blockquote></div>',
    '<div class="moz-cite-prefix">On 02.11.2026 Ben wrote:<br></div><blockquote type="cite">old</blockquote>',
    '<div class="yahoo_quoted"><div>Ben wrote</div>old</div>',
    f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">{_COPIED}</div><div>old</div>',
    f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>{_COPIED}</p></div></div><p>old</p>',
    "<br><div><blockquote type=cite><div>On 2 Nov 2026, at 08:00, Ben wrote:</div>old</blockquote></div>",
    "<p>02.11.2026, 08:00, Ben &lt;ben@x.example&gt;:</p><blockquote>old</blockquote>",
    '<span id="OLK_SRC_BODY_SECTION"><div>From: Ben<br>Date: Monday</div>old</span>',
    "<div>-----Original Message-----<br>From: Ben</div><div>old</div>",
]


@pytest.mark.parametrize("quote", QUOTES)
def test_quotes_of_every_program_are_folded_and_kept(quote: str) -> None:
    found = clean(f"<div>Thanks!</div>{quote}", images="blocked", cid={}, quote_label="Show quoted text")
    assert found.folded
    own, folded = found.html.split("<details")
    assert "Thanks!" in own
    assert folded.startswith(' class="mail-quote"><summary>Show quoted text</summary>')
    assert "old" in folded
    assert "Ben" in folded


@pytest.mark.parametrize(
    "html",
    [
        f"{QUOTES[0]}",
        f"<p>one</p>{QUOTES[0]}<p>my answer below</p>",
        "<p>FYI</p><div class=gmail_quote>---------- Forwarded message ---------<br>From: Ben<br>the offer</div>",
        "<p>no quote at all</p>",
        "",
    ],
)
def test_what_must_be_read_is_not_folded(html: str) -> None:
    found = clean(html, images="blocked", cid={})
    assert not found.folded
    assert "<details" not in found.html


_PIECES = [
    *(
        "<div>",
        "</div>",
        "<p ",
        "<table>",
        "<tr>",
        "<td>",
        "<blockquote>",
        "</blockquote>",
        "<details>",
        "<svg>",
        "<math>",
        "<style>",
    ),
    *(
        "<img src=",
        "<a href=",
        "style='",
        "'",
        '"',
        ">",
        "<!--",
        "-->",
        "<![CDATA[",
        "&lt;",
        "javascript:x",
        "//t.example",
        "cid:x",
    ),
    *(
        "On 2026-11-02 Ben wrote:",
        "text",
        "<template>",
        "<select>",
        "<noscript>",
        "\0",
        "\x1e",
        " onerror=x ",
        "<o:p>",
        "<frameset>",
    ),
]


@given(st.lists(st.sampled_from(_PIECES)).map("".join))
def test_any_html_is_cleaned(html: str) -> None:
    found = cleaned(html)
    assert not _ALIVE.search("".join(re.findall(r"<[^>]*>", found)))
    assert clean(found, images="blocked", cid=CID).remote_images == 0
