"""Words as they are searched for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, hello WORLD!", ["hello", "world"]),
        ("Straße ﬁn Ａ1", ["strasse", "fin", "a1"]),
        ("Müller-Lüdenscheid", ["muller", "ludenscheid"]),
        ("foo_bar don't", ["foo", "bar", "don", "t"]),
        ("Łukasz Øre", ["lukasz", "ore"]),
        ("İstanbul ISTANBUL ıstanbul", ["istanbul"]),
        ("Ελλάς ΕΛΛΑΣ", ["ελλασ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם", ["שלום"]),
        ("日本語のiPhone 王", ["日本", "本語", "語の", "王", "iphone"]),
        ("한국어는", ["한국", "국어", "어는"]),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, found: list[str]) -> None:
    assert words.words(text) == found


def test_a_word_longer_than_any_is_several() -> None:
    assert words.words("a" * 50) == ["a" * 40, "a" * 10]


def test_a_gigantic_text_gives_a_bounded_number_of_words() -> None:
    assert len(words.words(" ".join(map(str, range(100_000))))) == words.MOST_WORDS


@given(st.text())
def test_every_word_comes_once_and_is_bounded(text: str) -> None:
    found = words.words(text)
    assert len(set(found)) == len(found)
    assert all(1 <= len(word) <= 40 for word in found)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = words.fold(text)
    assert words.fold(once) == once


@given(st.text(st.characters(max_codepoint=0x7F), max_size=200))
def test_words_of_plain_text_are_its_runs_of_letters_and_digits(text: str) -> None:
    assert words.words(text) == list(dict.fromkeys(re.findall("[a-z0-9]{1,40}", text.lower())))


@given(st.lists(st.text(st.characters(categories=["L", "M", "N", "P", "Cf"]), min_size=1, max_size=12), max_size=8))
def test_words_do_not_depend_on_what_stands_around_them(pieces: list[str]) -> None:
    assert set(words.words(" ".join(pieces))) == {word for piece in pieces for word in words.words(piece)}
