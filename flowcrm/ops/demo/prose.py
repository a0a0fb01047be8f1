"""From a script's marks to sentences: slots, choices, greetings and dates, in the language of the writer."""

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("languages.toml")

# The innermost [one|another]: an outer one is met again in the next round. Brackets without a bar are left alone.
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_GAPS = re.compile(r" {2,}| (?=\n)|(?<=\n) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's table in languages.toml."""

    first: tuple[str, ...]
    later: tuple[str, ...]
    everybody: tuple[str, ...]
    close: tuple[str, ...]
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    day_pattern: str
    reply: str
    outlook_reply: str
    forward: str
    automatic: str
    gmail_wrote: str
    apple_wrote: str
    plain_wrote: str
    outlook_fields: tuple[str, ...]
    outlook_date: str
    forwarded: str
    phone: str

    def stamp(self, pattern: str, moment: date, **more: str) -> str:
        """A date as this language writes it; the clock only where `moment` has one."""
        return pattern.format(
            weekday=self.weekdays[moment.weekday()],
            wd=self.short_weekdays[moment.weekday()],
            day=moment.day,
            month=self.months[moment.month - 1],
            mon=self.short_months[moment.month - 1],
            m=f"{moment.month:02}",
            year=moment.year,
            clock=f"{moment:%H:%M}" if isinstance(moment, datetime) else "",
            **more,
        )

    def day(self, day: date) -> str:
        return self.stamp(self.day_pattern, day)


@cache
def words(language: str) -> Words:
    """The table of a language ("en", "de", …)."""
    return _all_words()[language]


@cache
def _all_words() -> dict[str, Words]:
    data: dict[str, dict[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: Words(**{key: _tuple(value) for key, value in table.items()}) for language, table in data.items()}


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write(text: str, slots: Mapping[str, str], rng: random.Random) -> str:
    """The text with every choice made and every slot filled. Raises KeyError for a slot that nobody has filled."""
    return fill(choose(text, rng), slots)


def choose(text: str, rng: random.Random) -> str:
    """The text with one of each [one|another]; an empty choice leaves no double space behind."""
    while True:
        text, changed = _CHOICE.subn(lambda match: rng.choice(match[1].split("|")), text)
        if not changed:
            return _GAPS.sub(lambda match: " " if match[0].startswith("  ") else "", text).strip()


def fill(text: str, slots: Mapping[str, str]) -> str:
    """The text with its slots filled in, also those that a slot brings along."""
    filled = _SLOT.sub(lambda match: slots[match[1]], text)
    return fill(filled, slots) if filled != text else text


def wrap(paragraph: str, width: int = 74) -> str:
    """Lines of at most `width` characters where there are spaces to break at (textwrap does the same ten times slower)."""
    if len(paragraph) <= width:
        return paragraph
    lines: list[str] = []
    line = ""
    for word in paragraph.split(" "):
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])
