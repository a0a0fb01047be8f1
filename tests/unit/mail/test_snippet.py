"""One line of a mail's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.snippet import LENGTH, snippet


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Hello Ben,\n\nhow are\tyou?", "Hello Ben, how are you?"),
        ("Thanks.\n\nOn 2026-11-02 Ben wrote:\n> old", "Thanks."),
        ("***\n[cid:logo]\n<https://x.example>\nHello", "Hello"),
        ("\u200b\u034f\u00ad Hello\u200c", "Hello"),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_own_words_in_one_line(text: str, line: str) -> None:
    assert snippet(text) == line


def test_a_bare_forward_shows_what_it_forwards() -> None:
    assert snippet("---------- Forwarded message ---------\nFrom: Ben\n\nthe offer").endswith("the offer")


def test_a_long_text_is_cut_between_words() -> None:
    line = snippet("word " * 100)
    assert line.endswith("word…")
    assert len(line) <= LENGTH + 1


@given(st.text())
def test_any_text_gives_one_short_line(text: str) -> None:
    line = snippet(text)
    assert len(line) <= LENGTH + 1
    assert len(line.splitlines()) <= 1
