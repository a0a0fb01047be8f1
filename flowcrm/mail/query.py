"""What somebody typed to find mail: words, and phrases in quotation marks."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from flowcrm.mail.words import fold, words

# So many words are looked for; whoever pastes a page means its beginning.
MOST_WORDS = 16
# Characters of the text that are shown before and behind what was found in it: a line is short, and must reach as far as that.
_BEFORE, _BEHIND = 30, 90
# An excerpt is a help for the eye; it is not worth folding a book.
_LOOKED_THROUGH = 50_000

_MARKS = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_QUOTED = re.compile(r'"([^"]*)"')
_RUN = re.compile(r"\w+")
# Line ends, with the marks of quoted text behind them.
_QUOTES = re.compile(r"\s*\n[>\s]*|\s+")


@dataclass(frozen=True, slots=True)
class Query:
    """words: as the index has them (mail/words.py), those of the phrases too. phrases: folded, one space between words.
    cut: there were more words than are looked for."""

    words: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    cut: bool = False

    def answered_by(self, found: Collection[str], texts: Iterable[str]) -> bool:
        """Are these all of an email's words that count, and its texts, what was looked for?"""
        if not all(word in found for word in self.words):
            return False
        if not self.phrases:
            return True
        folded = [_even(text) for text in texts]
        return all(any(phrase in text for text in folded) for phrase in self.phrases)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The place of a text where a word that was looked for stands first."""

    before: str
    hit: str
    after: str


def read_query(typed: str) -> Query:
    """Without words where nothing was typed that could be found."""
    even = typed.translate(_MARKS)
    found = words(even)
    phrases = tuple(phrase for one in _QUOTED.findall(even) if len((phrase := _even(one)).split()) > 1)
    return Query(tuple(found[:MOST_WORDS]), phrases, len(found) > MOST_WORDS)


def excerpt(query: Query, text: str) -> Excerpt | None:
    """None where no word of the query stands in the text as a whole word."""
    wanted = set(query.words)
    for run in _RUN.finditer(text[:_LOOKED_THROUGH]):
        if not wanted.isdisjoint(words(run.group())):
            before, after = text[: run.start()], text[run.end() : run.end() + _BEHIND]
            return Excerpt(_end_of(before), run.group(), _QUOTES.sub(" ", after).rstrip())
    return None


def _end_of(text: str) -> str:
    """The last words of a text, whole."""
    end = _QUOTES.sub(" ", text[-2 * _BEFORE :])
    return end if len(end) <= _BEFORE else end[-_BEFORE:].partition(" ")[2]


def _even(text: str) -> str:
    return " ".join(fold(text).split())
