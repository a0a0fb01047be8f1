"""Style sheets take their colours from the tokens, and templates hold nothing that the browser would refuse."""

import pytest

from tools import css


def test_the_tree_obeys() -> None:
    assert list(css.violations()) == []


@pytest.mark.parametrize("value", ["#fff", "#0a0b0c", "rgb(1 2 3)", "rgba(0, 0, 0, .5)", "hsl(1 2% 3%)"])
def test_a_colour_stands_in_the_tokens_only(value: str) -> None:
    rule = f".a {{ color: {value}; }}"
    assert [line for line, _ in css.in_style_sheet("forms.css", f"\n{rule}")] == [2]
    assert list(css.in_style_sheet("tokens.css", rule)) == []


def test_a_colour_in_a_comment_is_no_colour() -> None:
    assert list(css.in_style_sheet("forms.css", "/* was #fff\n and #000 */ a { color: var(--ink); }")) == []


@pytest.mark.parametrize(
    "markup",
    ['<p style="color: red">', '<a href="#" onclick="f()">', "<style>a {}</style>", "<script>f()</script>"],
)
def test_a_browser_would_refuse_it_in_a_template(markup: str) -> None:
    assert len(list(css.in_template(markup))) == 1


@pytest.mark.parametrize(
    "markup",
    [
        "<script src=\"{% static 'a.js' %}\" defer></script>",
        '<script type="application/json">',
        '<p class="style">',
        "<p>on = 1</p>",
    ],
)
def test_a_browser_would_take_it(markup: str) -> None:
    assert list(css.in_template(markup)) == []
