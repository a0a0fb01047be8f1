"""HTML as the lines that a reader sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import html_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>wor</b>ld,<br>how  are\nyou?</p>", "Hello world,\nhow are you?"),
        ("<div>a<div>b</div></div>c", "a\nb\nc"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div><br></div><div>b<br></div><div>c</div>", "a\n\nb\nc"),
        ("<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb"),
        ('<a href="https://x.example/?t=1">the link</a>', "the link"),
        ("<style>p{}</style><script>x()</script><title>t</title>text", "text"),
        ("<pre>1\n  2</pre>3", "1\n2\n3"),
        ("<ul><li>x<li>y</ul>", "x\ny"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("&lt;b&gt; &amp; &nbsp; &euro;", "<b> & €"),
        ("<blockquote>a<blockquote>b<br>c</blockquote></blockquote>d", "> a\n> > b\n> > c\nd"),
        ("<!-- hidden -->shown", "shown"),
        ("", ""),
        ("no tags", "no tags"),
    ],
)
def test_lines(html: str, text: str) -> None:
    assert html_text.to_text(html) == text


def test_a_document_as_deep_as_an_attack_still_gives_its_text() -> None:
    assert html_text.too_deep("<div>" * 100_000 + "x")
    assert html_text.to_text("<div>" * 100_000 + "x") == "x"


def test_a_long_flat_document_is_not_deep() -> None:
    assert not html_text.too_deep("<table>" + "<tr><td><p>x" * 10_000)


_PIECES = [
    "<",
    ">",
    "</",
    "div",
    "p",
    "blockquote>",
    "<blockquote>",
    "<pre>",
    "<script",
    "<td>",
    "<br>",
    " ",
    "x",
    "&lt;",
    '"',
    "=",
    "\x1e",
]


@given(st.lists(st.sampled_from(_PIECES)).map("".join))
def test_any_html_gives_clean_lines(html: str) -> None:
    text = html_text.to_text(html)
    assert not set(text) & set("\x1e\x1f\0")
    assert "\n\n\n" not in text
