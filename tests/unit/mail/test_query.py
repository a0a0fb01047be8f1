"""What was typed, as the words and phrases that are looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.query import MOST_WORDS, Excerpt, excerpt, read_query
from flowcrm.mail.words import words


@pytest.mark.parametrize(
    ("typed", "looked_for", "phrases"),
    [
        ("Winter tyres", ("winter", "tyres"), ()),
        ("  ÄRGER  Straße ", ("arger", "strasse"), ()),
        ('offer "winter  Tyres"', ("offer", "winter", "tyres"), ("winter tyres",)),
        ("„Grüße aus Wien“", ("grusse", "aus", "wien"), ("grusse aus wien",)),
        ('half "a phrase', ("half", "a", "phrase"), ()),
        ('"one"', ("one",), ()),
        ("見積書", ("見積", "積書"), ()),
        ("!?", (), ()),
    ],
)
def test_words_are_folded_as_the_index_has_them(typed: str, looked_for: tuple[str, ...], phrases: tuple[str, ...]) -> None:
    query = read_query(typed)
    assert set(query.words) == set(looked_for)
    assert query.phrases == phrases
    assert not query.cut


def test_of_a_whole_page_the_first_words_are_looked_for() -> None:
    query = read_query(" ".join(f"word{n}" for n in range(100)))
    assert query.words == tuple(f"word{n}" for n in range(MOST_WORDS))
    assert query.cut


def test_a_phrase_stands_side_by_side_in_one_text() -> None:
    query = read_query('"winter tyres"')
    assert query.answered_by({"winter", "tyres"}, ["Our  Winter\ntyres are here"])
    assert not query.answered_by({"winter", "tyres"}, ["tyres for winter", "winter"])


@given(st.text(st.characters(exclude_characters='"“”„‟«»'), max_size=200))
def test_a_text_is_found_by_its_own_words_and_by_itself(text: str) -> None:
    assert read_query(text).answered_by(set(words(text)), [text])
    assert read_query(f'"{text}"').answered_by(set(words(text)), [text])


def test_an_excerpt_shows_the_first_word_that_was_looked_for_and_what_stands_around() -> None:
    road = "and more " * 9 + "\n> the Straßen\n>> of  Wien are\n> long." + " x" * 99
    text = f"Dear Anna,\n> > one very long road of many {road}"
    found = excerpt(read_query("wien strasse"), text)
    assert found == Excerpt("more and more the Straßen of ", "Wien", (" are long." + " x" * 99)[:88])
    assert excerpt(read_query("anna"), "\n>  Dear Anna") == Excerpt(" Dear ", "Anna", "")
    assert excerpt(read_query("berlin"), text) is None
