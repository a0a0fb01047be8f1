"""One line of a mail's own words, for lists."""

import re

_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)
_SPACE = re.compile(r"\s+")
LENGTH = 160


def snippet(text: str) -> str:
    """The first words that are not quoted, on one line."""
    return _SPACE.sub(" ", _QUOTED.sub("", text[:4000])).strip()[:LENGTH]
