"""format=flowed (RFC 3676)."""

import pytest

from flowcrm.mail.flowed import unflow


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("one \ntwo\nthree", "one two\nthree"),
        ("> quoted \n> on\nown", "> quoted on\nown"),
        (">> deep \n> less", ">> deep \n> less"),
        (" From here", "From here"),
        ("text \n-- \nsignature", "text \n-- \nsignature"),
        ("", ""),
    ],
)
def test_soft_breaks_are_taken_out(text: str, read: str) -> None:
    assert unflow(text) == read


def test_with_delsp_the_space_goes_too() -> None:
    assert unflow("日本 \n語", delsp=True) == "日本語"
